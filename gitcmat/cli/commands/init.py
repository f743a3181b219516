"""`gitcmat init`: prepare this repository."""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from gitcmat.engine.init import Prepared


@click.command()
@click.option("--force", is_flag=True, help="Write the files anew, also where they are.")
@click.option("--commit", is_flag=True, help="Commit what was written, and nothing else.")
@click.option(
    "--detect/--no-detect",
    "look",
    default=True,
    help="Look how the project is built and tested, or do not.",
)
@common
def command(state: State, *, force: bool, commit: bool, look: bool) -> None:
    """Prepare this repository: write .cmat/ with the gates whose tools were found."""
    from gitcmat.engine.init import prepare

    done = prepare(state.app.deps, force=force, look=look, commit=commit)
    state.out.show(_plain(done), _lines(done))


def _plain(done: "Prepared") -> dict[str, Any]:
    found = done.proposal
    return {
        "root": str(done.root),
        "written": done.written,
        "kept": done.kept,
        "stacks": [{"name": name, "file": file} for name, file in found.stacks],
        "setup": found.setup,
        "gates": {name: gate.run for name, gate in found.gates.items()},
        "not_found": found.missing,
        "branch_prefix": done.prefix,
        "hooks": {"installed": done.hooks.installed, "why_not": done.hooks.why_not},
        "trusted": done.trusted,
        "commit": done.commit,
    }


def _lines(done: "Prepared") -> Iterator[str]:
    yield from _found(done)
    if done.written:
        yield f"Wrote in {done.root}:"
        yield from (f"  {path}" for path in done.written)
        if done.excluded:
            yield "  .git/info/exclude (hides the folders that gitcmat writes itself)"
    if done.kept:
        yield "Left as they are:"
        yield from (f"  {path}" for path in done.kept)
    if done.prefix != "cmat":
        yield f"Branches for review are {done.prefix}/<task>: there is a branch named cmat."
    if done.hooks.installed:
        yield (
            "Installed git hooks that wake gitcmat and refuse a commit of wrong files below .cmat/ "
            "(gitcmat hooks remove undoes it)."
        )
    else:
        yield f"Installed no git hooks, which gitcmat does not need: {done.hooks.why_not}."
    if done.trusted:
        yield "Trusted on this machine: what these files may start, as they are now."
    if done.main:
        yield f"Note: tasks are taken from the branch that is checked out in {done.main}."
    if done.ignored:
        yield "Note: git ignores .cmat/ here, so it takes git add --force."
    if done.commit:
        yield f"Committed as {done.commit[:10]}."
    yield from _next(done)


def _found(done: "Prepared") -> Iterator[str]:
    found = done.proposal
    if found.stacks:
        yield "Found " + ", ".join(f"{name} ({file})" for name, file in found.stacks) + ":"
        wide = max(map(len, ("setup", *found.gates)))
        commands = [("setup", argv) for argv in found.setup]
        commands += [(name, gate.run) for name, gate in found.gates.items()]
        yield from (f"  {name:<{wide}}  {shlex.join(argv)}" for name, argv in commands)
    if found.missing:
        yield "Looked for and did not find:"
        yield from (f"  {line}" for line in found.missing)


def _next(done: "Prepared") -> Iterator[str]:
    yield "Next:"
    yield "  write an agent: gitcmat agent add NAME --runs claude (or see .cmat/agents/README.md)"
    if not done.commit:
        yield '  git add .cmat && git commit -m "Use gitcmat"'
        if not done.born:
            yield "  (this branch has no commit yet: no task starts before there is one)"
    yield "  gitcmat trust"
