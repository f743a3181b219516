"""Agents as commands show them: plain data for programs, lines for people."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gitcmat.cli.shown import plain_problem
from gitcmat.engine.agent_start import Effective
from gitcmat.engine.agents import Known, Registry, Standing
from gitcmat.model.agent import COMMAND, AgentProfile
from gitcmat.model.agent_check import Checked, Finding, Probe
from gitcmat.model.marks import one_line
from gitcmat.model.sandbox import SandboxWish
from gitcmat.model.settings import UserSettings
from gitcmat.model.spending import Total, money
from gitcmat.model.task import Budget
from gitcmat.store import codec
from gitcmat.system.environment import unfit

HEAD: Final = ("NAME", "RUNS", "MODEL", "PERMISSIONS", "SANDBOX", "STATE", "FILE")

_LACKING: Final = "program not found"


def row(one: Known, own: UserSettings, program: Path | None) -> tuple[object, ...]:
    """An agent as a row of the table."""
    if one.written is None:
        return (one.name, "", "", "", "", state(one, program), one.path)
    profile = one.written.profile
    return (
        one.name,
        runs(profile),
        profile.model or "",
        permissions(profile),
        sandbox(profile, own),
        state(one, program),
        one.path,
    )


def runs(profile: AgentProfile) -> str:
    """What drives an agent, and the program where its profile names one."""
    return f"{profile.runs}: {shlex.join(profile.command)}" if profile.command else profile.runs


def permissions(profile: AgentProfile) -> str:
    """What it may do without asking; a program of any kind does what it does."""
    return "" if profile.runs == COMMAND else str(profile.permissions)


def sandbox(profile: AgentProfile, own: UserSettings) -> str:
    """What is wished for, the person's own wish where the profile has none."""
    wish = SandboxWish.of(profile.sandbox)
    if wish is None:
        return str(own.sandbox)
    return f"{wish.meant}, network {wish.network}" if wish.network != "full" else str(wish.meant)


def state(one: Known, program: Path | None) -> str:
    """Whether a run could start an agent, or why not."""
    if one.standing is Standing.UNUSED:
        return one.problems[0].text
    if one.written is None:
        return f"wrong: {one.problems[0].text}"
    if one.standing is Standing.NEW:
        return f"wrong: {one.problems[0].text}" if one.problems else str(one.standing)
    lacking = "program cannot be executed" if unfit(one.written.profile.argv[0]) else _LACKING
    said = "not trusted" if not one.trusted else "ready" if program else lacking
    if one.standing is not Standing.COMMITTED:
        return f"{said}; {one.standing}"
    return f"{said}; {one.problems[0].text}" if one.problems else said


def notices(found: Registry) -> Iterator[str]:
    """What is to be said below the table."""
    for problem in found.problems:
        yield f"{problem}{f' (hint: {problem.hint})' if problem.hint else ''}"
    if found.why_none:
        yield found.why_none
    elif not found.allowed and any(a.standing is not Standing.NEW for a in found.agents):
        yield f"the plan of {found.branch} is not trusted, so none of them starts: gitcmat trust"


def plain(one: Known, own: UserSettings, program: Path | None) -> dict[str, Any]:
    """An agent as plain data; what its file says is in ``profile``, values of variables are not."""
    data: dict[str, Any] = {
        "name": one.name,
        "path": one.path,
        "source": "claude" if one.path.startswith(".claude/") else "gitcmat",
        "standing": one.standing.value,
        "valid": one.written is not None and not one.problems,
        "trusted": one.trusted,
        "problems": [plain_problem(problem) for problem in one.problems],
    }
    if one.written is None:
        return data
    profile = one.written.profile
    return data | {
        "runs": profile.runs,
        "argv": list(profile.argv),
        "program": str(program) if program is not None else None,
        "model": profile.model,
        "permissions": profile.permissions.value,
        "sandbox": sandbox(profile, own),
        "account": profile.limited_as,
        "description": profile.description,
        "profile": codec.encode(profile) | {"env": sorted(profile.env)},
    }


# --- one agent, whole ---------------------------------------------------------------------------


def plain_effective(what: Effective) -> dict[str, Any]:
    """What an agent would be started as, as plain data."""
    launch = what.launch
    return {
        "arguments": list(launch.argv[1:]) if launch is not None else None,
        "sandbox_now": what.box.text if what.box is not None else None,
        "timeout_seconds": what.job.timeout,
        "idle_timeout_seconds": what.job.idle_timeout,
        "environment": sorted(what.environment),
        "not_set_here": list(what.missing),
        "state": list(launch.state) if launch is not None else [],
        "unknown": list(what.agent.unknown),
        "tested": dict(what.agent.tested),
        "errors": [{"message": e.message, "hint": e.hint} for e in what.errors],
    }


def lines(one: Known, profile: AgentProfile, what: Effective, system: str) -> Iterator[str]:
    """An agent, whole, for people."""
    yield f"{one.name}  {one.path}  {state(one, what.program)}"
    launch = what.launch
    facts = {
        "what for": profile.description,
        "runs": profile.runs,
        "program": str(what.program or ""),
        "arguments": shlex.join(launch.argv[1:]) if launch is not None else "",
        "model": profile.model or ("" if profile.runs == COMMAND else "left to its program"),
        "permissions": permissions(profile),
        "tools": ", ".join(profile.tools),
        "skills": ", ".join(profile.skills),
        "account": profile.limited_as,
        "sandbox": what.box.text if what.box is not None else "",
        "time": f"{_long(what.job.timeout)}, {_long(what.job.idle_timeout)} without a word",
        "budget": _budget(profile.budget),
        "sets": ", ".join(sorted(profile.env)),
        "hands on": _handed_on(profile, what),
        "sees": ", ".join(sorted(what.environment)),
        "its own": ", ".join(f"~/{place}" for place in (launch.state if launch else ())),
        "cannot tell": ", ".join(what.agent.unknown),
    }
    for name, said in facts.items():
        if said:
            yield f"  {name:<12} {one_line(said)}"
    for error in what.errors:
        yield f"  {'cannot':<12} {error.message}" + (f" ({error.hint})" if error.hint else "")
    for problem in one.problems:
        yield f"  {'wrong':<12} {problem}"
    if system:
        yield "  is told before each task:"
        yield from (f"  | {line}" for line in system.splitlines())


def _long(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _budget(budget: Budget | None) -> str:
    if budget is None:
        return ""
    usd = money(budget.usd) if budget.usd is not None else ""
    tokens = f"{budget.tokens} tokens" if budget.tokens is not None else ""
    return ", ".join(filter(None, (usd, tokens)))


def _handed_on(profile: AgentProfile, what: Effective) -> str:
    named = (f"{n} (not set here)" if n in what.missing else n for n in profile.pass_env)
    return ", ".join(named)


def untrusted(one: Known) -> Iterator[str]:
    """How to have an agent trusted that is not."""
    if one.standing is Standing.NEW:
        yield "nothing of it is used before it is committed and allowed:"
        yield f"  git add {one.path} && git commit"
    else:
        yield "nothing of it is started before it is allowed:"
    yield "  gitcmat trust"


# --- what was checked ---------------------------------------------------------------------------


def plain_checked(one: Checked) -> dict[str, Any]:
    """What was found out of an agent, as plain data."""
    return {
        "name": one.name,
        "runs": one.runs,
        "fine": one.fine,
        "program": one.program,
        "version": one.version,
        "tested": one.tested,
        "findings": [asdict(finding) for finding in one.findings],
        "probe": _plain_probe(one.probe) if one.probe is not None else None,
    }


def _plain_probe(probe: Probe) -> dict[str, Any]:
    return asdict(probe) | {"worked": probe.worked}


def checked_lines(one: Checked) -> Iterator[str]:
    """What was found out of an agent, for people."""
    yield f"{one.name}: " + ("nothing is wrong" if one.fine else "cannot work so")
    if one.program is not None:
        version = f", version {one.version}" if one.version else ""
        tested = ", which was tested" if one.version and one.version == one.tested else ""
        asked = "" if one.version or one.tested else ", not asked for its version"
        yield f"  {one.program}{version}{tested}{asked}"
    yield from (f"  {line}" for finding in one.findings for line in _finding(finding))
    if one.probe is not None:
        yield from _probe_lines(one.probe)


def _finding(finding: Finding) -> Iterable[str]:
    said = f"{finding.weight}: {finding.text}"
    return [said, f"  hint: {finding.hint}"] if finding.hint else [said]


def _probe_lines(probe: Probe) -> Iterator[str]:
    message = f": {one_line(probe.message)}" if probe.message else ""
    yield f"  a turn: {probe.outcome}{message}"
    yield f"    {probe.seconds:.1f} s, sandbox {probe.sandbox}, cost {Total() + probe.spend}"
