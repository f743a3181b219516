"""The names of our refs, and the checks that a name must pass before it becomes part of one."""

import re
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.names import Ref, Sha, is_id
from gitcmat.store.git import Git

OURS: Final = "refs/cmat/"
STATE: Final = "refs/cmat/state/"
RUNS: Final = "refs/cmat/runs/"
CHECKPOINTS: Final = "refs/cmat/checkpoints/"
REMOTE: Final = "refs/cmat/remote/"
"""Below it are branches of the forge, as they were seen there last."""
BRANCHES: Final = "refs/heads/"

# Compiled when they are used: a list, which starts often, uses none.
_PREFIX_PART: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9_-])?"
_NEVER_IN_A_REF: Final = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//"


def check_ref_part(text: str) -> str:
    """Return `text` if it may be one part of a ref of ours.

    Raises `InvalidData` for anything but 1 to 63 lower-case letters, digits and inner dashes.
    """
    if not is_id(text):
        raise InvalidData(
            f"{text!r} cannot be part of a ref.", hint="1 to 63 lower-case letters, digits, dashes"
        )
    return text


def state_ref(node: str) -> Ref:
    """The ref that holds all facts of a node."""
    return Ref(STATE + check_ref_part(node))


def run_ref(run: str) -> Ref:
    """The ref of a run: its base commit until the end, then its result."""
    return Ref(RUNS + check_ref_part(run))


def checkpoint_ref(checkpoint: str) -> Ref:
    """The ref of a checkpoint, made once."""
    return Ref(CHECKPOINTS + check_ref_part(checkpoint))


def branch_ref(prefix: str, task: str) -> Ref:
    """The branch that a person reviews; `prefix` is the setting ``branch.prefix``: ``cmat``.

    Raises `InvalidData` for a prefix that has parts other than letters, digits and inner ``._-``.
    """
    parts = prefix.removesuffix("/").split("/")
    good = all(
        re.fullmatch(_PREFIX_PART, part) and ".." not in part and not part.endswith(".lock")
        for part in parts
    )
    if not good:
        raise InvalidData(
            f"{prefix!r} cannot be the prefix of a branch.",
            hint="letters, digits and dashes in parts joined by slashes: cmat, or team/agents",
        )
    return Ref(f"{BRANCHES}{'/'.join(parts)}/{check_ref_part(task)}")


def remote_ref(branch: str) -> Ref:
    """What keeps a branch of the forge; `branch` is its full name, ``refs/heads/main``."""
    if not is_full_branch(branch):
        raise InvalidData(f"{branch!r} is no branch.")
    return Ref(REMOTE + branch.removeprefix(BRANCHES))


def is_full_branch(ref: str) -> bool:
    """Whether `ref` is the full name of a branch, ``refs/heads/...``, that git would accept."""
    name = ref.removeprefix(BRANCHES)
    if name == ref or name.startswith("-") or re.search(_NEVER_IN_A_REF, name):
        return False
    if name.endswith(("/", ".")) or name in {"", "HEAD"}:
        return False
    return not any(p == "" or p.startswith(".") or p.endswith(".lock") for p in name.split("/"))


def list_refs(git: Git, *prefixes: str) -> dict[Ref, Sha]:
    """Every ref under the given prefixes (``refs/cmat/runs/``) with what it points at, by name."""
    listed = git.text("for-each-ref", "--format=%(objectname) %(refname)", "--", *prefixes)
    pairs = (line.split(" ", 1) for line in listed.splitlines())
    return {Ref(name): Sha(oid) for oid, name in pairs}
