"""Takes files out of the branch that a person has checked out, and leaves them where they lie.

``git commit --only`` cannot: it takes a file that is there as it is there. So the commit is made
from an index of its own, as git does it for ``--only``, while the lock of the person's index is
ours, so that no commit of theirs comes in between. Their own index then loses these paths alone.
"""

import os
from collections.abc import Sequence
from typing import Final

from gitcmat.errors import CheckFailed, Conflict, NotFound
from gitcmat.store.git import Git, Repository
from gitcmat.store.index_lock import IndexLock
from gitcmat.store.sources import under_way
from gitcmat.store.typed_commit import turn, when_free
from gitcmat.system import ids
from gitcmat.system.files import remove_tree

_REMOVE: Final = ("update-index", "--force-remove", "-z", "--stdin")


def untrack(repo: Repository, paths: Sequence[str], message: str) -> str | None:
    """Have the branch and the index track `paths` (from the root of the work tree) no longer.

    Their hooks run, and their signature is made. Nothing is written in the work tree; whatever else
    is staged stays staged. Returns the commit, None where only the index had them. It may be
    repeated: killed in between, only the index has them still.

    Raises:
        NotFound: the repository has no work tree.
        Conflict: a merge or the like is under way, HEAD is detached, or somebody holds the index.
        CheckFailed: git, a hook of the person's or the signing said no. Nothing has changed then.
    """
    if repo.work_tree is None:
        raise NotFound(f"{repo.root} has no work tree.", hint="gitcmat -C DIR, in a clone of it")
    with turn(repo):
        if found := under_way(repo.git_dir):
            what, how = found
            raise Conflict(f"Nothing was changed: {what} is under way.", hint=how)
        git = Git(repo.git_dir, work_tree=repo.work_tree, silent=False)
        fed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        made = _commit(repo, git, fed, message)
        done = when_free(repo, git, *_REMOVE, input=fed)
        if done.code != 0:
            raise CheckFailed(
                f"The index still has {paths[0]}: {done.err.decode('utf-8', 'replace').strip()}",
                hint=f"git rm --cached -- {paths[0]}",
            )
        return made


def _commit(repo: Repository, git: Git, fed: bytes, message: str) -> str | None:
    """Commit HEAD without the paths in `fed`; None where it has none of them."""
    folder = repo.cmat / "untrack"
    own = {"GIT_INDEX_FILE": str(folder / "index")}
    lock = IndexLock(repo.git_dir, ids.token(8))
    lock.acquire()
    try:
        head = git.rev("HEAD")
        if head is None:
            return None
        remove_tree(folder)  # of one that was killed; there is no other, it is our turn
        folder.mkdir(parents=True)
        git.run("read-tree", head, env=own)
        git.run(*_REMOVE, input=fed, env=own)
        asked = ("diff-index", "--cached", "--quiet", head)
        if git.run(*asked, env=own, ok=(0, 1)).code == 0:
            return None
        if git.head() is None:
            raise Conflict(
                "Nothing was changed: HEAD is detached, so a commit would be on no branch.",
                hint="git switch to a branch",
            )
        done = git.run("commit", "-q", "-m", message, env=own, ok=())
        if done.code != 0:
            said = (done.err + done.out).decode("utf-8", "replace").strip()
            raise CheckFailed(f"Nothing was changed, because git refused the commit:\n{said}")
        return git.rev("HEAD")
    finally:
        lock.release()
        remove_tree(folder)
