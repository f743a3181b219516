"""What follows for a pull request: onto what it goes, and what it waits for."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gitcmat.errors import Conflict, Usage
from gitcmat.model.approval import Standing
from gitcmat.model.entry import Entry
from gitcmat.model.forge import LONGEST_BODY, Check, PullRequest
from gitcmat.model.pull import Pull, PullState

_BRANCHES = "refs/heads/"


def base_of(entry: Entry, needs: Iterable[Entry], holds: Callable[[Entry], bool]) -> str:
    """Return the branch that the pull request of `entry` goes onto, without ``refs/heads/``.

    That is its target; but where the work holds (`holds`) that of a need whose own pull request is
    open, the branch of that one: so each shows its own change alone. Of several the last counts.
    """
    stacked = [need.pull.head for need in needs if need.pull and need.pull.open and holds(need)]
    return stacked[-1] if stacked else entry.target.removeprefix(_BRANCHES)


def depends_on(needs: Iterable[Entry], host: str, repo: str) -> tuple[int, ...]:
    """Return the numbers of the pull requests, in the same repository, that come first."""
    pulls = (need.pull for need in needs if need.pull is not None)
    here = (pull for pull in pulls if (pull.host, pull.repo) == (host, repo))
    return tuple(pull.number for pull in here if pull.state is not PullState.CLOSED)


def closes(entry: Entry, host: str, repo: str) -> int:
    """Return the issue, in the same repository, that merging its work closes; 0 for none."""
    issue = entry.issue
    return issue.number if issue and (issue.host, issue.repo) == (host, repo) else 0


def followed(pull: Pull, seen: PullRequest) -> Pull:
    """Return the record of a pull request as the forge shows it now."""
    return replace(
        pull,
        url=seen.url,
        head=seen.head,
        base=seen.base,
        draft=seen.draft,
        state=seen.state,
    )


def together(checks: Iterable[Check]) -> str:
    """Return what checks say together: ``failed`` if one is red, else ``running`` if one is not
    done, else ``passed``; empty where there are none.
    """
    checks = tuple(checks)
    if any(check.state.red for check in checks):
        return "failed"
    if any(not check.state.done for check in checks):
        return "running"
    return "passed" if checks else ""


def why_not_merged(
    seen: PullRequest, checks: Iterable[Check], standing: Standing, *, approvals: int
) -> tuple[str, ...]:
    """Return what speaks against merging, besides gates; a person may override each."""
    found = []
    checks = tuple(checks)
    red = [check.name for check in checks if check.state.red]
    open_ = [check.name for check in checks if not check.state.done]
    if red:
        found.append(f"checks are red: {', '.join(red)}")
    if open_:
        found.append(f"checks are not done: {', '.join(open_)}")
    if standing.rejected:
        found.append(f"changes are wanted by {', '.join(standing.rejected)}")
    if len(standing.approved) < approvals:
        of = f"{len(standing.approved)} of {approvals} approvals"
        why = "; ".join(f"{login}'s does not count: {reason}" for login, reason in standing.ignored)
        found.append(of + (f" ({why})" if why else ""))
    if seen.mergeable is False:
        found.append("it conflicts with its base")
    return tuple(found)


def check_length(text: str, longest: int = LONGEST_BODY) -> None:
    """Raise `Usage` where somebody says more than a forge shows, which is `longest` characters."""
    if len(text) > longest:
        raise Usage(
            f"That has {len(text):,} characters; it can have {longest:,} at most.",
            hint="say it in fewer words",
        )


def recorded(entry: Entry) -> Pull:
    """Return the pull request of a task. Raises `Conflict` when it has none."""
    if entry.pull is None:
        raise Conflict(f"{entry.id} has no pull request.", hint=f"gitcmat pr create {entry.id}")
    return entry.pull


def still_open(entry: Entry) -> Pull:
    """Return the open pull request of a task. Raises `Conflict` when there is none."""
    pull = recorded(entry)
    if not pull.open:
        raise Conflict(
            f"#{pull.number} of {entry.id} is {pull.state}.", hint=f"gitcmat pr show {entry.id}"
        )
    return pull
