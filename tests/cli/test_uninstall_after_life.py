"""After months of work `gitcmat uninstall` leaves what the person alone would have made."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from gitcmat.app import open_app
from gitcmat.store.packedrefs import pack_refs
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project

LANDS: Final = ("refs:refs/heads/main", "index", "files")
LEFT_OUT: Final = (
    "objects/",
    "index",
    "logs/",
    "COMMIT_EDITMSG",
    "ORIG_HEAD",
    "refs/",
    "packed-refs",
)
"""What is compared by what it means, and what any commit writes."""


def live(repo: TestRepo) -> None:
    """Do everything once that leaves something in the repository."""
    gitcmat(repo.path, "init", "--commit").ok()
    gitcmat(repo.path, "hooks", "install").ok()
    project = Project(repo)
    repo.keep_frozen()
    for name in ("one", "two", "red", "stays"):
        project.commit_task(name, "false" if name == "red" else f"echo {name} > {name}")
        gitcmat(repo.path, "run", "now", name)
    for name, how in (("one", "--squash"), ("two", "--merge")):
        gitcmat(repo, "land", name, how, "--override", "test", changes=LANDS).ok()
    repo.write("README.md", "half done\n")
    repo.write("new.txt", "new\n")
    gitcmat(repo, "checkpoint", "create", "before").ok()
    repo.write("README.md", "worse\n")
    gitcmat(repo, "checkpoint", "restore", "before", changes=("index", "files")).ok()
    gitcmat(repo, "checkpoint", "create", "deleted").ok()
    gitcmat(repo, "checkpoint", "delete", "deleted").ok()
    asked = gitcmat(repo, "blocker", "ask", "Which?", "--task", "stays").ok().out.strip()
    gitcmat(repo, "blocker", "answer", asked, "This.").ok()
    gitcmat(repo, "blocker", "ask", "And that?", "--task", "stays").ok()
    repo.git("checkout", "-q", "--", "README.md")
    repo.delete("new.txt")


def tidy(repo: TestRepo) -> None:
    """What a daemon does when there is nothing else to do, for a few packs as for many."""
    deps = open_app(repo.path).deps
    deps.store.tidy(more_than=1)
    pack_refs(deps.git)
    deps.store.close()


def rest(_repo: TestRepo) -> None:
    """Nothing more happens."""


def picture(repo: TestRepo) -> dict[str, object]:
    """What a repository is, in its git directory and its work tree."""
    found: dict[str, object] = {}
    for path in sorted(repo.git_dir.rglob("*")):
        name = path.relative_to(repo.git_dir).as_posix()
        if not name.startswith(LEFT_OUT):
            found[name] = path.read_bytes() if path.is_file() else "folder"
    for path in sorted(repo.path.rglob("*")):
        name = path.relative_to(repo.path).as_posix()
        if not name.startswith(".git/"):
            mode = path.lstat().st_mode
            found[f"./{name}"] = (mode, path.read_bytes() if path.is_file() else "folder")
    found["refs"] = repo.refs()
    found["index"] = repo.git("ls-files", "--stage", "-v")
    found["status"] = repo.status()
    found["folders"] = sorted(
        path.relative_to(repo.git_dir).as_posix()
        for place in ("refs", "logs")
        for path in (repo.git_dir / place).rglob("*")
        if path.is_dir() or place == "logs"
    )
    return found


def packed(repo: TestRepo) -> set[str]:
    """The names in the file of packed refs, which must not be there for none."""
    path = repo.git_dir / "packed-refs"
    if not path.exists():
        return set()
    lines = (line.split() for line in path.read_text().splitlines())
    names = {words[1] for words in lines if words[0][0] not in "#^"}
    assert names
    return names


def objects(repo: TestRepo) -> set[str]:
    found = repo.git(
        "cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered"
    )
    return set(found.split())


def reached(repo: TestRepo) -> set[str]:
    what = ("--all", "--reflog", "--indexed-objects")
    return set(repo.git("rev-list", "--objects", "--no-object-names", *what).split())


def without(repo: TestRepo, before: Path) -> TestRepo:
    """The repository as it was, with the person's own commits and no gitcmat ever."""
    there = TestRepo.at(before)
    there.git("fetch", "-q", "--no-write-fetch-head", str(repo.path), "main")
    there.git("reset", "-q", "--hard", repo.tip("main"))
    return there


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("then", [rest, tidy])
def test_only_what_the_person_made_is_left(
    repo: TestRepo, tmp_path: Path, then: Callable[[TestRepo], None]
) -> None:
    repo.git("tag", "theirs")
    repo.branch("other")
    repo.git("config", "user.nick", "p")
    shutil.copytree(repo.path, tmp_path / "before", symlinks=True)
    live(repo)
    then(repo)
    repo.allow("hooks:*")
    gitcmat(repo.path, "uninstall", "--yes", "--branches").ok()
    expected = without(repo, tmp_path / "before")
    assert picture(repo) == picture(expected)
    assert objects(repo) - reached(repo) == set()
    # A git before 2.43 cannot pack ours alone, and who packed those of the person is not written.
    assert packed(repo) in (set(), set(repo.refs()))
    assert not list(repo.git_dir.rglob("*676974636d6174*"))
    repo.git("fsck", "--strict")
