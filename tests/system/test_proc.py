"""Starting programs: what comes back, what is refused, what is left behind."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from gitcmat.errors import UserError
from gitcmat.system import proc, processes
from tests.support.wait import until

ROOT = Path("/")


def sh(script: str, **options: object) -> proc.Done:
    return proc.run(["sh", "-c", script], cwd=ROOT, env=os.environ, **options)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    row = processes.table().get(pid)
    return row is not None and not row.zombie


def test_output_error_output_and_code_come_back_and_a_bad_code_is_no_error() -> None:
    done = sh("echo out; echo err >&2; exit 3")
    assert (done.argv, done.code, done.out, done.err) == (
        ("sh", "-c", "echo out; echo err >&2; exit 3"),
        3,
        b"out\n",
        b"err\n",
    )
    assert not done.ok
    assert done.text == "out"
    assert 0 < done.seconds < 60


def test_a_killed_program_has_minus_the_signal_as_its_code() -> None:
    assert sh("kill -9 $$").code == -signal.SIGKILL


def test_text_keeps_bytes_that_are_no_utf8() -> None:
    done = sh(r"printf '\303\244\377\n\n'")
    assert done.text == "ä\udcff"
    assert done.text.encode("utf-8", "surrogateescape") == b"\xc3\xa4\xff"


def test_large_input_and_output_pass_at_the_same_time() -> None:
    data = os.urandom(3_000_000)
    done = proc.run(["cat"], cwd=ROOT, env=os.environ, input=data)
    assert done.out == data


def test_a_program_that_does_not_read_its_input_is_no_error() -> None:
    assert proc.run(["true"], cwd=ROOT, env=os.environ, input=b"x" * 1_000_000).code == 0


def test_without_input_there_is_nothing_to_read() -> None:
    assert proc.run(["cat"], cwd=ROOT, env=os.environ, timeout=30).out == b""


def test_only_the_end_of_long_output_is_kept_when_asked() -> None:
    done = sh("seq 200000; seq 9 >&2", max_output=14)
    assert done.out == b"199999\n200000\n"
    assert done.err == b"3\n4\n5\n6\n7\n8\n9\n"


def test_the_environment_and_folder_are_what_was_given(tmp_path: Path) -> None:
    done = proc.run(["/bin/sh", "-c", "pwd -P; env"], cwd=tmp_path, env={"ONLY": "this"})
    first, *rest = done.text.split("\n")
    assert first == str(tmp_path.resolve())
    assert {line for line in rest if not line.startswith(("PWD=", "_=", "SHLVL=", "OLDPWD="))} == {
        "ONLY=this"
    }


def test_a_program_over_its_time_is_killed_with_children_in_sessions_of_their_own() -> None:
    script = "echo begun; setsid sleep 600 & echo $!; sleep 600 & echo $!; wait"
    with pytest.raises(proc.Timeout) as caught:
        sh(script, timeout=0.5)
    begun, *pids = caught.value.out.split()
    assert begun == b"begun"
    assert len(pids) == 2
    until(lambda: not any(alive(int(pid)) for pid in pids), 10, "both children to be gone")
    assert (
        str(caught.value) == f"`sh -c '{script}'` did not end within 0.5 seconds and was stopped."
    )
    assert caught.value.hint == "Find out what it waits for, or allow it more time."


def test_a_program_that_closes_its_outputs_is_still_waited_for() -> None:
    assert sh("exec >&- 2>&-; sleep 0.3; exit 4").code == 4
    with pytest.raises(proc.Timeout):
        sh("exec >&- 2>&-; sleep 600", timeout=0.3)


def test_a_child_left_in_the_background_does_not_hold_us() -> None:
    begun = time.monotonic()
    done = sh("sleep 600 & echo $!")
    child = int(done.out)
    os.kill(child, signal.SIGKILL)
    assert done.code == 0
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("argv", "folder", "kind", "message", "hint"),
    [
        (
            ["no-such-program"],
            "",
            proc.ProgramMissing,
            "Cannot start `no-such-program`: there is no such program.",
            "Install it or correct its name; a script needs what its first line names, too.",
        ),
        (
            ["{tmp}/plain"],
            "",
            proc.ProgramRefused,
            "Cannot start `{tmp}/plain`: the system does not allow it to be executed.",
            "If it is a script, make it executable: chmod +x {tmp}/plain",
        ),
        (
            ["ls"],
            "gone",
            proc.FolderMissing,
            "Cannot start `ls` in {tmp}/gone: there is no such folder.",
            "Make the folder, or name another one.",
        ),
        (
            ["{tmp}/empty"],
            "",
            proc.ProgramRefused,
            "Cannot start `{tmp}/empty`: Exec format error.",
            "Try the command in a terminal.",
        ),
    ],
)
def test_what_cannot_be_started_is_explained(
    tmp_path: Path, argv: list[str], folder: str, kind: type[UserError], message: str, hint: str
) -> None:
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "empty").write_bytes(b"\0\1\2")
    (tmp_path / "empty").chmod(0o755)
    filled = [part.format(tmp=tmp_path) for part in argv]
    with pytest.raises(kind) as caught:
        proc.run(filled, cwd=tmp_path / folder, env=os.environ)
    assert caught.value.message == message.format(tmp=tmp_path)
    assert caught.value.hint == hint.format(tmp=tmp_path)


def test_every_start_is_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "trace"
    monkeypatch.setenv("GITCMAT_TRACE", str(log))
    proc.run(["true", "a b"], cwd=ROOT, env=os.environ)
    proc.start(["true", "two\nlines"], cwd=ROOT, env=os.environ).wait()
    assert log.read_text() == "process true 'a b'\nprocess true 'two\\nlines'\n"


def test_waiting_for_a_program_ends_at_the_time_given() -> None:
    child = proc.start(["sleep", "600"], cwd=ROOT, env=os.environ)
    assert child.wait(0.05) is None
    assert child.pid in proc.started()
    assert child.send(signal.SIGTERM)
    assert child.wait(30) == -signal.SIGTERM
    assert child.pid not in proc.started()


def test_a_child_inherits_the_descriptors_it_was_handed_and_no_other(tmp_path: Path) -> None:
    given, kept = (os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in ("a", "b"))
    os.set_inheritable(kept, True)  # noqa: FBT003 - takes no keywords
    try:
        log = tmp_path / "log"
        child = proc.spawn_detached(
            ["ls", "-l", "/proc/self/fd"], cwd=ROOT, env=os.environ, pass_fds=[given], log=log
        )
        assert child.wait(30) == 0
        text = log.read_text()
        assert text.count(str(tmp_path / "a")) == 1
        assert str(tmp_path / "b") not in text
        assert "0 -> /dev/null" in text
        assert text.count(str(log)) == 2
        assert log.stat().st_mode & 0o777 == 0o600
    finally:
        os.close(given)
        os.close(kept)


def test_a_detached_program_leads_a_session_and_its_log_grows(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    child = proc.spawn_detached(
        ["sh", "-c", "ps -o sid= -p $$; echo err >&2"], cwd=tmp_path, env=os.environ, log=log
    )
    assert child.wait(30) == 0
    assert [line.strip() for line in log.read_text().splitlines()] == [
        "before",
        str(child.pid),
        "err",
    ]


def test_exit_codes_are_never_lost_to_a_thread_that_reaps() -> None:
    stop = threading.Event()
    stolen: list[int] = []
    others = proc.started()

    def reap() -> None:
        while not stop.is_set():
            stolen.extend(pid for pid in proc.started() - others if proc.collect(pid) == 0)

    thread = threading.Thread(target=reap)
    thread.start()
    try:
        assert {sh("exit 7").code for _ in range(50)} == {7}
    finally:
        stop.set()
        thread.join()
    assert stolen == []


def test_an_interrupted_run_leaves_no_program(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        until(lambda: note.exists() and note.read_text().strip() != "")
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        sh(f"echo $$ > '{note}'; sleep 600")
    thread.join()
    assert not alive(int(note.read_text()))


def test_a_program_in_the_foreground_gets_the_terminal_and_its_code_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert proc.foreground(["sh", "-c", "exit 6"], cwd=ROOT, env=os.environ) == 6
    assert signal.getsignal(signal.SIGINT) is before


def test_a_detached_program_that_ended_is_no_zombie(tmp_path: Path) -> None:
    env = dict(os.environ)
    child = proc.spawn_detached(["true"], cwd=tmp_path, env=env, log=tmp_path / "log")

    def buried() -> bool:
        proc.bury()
        return child.pid not in proc.started()

    until(buried, 10, "the program to be buried")
    assert not Path(f"/proc/{child.pid}").exists()
