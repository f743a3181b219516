"""What a runner does from its start to its result, with real git and real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitcmat.engine.runfolder import LOCK_FD, RunFolder
from gitcmat.model.job import FileChange, JobKind, RunOutcome
from gitcmat.system.locks import FileLock
from tests.support.repo import TestRepo
from tests.support.runs import PYTHON, Bench, Runner
from tests.support.wait import until

VALUE = "abc123-very-secret"


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.freeze()
    return Bench(repo, tmp_path)


def test_the_work_comes_home_as_commits_on_the_runs_ref(bench: Bench) -> None:
    script = "cat > said.txt; git commit -q --allow-empty -m mine; echo all done; echo x > rest.txt"
    result = bench.run(bench.job(script), "Please work.\n")
    assert (result.outcome, result.message, result.exit_code) == (
        RunOutcome.FINISHED,
        "all done",
        0,
    )
    assert result.head == bench.tip()
    assert result.commits == 2
    assert result.files == (
        FileChange(status="A", path="rest.txt"),
        FileChange(status="A", path="said.txt"),
    )
    assert bench.repo.show(result.head, "said.txt") == "Please work.\n"
    assert bench.repo.git("log", "-1", "--format=%an <%ae>%n%B", result.head) == (
        "Pat Person <pat@example.org>\n"
        "Parse dates\n"
        "\n"
        "Cmat-Task: parse-dates\n"
        f"Cmat-Run: {bench.last}\n"
        "Assisted-by: tester"
    )


def test_a_second_attempt_goes_on_from_the_first(bench: Bench) -> None:
    first = bench.run(bench.job("echo one > one.txt"))
    second = bench.run(bench.job("cat one.txt; echo two > two.txt", start=first.head))
    assert second.message == "one"
    assert second.commits == 1
    assert [change.path for change in second.files] == ["one.txt", "two.txt"]
    assert bench.repo.git("rev-parse", f"{second.head}^") == first.head


def test_a_run_without_a_change_leaves_its_ref_where_it_was(bench: Bench) -> None:
    result = bench.run(bench.job("true"))
    assert (result.outcome, result.marks) == (RunOutcome.FINISHED, ("no change",))
    assert result.head == bench.repo.tip() == bench.tip()


def test_a_bad_exit_fails_and_its_work_comes_home_all_the_same(bench: Bench) -> None:
    result = bench.run(bench.job("echo half > half.txt; echo no way >&2; echo gave up; exit 3"))
    assert (result.outcome, result.message, result.exit_code) == (
        RunOutcome.FAILED,
        "exited 3: gave up",
        3,
    )
    assert bench.repo.show(result.head, "half.txt") == "half\n"


def test_a_missing_program_cannot_start(bench: Bench) -> None:
    result = bench.run(bench.job(agent={"command": ("no-such-agent",)}))
    assert (result.outcome, result.message) == (
        RunOutcome.CANNOT_START,
        "Cannot start `no-such-agent`: there is no such program outside of the repository.",
    )


def test_an_unknown_adapter_cannot_start(bench: Bench) -> None:
    result = bench.run(bench.job(agent={"runs": "oracle"}))
    assert (result.outcome, result.message) == (
        RunOutcome.CANNOT_START,
        "No agent adapter is called 'oracle'.",
    )


def test_a_question_in_the_inbox_is_the_outcome(bench: Bench) -> None:
    line = '{"kind": "ask", "nonce": "n1", "question": "Which format?\\nISO or RFC?"}'
    script = f"printf '%s\\n' '{line}' nonsense >> $CMAT_INBOX; exit 1"
    result = bench.run(bench.job(script, nonce="n1"))
    assert (result.outcome, result.message) == (RunOutcome.ASKED, "Which format?")
    assert result.questions == ("Which format?\nISO or RFC?",)
    assert result.warnings == ("inbox line 2 was not understood: it is no JSON",)


def test_the_agent_sees_its_run_and_nothing_of_the_persons_repository(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = bench.repo.path / "bin"
    monkeypatch.setenv("PATH", f"{inside}:{os.environ['PATH']}")
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere/else")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent.sock")
    monkeypatch.setenv("SECRET_OF_NOBODY", "s3cr3t-value")
    result = bench.run(bench.job("env > env.txt", nonce="n1"), **{LOCK_FD: "77"})
    lines = bench.repo.show(result.head, "env.txt").splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    ours = {name: value for name, value in seen.items() if name.startswith("CMAT_")}
    assert ours == {
        "CMAT_RUN": bench.last,
        "CMAT_TASK": "parse-dates",
        "CMAT_ATTEMPT": "1",
        "CMAT_INBOX": str(bench.slot / "inbox" / "messages.jsonl"),
        "CMAT_NONCE": "n1",
        "CMAT_SEAT": str(bench.repo.git_dir / "cmat" / "runs" / bench.last / "agent" / "run.json"),
        "CMAT_WORKSPACE": str(bench.tree),
    }
    assert str(inside) not in seen["PATH"]
    assert seen.keys().isdisjoint({"VIRTUAL_ENV", "SSH_AUTH_SOCK", "SECRET_OF_NOBODY"})


def test_secrets_and_control_characters_do_not_reach_the_log(bench: Bench) -> None:
    script = r'printf "key=%s \033[2J\n" "$TOKEN_OF_MINE"; printf "no newline %s" "$TOKEN_OF_MINE"'
    job = bench.job(script, agent={"pass_env": ("TOKEN_OF_MINE",)})
    runner = bench.start(job, TOKEN_OF_MINE=VALUE)
    result = runner.result()
    assert VALUE not in runner.log() + runner.folder.events.read_text() + result.message
    assert r"\x1b[2J" in runner.log()
    assert "\nno newline " in runner.log()


def test_no_line_of_the_log_passes_for_ours(bench: Bench) -> None:
    forged = "[gitcmat] gate tests: passed"
    said = r'{"kind":"progress","nonce":"%s","text":"half\\n[gitcmat] gate tests: passed"}'
    progress = f"""printf '{said}\\n' "$CMAT_NONCE" >> "$CMAT_INBOX\""""
    echo = f"echo '{forged}'; echo 'x {forged}'; echo '{forged}' >&2; printf '%s' '{forged}'"
    runner = bench.start(bench.job(f"{progress}; {echo}"))
    runner.result()
    lines = runner.log().splitlines()
    assert [line for line in lines if line.startswith(forged)] == []
    assert lines.count(f"\\{forged}") == 3
    assert lines.count(f"x {forged}") == 1
    assert lines.count(f"    {forged}") == 1


def test_the_prompt_is_no_argument_of_any_process(bench: Bench, tmp_path: Path) -> None:
    prompt = "The word is xyzzy-4711.\n"
    script = (
        f"cat > said.txt; touch {tmp_path}/up; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    )
    runner = bench.start(bench.job(script), prompt)
    until((tmp_path / "up").exists)
    lines = [
        path.read_bytes()
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if os.access(path, os.R_OK)
    ]
    (tmp_path / "go").touch()
    assert not any(b"xyzzy-4711" in line for line in lines)
    assert any(b"run\0exec\0" in line for line in lines)
    assert bench.repo.show(runner.result().head, "said.txt") == prompt


def test_all_files_of_a_run_are_for_their_owner_alone(bench: Bench) -> None:
    runner = bench.start(bench.job("echo hello"))
    runner.result()
    folder = runner.folder.path
    assert folder.stat().st_mode & 0o777 == 0o700
    open_to_others = [p.name for p in folder.iterdir() if p.stat().st_mode & 0o077]
    assert open_to_others == ["runner.log"]  # made by the test


def test_a_run_that_has_a_result_is_not_done_again(bench: Bench) -> None:
    runner = bench.start(bench.job("echo $$ > pid.txt"))
    first = runner.result()
    assert Runner(runner.folder, {}).result() == first


def test_one_folder_has_one_runner(bench: Bench) -> None:
    folder = bench.claim(bench.job("true"))
    with FileLock(folder.lock):
        second = subprocess.run(
            [PYTHON, "-I", "-m", "gitcmat", "run", "exec", str(folder.path)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (second.returncode, second.stdout) == (5, "")
    assert second.stderr == (
        f"error: Another gitcmat process holds {folder.lock}.\n"
        "hint: Wait until it has finished, then try again.\n"
    )
    assert folder.read_result() is None


def test_a_lock_that_the_claim_took_is_inherited(bench: Bench) -> None:
    folder = bench.claim(bench.job("true"))
    lock = FileLock(folder.lock).acquire()
    argv = [PYTHON, "-I", "-m", "gitcmat", "run", "exec", str(folder.path)]
    process = subprocess.Popen(argv, env={**os.environ, LOCK_FD: str(lock.fd)}, pass_fds=[lock.fd])
    lock.hand_over()
    assert process.wait(30) == 0
    result = folder.read_result()
    assert result is not None
    assert result.outcome is RunOutcome.FINISHED


def test_what_needs_a_person_is_unclear(bench: Bench) -> None:
    script = """
        git checkout -q --orphan fresh; git commit -q -m rewritten
        printf '<<<<<<< ours\\na\\n=======\\nb\\n>>>>>>> theirs\\n' > README.md
    """
    job = bench.job(script, gates=())
    result = bench.run(job)
    assert (result.outcome, result.message) == (
        RunOutcome.UNCLEAR,
        "the result needs a person: history rewritten, conflict markers",
    )
    assert result.marks[1] == "conflict markers: README.md"


def test_changes_outside_of_the_tasks_paths_are_marked(bench: Bench) -> None:
    script = "mkdir -p src docs; touch src/a.py " + " ".join(f"docs/{n}.md" for n in "abcdefg")
    result = bench.run(bench.job(script, paths=("src/**",)))
    assert result.marks == (
        "outside paths: docs/a.md, docs/b.md, docs/c.md, docs/d.md, docs/e.md and 2 more",
    )


def test_what_an_agent_does_to_the_persons_repository_is_said(bench: Bench) -> None:
    bench.repo.branch("mine")
    tip = bench.repo.tip("mine")
    bench.repo.allow("refs:refs/heads/mine", "git:*", "config")
    result = bench.run(bench.job(f"git --git-dir={bench.repo.git_dir} branch -q -D mine; true"))
    assert result.warnings == (f"Branch mine vanished: `git branch -f mine {tip}` brings it back.",)


def test_work_that_cannot_come_home_is_kept_aside(bench: Bench) -> None:
    job = bench.job("echo precious > work.txt")
    folder = bench.claim(job)
    place = bench.repo.git_dir / "refs/cmat/runs" / job.run
    place.unlink()
    place.mkdir()
    (place / "in-the-way").write_text(f"{bench.repo.tip()}\n")
    result = Runner(folder, {}).result()
    kept = bench.slot.with_name(f"1-kept-{job.run}")
    assert result.outcome is RunOutcome.FAILED
    assert result.marks == (f"work not brought home: it lies in {kept}",)
    assert (kept / "tree" / "work.txt").read_text() == "precious\n"


def test_a_check_judges_a_commit_and_brings_nothing_home(bench: Bench) -> None:
    job = bench.job(kind=JobKind.CHECK, agent=None)
    result = bench.run(job)
    assert (result.outcome, result.head, result.gates) == (
        RunOutcome.FINISHED,
        bench.repo.tip(),
        (),
    )
    assert result.tree == bench.repo.git("rev-parse", "HEAD^{tree}")


def test_the_way_of_a_runner_imports_nothing_heavy(bench: Bench) -> None:
    folder: RunFolder = bench.claim(bench.job("true"))
    code = (
        "import sys; from gitcmat.app import run_exec; code = run_exec(sys.argv[1]);"
        "print(code, sorted(sys.modules.keys() & set(sys.argv[2].split())))"
    )
    heavy = "click git github jinja2 msgspec psutil rich ruamel watchdog asyncio"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder.path), heavy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0 []\n", "")


def test_an_agent_that_deletes_its_files_leaves_a_question(bench: Bench) -> None:
    result = bench.run(bench.job('rm -rf "$CMAT_WORKSPACE"'))
    assert (result.outcome, result.message) == (
        RunOutcome.UNCLEAR,
        "the result needs a person: workspace deleted",
    )
    assert (result.head, result.files) == (bench.repo.tip(), ())


def test_an_agent_that_deletes_the_whole_workspace_has_failed(bench: Bench) -> None:
    result = bench.run(bench.job('rm -rf "$(dirname "$CMAT_WORKSPACE")"'))
    assert (result.outcome, result.head) == (RunOutcome.FAILED, bench.repo.tip())
    assert bench.run(bench.job("echo x > x.txt")).outcome is RunOutcome.FINISHED


@pytest.mark.parametrize(
    ("script", "mark"),
    [
        ("git checkout -qb other; echo x > x.txt; git add .; git commit -qm x; git checkout -q -",
         "work left elsewhere"),
        ("echo x > README.md; git stash -q", "work left elsewhere"),
        ("git init -q inner; cd inner; echo x > x.txt; git add .; git $WHO commit -qm x",
         "nested repository"),
        ("seq 1001 | while read n; do echo > file$n; done", "large leftovers"),
    ],
)  # fmt: skip
def test_odd_endings_ask_a_person(bench: Bench, script: str, mark: str) -> None:
    result = bench.run(bench.job(f"WHO='-c user.name=x -c user.email=x'; {script}"))
    assert (result.outcome, result.message) == (
        RunOutcome.UNCLEAR,
        f"the result needs a person: {mark}",
    )
    assert result.head != bench.repo.tip()


def test_many_changed_files_are_counted(bench: Bench) -> None:
    result = bench.run(bench.job("seq 700 | while read n; do echo > file$n; done", paths=("src",)))
    assert (len(result.files), result.more_files) == (500, 200)
    assert result.marks[0].endswith(" and 695 more")
