"""See whether agents can work: by looking, by asking their programs for their versions, and, when a
person wants to pay for it, by a turn that does nothing.
"""

import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from gitcmat.engine import exposed, trust, wrap_run
from gitcmat.engine.agent_start import Effective, MakeAgent, effective
from gitcmat.engine.agents import Registry, Standing
from gitcmat.engine.deps import Deps
from gitcmat.engine.wrap_guard import Guard
from gitcmat.engine.wrap_run import Place, Tapped, Wrapped
from gitcmat.errors import NotTrusted, NoWork, UserError
from gitcmat.model.agent import PROGRAMS, AgentProfile
from gitcmat.model.agent_check import (
    Checked,
    Finding,
    Probe,
    Weight,
    compared,
    not_logged_in,
    version_in,
)
from gitcmat.model.intent import Agent
from gitcmat.store import accounts
from gitcmat.system import clock, proc, supervise
from gitcmat.system.interrupts import Interrupts
from gitcmat.system.logs import visible

VERSION_SECONDS: Final = 30.0
"""How long a program may take to say its version; some start slowly."""
PROBE_SECONDS: Final = 180
"""How long the turn of a probe may take."""
PROMPT: Final = "Answer with the one word: ready. Use no tool and change nothing.\n"
"""What an agent is asked in a probe."""

_MOST: Final = 10_000


def choose(deps: Deps, found: Registry, names: Collection[str]) -> list[Agent]:
    """Return the committed agents of these names, all of them for none; only these may be started.

    Raises:
        NotFound: there is no such agent.
        InvalidData: its file is wrong.
        NotTrusted: it is not committed, or what may start here is not allowed.
        NoWork: there is none at all.
    """
    plan = trust.look(deps).plan  # says what is wrong where there is none
    for name in names:
        known = found.find(name)
        known.required()
        if known.standing is Standing.NEW:
            raise NotTrusted(
                f"{known.path} is not committed, so nothing of it is started.",
                hint=f"git add {known.path} && git commit, then gitcmat trust",
            )
    deps.trust.require(plan)
    chosen = [
        one.written
        for one in found.agents
        if one.trusted and one.written is not None and (not names or one.name in names)
    ]
    if not chosen:
        raise NoWork("There is no committed agent to check.", hint="gitcmat agent list")
    return chosen


def check(
    deps: Deps,
    make_agent: MakeAgent,
    found: Registry,
    agents: Collection[Agent],
    *,
    probe: bool,
    on_line: Callable[[str], None] = lambda _: None,
) -> Iterator[Checked]:
    """Check agents that `choose` has chosen, one after the other.

    Of each the program is asked for its version, if its kind is known to answer. `probe` lets it
    take one turn in an empty folder, in the sandbox of its profile: that costs what it costs.
    """
    guard = Guard() if probe else None
    for one in agents:
        what = effective(deps, make_agent, one.profile, found.config)
        checked = _looked_at(one.profile, what)
        if what.program is not None:
            checked = _asked(checked, one.profile, what)
        if guard is not None and checked.fine:
            on_line(
                f"{one.profile.name}: takes a turn that does nothing, {PROBE_SECONDS} s at most"
            )
            probed = _probe(deps, make_agent, one, what, guard)
            checked = replace(checked, probe=probed)
        yield checked


def _looked_at(profile: AgentProfile, what: Effective) -> Checked:
    findings = [
        Finding(weight=Weight.WRONG, text=error.message, hint=error.hint) for error in what.errors
    ]
    for name in what.missing:
        text = f"pass_env: {name} is not set here"
        findings.append(Finding(weight=Weight.NOTE, text=text, hint=f"export {name}=…"))
    for text, hint in map(exposed.told, exposed.names(profile.env)):
        findings.append(Finding(weight=Weight.NOTE, text=text, hint=hint))
    findings += _login(what)
    limit = accounts.limits(clock.now()).get(profile.limited_as)
    if limit is not None:
        text = f"its account {profile.limited_as} is on hold until {limit.until:%H:%M:%S} UTC"
        hint = f"gitcmat queue resume --account {profile.limited_as}"
        findings.append(Finding(weight=Weight.NOTE, text=text, hint=hint))
    return Checked(
        name=profile.name,
        runs=profile.runs,
        program=str(what.program) if what.program is not None else None,
        findings=tuple(findings),
    )


def _login(what: Effective) -> Iterator[Finding]:
    login, env = what.agent.login, what.environment
    if login is None or not env or any(env.get(name) for name in login.variables):
        return
    home = Path(env.get("HOME") or Path.home())
    moved = env.get(login.moved) if login.moved else None
    files = [Path(moved, Path(f).name) if moved else home / f for f in login.files]
    if not any(file.is_file() for file in files):
        shown = tuple(f"~/{f}" for f in login.files) if not moved else tuple(map(str, files))
        yield not_logged_in(login.variables, shown, os.environ)


def _asked(checked: Checked, profile: AgentProfile, what: Effective) -> Checked:
    """`checked`, with the version of the program: asked in an empty folder, without a key."""
    program, tested = str(what.program), what.agent.tested
    usual = PROGRAMS[profile.runs]
    name = usual[0] if usual else Path(profile.argv[0]).name
    if name not in tested:
        return checked
    argv = (program, *(profile.argv[1:] if usual else ()), "--version")
    names = ("PATH", "HOME", "LANG", "TERM", "TMPDIR", "USER", "LOGNAME")
    env = {n: what.environment[n] for n in names if n in what.environment}
    switches = what.launch.env if what.launch is not None else {}
    with tempfile.TemporaryDirectory(prefix="gitcmat-agent-") as folder:
        try:
            done = proc.run(
                argv,
                cwd=Path(folder),
                env={"PATH": os.defpath, **env, **switches},
                timeout=VERSION_SECONDS,
                max_output=_MOST,
            )
        except UserError as error:
            return _with(checked, Finding(weight=Weight.WRONG, text=error.message, hint=error.hint))
    version = version_in(done.text) if done.ok else None
    if version is None:
        said = next((line for line in (*_lines(done.out), *_lines(done.err))), "nothing")
        text = f"`{name} --version` exited {done.code} and said: {said}"
        return _with(checked, Finding(weight=Weight.WRONG, text=text, hint="start it by hand"))
    checked = replace(checked, version=version, tested=tested[name])
    other = compared(name, version, tested[name])
    return _with(checked, other) if other is not None else checked


def _with(checked: Checked, finding: Finding) -> Checked:
    return replace(checked, findings=(*checked.findings, finding))


def _lines(data: bytes) -> list[str]:
    text = visible(data.decode("utf-8", "replace"))
    return [line.strip() for line in text.splitlines() if line.strip()]


def _probe(deps: Deps, make_agent: MakeAgent, one: Agent, what: Effective, guard: Guard) -> Probe:
    """Let an agent take a turn; none of its processes is left."""
    supervise.become_subreaper()
    place = Place()
    job = replace(
        what.job,
        command=(str(what.program), *what.job.command[1:]),
        timeout=min(what.job.timeout, PROBE_SECONDS),
        idle_timeout=min(what.job.idle_timeout, PROBE_SECONDS),
    )
    begun = clock.monotonic()
    with place.made() as folder, Interrupts() as interrupts:

        def meanwhile() -> None:
            if interrupts.count:
                folder.request_stop()

        empty = place.path / "empty"
        empty.mkdir(mode=0o700)
        guard.watch(place.run, place.path, folder.processes)
        wrapped = Wrapped(
            agent=job,
            cwd=empty,
            git_dir=deps.repo.common_dir,
            work_tree=deps.repo.main_work_tree,
            budget=one.profile.budget,
            allow_env=deps.settings.allow_env,
        )
        tapped = Tapped(make_agent(job.runs), lambda _: None)
        end = wrap_run.perform(wrapped, place, lambda: tapped, PROMPT, "", meanwhile)
        guard.rest()
        if interrupts.count:
            raise KeyboardInterrupt
    return Probe(
        outcome=end.outcome,
        message=end.message,
        said=end.said,
        spend=end.spend,
        seconds=round(clock.monotonic() - begun, 1),
        sandbox=job.sandbox.text,
    )
