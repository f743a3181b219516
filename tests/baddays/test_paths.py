"""Names that no program likes: of the repository's folder, of files that agents write, of files in
conflict. Nothing of them is lost, and none of them can make a terminal or a reader see a thing that
is not there.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import gitcmat
from tests.support.journey import Journey, alike, refused
from tests.support.repo import TestRepo

FOLDERS: Final = {
    "spaces": " with  spaces ",
    "a line end": "new\nline",
    "quotes": 'it\'s "quoted" `too`',
    "a leading dash": "-rf",
    "bytes": os.fsdecode(b"caf\xe9\xff"),
    "an escape sequence": "\x1b[31mred",
    "patterns": "%s{}$HOME*[a]?",
    "the longest name": "x" * 250,
    "colons": "a:b;c",
}
QUICK: Final = ("a line end", "bytes")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=what, marks=() if what in QUICK else pytest.mark.slow)
        for what, name in FOLDERS.items()
    ],
)
def test_the_whole_way_in_a_folder_with_a_strange_name(name: str, tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / name)
    repo.commit("Start", {"README.md": "# A project\n"})
    journey = Journey(repo)
    journey.prepare()
    journey.whole()
    listed = gitcmat(tmp_path, "-C", f"./{name}", "status").ok().out
    assert listed.startswith("1 done;")
    shown = journey.type("doctor").ok().out
    assert "\x1b" not in shown


@pytest.mark.slow
def test_very_long_paths_are_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["x" * 200] * 10)
    repo = TestRepo(deep)
    repo.commit("Start", {"README.md": "# A project\n"})
    journey = Journey(repo)
    journey.prepare()
    journey.add("deep", f"mkdir -p {'y/' * 300}", f"echo 1 > {'y/' * 300}file")
    journey.work("deep")
    journey.land("deep")
    assert repo.read(f"{'y/' * 300}file") == "1\n"


# --- files --------------------------------------------------------------------------------------

ODD: Final = (
    b" ",
    b"with space",
    b"new\nline",
    b"tab\there",
    b'quo"te',
    b"it's",
    b"-dash",
    b"--force",
    b"caf\xc3\xa9",
    b"latin\xe9\xff",
    b"esc\x1b[31mred",
    b"\xe2\x80\xaegpj.exe",
    b"back\\slash",
    b"*",
    b"[a]",
    b":(top)",
    b":!x",
    b"con",
    b"trail ",
    b"x" * 250,
    b"a\n    A spoofed",
)
SHOWN: Final = (
    "    A  ",
    "    A *",
    "    A --force",
    "    A -dash",
    "    A :!x",
    "    A :(top)",
    "    A [a]",
    "    A a\\n    A spoofed",
    "    A back\\slash",
    "    A café",
    "    A con",
    "    A esc\\x1b[31mred",
    "    A it's",
    "    A latin\\udce9\\udcff",
    "    A new\\nline",
    '    A quo"te',
    "    A tab\\there",
    "    A trail ",
    "    A with space",
    f"    A {'x' * 250}",
    "    A \\u202egpj.exe",
)

WRITER: Final = """\
import sys
for name in {names!r}:
    with open(name, "ab") as file:
        file.write(sys.argv[1].encode() + b"\\n")
"""


@pytest.fixture
def journey(repo: TestRepo) -> Journey:
    made = Journey(repo)
    made.prepare({"tools/odd.py": WRITER.format(names=ODD)})
    return made


def odd_files(repo: TestRepo, *texts: str) -> bool:
    """Whether each of the odd files has just these lines."""
    root = os.fsencode(repo.path)
    wanted = "".join(f"{text}\n" for text in texts).encode()
    return all(Path(os.fsdecode(root + b"/" + n)).read_bytes() == wanted for n in ODD)


def staged(repo: TestRepo) -> set[bytes]:
    """The odd files that git knows."""
    listed = os.fsencode(repo.git("ls-files", "-z"))
    return set(listed.split(b"\0")) & set(ODD)


def test_odd_files_of_an_agent_are_shown_on_one_line_each_and_land(journey: Journey) -> None:
    journey.add("odd", "python3 tools/odd.py one")
    journey.work("odd")
    shown = journey.type("review", "show", "odd").ok().out.splitlines()
    at = shown.index("    A  ")
    assert tuple(shown[at : at + len(SHOWN)]) == SHOWN
    assert shown[at - 2 : at - 1] == ["  branch    cmat/odd onto main: 21 files +21 -0"]
    journey.land("odd")
    assert odd_files(journey.repo, "one")
    assert (staged(journey.repo), journey.repo.status()) == (set(ODD), "")


@pytest.mark.slow
def test_conflicts_in_odd_files_are_named_so_that_no_terminal_obeys(journey: Journey) -> None:
    journey.add("one", "python3 tools/odd.py one")
    journey.add("two", "python3 tools/odd.py two")
    for task in ("one", "two"):
        journey.work(task)
    journey.land("one")
    refused(
        journey.type("land", "two"),
        5,
        "two conflicts with main in  , *, --force, -dash, :!x, :(top), [a], a\\n    A spoofed, "
        "back\\slash, café and 11 more. Nothing was landed.",
        "gitcmat blocker list --task two",
    )
    assert odd_files(journey.repo, "one")
    (asked,) = journey.type("blocker", "list", "--json").ok().json["blockers"]
    assert journey.type("blocker", "show", asked["id"]).ok().out.count("\x1b") == 0
    journey.type("blocker", "answer", asked["id"], "retry").ok()
    journey.work("two")
    journey.land("two")
    assert odd_files(journey.repo, "one", "two")


@pytest.mark.slow
def test_a_checkpoint_has_odd_files_and_brings_them_back(journey: Journey) -> None:
    repo = journey.repo
    with repo.as_person():
        write(repo, "mine")
    journey.type("checkpoint", "create", "odd").ok()
    with repo.as_person():
        for name in ODD:
            Path(os.fsdecode(os.fsencode(repo.path) + b"/" + name)).unlink()
    dry = journey.type("checkpoint", "restore", "odd", "--dry-run").ok().out
    assert dry.splitlines()[-1] == f"  and {len(ODD) - 20} more"
    assert "\x1b" not in dry
    journey.type("checkpoint", "restore", "odd", changes=("files",)).ok()
    assert odd_files(repo, "mine")


def test_files_of_mine_in_the_way_are_named_by_their_odd_names(journey: Journey) -> None:
    journey.add("odd", "python3 tools/odd.py one")
    journey.work("odd")
    with journey.repo.as_person():
        write(journey.repo, "mine")
    error, hint = journey.type("land", "odd").err.splitlines()[-2:]
    assert error == (
        f"error: Nothing was landed: these files of yours in {journey.repo.path} are in the way:  "
        ", *, --force, -dash, :!x, :(top), [a], a\\n    A spoofed, back\\slash, café and 11 more"
    )
    assert hint == "hint: commit, stash or move them, then try again"
    assert odd_files(journey.repo, "mine")


def write(repo: TestRepo, text: str, names: Iterable[bytes] = ODD) -> None:
    """Write the odd files, as a person."""
    for name in names:
        Path(os.fsdecode(os.fsencode(repo.path) + b"/" + name)).write_text(f"{text}\n")


def test_names_that_differ_only_by_case_are_two_files(journey: Journey) -> None:
    journey.add(
        "twins", "mkdir Docs docs", "echo 1 > Docs/Case", "echo 2 > docs/case", "echo 3 > ReadMe.md"
    )
    journey.work("twins")
    journey.land("twins")
    repo = journey.repo
    assert [repo.read(n) for n in ("Docs/Case", "docs/case", "ReadMe.md", "README.md")] == [
        "1\n",
        "2\n",
        "3\n",
        "# A project\n",
    ]
    journey.type("checkpoint", "create", "twins").ok()
    with repo.as_person():
        shutil.rmtree(repo.path / "Docs")
    journey.type("checkpoint", "restore", "twins", changes=("files", "index")).ok()
    assert repo.status() == ""


@pytest.mark.slow
def test_branches_for_review_do_not_care_about_the_case_of_others(journey: Journey) -> None:
    journey.repo.branch("CMAT/twin")
    journey.add("twin", "echo 1 > one")
    journey.work("twin")
    journey.land("twin")
    assert journey.repo.has("refs/heads/CMAT/twin")


@pytest.mark.slow
def test_a_folder_where_a_file_was_and_a_file_where_a_folder_was(journey: Journey) -> None:
    repo = journey.repo
    repo.commit("Both", {"folder/inside": "1\n", "file": "1\n"})
    journey.add("turns", "rm -r folder file", "echo file > folder", "mkdir file", "echo x > file/x")
    journey.work("turns")
    shown = alike(journey.type("review", "show", "turns").ok().out).splitlines()
    changed = [line for line in shown if line[:6] in ("    A ", "    D ", "    M ")]
    assert changed == ["    D file", "    A file/x", "    A folder", "    D folder/inside"]
    journey.land("turns")
    assert (repo.read("folder"), repo.read("file/x"), repo.status()) == ("file\n", "x\n", "")
