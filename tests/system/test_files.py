"""Files: whole or not there, never through a link, swapped at once, removed whatever the modes."""

import os
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest

from gitcmat.errors import InvalidData
from gitcmat.system import files, proc

LIMIT = 1000


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_written_whole_with_its_folders_and_nothing_beside_it(
    durable: bool,  # noqa: FBT001 - a test's parameter
    tmp_path: Path,
) -> None:
    path = tmp_path / "a" / "b" / "file.yaml"
    files.write_atomic(path, b"one", durable=durable)
    files.write_atomic(path, b"two", durable=durable)
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["file.yaml"]


def test_the_mode_is_as_asked_within_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        files.write_atomic(tmp_path / "secret", b"", mode=0o600)
        files.write_atomic(tmp_path / "program", b"", mode=0o777)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "program").stat().st_mode) == 0o755


def test_a_link_is_replaced_and_what_it_names_is_untouched(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("theirs")
    link.symlink_to(target)
    files.write_atomic(link, b"ours")
    assert target.read_text() == "theirs"
    assert not link.is_symlink()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        files.write_atomic(tmp_path / "folder", b"x")
    assert names(tmp_path) == ["folder"]


def test_readers_see_the_old_or_the_new_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = {b"a" * 100_000, b"b" * 200_000}
    files.write_atomic(path, b"a" * 100_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                files.write_atomic(path, content)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        seen = {files.read_regular(path, 10**6) for _ in range(300)}
    finally:
        stop.set()
        thread.join()
    assert seen <= contents


def test_a_regular_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * LIMIT)
    assert files.read_regular(path, LIMIT) == b"x" * LIMIT
    path.write_bytes(b"x" * (LIMIT + 1))
    with pytest.raises(InvalidData) as caught:
        files.read_regular(path, LIMIT)
    assert caught.value.message == f"{path} is larger than the 1000 bytes allowed here."
    with pytest.raises(FileNotFoundError):
        files.read_regular(tmp_path / "none", LIMIT)


def test_nothing_but_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("x")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path, kind in {
            tmp_path / "link": "a symbolic link",
            tmp_path / "dangling": "a symbolic link",
            tmp_path / "folder": "a folder",
            tmp_path / "pipe": "a pipe",
            tmp_path / "socket": "a socket",
            Path("/dev/zero"): "a device",
        }.items():
            with pytest.raises(InvalidData) as caught:
                files.read_regular(path, LIMIT)
            assert caught.value.message == f"{path} is {kind}, not a regular file."
            assert caught.value.hint == "Put a plain file there."


def test_reads_are_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITCMAT_TRACE", str(tmp_path / "trace"))
    (tmp_path / "file").write_text("x")
    files.read_regular(tmp_path / "file", LIMIT)
    assert (tmp_path / "trace").read_text() == f"read {tmp_path / 'file'}\n"


def test_paths_inside_a_folder_are_given(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "near").symlink_to("real")
    for text in ("a", "a/b.yaml", "./a", "real/x", "near/x", "a..b", ".github/x"):
        assert files.inside(tmp_path, text) == tmp_path / text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "a/../../b",
        "a/..",
        "far/x",
        "far",
        "a\0b",
        ".git/config",
        "x/.GIT",
    ],
)
def test_paths_that_lead_out_are_refused(text: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "far").symlink_to(tmp_path)
    with pytest.raises(InvalidData) as caught:
        files.inside(root, text)
    assert caught.value.message == f"The path {text!r} leads out of {root}."
    assert caught.value.hint == "Name a path inside that folder."


def check_exchange(tmp_path: Path, *, in_one_step: bool) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1")
    second.write_text("2")
    assert files.exchange(first, second) is in_one_step
    assert (first.read_text(), second.read_text()) == ("2", "1")
    missing = tmp_path / "missing"
    for pair in ((first, missing), (missing, first)):
        with pytest.raises(FileNotFoundError):
            files.exchange(*pair)
    assert names(tmp_path) == ["first", "second"]
    assert (first.read_text(), second.read_text()) == ("2", "1")


def test_two_files_are_exchanged_in_one_step(tmp_path: Path) -> None:
    check_exchange(tmp_path, in_one_step=True)


def test_two_files_are_exchanged_where_the_system_has_no_call_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_exchange_call", lambda: None)
    check_exchange(tmp_path, in_one_step=False)


def test_a_tree_is_removed_whatever_its_modes_and_its_links_are_not_followed(
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").write_text("x")
    (tree / "a" / "link").symlink_to(outside)
    (tree / "a" / "b").chmod(0o000)
    (tree / "a").chmod(0o500)
    files.remove_tree(tree)
    assert names(tmp_path) == ["outside"]
    assert names(outside) == ["keep"]


def test_links_files_and_what_is_missing_can_be_removed_as_a_tree(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "file").write_text("x")
    for name in ("link", "file", "missing", "outside"):
        files.remove_tree(tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be, which root can")
def test_another_users_read_only_tree_is_opened_as_that_user(tmp_path: Path) -> None:
    # Root passes every mode: become nobody for the same removal.
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a" / "file").write_text("x")
    (tree / "a").chmod(0o500)
    for path in (tmp_path, tree, tree / "a", tree / "a" / "file"):
        os.chown(path, 65534, 65534)
    code = (
        "import os, shutil, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from gitcmat.system import files\n"
        "os.setgid(65534); os.setuid(65534); os.chdir(sys.argv[2])\n"
        "files.remove_tree(Path('tree'))\n"
    )
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        folder = f"/proc/self/fd/{here}"
        repository = str(Path(__file__).resolve().parents[2])
        child = proc.start(
            [sys.executable, "-S", "-c", code, repository, folder],
            cwd=Path("/"),
            env=os.environ,
            pass_fds=[here],
        )
        assert child.wait(60) == 0
    finally:
        os.close(here)
    assert not tree.exists()
