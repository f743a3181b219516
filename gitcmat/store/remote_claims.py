"""Claims on tasks that lie on the remote: who runs one of them just now, and until when.

A claim is a commit of its own, so its id is known to nobody else and never comes twice: it is the
token that a result is accepted by. It is made where there is none, taken over where one has run
out, and removed by whoever holds it, each time only from where it was seen.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gitcmat.store import refs
from gitcmat.store.git import Git
from gitcmat.store.objects import signature
from gitcmat.store.pushing import Upstream
from gitcmat.store.remote_state import CLAIMS, Move, Moved, bring, move

SKEW: Final = timedelta(minutes=5)
"""How much the clocks of two machines may differ before a claim is taken over too early."""

LONGEST: Final = timedelta(days=7)
"""No claim holds longer: a clock that is years ahead must not keep a task for years."""

_SUBJECT: Final = "claim"
_LIMIT: Final = 4096
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who holds a task."""

    task: str
    holder: str
    """For people: which run of which workflow."""
    expires: datetime
    epoch: int = 0
    """How many claims there were in a row that nobody removed."""
    commit: str = ""
    """Its id: the fencing token."""

    def over(self, now: datetime) -> bool:
        """Whether it has run out by every clock, or was made by one that nobody can believe."""
        return now > self.expires + SKEW or self.expires > now + LONGEST


def wanted(task: str, holder: str, now: datetime, seconds: int) -> Claim:
    """The claim on a task that somebody wants to make; it has no commit yet."""
    return Claim(task=task, holder=holder, expires=now + timedelta(seconds=seconds))


def claim_ref(task: str) -> str:
    """The ref of the claim on a task."""
    return CLAIMS + refs.check_ref_part(task)


def read(git: Git, upstream: Upstream, there: Mapping[str, str]) -> dict[str, Claim]:
    """Return the claims of a remote by task; what is there and cannot be read has run out.

    `there` is what was seen on the remote: commits by full name.
    """
    found = {name: commit for name, commit in there.items() if name.startswith(CLAIMS)}
    missing = [n for n, c in found.items() if not git.ok("cat-file", "-e", f"{c}^{{commit}}")]
    if missing:
        bring(git, upstream, missing)
    return {n.removeprefix(CLAIMS): _read(git, n.removeprefix(CLAIMS), c) for n, c in found.items()}


def take(git: Git, upstream: Upstream, claim: Claim, held: Claim | None) -> Claim | None:
    """Claim a task on the remote, in place of a claim that has run out; None when somebody else
    was faster.
    """
    was = held.commit if held is not None else ""
    made = replace(claim, epoch=held.epoch + 1 if held is not None else 0)
    made = replace(made, commit=_write(git, made, parent=was))
    try:
        move(git, upstream, [Move(ref=claim_ref(made.task), new=made.commit, was=was)])
    except Moved:
        return None
    return made


def release(git: Git, upstream: Upstream, task: str, commit: str) -> bool:
    """Remove a claim that is held; say whether it was still there."""
    try:
        move(git, upstream, [end(task, commit)])
    except Moved:
        return False
    return True


def end(task: str, commit: str) -> Move:
    """What removes a claim together with something else, or not at all."""
    return Move(ref=claim_ref(task), new="", was=commit)


def _write(git: Git, claim: Claim, *, parent: str) -> str:
    data = {
        "task": claim.task,
        "holder": claim.holder,
        "expires": claim.expires.isoformat(),
        "epoch": claim.epoch,
        "token": secrets.token_hex(16),
    }
    tree = git.run("hash-object", "-t", "tree", "-w", "--stdin", input=b"").text
    who = signature("gitcmat", "gitcmat@localhost", claim.expires)
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else [])]
    lines += [f"author {who}", f"committer {who}", "", f"{_SUBJECT} {json.dumps(data)}", ""]
    content = "\n".join(lines).encode()
    return git.run("hash-object", "-t", "commit", "-w", "--stdin", input=content).text


def _read(git: Git, task: str, commit: str) -> Claim:
    nobody = Claim(task=task, holder="", expires=_LONG_AGO, commit=commit)
    size = git.maybe("cat-file", "-s", commit)
    if size is None or int(size) > _LIMIT:
        return nobody
    subject = git.text("log", "-1", "--format=%s", commit)
    try:
        data: Any = json.loads(subject.removeprefix(f"{_SUBJECT} "))
        claim = Claim(
            task=str(data["task"]),
            holder=str(data["holder"])[:200],
            expires=datetime.fromisoformat(data["expires"]).astimezone(UTC),
            epoch=int(data["epoch"]),
            commit=commit,
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return nobody
    return claim if claim.task == task else nobody
