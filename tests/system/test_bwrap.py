"""What a command in a sandbox can reach; with the real bubblewrap."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model import private_places
from gitcmat.system import bwrap, proc, processes
from gitcmat.system.bwrap import Refused
from tests.support.boxed import Boxed
from tests.support.wait import until

HONEY: Final = "honey-7f3a"

# Opens, and writes nothing: these files are the machine's own.
WRITABLE: Final = """
import os
found = []
for folder in ("/proc/sys", "/sys", "/etc", "/usr", "/boot", "/var", "/proc"):
    for root, folders, files in os.walk(folder):
        if root == "/proc":
            folders[:] = [name for name in ("fs", "irq", "bus", "acpi") if name in folders]
        if root.count("/") > 5:
            folders[:] = []
        for name in files:
            path = os.path.join(root, name)
            if os.path.islink(path):
                continue
            if os.access(path, os.W_OK):
                found.append(path)
print("\\n".join(found))
"""


@pytest.fixture
def box(home: Path, tmp_path: Path) -> Boxed:
    del home
    return Boxed(tmp_path / "a box")


def secrets(home: Path) -> Iterator[Path]:
    """One file in each place that is private."""
    for number, name in enumerate((*private_places.SECRETS, *private_places.AGENTS)):
        place = home / name
        if any(str(known).startswith(f"{name}/") for known in private_places.SECRETS):
            place.mkdir(parents=True, exist_ok=True)
        as_folder = place.is_dir() or number % 2
        file = place / "token" if as_folder else place
        with suppress(FileExistsError, NotADirectoryError):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(HONEY, encoding="utf-8")
            yield file


def test_nothing_of_a_persons_secrets_can_be_read(home: Path, tmp_path: Path) -> None:
    files = list(secrets(home))
    assert len(files) > 100
    (home / "notes.txt").write_text("no secret", encoding="utf-8")
    box = Boxed(tmp_path / "box")
    found = box.sh(f"grep -rl {HONEY} {home} 2>/dev/null; cat {home}/notes.txt")
    assert found.text == "no secret"


def test_what_a_variable_leads_to_is_hidden_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kube one", "kube two", "aws", "netrc"):
        (home / name).write_text(HONEY, encoding="utf-8")
    (home / "conf/gh").mkdir(parents=True)
    (home / "conf/gh/hosts.yml").write_text(HONEY, encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", f"{home}/kube one:{home}/kube two")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{home}/aws")
    monkeypatch.setenv("NETRC", f"{home}/netrc")
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{home}/conf")
    assert Boxed(tmp_path / "box").sh(f"grep -rl {HONEY} {home}").text == ""


def test_a_secret_behind_a_symlink_is_hidden_where_it_is(home: Path, tmp_path: Path) -> None:
    real = home / "dotfiles/ssh"
    real.mkdir(parents=True)
    (real / "id").write_text(HONEY, encoding="utf-8")
    (home / ".ssh").symlink_to(real)
    assert Boxed(tmp_path / "box").sh(f"cat {home}/.ssh/id {real}/id").text == ""


def test_only_the_work_tree_can_be_written(box: Boxed, home: Path) -> None:
    outside = home / "x"
    done = box.sh(f"echo 1 > in.txt; echo 2 > {outside}; echo 3 > /etc/x; echo 4 > /usr/x; ls /")
    assert (box.tree / "in.txt").read_text(encoding="utf-8") == "1\n"
    assert not outside.exists()
    assert done.err.count(b"Read-only file system") == 3, done.err
    assert not Path("/etc/x").exists()


def test_no_file_of_the_machine_or_its_kernel_can_be_written(box: Boxed) -> None:
    done = box.python(WRITABLE)
    assert done.ok, done.err
    allowed = ("/proc/pressure/", "/var/tmp/")  # noqa: S108 - of its own
    assert [path for path in done.text.splitlines() if not path.startswith(allowed)] == []


def test_hidden_places_take_nothing(box: Boxed) -> None:
    done = box.sh("touch /run/x; echo $?")
    assert done.text.splitlines()[-1] != "0"


def test_temporary_files_and_caches_are_its_own(home: Path, tmp_path: Path) -> None:
    (home / ".cache/pip").mkdir(parents=True)
    (home / ".cache/pip/wheel").write_text("poison me", encoding="utf-8")
    box = Boxed(tmp_path / "box")
    done = box.sh(
        f"ls -A /tmp/x {home}/.cache; echo 1 > /tmp/x; echo 2 > {home}/.cache/y; cat /tmp/x"
    )
    assert done.text.splitlines()[-1] == "1"
    assert b"poison" not in done.out
    assert not Path("/tmp/x").exists()  # noqa: S108 - the real one
    assert not (home / ".cache/y").exists()


def test_it_has_no_capability_and_can_get_none(box: Boxed) -> None:
    said = box.sh("grep -E '^(CapEff|CapPrm|CapInh|NoNewPrivs)' /proc/self/status").text
    assert said.split() == [
        *("CapInh:", "0" * 16, "CapPrm:", "0" * 16, "CapEff:", "0" * 16),
        *("NoNewPrivs:", "1"),
    ]


def test_what_is_hidden_cannot_be_uncovered_in_namespaces_of_its_own(
    home: Path, tmp_path: Path
) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh/id").write_text(HONEY, encoding="utf-8")
    done = Boxed(tmp_path / "box").sh(
        f"unshare -Urm sh -c 'umount {home}/.ssh; umount -l {home}/.ssh; cat {home}/.ssh/id;"
        f" mount -o remount,rw,bind {home}; echo 1 > {home}/x'"
    )
    assert HONEY not in done.text
    assert not (home / "x").exists()


def test_it_sees_no_process_but_its_own(box: Boxed) -> None:
    mine = os.getpid()
    done = box.sh(f"cat /proc/{mine}/environ; kill -0 {mine} && echo reached; ls /proc")
    seen = [word for word in done.text.split() if word.isdigit()]
    assert "reached" not in done.text
    assert len(seen) < 6, seen


@pytest.mark.parametrize("code", [0, 1, 3, 125, 255])
def test_exit_codes_come_through(box: Boxed, code: int) -> None:
    assert box.sh(f"exit {code}").code == code


def test_a_killed_command_has_128_and_the_signal(box: Boxed) -> None:
    assert box.sh("kill -9 $$").code == 128 + signal.SIGKILL


def test_whether_the_command_could_be_started_is_told(box: Boxed, tmp_path: Path) -> None:
    told = []
    for command in (("sh", "-c", "exit 1"), (f"{tmp_path}/not there",)):
        read, write = os.pipe()
        child = proc.start(
            box.argv(*command, status_fd=write), cwd=Path("/"), env=os.environ, pass_fds=(write,)
        )
        os.close(write)
        child.wait(30)
        with os.fdopen(read, "rb") as file:
            lines = [json.loads(line) for line in file.read().splitlines()]
        told.append([line["exit-code"] for line in lines if "exit-code" in line])
    assert told == [[1], []]


def test_output_comes_as_it_is_printed_and_large_output_whole(box: Boxed) -> None:
    child = proc.start(
        box.argv("sh", "-c", "echo first; read x; echo $x >&2; head -c 3000000 /dev/zero"),
        cwd=Path("/"),
        env=os.environ,
        stdin=b"second\n",
        stdout=proc.PIPE,
        stderr=proc.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout as out, child.stderr as err:
        assert out.read(6) == b"first\n"
        size = 0
        while data := out.read(65536):
            size += len(data)
        assert (size, err.read(), child.wait(30)) == (3_000_000, b"second\n", 0)


def test_names_may_have_spaces_line_ends_and_other_bytes(home: Path, tmp_path: Path) -> None:
    del home
    box = Boxed(tmp_path / "a b\nc\udcff'\"$x")
    done = box.sh("pwd -P; echo 1 > 'x\ny'")
    assert done.ok, done.err
    assert done.out == os.fsencode(f"{box.tree}\n")
    assert (box.tree / "x\ny").read_bytes() == b"1\n"


_FLEE: Final = "import os, signal, time\nif not os.fork():\n os.setsid()\n"

ESCAPES: Final = {
    "a session of its own": f"{_FLEE} time.sleep(600)",
    "two forks": f"{_FLEE} if not os.fork():\n  time.sleep(600)",
    "deaf to signals": (
        f"{_FLEE} for n in range(1, 30):\n"
        "  if n not in (9, 19): signal.signal(n, signal.SIG_IGN)\n time.sleep(600)"
    ),
}


def below(child: proc.Child) -> list[processes.Identity]:
    return [row.identity for row in processes.descendants(child.pid)]


def gone(family: list[processes.Identity]) -> bool:
    rows = processes.table()
    return not any(
        (row := rows.get(who.pid)) and row.identity == who and not row.zombie for who in family
    )


@pytest.mark.parametrize("escape", ESCAPES)
def test_who_flees_from_its_parent_ends_with_the_command(box: Boxed, escape: str) -> None:
    code = f"{ESCAPES[escape]}\ntime.sleep(1)"
    child = proc.start(
        box.argv(sys.executable, "-I", "-S", "-c", code), cwd=Path("/"), env=os.environ
    )
    until(lambda: len(below(child)) >= 3, what="the fugitive runs")
    family = below(child)
    assert child.wait(30) == 0
    until(lambda: gone(family), what="all of them have ended")


def test_all_of_it_ends_when_whoever_started_it_is_killed(box: Boxed) -> None:
    command = box.argv(sys.executable, "-I", "-S", "-c", f"{ESCAPES['two forks']}\ntime.sleep(600)")
    starter = (
        "import json, subprocess, sys\n"
        "subprocess.run(json.loads(sys.stdin.read()), stdin=subprocess.DEVNULL)"
    )
    child = proc.start(
        [sys.executable, "-I", "-S", "-c", starter],
        cwd=Path("/"),
        env=os.environ,
        stdin=json.dumps(command).encode(),
    )
    until(lambda: len(below(child)) >= 4, what="the sandbox runs")
    family = below(child)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    until(lambda: gone(family), what="nothing of it is left")


def test_a_sandbox_costs_no_more_than_a_fraction_of_a_second(box: Boxed) -> None:
    begun = time.monotonic()
    for _ in range(5):
        assert box.run("true").ok
    assert time.monotonic() - begun < 10


def test_there_is_none_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bwrap.find() == Refused("bubblewrap is not installed", "apt install bubblewrap")
    assert bwrap.why_not() == "bubblewrap is not installed"


_NO_NAMESPACE: Final = (
    "No permissions to creating new namespace, likely because the kernel does not allow "
    "non-privileged user namespaces."
)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            f"bwrap: {_NO_NAMESPACE}",
            f"this machine lets bubblewrap make no namespaces ({_NO_NAMESPACE})",
        ),
        ("bwrap: Unknown option --x", "bubblewrap is too old (Unknown option --x)"),
        ("", "bubblewrap does not work here (it says nothing)"),
    ],
)
def test_one_that_does_not_work_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, why: str
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    assert bwrap.why_not() == why


def test_one_that_lies_in_the_repository_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin/bwrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert bwrap.why_not([tmp_path]) == "bubblewrap is not installed"
