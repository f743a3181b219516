"""`gitcmat trust`: see and allow what gitcmat may start here."""

import sys
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common
from gitcmat.errors import Conflict, NotTrusted

if TYPE_CHECKING:
    from gitcmat.engine.trust import Look


@click.command()
@click.option("--digest", metavar="SHA256", help="Allow the plan with this digest, unasked.")
@click.option(
    "--print-digest", is_flag=True, help="Print the digest of the plan, and allow nothing."
)
@click.option("--list", "as_list", is_flag=True, help="List what is allowed.")
@click.option("--forget", is_flag=True, help="Allow nothing any more.")
@common
def command(
    state: State, *, digest: str | None, print_digest: bool, as_list: bool, forget: bool
) -> None:
    """Show what gitcmat may start by the settings that are committed, ask, and remember it."""
    from gitcmat.engine import trust

    if (digest is not None) + print_digest + as_list + forget > 1:
        raise click.UsageError("--digest, --print-digest, --list and --forget exclude each other.")
    if as_list:
        _list(state)
        return
    if forget:
        _forget(state)
        return
    found = trust.look(state.app.deps)
    if print_digest:
        state.out.show(_plain(found, allowed=found.allowed), found.plan.digest)
        return
    if digest is None:
        if not state.as_json:
            state.out.show({}, _lines(found))
        if found.allowed:
            _say(state, found, "")
            return
        _ask(state)
    trust.allow(state.app.deps, found, found.plan.digest if digest is None else digest)
    state.app.wake()
    _say(state, found, "Allowed.")


def _ask(state: State) -> None:
    """Let the person type the name of the repository: a bare "yes" is typed too easily."""
    if state.no_input or state.as_json or not sys.stdin.isatty():
        raise NotTrusted(
            "Nothing was allowed: nobody can be asked here.",
            hint='in scripts: gitcmat trust --digest "$(gitcmat trust --print-digest)"',
        )
    name = state.app.deps.repo.root.name
    typed = click.prompt(f"Type {name} to allow this", default="", show_default=False, err=True)
    if typed.strip() != name:
        raise NotTrusted("Nothing was allowed.", hint=f"gitcmat trust, and type {name}")


def _say(state: State, found: "Look", what: str) -> None:
    if state.as_json:
        state.out.show(_plain(found, allowed=True), "")
    elif what:
        state.out.show({}, what)


def _plain(found: "Look", *, allowed: bool) -> dict[str, Any]:
    return {
        "branch": found.branch,
        "commit": found.commit,
        "digest": found.plan.digest,
        "allowed": allowed,
        "plan": found.plan.data,
        "programs": found.programs,
        "changes": found.changes,
        "not_committed": [{"path": one.path, "how": one.how} for one in found.unsaved],
    }


def _lines(found: "Look") -> list[str]:
    lines = [f"The plan of {found.branch} at {found.commit[:10]}:", ""]
    if found.settings_from != found.commit:
        lines[:1] = [
            f"The settings of {found.branch} at {found.commit[:10]} are wrong (gitcmat lint).",
            f"The plan is that of {found.settings_from[:10]}, the last with right ones:",
        ]
    lines += [f"  {line}" if line else "" for line in found.lines]
    if any(where for where in found.programs.values()):
        lines.append("  A workspace's own .venv/bin comes before these programs.")
    lines.append("")
    if found.unsaved:
        lines.append("Saved but not committed, and so no part of it:")
        lines += [f"  {one.path} ({one.how})" for one in found.unsaved]
        lines.append("")
    if found.problem:
        lines.append(found.problem)
    if found.allowed:
        nothing = "It needs no permission." if found.plan.starts_nothing else "It is allowed."
        return [*lines, nothing]
    if found.last is None:
        lines.append("Nothing was allowed here until now.")
    else:
        lines.append(f"Changed since {found.last.at:%Y-%m-%d %H:%M} UTC, when it was allowed last:")
        lines += [f"  {line}" for line in found.changes]
    return [*lines, f"Digest: {found.plan.digest}"]


def _list(state: State) -> None:
    memory = state.app.deps.trust
    found = memory.all()
    data = [{"digest": one.plan.digest, "at": one.at, "version": one.version} for one in found]
    rows = [(one.plan.digest, f"{one.at:%Y-%m-%d %H:%M} UTC", one.version) for one in found]
    lines = (
        state.out.table(("DIGEST", "ALLOWED", "GITCMAT"), rows) if rows else ["Nothing is allowed."]
    )
    state.out.show({"file": str(memory.path), "plans": data}, lines)
    if memory.problem:
        state.out.warn(memory.problem)


def _forget(state: State) -> None:
    memory = state.app.deps.trust
    count = len(memory.all())
    if not memory.path.exists():
        raise Conflict("Nothing is allowed here, so there is nothing to forget.")
    memory.forget()
    plans = "1 plan" if count == 1 else f"{count} plans"
    text = f"Forgot {plans}: nothing new is started until you allow it. What runs goes on."
    state.out.show({"forgotten": count}, text)
