"""Pull requests as commands show them: plain data for programs, lines for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from gitcmat.model.landing import in_words
from gitcmat.model.marks import one_line

if TYPE_CHECKING:
    from gitcmat.engine.pull_merge import Status
    from gitcmat.model.entry import Entry
    from gitcmat.model.forge import Review
    from gitcmat.model.pull import Pull

HEAD: Final = ("TASK", "IS", "PULL", "STATE", "BRANCH", "ONTO", "URL")


def plain_pull(pull: "Pull") -> dict[str, Any]:
    """A pull request, as it is recorded, as plain data."""
    return {
        "host": pull.host,
        "repo": pull.repo,
        "number": pull.number,
        "url": pull.url,
        "head": pull.head,
        "base": pull.base,
        "draft": pull.draft,
        "state": str(pull.state),
        "pushed": pull.pushed,
        "approved": list(pull.approved),
        "rejected": list(pull.rejected),
        "checks": pull.checks or None,
        "override": pull.override or None,
    }


def plain_review(review: "Review") -> dict[str, Any]:
    """A review, as plain data."""
    return {
        "id": review.id,
        "author": review.author.login,
        "verdict": str(review.verdict),
        "body": review.body,
        "commit": review.commit or None,
        "url": review.url,
    }


def row(entry: "Entry", pull: "Pull") -> tuple[object, ...]:
    """An entry and its pull request as a row of a table."""
    how = "draft" if pull.draft and pull.open else str(pull.state)
    number = f"#{pull.number}"
    return (entry.id, entry.state, number, how, one_line(pull.head), one_line(pull.base), pull.url)


def status_data(found: "Status") -> dict[str, Any]:
    """How a pull request is doing, as plain data."""
    seen, entry = found.seen, found.entry
    return {
        "task": entry.id,
        "state": str(entry.state),
        "pull": plain_pull(found.pull) | {"head_sha": seen.head_sha, "mergeable": seen.mergeable},
        "gates": in_words(entry.gates, entry.verdict),
        "checks": [{"name": c.name, "state": str(c.state), "url": c.url} for c in found.checks],
        "approved": list(found.standing.approved),
        "rejected": list(found.standing.rejected),
        "ignored": [{"login": login, "why": why} for login, why in found.standing.ignored],
        "against": list(found.against),
    }


def status_lines(found: "Status") -> Iterator[str]:
    """How a pull request is doing, for people."""
    seen, entry = found.seen, found.entry
    how = "draft" if seen.draft and seen.state == "open" else str(seen.state)
    yield f"{entry.id}  {entry.state}  #{seen.number} {how}  {one_line(seen.title)}"
    yield f"  {seen.url}"
    yield f"  branch    {one_line(seen.head)} at {seen.head_sha[:10]} onto {one_line(seen.base)}"
    yield f"  gates     {in_words(entry.gates, entry.verdict)}"
    checks = ", ".join(f"{one_line(c.name)}: {c.state}" for c in found.checks)
    yield f"  checks    {checks or 'none'}"
    yield f"  approved  {', '.join(found.standing.approved) or 'by nobody'}"
    if seen.state == "open":
        yield from (f"  ! {one_line(reason)}" for reason in found.against)
