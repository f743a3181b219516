"""R9: whatever an agent or a person did to the files, a checkpoint brings them back."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.repo import TestRepo
from tests.support.saved import restore, save

SEED: Final = os.environ.get("GITCMAT_SEED") or str(random.SystemRandom().randrange(10**6))
EDITS: Final = 200
ROUNDS: Final = 8
NAMES: Final = (
    *("a.txt", "b/c.txt", "b/d/e.bin", "-dash", "with space", 'quo"te', "new\nline"),
    *("ünïcode", "b/c.txt.lock", "#hash", "tab\there"),
)


def _write(path: Path, dice: random.Random) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    for parent in reversed(path.parents):
        if parent.is_symlink() or parent.is_file():
            parent.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_bytes(dice.choice((b"", b"text\n", b"crlf\r\n", dice.randbytes(300))))


def _remove(path: Path, _dice: random.Random) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _link(path: Path, dice: random.Random) -> None:
    _write(path, dice)
    path.unlink()
    path.symlink_to(dice.choice(("a.txt", "nowhere", "../outside", "b")))


def _mode(path: Path, dice: random.Random) -> None:
    _write(path, dice)
    path.chmod(dice.choice((0o755, 0o644)))


def _folder(path: Path, dice: random.Random) -> None:
    _remove(path, dice)
    _write(path / "inside.txt", dice)


_KINDS: Final[tuple[Callable[[Path, random.Random], None], ...]] = (
    *(_write, _write, _remove, _link, _mode, _folder),
)


def _edit(repo: TestRepo, dice: random.Random, count: int) -> None:
    with repo.as_person():
        for _ in range(count):
            name = dice.choice(NAMES)
            path = repo.path / name
            if any(parent.is_symlink() for parent in path.parents):
                continue  # what lies behind a link is not in this repository
            dice.choice(_KINDS)(path, dice)
        match dice.randrange(4):
            case 0:
                repo.git("add", "-A")
            case 1:
                repo.git("add", "--ignore-errors", "--", ".")
                repo.git("reset", "-q", "--", dice.choice(("b", "a.txt", ".")))
            case 2:
                repo.git("read-tree", "HEAD")
            case _:
                pass


def _seen(repo: TestRepo) -> tuple[dict[str, tuple[str, bytes]], str]:
    """Every file with its kind and content, and the whole index."""
    found: dict[str, tuple[str, bytes]] = {}
    for folder, folders, names in os.walk(repo.path):
        if Path(folder) == repo.path:
            folders.remove(".git")
        for name in (*names, *(f for f in folders if Path(folder, f).is_symlink())):
            path = Path(folder, name)
            key = str(path.relative_to(repo.path))
            if path.is_symlink():
                found[key] = ("link", os.fsencode(path.readlink()))
            else:
                kind = "program" if os.access(path, os.X_OK) and path.stat().st_mode & 1 else "file"
                found[key] = (kind, path.read_bytes())
    return found, repo.git("ls-files", "-s", "-z")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(ROUNDS))
def test_after_any_edits_a_checkpoint_brings_back_files_and_index(
    repo: TestRepo, part: int
) -> None:
    dice = random.Random(f"{SEED} {part}")  # noqa: S311 - to be repeated
    repo.commit("base", {"a.txt": "a\n", "b/c.txt": "c\n"})
    done = 0
    while done < EDITS // ROUNDS:
        count = dice.randrange(1, 6)
        done += count
        _edit(repo, dice, count)
        before = _seen(repo)
        saved = save(repo, f"round {done}")
        _edit(repo, dice, dice.randrange(1, 8))
        restore(repo, saved.id)
        assert _seen(repo) == before, f"GITCMAT_SEED={SEED}, part {part}, after {done} edits"
    repo.git("fsck", "--strict")
