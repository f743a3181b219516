"""What may lie inside a repository, or be left out: submodules, large files, missing parts."""

from pathlib import Path

import pytest

from tests.support import kinds
from tests.support.journey import LANDS, Journey, alike, same
from tests.support.repo import TestRepo

# --- submodules -------------------------------------------------------------------------------


@pytest.fixture
def outer(tmp_path: Path) -> Journey:
    journey = Journey(kinds.with_submodule(tmp_path))
    journey.prepare()
    return journey


def test_a_submodule_is_an_empty_folder_to_an_agent_and_stays_as_it_is(outer: Journey) -> None:
    outer.add("looks", "ls -A vendor/lib > seen.txt", "git submodule status >> seen.txt")
    outer.work("looks")
    outer.land("looks")
    submodule = outer.repo.git("rev-parse", "HEAD:vendor/lib")
    assert outer.repo.read("seen.txt") == f"-{submodule} vendor/lib\n"
    assert outer.repo.status() == ""
    assert (outer.repo.path / "vendor/lib/src/b.py").exists()


def test_work_inside_a_submodule_is_kept_and_asked_about(outer: Journey) -> None:
    outer.add("digs", "echo 1 > one.txt", "echo lost > vendor/lib/deep.txt")
    done = outer.type("run", "now", "digs")
    why = "the result needs a person: nested repository"
    assert (done.code, done.out) == (
        1,
        f"digs: blocked ({why})\nnext: gitcmat blocker list --task digs\n",
    )
    same(
        alike(outer.type("review", "show", "digs").ok().out),
        "digs  blocked  Do digs\n"
        "  ! nested repository: vendor/lib\n"
        "  | sh: echo 1 > one.txt\n"
        "  | sh: echo lost > vendor/lib/deep.txt\n"
        "  gates     not checked (listing did not run)\n"
        "    listing: skipped, 0.0 s (not run, because the result needs a person first)\n"
        "  branch    <short> onto main: 1 file +1 -0\n"
        "    <short> Do digs (Pat Person)\n"
        "    A one.txt\n"
        "  diff      git diff main...<short>\n",
    )


@pytest.mark.slow
def test_a_landing_that_removes_a_submodule_leaves_its_files(outer: Journey) -> None:
    outer.add("removes", "git rm -q vendor/lib", "git commit -qm 'Without it'")
    outer.work("removes")
    outer.land("removes")
    assert outer.repo.status() == "?? vendor/lib/"  # as after `git switch` to a branch without it
    assert (outer.repo.path / "vendor/lib/src/b.py").exists()


# --- filters, as of git-lfs -------------------------------------------------------------------

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n"
)
FILTER = """\
#!/bin/sh
echo "$1 in $PWD" >> "{log}"
case $1 in
clean) cat > /dev/null; printf '{pointer}' ;;
smudge) cat > /dev/null; echo the real content ;;
esac
"""


@pytest.fixture
def large(repo: TestRepo, tmp_path: Path) -> Journey:
    """A repository with a large file: a pointer in git, its content in the work tree."""
    program = tmp_path / "filter.sh"
    pointer = POINTER.replace("\n", "\\n")
    program.write_text(FILTER.format(log=tmp_path / "ran.txt", pointer=pointer))
    program.chmod(0o755)
    for name in ("clean", "smudge"):
        repo.git("config", f"filter.lfs.{name}", f"{program} {name}")
    repo.git("config", "filter.lfs.required", "true")
    repo.commit("Large files", {".gitattributes": "*.bin filter=lfs -text\n", "big.bin": "mine\n"})
    journey = Journey(repo)
    journey.prepare()
    assert repo.show("main", "big.bin") == POINTER
    return journey


def test_an_agent_sees_pointers_and_no_filter_of_the_person_runs_for_it(
    large: Journey, tmp_path: Path
) -> None:
    large.add("looks", "cp big.bin seen.txt", "git add -A", "git commit -qm Seen")
    ran = tmp_path / "ran.txt"
    ran.unlink()
    large.work("looks")
    large.type("review", "show", "looks").ok()
    large.type("status").ok()
    assert not ran.exists(), ran.read_text()
    large.land("looks")
    assert large.repo.read("seen.txt") == POINTER
    assert large.repo.read("big.bin") == "mine\n"
    assert large.repo.status() == ""


def test_a_large_file_comes_back_from_a_checkpoint_through_the_persons_own_filter(
    large: Journey, tmp_path: Path
) -> None:
    ran = tmp_path / "ran.txt"
    large.repo.write("README.md", "# Mine\n")
    large.type("checkpoint", "create", "before").ok()
    large.repo.delete("big.bin")
    ran.unlink()
    large.type("checkpoint", "restore", "before", changes=("index", "files")).ok()
    assert large.repo.read("big.bin") == "the real content\n"
    assert f"smudge in {large.repo.path}\n" in ran.read_text()
    assert large.repo.status() == " M README.md"


def test_a_filter_that_the_agent_names_runs_nowhere(repo: TestRepo, tmp_path: Path) -> None:
    journey = Journey(repo)
    journey.prepare()
    ran = tmp_path / "ran.txt"
    evil = f"git config filter.evil.clean 'sh -c \"echo evil >> {ran}; cat\"'"
    journey.add("evil", evil, "echo '*.txt filter=evil' > .gitattributes", "echo 1 > one.txt")
    journey.work("evil")
    journey.land("evil")
    assert (ran.exists(), repo.read("one.txt"), repo.status()) == (False, "1\n", "")


# --- what is not here -------------------------------------------------------------------------


@pytest.mark.slow
def test_in_a_shallow_clone_commits_land_one_by_one_and_more_history_can_come(
    tmp_path: Path,
) -> None:
    repo = kinds.shallow(tmp_path)
    journey = Journey(repo)
    journey.prepare()
    journey.add("work", "echo 1 > one", "git add .", "git commit -qm One", "echo 2 > two")
    journey.work("work")
    journey.type("land", "work", "--rebase", changes=LANDS).ok()
    subjects = "Do work\nOne\nTask work: Do work\nUse gitcmat\nThird"
    assert repo.git("log", "--format=%s") == subjects
    kinds.git(repo.path, "fetch", "-q", "--unshallow")
    TestRepo.made.remove(repo)
    whole = TestRepo.at(repo.path)
    assert whole.git("log", "--format=%s") == f"{subjects}\nSecond\nStart"
    whole.git("fsck", "--strict")
    Journey(whole).healthy()


@pytest.mark.slow
def test_a_partial_clone_that_lacks_files_says_how_to_get_them(tmp_path: Path) -> None:
    full = kinds.partial(tmp_path)
    origin = full.git("remote", "get-url", "origin")
    kinds.git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", origin, "a few files")
    repo = TestRepo.at(tmp_path / "a few files")
    kinds.git(repo.path, "sparse-checkout", "set", "--cone", "src", "tools", ".cmat")
    kinds.git(repo.path, "checkout", "-q", "main")
    journey = Journey(repo)
    journey.prepare()
    journey.add("deep", "echo more >> docs/guide/intro.md")
    done = journey.type("run", "now", "deep")
    tip = repo.tip()
    get = f"git -C '{repo.path}' archive {tip} > /dev/null"
    why = f"{repo.path} is a partial clone and lacks files of {tip}. {get}"
    assert (done.code, done.out.splitlines()[0]) == (1, f"deep: failed ({why})")
    kinds.shell(tmp_path, get)
    journey.type("queue", "rerun", "deep").ok()
    journey.work("deep")
    journey.land("deep", changes=(*LANDS, "git:shallow"))
    assert repo.show("main", "docs/guide/intro.md") == "Hello.\nmore\n"
    assert repo.git("ls-files", "-t", "docs") == "S docs/guide/intro.md"
    assert not (repo.path / "docs").exists()
    assert repo.status() == ""


@pytest.mark.parametrize(
    "make", [kinds.sparse_cone, kinds.sparse_patterns, kinds.sparse_index], ids=lambda m: m.__name__
)
@pytest.mark.slow
def test_a_landing_outside_of_what_is_checked_out_makes_no_file(
    make: kinds.Make, tmp_path: Path
) -> None:
    repo = make(tmp_path)
    journey = Journey(repo)
    journey.prepare()
    journey.add("wide", "echo more >> docs/guide/intro.md", "echo x > docs/x", "echo 3 > src/c.py")
    journey.work("wide")
    journey.land("wide")
    assert repo.show("main", "docs/x") == "x\n"
    assert repo.read("src/c.py") == "3\n"
    assert not (repo.path / "docs").exists()
    assert repo.status() == ""
    repo.git("sparse-checkout", "disable")
    assert repo.read("docs/guide/intro.md") == "Hello.\nmore\n"
    assert repo.status() == ""


def test_files_that_lie_outside_of_a_sparse_checkout_all_the_same_are_saved(
    tmp_path: Path,
) -> None:
    repo = kinds.sparse_cone(tmp_path)
    journey = Journey(repo)
    journey.prepare()
    repo.write("docs/guide/intro.md", "There, and changed.\n")
    repo.write("docs/new.md", "New there.\n")
    journey.type("checkpoint", "create", "all").ok()
    (there,) = repo.refs("refs/cmat/checkpoints/")
    assert repo.show(there, "docs/guide/intro.md") == "There, and changed.\n"
    assert repo.show(there, "docs/new.md") == "New there.\n"
    with repo.as_person():
        kinds.shell(repo.path, "rm -r docs")
    back = journey.type("checkpoint", "restore", "all", changes=("index", "files")).ok()
    assert repo.read("docs/guide/intro.md") == "There, and changed.\n", back.out
    assert repo.read("docs/new.md") == "New there.\n"
