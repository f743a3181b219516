"""Facts of a node that has no machine: they lie on the remote, and each job moves them once.

A job works on a repository of its own, made for it and thrown away after it. It is the same node as
all other jobs, so what it decided counts when the remote's ref has moved from where the job saw it
to where the job left it, in one step that the remote itself compares. Who was too late begins anew
from what is there by now; no history is ever forced over another's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict, NotFound
from gitcmat.store import node, refs
from gitcmat.store.git import Git, GitError, Repository, discover
from gitcmat.store.gitdirs import make_empty, write_alternates
from gitcmat.store.pushing import NotPushed, PushUnknown, Upstream, at_remote, in_words
from gitcmat.system import proc

CLAIMS: Final = "refs/cmat/claims/"
"""Below it are claims on tasks: who runs one of them just now (`gitcmat.store.remote_claims`)."""

_THERE: Final = "refs/cmat/there"
"""Keeps what is looked at and not worked with."""
_FETCH: Final = (
    *("-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
    *("--no-recurse-submodules", "--no-auto-maintenance", "--end-of-options"),
)
_AT_ONCE: Final = 200
"""Refs that one fetch names: a command line has an end."""


class Moved(Conflict):
    """The remote is not where this job saw it: what it decided must be decided anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is on a remote."""

    head: str
    """The full name of the branch that its HEAD names; empty where it names none."""
    refs: Mapping[str, str]
    """Commits by full name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A ref of the remote that is to go from `was` to `new`; empty means that it is not there."""

    ref: str
    new: str
    was: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """What the repository of a job is to be."""

    node: str
    address: str
    """Of its one remote, ``origin``."""
    object_format: str
    lenders: Sequence[Repository]
    """Repositories of this machine whose objects it may use; they must stay."""


def make_node(folder: Path, wanted: NodePlan) -> Git:
    """Make the repository of a job: bare, empty, and this node."""
    make_empty(folder)
    git = Git(folder)
    kind = f"--object-format={wanted.object_format}"
    how = ("--bare", "--quiet", "--template=", kind, "--initial-branch=main")
    git.run("init", *how, folder)
    (folder / "objects/info").mkdir(parents=True, exist_ok=True)
    write_alternates(folder, [one.common_dir / "objects" for one in wanted.lenders])
    git.run("config", "remote.origin.url", wanted.address)
    repo = discover(folder)
    repo.cmat.mkdir(mode=0o700, exist_ok=True)
    node.remember(repo, wanted.node)
    return git


def may_lend(repo: Repository) -> bool:
    """Whether a repository has all that its commits need: not one that was cloned in part."""
    git = Git(repo.common_dir)
    return not (repo.common_dir / "shallow").exists() and not git.maybe(
        "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"
    )


def look(git: Git, upstream: Upstream) -> Seen:
    """Ask a remote what it has.

    Raises `PushUnknown` when it does not say.
    """
    asked = ("ls-remote", "--symref", "--end-of-options", upstream.url)
    patterns = ("HEAD", f"{refs.BRANCHES}*", f"{refs.OURS}*")
    try:
        said = at_remote(git, upstream, *asked, *patterns)
    except (GitError, proc.Timeout) as error:
        said_not = f"{upstream.url} does not say what is there"
        raise in_words(PushUnknown, said_not, error) from error
    head = ""
    found: dict[str, str] = {}
    for line in said.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            head = value.removeprefix("ref: ")
        elif name != "HEAD" and not name.endswith("^{}"):
            found[name] = value
    return Seen(head=head, refs=found)


def bring(git: Git, upstream: Upstream, wanted: Iterable[str], *, into: str = "") -> None:
    """Bring refs of the remote here, under their own names (or one `into` another); what is here
    of them is replaced.

    Raises `PushUnknown` when it does not give them.
    """
    names = sorted(set(wanted))
    for first in range(0, len(names), _AT_ONCE):
        some = [f"+{name}:{into or name}" for name in names[first : first + _AT_ONCE]]
        try:
            at_remote(git, upstream, *_FETCH, upstream.url, *some)
        except (GitError, proc.Timeout) as error:
            said_not = f"{upstream.url} does not give what is there"
            raise in_words(PushUnknown, said_not, error) from error


def move(git: Git, upstream: Upstream, moves: Sequence[Move]) -> None:
    """Move refs of the remote, all or none, and only from where they were seen.

    When it returns, the remote has said, asked anew, that they are there.

    Raises:
        Moved: one of them is elsewhere; nothing was moved.
        NotPushed: the remote would not, and all are where they were.
        PushUnknown: nobody knows.
    """
    wanted = [one for one in moves if one.new != one.was]
    if not wanted:
        return
    for one in wanted:
        _check_forward(git, one)
    leases = [f"--force-with-lease={one.ref}:{one.was}" for one in wanted]
    specs = [f"{one.new}:{one.ref}" for one in wanted]
    failed: GitError | proc.Timeout | None = None
    try:
        at_remote(
            git,
            upstream,
            *("push", "--quiet", "--atomic", "--no-verify", "--no-follow-tags"),
            *("--recurse-submodules=no", *leases, "--end-of-options", upstream.url, *specs),
        )
    except (GitError, proc.Timeout) as error:
        failed = error
    now = look(git, upstream).refs
    at = {one.ref: now.get(one.ref, "") for one in wanted}
    if _arrived(git, upstream, wanted, at):
        return
    if failed is None:
        raise NotPushed(
            f"{wanted[0].ref} is at {at[wanted[0].ref] or 'nothing'} on {upstream.url}.",
            hint="the remote said yes and did something else; try again",
        )
    for one in wanted:
        if at[one.ref] != one.was:
            where = at[one.ref] or "nothing"
            raise Moved(f"{one.ref} is at {where} on {upstream.url} by now.", hint="try again")
    raise in_words(NotPushed, f"{wanted[0].ref} could not be pushed to {upstream.url}", failed)


def _check_forward(git: Git, one: Move) -> None:
    """See that the state only ever grows: a lease alone would let its history be replaced."""
    if not one.ref.startswith(refs.STATE) or not one.was:
        return
    if not one.new or not git.ok("merge-base", "--is-ancestor", one.was, one.new):
        raise ValueError(f"{one.ref} would lose {one.was}")


def _arrived(git: Git, upstream: Upstream, wanted: Sequence[Move], at: Mapping[str, str]) -> bool:
    """Whether the remote has taken these moves, by where its refs are now: an answer may be lost,
    and others may have gone on from there before it was asked.
    """
    for one in wanted:
        if one.ref.startswith(refs.STATE) and at[one.ref]:
            # All went together, and nobody else has made this very commit.
            if at[one.ref] == one.new:
                return True
            bring(git, upstream, [one.ref], into=_THERE)
            return git.ok("merge-base", "--is-ancestor", one.new, at[one.ref])
    return all(at[one.ref] == one.new for one in wanted)


def go_back(git: Git, ref: str, commit: str) -> None:
    """Set a ref of this job's repository to a commit of its own history; empty for its beginning.

    Raises `NotFound` when it never was there.
    """
    at = git.ref(ref)
    if not commit:
        if at is not None:
            git.run("update-ref", "-d", ref)
        return
    known = at is not None and git.ok("cat-file", "-e", f"{commit}^{{commit}}")
    if not known or not git.ok("merge-base", "--is-ancestor", commit, at or ""):
        raise NotFound(
            f"{commit} is not in the history of {ref}.",
            hint="hand on what `gitcmat ci plan` printed",
        )
    git.run("update-ref", ref, commit)
