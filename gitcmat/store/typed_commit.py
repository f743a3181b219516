"""Commits on the branch that a person has checked out, made by the commands that they type.

Their hooks run and their signature is made, as if they had typed ``git commit``. Only the named
paths are in it: what else they have staged stays staged, half-staged files too.
"""

import shlex
import time
from collections.abc import Sequence
from typing import Final

from gitcmat.errors import CheckFailed, Conflict, NotFound
from gitcmat.store.git import Git, Repository
from gitcmat.store.sources import under_way
from gitcmat.system.files import FileLock
from gitcmat.system.proc import Done

INDEX_SECONDS: Final = 10.0
"""How long another git process may hold the index before we give up."""

_TURN_SECONDS: Final = 120.0
"""How long the other gitcmat commands before us may take: each runs the person's hooks."""

_PAUSE: Final = 0.02
_BUSY: Final = (b"index.lock': File exists", b"cannot lock ref 'HEAD'")
"""What git says when somebody else's git is quicker: trying again is right."""


def commit_paths(repo: Repository, paths: Sequence[str], message: str) -> str:
    """Commit `paths` (from the root of the work tree), saved or deleted there, and nothing else.

    Returns the id of the commit, or of the last one that changed the paths where they are as
    committed already. Whatever is refused, the files stay as they are saved.

    Raises:
        NotFound: the repository has no work tree.
        Conflict: a merge or the like is under way, HEAD is detached, or somebody holds the index.
        CheckFailed: git, a hook of the person's or the signing said no.
    """
    if repo.work_tree is None:
        raise NotFound(
            f"{repo.root} has no work tree to commit in.", hint="gitcmat -C DIR, in a clone of it"
        )
    with turn(repo):
        _check_state(repo)
        git = Git(repo.git_dir, work_tree=repo.work_tree, silent=False)
        literal = [f":(top,literal){path}" for path in paths]
        added = when_free(repo, git, "add", "--", *literal)
        if added.code != 0:
            raise _refusal(added, paths, message)
        done = when_free(repo, git, "commit", "-q", "--only", "-m", message, "--", *literal)
        if done.code != 0 and not _as_committed(git, literal):
            raise _refusal(done, paths, message)
        return git.text("rev-list", "-1", "HEAD", "--", *literal)


def turn(repo: Repository) -> FileLock:
    """Wait until no other command of ours commits or lands; leaving the block ends it."""
    return FileLock(repo.cmat / "commit.lock").acquire(_TURN_SECONDS)


def _check_state(repo: Repository) -> None:
    """Refuse before anything is staged: it would become part of the merge."""
    if found := under_way(repo.git_dir):
        what, how = found
        raise Conflict(f"Nothing was committed: {what} is under way.", hint=how)
    if Git(repo.git_dir).head() is None:
        raise Conflict(
            "Nothing was committed: HEAD is detached, so a commit would be on no branch.",
            hint="git switch to a branch",
        )


def when_free(
    repo: Repository,
    git: Git,
    *args: str,
    input: bytes | None = None,  # noqa: A002 - as in `Git.run`
) -> Done:
    """Run git again and again while another git is in its way, up to ten seconds.

    Raises `Conflict` after that; every exit code is accepted.
    """
    lock = repo.git_dir / "index.lock"
    deadline = time.monotonic() + INDEX_SECONDS
    while True:
        if not lock.exists():
            done = git.run(*args, input=input, ok=())
            if done.code == 0 or not any(said in done.err for said in _BUSY):
                return done
        if time.monotonic() > deadline:
            raise Conflict(
                f"Nothing was committed: another git process has held {lock} "
                f"for {INDEX_SECONDS:g} seconds.",
                hint="let it finish; if no git is running any more, remove that file",
            )
        time.sleep(_PAUSE)


def _as_committed(git: Git, literal: Sequence[str]) -> bool:
    """Whether there was nothing to commit."""
    head = git.rev("HEAD")
    return head is not None and git.ok("diff-index", "--cached", "--quiet", head, "--", *literal)


def _refusal(done: Done, paths: Sequence[str], message: str) -> CheckFailed:
    said = (done.err + done.out).decode("utf-8", "replace").strip()
    files = shlex.join(f":/{path}" for path in paths)
    shown = paths[0] if len(paths) == 1 else f"{len(paths)} files"
    return CheckFailed(
        f"{shown} was saved but not committed, because git refused:\n{said}",
        hint=f"put that right, then: git add -A -- {files} && "
        f"git commit -m {shlex.quote(message)} -- {files}",
    )
