"""What in a repository belongs to the person, as one comparable value.

A digest maps keys to short descriptions. A key is a part, or a part and a name::

    HEAD  index  config  exclude  stash            one each
    refs:refs/heads/main   reflogs:refs/heads/main   hooks:pre-commit   files:src/a.py
    worktrees:<name>       git:MERGE_HEAD            (any other entry of the git directory)

Left out, because it is gitcmat's: `refs/cmat/*`, `refs/heads/cmat/*`, `.git/cmat`, the objects, our
block in `info/exclude`, and the folders of facts in `.cmat/`.
"""

import fnmatch
import hashlib
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

Digest = dict[str, str]

FACT_FOLDERS: Final = (
    "queue",
    "blockers",
    "checkpoints",
    "runs",
    "subtasks",
    "memory",
    "sessions",
    "batches",
)
OUR_REFS: Final = ("refs/cmat/", "refs/heads/cmat/")

_OUR_BLOCK: Final = re.compile(
    r"^# >>> gitcmat.*?^# <<< gitcmat[^\n]*\n?", re.DOTALL | re.MULTILINE
)
_OWN_PARTS: Final = frozenset(
    {"HEAD", "cmat", "config", "hooks", "index", "info", "logs", "objects", "packed-refs", "refs"}
)
_CHATTER: Final = frozenset({"COMMIT_EDITMSG", "gc.log"})


def digest(git_dir: Path, work_tree: Path | None) -> Digest:
    """Describe everything in the repository that is the person's."""
    found: Digest = {
        "HEAD": _text(git_dir / "HEAD"),
        "index": _bytes(git_dir / "index"),
        "config": _bytes(git_dir / "config"),
        "exclude": _OUR_BLOCK.sub("", _text(git_dir / "info/exclude")).strip(),
        "stash": _text(git_dir / "logs/refs/stash"),
    }
    found.update(_refs(git_dir))
    found.update((f"hooks:{p.name}", _described(p)) for p in _entries(git_dir / "hooks"))
    found.update((f"worktrees:{p.name}", "") for p in _entries(git_dir / "worktrees"))
    found.update(_reflogs(git_dir / "logs"))
    for path in _entries(git_dir / "info"):
        if path.name not in {"exclude", "refs"}:  # refs: a list that `git gc` writes
            found[f"git:info/{path.name}"] = _described(path)
    found["git:objects/info/alternates"] = _bytes(git_dir / "objects/info/alternates")
    for path in _entries(git_dir):
        if path.name not in _OWN_PARTS | _CHATTER | {"worktrees"}:
            found[f"git:{path.name}"] = _described(path)
    if work_tree is not None:
        found.update((f"files:{name}", how) for name, how in _files(work_tree))
    return found


def difference(before: Digest, after: Digest, allowed: Iterable[str]) -> list[str]:
    """Return one line for each change that `allowed` does not cover, sorted by key.

    An entry of `allowed` is a part (`files`) or a pattern of keys (`files:src/*`). A reflog is
    covered with its ref, and HEAD's reflog with any ref.
    """
    patterns = [p if ":" in p or p in before | after else f"{p}:*" for p in allowed]
    return [
        f"{key}: {before.get(key, '(absent)')!r} -> {after.get(key, '(absent)')!r}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and not _covered(key, patterns)
    ]


def _covered(key: str, patterns: list[str]) -> bool:
    part, _, name = key.partition(":")
    if part == "reflogs":
        refs = [p for p in patterns if p.startswith("refs:")]
        if refs and name == "HEAD":
            return True
        patterns = [*patterns, *(p.replace("refs:", "reflogs:", 1) for p in refs)]
    if part == "git" and name == "ORIG_HEAD":  # git writes it beside each move of a branch
        patterns = [*patterns, *("*" for p in patterns if p.startswith("refs:"))]
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


def _refs(git_dir: Path) -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        [
            "git",
            f"--git-dir={git_dir}",
            "for-each-ref",
            "--format=%(refname) %(objectname) %(symref)",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    for line in listed.stdout.splitlines():
        name, _, value = line.partition(" ")
        if not name.startswith(OUR_REFS):
            yield f"refs:{name}", value.strip()


def _reflogs(logs: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(logs.rglob("*")):
        name = path.relative_to(logs).as_posix()
        if path.is_file() and not name.startswith(OUR_REFS):
            yield f"reflogs:{name}", _bytes(path)


def _files(work_tree: Path) -> Iterator[tuple[str, str]]:
    facts = {work_tree / ".cmat" / name for name in FACT_FOLDERS}
    for folder, folders, names in os.walk(work_tree):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [
            n for n in folders if n != ".git" and here / n not in facts and n not in links
        ]
        for name in names + links:
            path = here / name
            if name != ".git":
                yield path.relative_to(work_tree).as_posix(), _described(path)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _described(path: Path) -> str:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return "(absent)"
    if stat.S_ISLNK(mode):
        return f"link to {path.readlink()}"
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        return "special file"
    return f"{stat.S_IMODE(mode):o} {_bytes(path)}"


def _bytes(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except FileNotFoundError:
        return "(absent)"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
