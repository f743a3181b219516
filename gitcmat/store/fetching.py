"""A branch of a remote, brought here below a ref of ours: the person's own remote-tracking refs
stay as their last `git fetch` left them.
"""

from typing import Final

from gitcmat.store import refs
from gitcmat.store.git import Git, GitError
from gitcmat.store.loose_refs import loose_ref
from gitcmat.store.pushing import PushUnknown, Upstream, at_remote, in_words, remote_tip
from gitcmat.system import proc

_FETCH: Final = (
    *("-c", "fetch.unpackLimit=1", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
    *("--no-recurse-submodules", "--no-auto-maintenance", "--end-of-options"),
)
"""As a pack: what lies loose beside a running gc gets lost."""


def fetch(git: Git, upstream: Upstream, branch: str) -> str | None:
    """Bring a full branch of the remote here; return its tip, None where it is not there.

    Raises:
        PushUnknown: the remote would not say, or not give it.
    """
    tip, ref = remote_tip(git, upstream, branch), refs.remote_ref(branch)
    if tip is None or tip == git.ref(ref):
        return tip
    try:
        at_remote(git, upstream, *_FETCH, upstream.url, f"+{branch}:{ref}")
    except (GitError, proc.Timeout) as error:
        said = f"{branch} could not be fetched from {upstream.url}"
        raise in_words(PushUnknown, said, error) from error
    return git.ref(ref)


def fetched(git: Git, branch: str) -> str | None:
    """Return where a full branch of the remote was when it was brought here last.

    It costs no process where nothing was ever fetched: every run that starts asks.
    """
    ref = refs.remote_ref(branch)
    if found := loose_ref(git.git_dir, ref):
        return found
    try:
        packed = (git.git_dir / "packed-refs").read_bytes()
    except OSError:
        packed = b""
    there = refs.REMOTE.encode() in packed or (git.git_dir / "reftable").is_dir()
    return git.ref(ref) if there else None
