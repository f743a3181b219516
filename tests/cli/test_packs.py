"""Commands alone, with no daemon ever, keep the repository tidy."""

from gitcmat.store.git import discover
from gitcmat.store.packs import own_packs
from gitcmat.store.state import MANY
from tests.support.cli import gitcmat
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo


def test_commands_alone_keep_our_packs_few(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit(task_file("a"))
    project.step(start=False)
    for n in range(MANY + 5):
        with project.deps.store.change(f"change {n}", by=project.deps.actor) as change:
            change.put(change.entry("a"))
    found = discover(repo.path)
    assert len(own_packs(found)) > MANY
    gitcmat(repo, "queue", "hold", "a").ok()
    assert len(own_packs(found)) <= MANY


def test_a_list_reads_no_yaml_beside_a_file_of_settings(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit(task_file("a"))
    project.step(start=False)
    gitcmat(repo, "config", "set", "parallel", "3").ok()
    trace = repo.path.parent / "trace"
    for _ in range(2):
        trace.unlink(missing_ok=True)
        gitcmat(repo, "queue", "list", env={"GITCMAT_TRACE": str(trace)}).ok()
    assert [line for line in trace.read_text().splitlines() if line.startswith("yaml ")] == []
