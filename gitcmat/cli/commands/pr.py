"""``gitcmat pr``: the pull requests of tasks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.pull_shown import HEAD, plain_pull, plain_review, row, status_data, status_lines
from gitcmat.cli.state import State, common
from gitcmat.errors import UserError
from gitcmat.model.marks import one_line

if TYPE_CHECKING:
    from gitcmat.engine.pulls import Published
    from gitcmat.engine.synced import Synced


@click.group(name="pr")
def command() -> None:
    """Pull requests: open, look at, review, merge, close them. TASK is an id, or #12."""


@command.command()
@click.argument("task")
@click.option(
    "--draft", "ready", flag_value="", help="As a draft; the default but for `pull: ready`."
)
@click.option("--ready", "ready", flag_value="yes", help="Ready for review, also if it is there.")
@click.option("--base", default="", metavar="BRANCH", help="The branch there that it goes onto.")
@click.option("--again", is_flag=True, help="A new one, although the last one was closed.")
@common
def create(state: State, *, task: str, ready: str | None, base: str, again: bool) -> None:
    """Push the work of TASK and open a pull request for it, or bring that which it has up to date.

    It may be typed again at any time: a task has one open pull request at most.
    """
    from gitcmat.engine import pulls
    from gitcmat.model.forge_settings import PullMode

    app = state.app
    usual = app.deps.settings.forge.pull is not PullMode.READY
    draft = usual if ready is None else not ready
    done = pulls.publish(app.reconciler, app.hub, task, draft=draft, base=base, again=again)
    data = {
        "task": done.entry.id,
        "pull": plain_pull(done.pull),
        "made": done.made,
        "pushed": done.pushed,
        "along": done.along,
        "starts_workflows": not done.silent if done.pushed else None,
    }
    state.out.show(data, _published(done))


@command.command(name="list")
@common
def list_(state: State) -> None:
    """List the tasks that have a pull request, as it was seen last."""
    from gitcmat.engine import pulls

    found = pulls.listed(state.app.deps)
    rows = [row(entry, entry.pull) for entry in found if entry.pull is not None]
    lines = state.out.table(HEAD, rows) if rows else ["no task has a pull request"]
    data = [
        {"task": e.id, "state": str(e.state), "pull": plain_pull(e.pull)}
        for e in found
        if e.pull is not None
    ]
    state.out.show({"pulls": data}, lines)


@command.command()
@click.argument("task")
@common
def show(state: State, *, task: str) -> None:
    """Show the pull request of TASK as the forge has it now: checks, reviews, what it says."""
    from gitcmat.engine import pull_merge

    found = pull_merge.status(state.app.deps, state.app.hub, task)
    data = status_data(found) | {"title": found.seen.title, "body": found.seen.body}
    said = [f"  | {one_line(line)}" for line in found.seen.body.splitlines()]
    state.out.show(data, [*status_lines(found), *said])


@command.command()
@click.argument("task")
@common
def status(state: State, *, task: str) -> None:
    """Say whether the pull request of TASK can be merged, and what speaks against it."""
    from gitcmat.engine import pull_merge

    found = pull_merge.status(state.app.deps, state.app.hub, task)
    state.out.show(status_data(found), status_lines(found))


@command.command()
@click.argument("task")
@common
def files(state: State, *, task: str) -> None:
    """List the files that the pull request of TASK changes, as the forge has it."""
    from gitcmat.engine import pull_merge

    app = state.app
    found = pull_merge.files(app.deps, app.hub, task)
    data = [
        {
            "path": f.path,
            "status": f.status,
            "additions": f.additions,
            "deletions": f.deletions,
            "before": f.before or None,
        }
        for f in found
    ]
    rows = [(f.status, f"+{f.additions} -{f.deletions}", one_line(f.path)) for f in found]
    head = ("STATUS", "LINES", "PATH")
    state.out.show({"files": data}, state.out.table(head, rows) if rows else ["no files"])


@command.command()
@click.argument("task")
@click.option("--squash", "how", flag_value="squash", help="As one commit; the default.")
@click.option("--merge", "how", flag_value="merge", help="As a merge commit.")
@click.option("--rebase", "how", flag_value="rebase", help="Commit by commit.")
@click.option("--override", default="", metavar="REASON", help="Why, although not all is green.")
@common
def merge(state: State, *, task: str, how: str | None, override: str) -> None:
    """Merge the pull request of TASK: its gates and checks are green, and it is approved."""
    from gitcmat.engine import pull_merge
    from gitcmat.model.forge import MergeMethod

    app = state.app
    method = MergeMethod(how or "squash")
    done = pull_merge.merge(app.reconciler, app.hub, task, method=method, override=override.strip())
    app.wake()
    state.out.show(_synced_data(done), _synced(done))


@command.command()
@click.argument("task")
@common
def close(state: State, *, task: str) -> None:
    """Close the pull request of TASK without merging it; the task stays where it is."""
    from gitcmat.engine import pulls
    from gitcmat.model.state import State as Task

    entry = pulls.close(state.app.deps, state.app.hub, task)
    number = entry.pull.number if entry.pull else 0
    next_ = (
        "what becomes of its branch there: gitcmat pr sync"
        if entry.state is Task.DONE
        else f"to open another: gitcmat pr create {entry.id} --again"
    )
    lines = [f"{entry.id}: #{number} is closed; {entry.id} is {entry.state}", next_]
    pull = plain_pull(entry.pull) if entry.pull else None
    state.out.show({"task": entry.id, "pull": pull}, lines)


@command.command()
@click.argument("task")
@click.option("--approve", "verdict", flag_value="approved", help="It may be merged.")
@click.option("--request-changes", "verdict", flag_value="changes requested", help="Not like this.")
@click.option("--comment", "verdict", flag_value="commented", help="Only say something.")
@click.option("-m", "--message", default="", help="What you say; only an approval needs none.")
@common
def review(state: State, *, task: str, verdict: str | None, message: str) -> None:
    """Review the pull request of TASK under your own login.

    What you want changed goes to the agent with the next `pr sync`.
    """
    from gitcmat.engine import pull_review
    from gitcmat.errors import Usage
    from gitcmat.model.forge import Verdict

    if verdict is None:
        raise Usage("Say what you think.", hint="--approve, --request-changes or --comment")
    app = state.app
    entry, made = pull_review.submit(app.deps, app.hub, task, Verdict(verdict), message)
    data = {"task": entry.id, "review": plain_review(made)}
    state.out.show(data, f"{entry.id}: {made.author.login} {_VERDICTS[made.verdict]}, {made.url}")


@command.command()
@click.argument("task")
@click.argument("logins", nargs=-1, required=True, metavar="LOGIN...")
@common
def request(state: State, *, task: str, logins: tuple[str, ...]) -> None:
    """Ask people to review the pull request of TASK."""
    from gitcmat.engine import pull_review

    entry = pull_review.request(state.app.deps, state.app.hub, task, logins)
    data = {"task": entry.id, "asked": [*logins]}
    state.out.show(data, f"{entry.id}: {', '.join(logins)} asked for a review")


@command.command()
@click.argument("task")
@click.argument("which", metavar="REVIEW")
@click.option("-m", "--message", "--reason", required=True, help="Why: all can read it.")
@common
def dismiss(state: State, *, task: str, which: str, message: str) -> None:
    """Say that a review of TASK does not count any more; REVIEW is its author, or its number."""
    from gitcmat.engine import pull_review

    entry, made = pull_review.dismiss(state.app.deps, state.app.hub, task, which, message)
    data = {"task": entry.id, "review": plain_review(made)}
    state.out.show(data, f"{entry.id}: the review {made.id} of {made.author.login} is dismissed")


_VERDICTS = {"approved": "approved", "changes requested": "requested changes", "commented": "said"}


@command.command()
@common
def sync(state: State) -> None:
    """Take in what happened to pull requests: reviews, commands, checks, merges by any button.

    With `forge: {pull: draft}` in your own settings it opens them for work at review, too.
    """
    from gitcmat.engine import forge_last, forge_sync
    from gitcmat.engine.synced import Synced

    app, found = state.app, Synced()
    try:
        with forge_last.noted(app.deps, found):
            forge_sync.sync(app.reconciler, app.hub, into=found)
    except UserError:
        for line in found.lines:  # what is new until then is recorded
            state.out.progress(line)
        raise
    finally:
        if found.lines:
            app.wake()
    state.out.show(_synced_data(found), _synced(found))


def _published(done: "Published") -> Iterator[str]:
    pull = done.pull
    kind = "draft " if pull.draft else ""
    word = "opened" if done.made else "is there"
    yield f"{done.entry.id}: {kind}pull request #{pull.number} {word}, {pull.head} onto {pull.base}"
    yield f"  {pull.url}"
    if done.pushed:
        yield f"  pushed {pull.pushed[:10]} to {pull.head}"
    if done.silent:
        yield "  no workflow starts by this push: it was by the token that a workflow is given"
    if done.along:
        commits = "1 commit" if done.along == 1 else f"{done.along} commits"
        target = done.entry.target.removeprefix("refs/heads/")
        yield f"  {commits} of {target} that you have not pushed: part of it"


def _synced(done: "Synced") -> list[str]:
    if done.lines:
        return done.lines
    return [f"nothing new about {done.looked} pull request{'' if done.looked == 1 else 's'}"]


def _synced_data(done: "Synced") -> dict[str, Any]:
    return {
        "looked": done.looked,
        "landed": done.landed,
        "news": done.lines,
        "troubles": done.troubles,
    }
