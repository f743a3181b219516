"""The command line: a lazy tree of commands."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from gitcmat import __version__
from gitcmat.cli.boundary import guarded, refuse
from gitcmat.cli.state import State

_COMMANDS: Final = {
    "agent": "Who works: list, show, add and check agents.",
    "auth": "Who you are to the forge, and what you may do there.",
    "blocker": "Questions that wait for you.",
    "checkpoint": "Save the work tree, and go back.",
    "ci": "Jobs of a workflow: plan, run, publish, sync.",
    "config": "Settings of the repository and your own.",
    "cost": "What runs have used.",
    "delegate": "Inside a run: have another agent do a part.",
    "demo": "Show the whole way in a temporary folder.",
    "doctor": "What is wrong here, and how to mend it.",
    "events": "What happened, by whom and how.",
    "gate": "The commands that judge results.",
    "hooks": "Git hooks, which gitcmat does not need.",
    "init": "Prepare this repository.",
    "land": "Put the work of a task onto its target branch.",
    "lint": "Check everything under .cmat/.",
    "mcp": "Tools for agents, by the Model Context Protocol.",
    "model": "Models, and what their tokens cost.",
    "pr": "Pull requests: open, look at, merge, close them.",
    "queue": "What is where, and moving it.",
    "review": "Look at results, and send them back.",
    "run": "Runs of agents: start, follow, stop.",
    "status": "What goes on, and what to do next.",
    "subtask": "Parts of a task, ticked off one by one.",
    "task": "What is wanted.",
    "trust": "See and allow what gitcmat may start here.",
    "undo": "Take back your last command.",
    "uninstall": "Take gitcmat out of this repository.",
    "watch": "The daemon, in the foreground.",
    "workspace": "The folders that agents work in.",
    "wrap": "An agent for programs that embed us, by JSON lines.",
}
"""Names and one-line helps. The module of a command is imported when it is used."""

_COMPLETE: Final = "_GITCMAT_COMPLETE"
"""Set by the shell's completion (`_GITCMAT_COMPLETE=bash_source gitcmat`)."""


class LazyGroup(click.Group):
    """A group whose commands are modules of `gitcmat.cli.commands`, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"gitcmat.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest one."""
        name = args[0]
        if not name.startswith("-") and name not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "directory", metavar="DIR", help="Work as if started in DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Print no progress.")
@click.option("--no-input", is_flag=True, help="Never ask.")
@click.option("--no-color", is_flag=True, help="Print no colours.")
@click.version_option(__version__, message="gitcmat %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    *,
    directory: str | None,
    as_json: bool,
    quiet: bool,
    no_input: bool,
    no_color: bool,
) -> None:
    """Run coding agents from files in a git repository."""
    start = Path(directory) if directory else Path()
    ctx.obj = State(
        start=start, as_json=as_json, quiet=quiet, no_input=no_input, color=not no_color
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if _COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "gitcmat", _COMPLETE, os.environ[_COMPLETE])
    return guarded(args, lambda: _invoke(args))


def _invoke(args: Sequence[str]) -> int:
    try:
        with cli.make_context("gitcmat", list(args)) as ctx:  # click takes its list apart
            cli.invoke(ctx)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return error.exit_code
    except click.ClickException as error:
        return refuse(args, error.format_message(), _usage_hint(error), error.exit_code)
    return 0


def _usage_hint(error: click.ClickException) -> str:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f"{ctx.command_path} --help" if ctx else ""
