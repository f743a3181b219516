"""Agents of real runs in a real sandbox: what they reach, and that a run is the same otherwise."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.model.job import Result, RunOutcome
from gitcmat.model.sandbox import Box, Network, SandboxMode
from tests.support.boxed import bubblewrap
from tests.support.repo import TestRepo
from tests.support.runs import Bench, python
from tests.support.wait import until

BWRAP: Final = Box(mode=SandboxMode.BWRAP)
HONEY: Final = "honey-51c2"


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    bubblewrap()
    return Bench(repo, tmp_path / "the cache")


def boxed(bench: Bench, script: str, box: Box = BWRAP, **more: Any) -> tuple[Result, str]:
    """The result of a run in a sandbox, and its log."""
    runner = bench.start(bench.job(script, agent={"sandbox": box}, **more))
    return runner.result(), runner.log()


def test_work_in_a_sandbox_comes_home_as_any_other(bench: Bench) -> None:
    result, log = boxed(bench, "echo x > new.txt && git add . && git commit -qm Made && echo done")
    assert (result.outcome, result.message, result.warnings) == (RunOutcome.FINISHED, "done", ())
    assert [change.path for change in result.files] == ["new.txt"]
    assert bench.repo.git("log", "-1", "--format=%s", bench.tip()) == "Made"
    assert "[gitcmat] sandbox: bwrap, network full\n" in log
    assert not (bench.slot / "box").exists()


def test_a_workspace_is_used_again_with_what_was_kept(bench: Bench) -> None:
    assert boxed(bench, "mkdir .venv; echo x > .venv/y; echo 1 > a")[0].outcome == "finished"
    result, log = boxed(bench, "cat .venv/y; git log --oneline | wc -l")
    assert (result.outcome, "\nx\n" in log) == (RunOutcome.FINISHED, True)


def test_the_persons_repository_cannot_be_seen(bench: Bench) -> None:
    bench.repo.write(".env", f"KEY={HONEY}\n")
    (bench.repo.git_dir / "note").write_text(HONEY, encoding="utf-8")
    linked = bench.repo.path.with_name("linked tree")
    bench.repo.git("worktree", "add", "-q", "-b", "other", str(linked))
    (linked / ".env").write_text(HONEY, encoding="utf-8")
    tree, git_dir = bench.repo.path, bench.repo.git_dir
    result, log = boxed(
        bench,
        f"cat '{tree}/.env' '{linked}/.env' '{git_dir}/note' '{git_dir}/config';"
        f" git --git-dir='{git_dir}' for-each-ref; ls -A '{tree}' '{git_dir}'; echo end",
    )
    assert HONEY not in log
    assert "refs/heads/main" not in log
    assert result.message == "end"


def test_the_persons_repository_cannot_be_written(bench: Bench) -> None:
    tree, git_dir = bench.repo.path, bench.repo.git_dir
    bench.repo.freeze()
    boxed(bench, "true")
    ours = (bench.slot / "slot.json", bench.slot / "vault/config", bench.slot / "lock")
    before = [path.read_bytes() for path in ours]
    result, log = boxed(
        bench,
        f"for f in '{tree}/x' '{git_dir}/config' '{git_dir}/hooks/post-commit'"
        f" '{git_dir}/objects/pack/x' '{git_dir}/refs/heads/x'; do"
        ' mkdir -p "${f%/*}"; echo 1 >> "$f" && echo WROTE; done;'
        f" echo 1 >> '{ours[0]}'; echo 1 >> '{ours[1]}'; echo 1 >> '{ours[2]}'; echo end",
    )
    assert "\nWROTE" not in log
    assert (result.message, result.warnings) == ("end", ())
    assert [path.read_bytes() for path in ours][1:] == before[1:]
    assert b"\n1" not in ours[0].read_bytes()


def test_objects_that_the_repository_itself_borrows_can_be_read(
    make_repo: Any, tmp_path: Path
) -> None:
    bubblewrap()
    source = make_repo("source of it")
    source.commit("More", {"big.txt": "x\n" * 1000})
    borrower = TestRepo(tmp_path / "borrower")
    (borrower.git_dir / "objects/info/alternates").write_text(
        f"{source.git_dir}/objects\n", encoding="utf-8"
    )
    borrower.git("fetch", "-q", str(source.path), "main")
    borrower.git("reset", "-q", "--hard", "FETCH_HEAD")
    result, _ = boxed(Bench(borrower, tmp_path / "cache 2"), "git show HEAD:big.txt | wc -l")
    assert (result.outcome, result.message) == (RunOutcome.FINISHED, "1000")


def test_a_question_reaches_the_person(bench: Bench) -> None:
    result, log = boxed(bench, "gitcmat blocker ask 'Which one?'; echo $CMAT_SANDBOX")
    assert (result.outcome, result.questions) == (RunOutcome.ASKED, ("Which one?",)), log
    assert "bwrap, network full" in log


@pytest.mark.parametrize(
    ("script", "outcome", "message", "code"),
    [
        ("exit 3", RunOutcome.FAILED, "exited 3", 3),
        ("kill -9 $$", RunOutcome.FAILED, "killed by SIGKILL", -9),
        ("kill -15 $$", RunOutcome.FAILED, "exited 143", 143),
        ("exit 145", RunOutcome.FAILED, "exited 145", 145),
    ],
)
def test_the_end_of_the_program_comes_through(
    bench: Bench, script: str, outcome: RunOutcome, message: str, code: int
) -> None:
    result, _ = boxed(bench, script)
    assert (result.outcome, result.message, result.exit_code) == (outcome, message, code)


def test_one_that_cannot_be_made_is_no_failure_of_the_agent(bench: Bench) -> None:
    box = replace(BWRAP, write=(f"/proc/{os.getpid()}/fdinfo",))
    result, _ = boxed(bench, "echo done", box)
    assert result.outcome is RunOutcome.CANNOT_START
    assert result.message.startswith("The sandbox could not be made: bwrap: "), result.message


def test_a_folder_to_write_that_is_not_there_is_said(bench: Bench) -> None:
    result, _ = boxed(bench, "echo done", replace(BWRAP, write=("~/nothing here",)))
    assert (result.outcome, result.message) == (
        RunOutcome.CANNOT_START,
        f"The sandbox is to write {Path.home()}/nothing here, which is not there.",
    )


def test_what_the_profile_names_can_be_read_and_written(bench: Bench, home: Path) -> None:
    (home / ".npmrc").write_text("registry=x\n", encoding="utf-8")
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text(HONEY, encoding="utf-8")
    (home / "notes").mkdir()
    box = replace(BWRAP, read=("~/.npmrc", "~/gone"), write=("~/notes",))
    _, log = boxed(bench, "cat ~/.npmrc ~/.aws/config; echo 1 > ~/notes/n", box)
    assert "registry=x" in log
    assert HONEY not in log
    assert (home / "notes/n").read_text(encoding="utf-8") == "1\n"


def test_it_writes_its_own_state_and_no_other_agents(bench: Bench, home: Path) -> None:
    """As `exec` and `-p` are arguments of Codex and of Claude Code, they are those of a shell."""
    (home / ".gemini").mkdir()
    (home / ".claude.json").write_text("{}", encoding="utf-8")
    for runs, name in (("codex", ".codex/a"), ("claude", ".claude/a"), ("claude", ".claude.json")):
        script = f"echo 1 > ~/{name}; echo 1 > ~/.gemini/a; echo 1 > ~/a"
        agent = {"sandbox": BWRAP, "runs": runs, "command": ("sh", "-c", script)}
        bench.run(bench.job(agent=agent))
        assert (home / name).read_text(encoding="utf-8") == "1\n"
    assert (home / ".codex").stat().st_mode & 0o777 == 0o700
    assert not (home / ".gemini/a").exists()
    assert not (home / "a").exists()


def test_an_agent_that_is_stopped_can_say_good_bye(bench: Bench) -> None:
    script = "trap 'echo good-bye > last.txt; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    runner = bench.start(bench.job(script, agent={"sandbox": BWRAP}))
    runner.wait_for("\nready\n")
    runner.folder.request_stop()
    result = runner.result()
    assert result.outcome is RunOutcome.STOPPED
    assert [change.path for change in result.files] == ["last.txt"]


FLEEING: Final = (
    "import os, time\nif not os.fork():\n os.setsid()\n if not os.fork():\n"
    "  os.environ.clear()\n  os.chdir('/')\n  time.sleep(600)\nprint('re' + 'ady', flush=True)\n"
    "time.sleep(600)"
)


def namespaces() -> Iterator[str]:
    """The PID namespaces of all living processes."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if "Z" not in (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[:1]:
                yield str((entry / "ns/pid").readlink())
        except OSError:
            continue


def test_nothing_is_left_of_it_when_the_runner_is_killed(bench: Bench) -> None:
    runner = bench.start(bench.job(python(FLEEING), agent={"sandbox": BWRAP}))
    runner.wait_for("\nready\n")
    (inner,) = set(_below(runner.process.pid)) - {_own()}
    runner.die()
    until(lambda: inner not in set(namespaces()), what="the sandbox is gone")


def _own() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


def _below(pid: int) -> list[str]:
    from gitcmat.system import processes

    found = []
    for row in processes.descendants(pid):
        try:
            found.append(str(Path(f"/proc/{row.pid}/ns/pid").readlink()))
        except OSError:
            continue
    return found


def test_what_flees_ends_with_the_agent(bench: Bench) -> None:
    script = FLEEING.replace("print('re' + 'ady', flush=True)\ntime.sleep(600)", "time.sleep(0.3)")
    result, _ = boxed(
        bench, python(f"import os\nprint(os.readlink('/proc/self/ns/pid'))\n{script}")
    )
    assert (result.outcome, result.message[:5]) == (RunOutcome.FINISHED, "pid:[")
    assert result.message not in {_own(), *namespaces()}


def test_without_network_there_is_none_and_refused_hosts_are_told(bench: Bench) -> None:
    ask = python(
        "import os, socket\n"
        "proxy = os.environ.get('HTTPS_PROXY')\n"
        "if not proxy:\n print('none'); raise SystemExit\n"
        "near = socket.create_connection(('127.0.0.1', int(proxy.rpartition(':')[2])))\n"
        "near.sendall(b'CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n')\n"
        "print(near.recv(100).split(b'\\r')[0].decode())"
    )
    result, _ = boxed(bench, ask, replace(BWRAP, network=Network.NONE))
    assert (result.message, result.warnings) == ("none", ())
    model = replace(BWRAP, network=Network.MODEL, hosts=("a.example",))
    result, log = boxed(bench, ask, model)
    assert result.message == "HTTP/1.1 403 Forbidden", log
    assert result.warnings == ("the sandbox let nothing through to evil.example:443",)


def test_paths_may_have_any_name(make_repo: Any, tmp_path: Path) -> None:
    bubblewrap()
    repo = make_repo("a b\n'c\" $d")
    bench = Bench(repo, tmp_path / "x y\nz")
    result, _ = boxed(bench, "echo 1 > 'n\nm'; git status --porcelain -z | tr '\\0' ' '")
    assert (result.outcome, len(result.files)) == (RunOutcome.FINISHED, 1)


def test_a_program_in_a_place_of_its_own_is_found_with_what_belongs_to_it(
    bench: Bench, home: Path
) -> None:
    package = home / ".cache/tools/node_modules/agent"
    (package / "bin").mkdir(parents=True)
    (package / "lib.sh").write_text("echo from the library\n", encoding="utf-8")
    program = package / "bin/agent"
    program.write_text('#!/bin/sh\n. "$(dirname "$(readlink -f "$0")")/../lib.sh"\n', "utf-8")
    program.chmod(0o755)
    link = home / ".local/bin/agent"
    link.parent.mkdir(parents=True)
    link.symlink_to(program)
    agent = {"sandbox": BWRAP, "command": (str(link),)}
    result = bench.run(bench.job(agent=agent))
    assert (result.outcome, result.message) == (RunOutcome.FINISHED, "from the library")


def test_a_program_that_is_a_link_beside_what_belongs_to_it_is_found(
    bench: Bench, home: Path
) -> None:
    modules = home / ".cache/tools/node_modules"
    program = modules / "agent/agent"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho found\n", "utf-8")
    program.chmod(0o755)
    (modules / ".bin").mkdir()
    (modules / ".bin/agent").symlink_to("../agent/agent")
    agent = {"sandbox": BWRAP, "command": (str(modules / ".bin/agent"),)}
    result = bench.run(bench.job(agent=agent))
    assert (result.outcome, result.message) == (RunOutcome.FINISHED, "found")


def test_programs_of_a_version_manager_are_found_where_it_is_not_to_be_seen(
    bench: Bench, home: Path
) -> None:
    manager = home / ".config/gitcmat/manager"  # such as another home's .pyenv
    for name, text in (
        ("shims/greet", '#!/bin/sh\nexec "$(dirname "$0")/../libexec/greet"\n'),
        ("libexec/greet", "#!/bin/sh\necho hello\n"),
    ):
        (manager / name).parent.mkdir(parents=True)
        (manager / name).write_text(text, encoding="utf-8")
        (manager / name).chmod(0o755)
    job = bench.job("greet", agent={"sandbox": BWRAP})
    result = bench.start(job, PATH=f"{manager}/shims:{os.environ['PATH']}").result()
    assert (result.outcome, result.message) == (RunOutcome.FINISHED, "hello")


def test_an_agent_that_was_never_started_before_has_a_place_for_what_it_keeps(
    bench: Bench, home: Path
) -> None:
    script = "echo 1 > ~/.codex/session"
    agent = {"sandbox": BWRAP, "runs": "codex", "command": ("sh", "-c", script)}
    bench.run(bench.job(agent=agent))
    assert (home / ".codex/session").read_text(encoding="utf-8") == "1\n"


def test_a_machine_that_has_lost_its_sandbox_starts_nothing(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "no bwrap"
    path.mkdir()
    for name in ("sh", "git", "env"):
        (path / name).symlink_to(
            next(p for d in os.defpath.split(":") if (p := Path(d, name)).exists())
        )
    job = bench.job("echo done", agent={"sandbox": BWRAP})
    result = bench.start(job, PATH=str(path)).result()
    assert (result.outcome, result.message) == (
        RunOutcome.CANNOT_START,
        "The agent is to work in a sandbox, and there is none: bubblewrap is not installed.",
    )
