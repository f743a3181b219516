"""Many shells at once: each command is whole, none gets lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.cli import gitcmat
from tests.support.project import Project
from tests.support.repo import TestRepo


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_eight_shells_with_25_tasks_each_lose_none(repo: TestRepo) -> None:
    project = Project(repo)
    before = int(repo.git("rev-list", "--count", "main"))

    def shell(number: int) -> list[str]:
        return [
            gitcmat(repo.path, "task", "add", f"Task {number} {n}", "--hold", timeout=120).ok().out
            for n in range(25)
        ]

    with repo.as_person(), ThreadPoolExecutor(8) as shells:
        ids = [one.strip() for found in shells.map(shell, range(8)) for one in found]
    assert len(set(ids)) == 200
    assert int(repo.git("rev-list", "--count", "main")) == before + 200
    files = {name for name in repo.names("main") if name.startswith(".cmat/tasks/")}
    assert files == {f".cmat/tasks/{task}.yaml" for task in ids}
    assert set(project.ids()) == set(ids)
    assert {project.state(task) for task in ids} == {"pending"}
    assert repo.status() == ""
    assert repo.git("fsck", "--no-dangling") == ""
