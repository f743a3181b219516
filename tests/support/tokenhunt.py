"""Looks for a secret value in everything that a story has left behind."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.leaks import found_in


def recording(trace: Path) -> tuple[str, ...]:
    """What starts a program so that each argv of it and of its children is kept in `trace`.

    Without strace there is only what gitcmat itself writes down of what it starts.
    """
    strace = shutil.which("strace")
    if strace is None:
        return ()
    options = ("--seccomp-bpf", "-f", "-qq", "-A", "-s", "65536", "-e", "trace=execve")
    return (strace, *options, "-e", "signal=none", "-o", str(trace))


def hunt(value: str, *roots: Path, skip: Iterable[Path] = ()) -> list[str]:
    """Return where `value` can be read, in any way in which programs print: files, their names,
    and for each git directory below `roots` its refs and all its objects.
    """
    skipped = [path.resolve() for path in skip]
    found = []
    for root in roots:
        for file in _files(root, skipped):
            found += [f"{file}: {how}" for how in found_in(file.read_bytes(), value)]
            found += [f"name of {file}" for _ in found_in(os.fsencode(str(file)), value)]
        for git_dir in _git_dirs(root):
            for what, data in (("refs", _git(git_dir, "for-each-ref")), ("objects", _all(git_dir))):
                found += [f"{what} of {git_dir}: {how}" for how in found_in(data, value)]
    return found


def _files(root: Path, skipped: list[Path]) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        here = Path(folder).resolve()
        names[:] = [name for name in names if here / name not in skipped]
        for name in files:
            path = Path(folder, name)
            if path.resolve() not in skipped and path.is_file() and not path.is_symlink():
                yield path


def _git_dirs(root: Path) -> Iterator[Path]:
    for head in root.rglob("HEAD"):
        if (head.parent / "objects").is_dir() and (head.parent / "refs").is_dir():
            yield head.parent


def _all(git_dir: Path) -> bytes:
    return _git(git_dir, "cat-file", "--batch-all-objects", "--unordered", "--batch")


def _git(git_dir: Path, *args: str) -> bytes:
    done = subprocess.run(
        ["git", "--git-dir", str(git_dir), *args], capture_output=True, check=True
    )
    return done.stdout
