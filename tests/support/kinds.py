"""Kinds of repository: each function makes one in a folder, with main checked out and a README."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.repo import TestRepo

Make = Callable[[Path], TestRepo]

FILES: Final[Mapping[str, str]] = {
    "README.md": "# A project\n",
    "src/a.py": "a = 1\n",
    "docs/guide/intro.md": "Hello.\n",
}


def git(folder: Path, *args: str) -> str:
    """Run git in a folder that is no TestRepo (yet); files may be cloned and be submodules."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *args],
        cwd=folder,
        env={**os.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    assert done.returncode == 0, f"git {args}: {done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


def _upstream(folder: Path) -> Path:
    """Make a repository of three commits to clone from."""
    made = TestRepo(folder / "upstream")
    made.commit("Start", FILES)
    made.commit("Second", {"src/a.py": "a = 2\n"})
    made.commit("Third", {"src/b.py": "b = 1\n"})
    for name in ("allowFilter", "allowAnySHA1InWant"):
        made.git("config", f"uploadpack.{name}", "true")
    return made.path


def _clone(folder: Path, *args: str) -> TestRepo:
    upstream = _upstream(folder)
    git(folder, "clone", "-q", *args, upstream.as_uri(), "project")
    return TestRepo.at(folder / "project")


def sha256(folder: Path) -> TestRepo:
    """Ids of 64 digits."""
    made = TestRepo(folder / "project", object_format="sha256")
    made.commit("Start", FILES)
    return made


def separate_git_dir(folder: Path) -> TestRepo:
    """The git directory lies elsewhere, and has another name."""
    work_tree = folder / "project"
    elsewhere = folder / "elsewhere" / "store.db"
    elsewhere.parent.mkdir()
    git(folder, "init", "-q", "-b", "main", f"--separate-git-dir={elsewhere}", str(work_tree))
    made = TestRepo.at(work_tree)
    made.commit("Start", FILES)
    return made


def work_tree_of_bare(folder: Path) -> TestRepo:
    """A bare repository in the middle, and a linked work tree beside it."""
    bare = folder / "store.git"
    git(folder, "clone", "-q", "--bare", str(_upstream(folder)), str(bare))
    git(bare, "worktree", "add", "-q", str(folder / "project"), "main")
    return TestRepo.at(folder / "project")


def hidden_bare(folder: Path) -> TestRepo:
    """As many arrange their work trees: the bare repository is `.bare`, beside a file `.git`."""
    git(folder, "clone", "-q", "--bare", str(_upstream(folder)), ".bare")
    (folder / ".git").write_text("gitdir: ./.bare\n")
    git(folder, "worktree", "add", "-q", "project", "main")
    return TestRepo.at(folder / "project")


def submodule(folder: Path) -> TestRepo:
    """A submodule of another repository, whose git directory lies in that one's."""
    outer = TestRepo(folder / "outer")
    outer.commit("Start", {"README.md": "# Outer\n"})
    git(outer.path, "submodule", "--quiet", "add", str(_upstream(folder)), "project")
    git(outer.path, "commit", "-q", "-m", "A submodule")
    outer.freeze()
    outer.allow("git:modules", "files:project/*")
    return TestRepo.at(outer.path / "project")


def with_submodule(folder: Path) -> TestRepo:
    """A submodule inside, checked out."""
    made = TestRepo(folder / "project")
    made.commit("Start", FILES)
    git(made.path, "submodule", "--quiet", "add", str(_upstream(folder)), "vendor/lib")
    made.commit("A submodule")
    return made


def with_empty_submodule(folder: Path) -> TestRepo:
    """A submodule inside that nobody has checked out, as after a plain clone."""
    made = with_submodule(folder / "one")
    git(folder, "clone", "-q", str(made.path), "project")
    return TestRepo.at(folder / "project")


def shallow(folder: Path) -> TestRepo:
    """Only the last commit is here."""
    return _clone(folder, "--depth=1")


def partial(folder: Path) -> TestRepo:
    """Blobs that are not checked out are still with the remote."""
    return _clone(folder, "--filter=blob:none")


def sparse_cone(folder: Path) -> TestRepo:
    """Only some folders are checked out."""
    made = _clone(folder)
    made.git("sparse-checkout", "set", "--cone", "src", "tools", ".cmat")
    assert not (made.path / "docs").exists()
    return made


def sparse_patterns(folder: Path) -> TestRepo:
    """Only files that match patterns are checked out."""
    made = _clone(folder)
    made.git("sparse-checkout", "set", "--no-cone", "/*", "!/docs/", "!b.py")
    assert not (made.path / "docs").exists()
    return made


def sparse_index(folder: Path) -> TestRepo:
    """As in a cone, and the index has folders for what is left out."""
    made = _clone(folder)
    made.git("sparse-checkout", "set", "--cone", "--sparse-index", "src", "tools", ".cmat")
    return made


def borrowed_objects(folder: Path) -> TestRepo:
    """All objects are in another repository."""
    git(folder, "clone", "-q", "--shared", str(_upstream(folder)), "project")
    return TestRepo.at(folder / "project")


def split_index(folder: Path) -> TestRepo:
    """The index is in two files, and has caches that git keeps in it."""
    made = _clone(folder)
    for name in ("core.splitIndex", "core.untrackedCache", "feature.manyFiles"):
        made.git("config", name, "true")
    made.git("update-index", "--split-index", "--untracked-cache")
    made.allow("git:sharedindex.*")  # belongs to the index, and git makes a new one now and then
    return made


def line_ends(folder: Path) -> TestRepo:
    """Text is checked out with CRLF."""
    made = _clone(folder, "-c", "core.autocrlf=true")
    assert (made.path / "src/a.py").read_bytes() == b"a = 2\r\n"
    return made


def packed_refs(folder: Path) -> TestRepo:
    """Refs are packed, and a commit-graph and a multi-pack-index are there."""
    made = _clone(folder)
    made.git("pack-refs", "--all")
    made.git("commit-graph", "write", "--reachable")
    made.git("repack", "-q", "-a", "-d", "--write-midx")
    return made


def reftable(folder: Path) -> TestRepo:
    """Refs are in tables; skips where git cannot make them."""
    asked = ["git", "init", "-q", "-b", "main", "--ref-format=reftable", str(folder / "project")]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("this git makes no reftables")
    made = TestRepo.at(folder / "project")
    made.commit("Start", FILES)
    return made


WHOLE: Final[tuple[Make, ...]] = (
    sha256,
    reftable,
    separate_git_dir,
    work_tree_of_bare,
    hidden_bare,
    submodule,
    with_submodule,
    with_empty_submodule,
    shallow,
    partial,
    sparse_cone,
    sparse_patterns,
    sparse_index,
    borrowed_objects,
    split_index,
    line_ends,
    packed_refs,
)
"""Those in which everything works as anywhere."""


def shell(folder: Path, line: str) -> str:
    """Run a line that gitcmat has printed, as a person does who pastes it into a shell."""
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout
