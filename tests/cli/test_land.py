"""`gitcmat land`, as typed: what is judged first, what lands, what goes back."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitcmat.model.entry import Entry
from gitcmat.model.state import State
from tests.support.cli import Result, gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

GATES = """\
schema: 1
defaults: {backoff: 1s, attempts: 1}
gates:
  tests: {run: [sh, check.sh]}
"""
MAIN = ("refs:refs/heads/main", "index", "files")


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """One gate, which is red where the files `bad`, or both `one` and `two`, are."""
    check = "if [ -e one ] && [ -e two ] || [ -e bad ]; then echo it is bad; exit 1; fi\n"
    repo.commit("check", {"check.sh": check, "a.txt": "1\n2\n3\n"})
    return Project(repo, config=GATES)


def _reviewed(project: Project, task: str, script: str, **fields: str) -> Entry:
    project.commit_task(task, script, **fields)
    gitcmat(project.repo, "run", "now", task).ok()
    return _entry(project, task)


def _entry(project: Project, task: str) -> Entry:
    found = project.entry(task)
    assert found is not None
    return found


def _refused(result: Result, code: int, message: str, hint: str) -> None:
    last = result.err.split("error: ")[-1]
    assert (result.code, result.out) == (code, "")
    assert _plain(last) == f"{message}\nhint: {hint}\n"


def _plain(text: str) -> str:
    text = re.sub(r"r-[a-z2-7]{8}", "r-xxxxxxxx", text)
    text = re.sub(r"\b[0-9a-f]{40}\b", "(commit)", text)
    return re.sub(r"\b[0-9a-f]{10}\b", "(short)", text)


def _go_on(project: Project, name: str) -> None:
    """Let the target go on by a commit of the person's."""
    project.repo.commit(f"add {name}", {name: f"{name}\n"})


def test_what_is_green_lands_as_one_commit(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "echo x > x; echo four >> a.txt")
    old = repo.tip("main")
    result = gitcmat(repo, "land", "do", changes=MAIN).ok()
    assert result.out == (
        f"do-it: landed on main as {repo.tip('main')[:10]}\n"
        "gates: green (tests)\n"
        f"undo: git reset --keep {old}\n"
    )
    assert result.err == ""
    assert repo.status() == ""
    assert repo.read("a.txt") == "1\n2\n3\nfour\n"
    assert repo.tip("main~1") == old
    run = _entry(project, "do-it").run
    assert repo.git("log", "-1", "--format=%an%n%B") == (
        "Pat Person\nTask do-it\n\nWork.\nsh: echo x > x; echo four >> a.txt\n\n"
        f"Cmat-Task: do-it\nCmat-Run: {run}\nAssisted-by: fake\n"
    ).rstrip("\n")
    assert not repo.has("refs/heads/cmat/do-it")
    assert repo.refs("refs/cmat/landings/") == {}
    assert project.state("do-it") is State.DONE
    assert len(project.runs("do-it")) == 1


def test_the_undo_that_is_printed_undoes(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "echo x > x")
    old = repo.tip("main")
    undo = gitcmat(repo, "land", "do-it", "--json", changes=MAIN).ok().json["undo"]
    with repo.as_person():
        subprocess.run(undo.split(), cwd=repo.path, check=True, capture_output=True)
    assert (repo.tip("main"), repo.status()) == (old, "")


def test_a_target_that_went_on_is_judged_with_the_work_first(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "echo x > x")
    _go_on(project, "other")
    result = gitcmat(repo, "land", "do-it", changes=MAIN).ok()
    log = (
        "do-it: its gates have not judged it on (short) yet\n"
        "r-xxxxxxxx: tests on (short)\n"
        "[gitcmat] run r-xxxxxxxx of do-it, attempt 0\n"
        "[gitcmat] gate tests: sh check.sh\n"
    )
    assert _plain(result.err).startswith(log)
    assert _plain(result.err).endswith("r-xxxxxxxx: tests passed\n")
    assert repo.names("main") == [*repo.names("main~1"), "x"]
    check, work = project.runs("do-it")
    assert (check.agent, check.attempt, check.outcome) == ("gates", 0, "finished")
    assert check.tree == repo.git("rev-parse", "main^{tree}")
    assert work.attempt == 1
    entry = _entry(project, "do-it")
    assert (entry.checked_tree, entry.run) == (check.tree, work.id)


def test_what_is_red_on_its_target_goes_back_to_the_agent(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "[ -e two ] && rm two; touch one; ls")
    _go_on(project, "two")
    old = repo.tip("main")
    _refused(
        gitcmat(repo, "land", "do-it"),
        1,
        "do-it is red on top of main: tests. Nothing was landed; it goes back to the agent.",
        "gitcmat gate results do-it, then: gitcmat run now do-it",
    )
    assert repo.tip("main") == old
    entry = _entry(project, "do-it")
    assert (entry.state, entry.base, entry.attempt) == (State.PENDING, old, 0)
    assert "it is bad" in entry.notes[-1].text
    # The next attempt finds its own work on the new tip, and the red output in its prompt.
    gitcmat(repo, "run", "now", "do-it").ok()
    again = _entry(project, "do-it")
    assert repo.git("merge-base", "--is-ancestor", old, again.head) == ""
    gitcmat(repo, "land", "do-it", changes=MAIN).ok()
    assert "two" not in repo.names("main")


def test_a_conflict_becomes_a_question(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "echo agent > a.txt")
    repo.commit("mine", {"a.txt": "mine\n"})
    _refused(
        gitcmat(repo, "land", "do-it"),
        5,
        "do-it conflicts with main in a.txt. Nothing was landed.",
        "gitcmat blocker list --task do-it",
    )
    assert project.state("do-it") is State.BLOCKED
    blocker = project.app.deps.store.read().blockers(task="do-it")[0]
    assert blocker.detail == "CONFLICT (content): Merge conflict in a.txt"
    gitcmat(repo, "blocker", "answer", blocker.id, "retry").ok()
    gitcmat(repo, "run", "now", "do-it").ok()
    gitcmat(repo, "land", "do-it", changes=MAIN).ok()
    assert repo.read("a.txt") == "agent\n"


def test_work_that_was_let_pass_red_wants_a_reason(project: Project) -> None:
    repo = project.repo
    project.commit_task("do-it", "touch bad")
    assert gitcmat(repo, "run", "now", "do-it").code == 1
    blocker = project.app.deps.store.read().blockers(task="do-it")[0]
    gitcmat(repo, "blocker", "answer", blocker.id, "review anyway").ok()
    _refused(
        gitcmat(repo, "land", "do-it"),
        5,
        "do-it does not land by itself: tests is red.",
        'gitcmat land do-it --override "why it may land all the same"',
    )
    # Elsewhere too: the same red on a new tip was foreseen.
    _go_on(project, "other")
    _refused(
        gitcmat(repo, "land", "do-it"),
        5,
        "do-it does not land by itself: tests is red.",
        'gitcmat land do-it --override "why it may land all the same"',
    )
    result = gitcmat(repo, "land", "do-it", "--override", "known flaw", changes=MAIN).ok()
    assert "gates: red (tests)\noverride: known flaw\n" in result.out
    landing = _entry(project, "do-it").landing
    assert landing is not None
    assert (landing.override, landing.how, landing.by) == ("known flaw", "squash", "Pat Person")


def test_a_gate_that_did_not_run_is_not_green(repo: TestRepo) -> None:
    config = "schema: 1\ngates:\n  tests: {run: [no-such-program]}\n"
    project = Project(repo, config=config)
    _reviewed(project, "do-it", "touch x")
    refused = gitcmat(repo, "land", "do-it")
    assert refused.code == 5
    assert refused.err.startswith("error: do-it does not land by itself: it was not checked (tests")
    result = gitcmat(repo, "land", "do-it", "--override", "by hand", changes=MAIN).ok()
    assert "gates: not checked (tests did not run)\noverride: by hand\n" in result.out


def test_no_gates_land_and_say_so(repo: TestRepo) -> None:
    project = Project(repo)
    _reviewed(project, "do-it", "touch x")
    _go_on(project, "other")
    assert "gates: no gates\n" in gitcmat(repo, "land", "do-it", changes=MAIN).ok().out


def test_nothing_changed_closes_without_a_commit(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "true")
    result = gitcmat(repo, "land", "do-it").ok()
    assert result.out == "do-it: done, nothing to land\n"
    landing = _entry(project, "do-it").landing
    assert landing is not None
    assert landing.commit is None


def test_what_the_person_merged_by_hand_is_closed_with_its_commit(project: Project) -> None:
    repo = project.repo
    entry = _reviewed(project, "do-it", "touch x")
    repo.git("merge", "-q", "--ff-only", "cmat/do-it")
    gitcmat(repo, "land", "do-it").ok()
    landing = _entry(project, "do-it").landing
    assert landing is not None
    assert landing.commit == entry.head


def test_commits_of_the_person_are_part_of_it_and_judged(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    repo.switch("cmat/do-it")
    repo.commit("and y", {"y": "y\n"})
    repo.switch("main")
    result = gitcmat(repo, "land", "do-it", changes=MAIN).ok()
    assert "tests passed" in result.err
    assert {"x", "y"} <= set(repo.names("main"))
    why = "you committed on it, and only it has those commits"
    how = "to delete it: git branch -D cmat/do-it"
    assert f"\ncmat/do-it is left: {why}; {how}\n" in result.out


def test_a_branch_whose_commits_have_all_landed_goes(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    repo.switch("cmat/do-it")
    mine = repo.commit("and y", {"y": "y\n"})
    repo.switch("main")
    result = gitcmat(repo, "land", "do-it", "--merge", changes=MAIN).ok()
    assert "is left" not in result.out
    assert repo.refs("refs/heads/cmat/") == {}
    assert repo.git("merge-base", "main", mine) == mine


def test_a_branch_that_is_checked_out_stays_and_the_landing_says_so(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    repo.git("worktree", "add", "-q", str(tmp_path / "side"), "cmat/do-it")
    result = gitcmat(repo, "land", "do-it", changes=MAIN).ok()
    why = "it is checked out; once it is not: git branch -D cmat/do-it"
    assert f"\ncmat/do-it is left: {why}\n" in result.out


def test_one_by_one_and_by_a_merge(project: Project) -> None:
    repo = project.repo
    commit = 'git add -A && git commit -q -m "step $n"'
    script = f"for n in 1 2; do echo $n > s$n; {commit}; done"
    _reviewed(project, "first", script)
    _reviewed(project, "second", script.replace("s$n", "t$n"))
    old = repo.tip("main")
    gitcmat(repo, "land", "first", "--rebase", changes=MAIN).ok()
    assert repo.git("log", "--format=%s", f"{old}..main") == "step 2\nstep 1"
    gitcmat(repo, "land", "second", "--merge", changes=MAIN).ok()
    assert repo.git("log", "-1", "--format=%s") == "Merge cmat/second: Task second"
    assert len(repo.git("rev-list", "--parents", "-1", "main").split()) == 3


def test_only_what_is_in_review_lands(project: Project) -> None:
    project.commit_task("do-it", "true")
    _refused(
        gitcmat(project.repo, "land", "do-it"),
        4,
        "There is no task 'do-it'.",
        "gitcmat queue list",
    )
    gitcmat(project.repo, "queue", "hold", "do-it")
    gitcmat(project.repo, "run", "now", "do-it").ok()
    gitcmat(project.repo, "land", "do-it").ok()
    _refused(
        gitcmat(project.repo, "land", "do-it"),
        5,
        "do-it is done; only what is in review can land.",
        "gitcmat queue rerun do-it, to have it done again",
    )


def test_a_plan_that_is_not_trusted_judges_nothing(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    repo.commit("other gates", {".cmat/config.yaml": GATES.replace("check.sh", "check.sh, -v")})
    _refused(
        gitcmat(repo, "land", "do-it"),
        5,
        "What gitcmat may start here has changed since you allowed it.",
        "gitcmat trust",
    )
    assert project.state("do-it") is State.REVIEW


def test_files_in_the_way_change_nothing(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "echo mine > x")
    repo.write("x", "precious\n")
    _refused(
        gitcmat(repo, "land", "do-it"),
        5,
        f"Nothing was landed: these files of yours in {repo.path} are in the way: x",
        "commit, stash or move them, then try again",
    )
    assert project.state("do-it") is State.REVIEW
    assert repo.refs("refs/cmat/landings/") == {}


DIES = """
import functools, os, sys
from pathlib import Path
from gitcmat.app import open_app
from gitcmat.engine import landing
from gitcmat.model.landing import How
def die(step):
    if step == sys.argv[1]:
        os._exit(9)
landing.mechanics.land = functools.partial(landing.mechanics.land, on_step=die)
how = {"how": How.SQUASH, "override": "", "on_line": print, "on_text": print}
landing.land(open_app(Path()).reconciler, "do-it", **how)
"""


def _killed(project: Project, step: str) -> None:
    repo = project.repo
    with repo.guarded(*MAIN, "git:index.lock"):
        done = subprocess.run([sys.executable, "-c", DIES, step], cwd=repo.path, check=False)
    assert done.returncode == 9
    assert project.state("do-it") is State.REVIEW
    assert (repo.git_dir / "index.lock").exists()
    repo.allow(*MAIN, "git:index.lock")


def test_a_killed_landing_is_finished_by_the_next_command(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    _killed(project, "moved")
    gitcmat(repo, "queue", "hold", "do-it")
    entry = _entry(project, "do-it")
    assert entry.state is State.DONE
    assert entry.landing is not None
    assert entry.landing.commit == repo.tip("main")
    assert repo.status() == ""


def test_a_killed_landing_is_undone_by_the_next_command(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    old = repo.tip("main")
    _killed(project, "written")
    assert (repo.path / "x").exists()
    gitcmat(repo, "task", "add", "Another", "--id", "another").ok()
    assert repo.tip("main~1") == old
    assert (repo.status(), project.state("do-it")) == ("", State.REVIEW)
    gitcmat(repo, "land", "do-it").ok()
    assert "x" in repo.names("main")


def test_what_is_sent_back_while_it_is_judged_does_not_land(repo: TestRepo) -> None:
    flag, go = repo.path.parent / "judging", repo.path.parent / "go"
    wait = f"if [ -e y ]; then touch {flag}; while [ ! -e {go} ]; do sleep 0.05; done; fi\n"
    repo.commit("check", {"check.sh": wait})
    project = Project(repo, config=GATES)
    _reviewed(project, "do-it", "touch x")
    _go_on(project, "y")
    old = repo.tip("main")
    with running(repo, "land", "do-it", logs=repo.path.parent / "logs") as land:
        until(flag.exists, what="the gates")
        gitcmat(repo, "review", "reject", "do-it", "-m", "not so").ok()
        go.touch()
        result = land.wait()
    assert (result.code, repo.tip("main")) == (5, old)
    assert "do-it is pending; only what is in review can land." in result.err
    assert project.state("do-it") is State.PENDING


def test_an_interrupted_check_ends_the_gates_and_keeps_the_review(repo: TestRepo) -> None:
    flag = repo.path.parent / "judging"
    repo.commit("check", {"check.sh": f"if [ -e y ]; then touch {flag}; sleep 60; fi\n"})
    project = Project(repo, config=GATES)
    _reviewed(project, "do-it", "touch x")
    _go_on(project, "y")
    with running(repo, "land", "do-it", logs=repo.path.parent / "logs") as land:
        until(flag.exists, what="the gates")
        land.signal()
        result = land.wait()
    assert result.code == 130
    check = project.runs("do-it")[0]
    assert (check.outcome, project.alive(check.id)) == ("stopped", False)
    assert project.state("do-it") is State.REVIEW
    assert repo.refs("refs/cmat/landings/") == {}


def test_a_target_that_is_checked_out_nowhere_lands_beside_the_person(project: Project) -> None:
    repo = project.repo
    _reviewed(project, "do-it", "touch x")
    repo.git("switch", "-q", "-c", "elsewhere")
    old = repo.tip("main")
    result = gitcmat(repo, "land", "do-it", changes=("refs:refs/heads/main",)).ok()
    assert f"undo: git update-ref refs/heads/main {old} " in result.out
