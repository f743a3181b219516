"""Looks at what is the person's before and after a run: settings, hooks, branches, tags, stash.

An agent runs with the person's rights and can find their repository. What changed meanwhile is
said without blame (the person works too), with the command that brings it back.
"""

import hashlib
import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.store.git import Git, Repository

_FILES: Final = ("config", "config.worktree", "objects/info/alternates", "shallow")
_FOLDERS: Final = ("hooks", "info")
_OURS: Final = ("refs/cmat/", "refs/heads/cmat/")
_REPLACING: Final = "refs/replace/"
_MADE_BY_GIT: Final = frozenset({"info/refs"})  # a list that `git gc` writes


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDigest:
    """What a repository's settings, hooks and refs were at one moment."""

    files: Mapping[str, str]
    """Digests of settings, hooks and info files, by their path in the common git directory."""
    refs: Mapping[str, str]
    """All refs but gitcmat's own and the stash, with their ids."""
    stash: tuple[str, ...]
    """The commits of the stash, newest first."""


def host_digest(host: Repository, *, ours: tuple[str, ...] = _OURS) -> HostDigest:
    """Take the digest of a repository, but for the refs below `ours`, which gitcmat moves."""
    git = Git(host.common_dir)
    rows = git.text("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    pairs = (row.split(" ", 1) for row in rows)
    refs = {name: oid for oid, name in pairs if not name.startswith(ours)}
    stash = _stash(git) if "refs/stash" in refs else ()
    refs.pop("refs/stash", None)
    return HostDigest(files=dict(_digests(host)), refs=refs, stash=stash)


def compare(host: Repository, before: HostDigest, after: HostDigest) -> tuple[str, ...]:
    """Say in sentences what changed, vanished or was rewound; new and advanced refs are fine, but
    for those that let git show something else.
    """
    root = host.common_dir
    said = [
        f"{root / path} was {_verb(before.files.get(path), after.files.get(path))}."
        for path in sorted(before.files.keys() | after.files.keys())
        if before.files.get(path) != after.files.get(path)
    ]
    git = Git(host.common_dir)
    for name, oid in sorted(before.refs.items()):
        now = after.refs.get(name)
        if now == oid or (now and _moved_on(git, name, oid, now)):
            continue
        fate = "vanished" if now is None else "was moved off its history"
        said.append(f"{_shown(name)} {fate}: `{_way_back(name, oid)}` brings it back.")
    said += [
        f"{name} was added, so git shows something else in place of an object: "
        f"`git update-ref -d {shlex.quote(name)}` removes it."
        for name in sorted(after.refs.keys() - before.refs.keys())
        if name.startswith(_REPLACING)
    ]
    said += [
        f"Stash entry {oid[:10]} vanished: `git stash store {oid}` brings it back."
        for oid in before.stash
        if oid not in after.stash
    ]
    return tuple(said)


def _stash(git: Git) -> tuple[str, ...]:
    return tuple(git.text("log", "--walk-reflogs", "--format=%H", "refs/stash", "--").split())


def _digests(host: Repository) -> Iterator[tuple[str, str]]:
    root = host.common_dir
    for name in _FILES:
        if os.path.lexists(root / name):
            yield name, _digest(root / name)
    for folder in _FOLDERS:
        for parent, _, names in os.walk(root / folder):
            for name in names:
                path = Path(parent, name)
                relative = str(path.relative_to(root))
                if relative not in _MADE_BY_GIT:
                    yield relative, _digest(path)


def _digest(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        data = os.fsencode(path.readlink())
    elif stat.S_ISREG(mode):
        data = path.read_bytes()
    else:
        data = b""
    return f"{mode:o} {hashlib.sha256(data).hexdigest()}"


def _verb(before: str | None, after: str | None) -> str:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def _moved_on(git: Git, name: str, old: str, new: str) -> bool:
    return not name.startswith("refs/tags/") and git.ok("merge-base", "--is-ancestor", old, new)


def _shown(name: str) -> str:
    for prefix, word in (("refs/heads/", "Branch"), ("refs/tags/", "Tag")):
        if name.startswith(prefix):
            return f"{word} {name.removeprefix(prefix)}"
    return name


def _way_back(name: str, oid: str) -> str:
    for prefix, word in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        if name.startswith(prefix):
            return f"git {word} -f {shlex.quote(name.removeprefix(prefix))} {oid}"
    return f"git update-ref {shlex.quote(name)} {oid}"
