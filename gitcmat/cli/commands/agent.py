"""``gitcmat agent``: who works."""

import json
import shlex
import sys
from typing import Any

import click

from gitcmat.cli import agent_shown
from gitcmat.cli.output import SCHEMA
from gitcmat.cli.shown import plain_problem
from gitcmat.cli.state import State, common
from gitcmat.errors import Usage
from gitcmat.model.agent import COMMAND, PROGRAMS
from gitcmat.model.job import Permissions
from gitcmat.model.sandbox import SandboxMode


@click.group(name="agent")
def command() -> None:
    """Who works: list, show, add and check agents."""


@command.command(name="list")
@common
def list_(state: State) -> None:
    """List all agents, those that cannot be used too, and why."""
    from gitcmat.engine import agents
    from gitcmat.engine.agent_start import program_of

    deps = state.app.deps
    found = agents.registry(deps)
    own = deps.settings
    placed = [
        (one, own, program_of(deps, one.written.profile) if one.written is not None else None)
        for one in found.agents
    ]
    rows = [agent_shown.row(*each) for each in placed]
    lines = state.out.table(agent_shown.HEAD, rows) if rows else ["there is no agent yet"]
    told = list(agent_shown.notices(found))
    data = {
        "branch": found.branch,
        "commit": found.commit,
        "trusted": found.allowed,
        "why_no_branch": found.why_none or None,
        "agents": [agent_shown.plain(*each) for each in placed],
    }
    state.out.show(data, [*lines, "", *told] if told else lines)


@command.command()
@click.argument("name")
@common
def show(state: State, *, name: str) -> None:
    """Show all of NAME: what a run would start, in which sandbox, and what it is told."""
    from gitcmat.adapters.agents import make_agent
    from gitcmat.engine import agents
    from gitcmat.engine.agent_start import effective

    deps = state.app.deps
    found = agents.registry(deps)
    one = found.find(name)
    written = one.required()
    profile, system = written.profile, written.system
    what = effective(deps, make_agent, profile, found.config)
    data = agent_shown.plain(one, deps.settings, what.program) | agent_shown.plain_effective(what)
    shown = list(agent_shown.lines(one, profile, what, system))
    if not one.trusted:
        shown += ["", *agent_shown.untrusted(one)]
    state.out.show({"agent": data | {"system": system}}, shown)


@command.command()
@click.argument("name")
@click.option("--runs", type=click.Choice(sorted(PROGRAMS)), help="What drives it.")
@click.option("--command", "--exec", "program", metavar="COMMAND", help="Its program, with words.")
@click.option("--description", default="", help="What it is for.")
@click.option("--model", help="The model, as its program names it.")
@click.option(
    "--permissions",
    type=click.Choice([p.value for p in Permissions]),
    help="What it may do without asking; default: edit.",
)
@click.option("--tool", "tools", multiple=True, help="A tool it may use without asking.")
@click.option("--skill", "skills", multiple=True, help="A skill that it is pointed to.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable to set; no secrets.")
@click.option("--pass-env", multiple=True, metavar="NAME", help="A variable to hand through.")
@click.option("--account", help="Whose usage limit it works under.")
@click.option("--sandbox", type=click.Choice([m.value for m in SandboxMode]))
@click.option("--timeout", metavar="DURATION", help="Longest run.")
@click.option("--idle-timeout", metavar="DURATION", help="Longest silence.")
@click.option("--usd", type=click.FloatRange(0, min_open=True), help="What a task may cost.")
@click.option("--system", default="", help="What it is told before each task.")
@common
def add(
    state: State,
    *,
    name: str,
    runs: str | None,
    program: str | None,
    env: tuple[str, ...],
    system: str,
    **given: Any,
) -> None:
    """Write .cmat/agents/NAME.md, with comments, for you to look at and to commit."""
    from gitcmat.adapters.agents import make_agent
    from gitcmat.engine import agent_files

    if runs is None and program is None:
        raise Usage("Say what runs it.", hint=f"gitcmat agent add {name} --runs claude")
    kind = runs or COMMAND
    fields = {**given, "command": _words(program), "env": dict(map(_pair, env))}
    login = make_agent(kind).login
    made = agent_files.add(state.app.deps, name, kind, fields, system=system, login=login)
    steps = [
        f"git add {made.path} && git commit -m {shlex.quote(f'Add the agent {name}')}",
        "gitcmat trust",
        f"gitcmat agent check {name}",
    ]
    data = {"name": name, "path": made.path, "runs": kind, "hides": made.hides, "next": steps}
    lines = [f"wrote {made.path}; nothing of it is used before you have committed and allowed it:"]
    lines += [f"  {step}" for step in steps]
    if made.hides:
        lines.append(f"{made.hides} is not used any more, as this one has its name")
    state.out.show(data, lines)


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--probe", is_flag=True, help="Let it take one turn that does nothing; it may cost.")
@common
def check(state: State, *, names: tuple[str, ...], probe: bool) -> None:
    """See whether agents can work: NAMES, or all. Exit code 1 when one cannot.

    Starts nothing of theirs but PROGRAM --version, in an empty folder and without your keys.
    """
    from gitcmat.adapters.agents import make_agent
    from gitcmat.engine import agent_checks, agents

    deps = state.app.deps
    found = agents.registry(deps)
    chosen = agent_checks.choose(deps, found, names)
    say = state.out.progress if probe else lambda _: None
    results = agent_checks.check(deps, make_agent, found, chosen, probe=probe, on_line=say)
    checked = []
    for one in results:
        checked.append(one)
        if not state.as_json:
            state.out.show({}, agent_shown.checked_lines(one))
    fine = all(one.fine for one in checked)
    if state.as_json:
        told = [agent_shown.plain_checked(one) for one in checked]
        state.out.show({"fine": fine, "agents": told}, "")
    if not fine:
        raise click.exceptions.Exit(1)


@command.command(name="generate-json")
@common
def generate_json(state: State) -> None:
    """Print all agents with all that their files say, and all errors in them, as one JSON object.

    Exit code 1 when there are errors.
    """
    from gitcmat.engine import agents
    from gitcmat.engine.agent_start import program_of

    deps = state.app.deps
    found = agents.registry(deps)
    own = deps.settings
    shown = [
        agent_shown.plain(one, own, program_of(deps, one.written.profile))
        | {"system": one.written.system}
        for one in found.agents
        if one.written is not None
    ]
    errors = [plain_problem(problem) for problem in found.problems]
    notes = [plain_problem(note) for note in found.notes]
    data = {"schema": SCHEMA, "agents": shown, "errors": errors, "notes": notes}
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
    if errors:
        raise click.exceptions.Exit(1)


def _words(text: str | None) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text)) if text else ()
    except ValueError as error:
        raise Usage(f"--command cannot be read: {error}.", hint="close the quotes") from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Usage(f"--env {text!r} is not NAME=VALUE.", hint="--env MODE=test")
    return name, value
