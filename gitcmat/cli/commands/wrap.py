"""``gitcmat wrap``: an agent for programs that embed us, by JSON lines."""

import os
import shlex
import sys
from typing import Final

import click

from gitcmat.cli.state import State, common
from gitcmat.errors import NotFound, Usage
from gitcmat.model.agent import PROGRAMS
from gitcmat.model.job import JobAgent, Permissions
from gitcmat.model.sandbox import SandboxMode
from gitcmat.model.task import seconds

_STDIN: Final = 0
_STDOUT: Final = 1


@click.command()
@click.argument("agent", required=False)
@click.option("--runs", type=click.Choice(sorted(PROGRAMS)), help="What drives the agent.")
@click.option("--command", "program", metavar="COMMAND", help="Its program, with arguments.")
@click.option("--model", default="", help="The model, as its program names it.")
@click.option(
    "--permissions",
    type=click.Choice([p.value for p in Permissions]),
    help="What it may do without asking at most; default: edit.",
)
@click.option("--pass-env", multiple=True, metavar="NAME", help="A variable to hand through.")
@click.option(
    "--sandbox",
    type=click.Choice([m.value for m in SandboxMode]),
    help="How it is kept in; default: what your own settings say.",
)
@click.option("--timeout", metavar="DURATION", help="Longest run; default: 30m.")
@click.option("--idle-timeout", metavar="DURATION", help="Longest silence; default: 10m.")
@common
def command(  # noqa: PLR0913 - each is an option
    state: State,
    *,
    agent: str | None,
    runs: str | None,
    program: str | None,
    model: str,
    permissions: str | None,
    pass_env: tuple[str, ...],
    sandbox: str | None,
    timeout: str | None,
    idle_timeout: str | None,
) -> None:
    """Speak JSON lines around an agent: AGENT of this repository, or any with --runs."""
    from gitcmat.adapters.agents import make_agent
    from gitcmat.engine import wrap_source
    from gitcmat.engine.wrap import Wrap

    start = state.start.resolve()
    if not start.is_dir():
        raise NotFound(f"There is no folder {start}.", hint="name another one")
    path = os.environ.get("PATH", os.defpath)
    described = (runs, program, model, permissions, pass_env, sandbox, timeout, idle_timeout)
    if agent is not None:
        if any(described):
            raise Usage("A profile says how its agent runs.", hint="leave AGENT or the options out")
        find = wrap_source.of_profile(state.app.deps, agent, start, path)
    elif runs is None and program is None:
        raise Usage("Name an agent, or say --runs.", hint="gitcmat wrap --runs claude")
    else:
        kind = runs or "command"
        argv = tuple(_words(program)) if program else PROGRAMS[kind]
        if not argv:
            raise Usage(f"--runs {kind} needs --command.", hint="--command 'PROGRAM ARGUMENT…'")
        described_agent = JobAgent(
            name=kind,
            runs=kind,
            command=argv,
            account=kind,
            model=model,
            permissions=Permissions(permissions) if permissions else Permissions.EDIT,
            pass_env=pass_env,
            timeout=_seconds(timeout, 1800),
            idle_timeout=_seconds(idle_timeout, 600),
        )
        find = wrap_source.of_program(
            described_agent, start, path, SandboxMode(sandbox) if sandbox else None
        )

    def complain(text: str) -> None:
        sys.stderr.write(text)

    wrap = Wrap(find, make_agent, read_fd=_STDIN, write_fd=_STDOUT, complain=complain)
    code = wrap.serve()
    if code:
        raise click.exceptions.Exit(code)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Usage(f"--command cannot be read: {error}.", hint="close the quotes") from error


def _seconds(text: str | None, usual: int) -> int:
    try:
        return seconds(text) if text else usual
    except ValueError as error:
        raise Usage(f"{error}.", hint="--timeout 30m") from error
