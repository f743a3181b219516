"""The guards of tests/conftest.py and tests/support hold."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.environment import REAL_AGENTS
from tests.support.repo import TestRepo
from tests.support.wait import until


@pytest.mark.parametrize("name", REAL_AGENTS)
def test_a_real_agent_cannot_be_started(name: str, agent_log: Path) -> None:
    done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)

    assert done.returncode == 97
    assert done.stderr == f"a test started the real agent {name}\n"
    assert Path(agent_log.read_text().strip()).name == name
    agent_log.unlink()


def test_a_test_may_put_its_own_agent_before_the_tripwire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "claude"
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert subprocess.run(["claude"], capture_output=True, check=True).stdout == b"mine\n"


def test_home_holds_the_settings_of_the_tests_alone(home: Path, agent_log: Path) -> None:
    assert Path.home() == home
    assert home.is_relative_to(agent_log.parent)
    held = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    assert held == [Path(".config/gitcmat/config.yaml")]


def test_nothing_of_the_developers_environment_is_seen() -> None:
    private = [
        name
        for name in os.environ
        if name.endswith(("_TOKEN", "_KEY", "_ASKPASS", "_SOCK"))
        or name.startswith(("CMAT_", "GITCMAT_", "GITHUB_", "ANTHROPIC_", "OPENAI_"))
        or name in {"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"}
    ]
    assert private == []


def test_git_reads_no_configuration_but_the_repositorys(repo: TestRepo) -> None:
    scopes = repo.git("config", "--list", "--show-scope").splitlines()

    assert {line.split("\t")[0] for line in scopes} == {"local"}


@pytest.mark.parametrize(
    ("deed", "key"),
    [
        ("echo x >> README.md", "files:README.md"),
        ("rm README.md", "files:README.md"),
        ("chmod +x README.md", "files:README.md"),
        ("echo x > new.txt", "files:new.txt"),
        ("echo x > new.txt && git add new.txt && rm new.txt", "index"),
        ("git branch side", "refs:refs/heads/side"),
        ("git checkout -q --detach", "HEAD"),
        ("git config core.fsmonitor evil", "config"),
        ("echo exit > .git/hooks/pre-commit", "hooks:pre-commit"),
        ("echo '*.log' >> .git/info/exclude", "exclude"),
        ("echo '* filter=x' > .git/info/attributes", "git:info/attributes"),
        ("touch .git/index.lock", "git:index.lock"),
        ("git worktree add -q --detach ../linked", "worktrees:linked"),
        ("git update-ref -m x --create-reflog refs/stash HEAD", "stash"),
        ("git reflog expire --expire=all --all", "reflogs:refs/heads/main"),
    ],
)
def test_a_change_of_what_is_the_persons_is_found(repo: TestRepo, deed: str, key: str) -> None:
    repo.freeze()
    subprocess.run(["sh", "-c", deed], cwd=repo.path, check=True)

    with pytest.raises(AssertionError, match="what belongs to the person has changed") as raised:
        repo.check()

    assert f"\n  {key}: " in str(raised.value)


@pytest.mark.parametrize(
    "deed",
    [
        "git update-ref refs/cmat/state/n1 HEAD",
        "git branch cmat/parse-dates",
        "mkdir -p .git/cmat/tmp && echo x > .git/cmat/node",
        "mkdir -p .cmat/queue/pending && echo x > .cmat/queue/pending/a.yaml",
        "printf '# >>> gitcmat\\n/.cmat/queue/\\n# <<< gitcmat\\n' >> .git/info/exclude",
        "git status && git pack-refs --all && git gc -q",
    ],
)
def test_what_is_gitcmats_may_change(repo: TestRepo, deed: str) -> None:
    repo.freeze()
    subprocess.run(["sh", "-c", deed], cwd=repo.path, check=True, stdout=subprocess.DEVNULL)
    repo.check()


def test_what_a_test_allows_may_change_and_nothing_else(repo: TestRepo) -> None:
    repo.freeze()
    repo.allow("files:docs/*", "refs:refs/heads/side")
    (repo.path / "docs").mkdir()
    (repo.path / "docs/a.md").write_text("a\n")
    subprocess.run(["git", "branch", "side"], cwd=repo.path, check=True)
    repo.check()

    (repo.path / "other.md").write_text("a\n")
    with pytest.raises(AssertionError, match=r"changed in .*:\n  files:other.md: .*$"):
        repo.check()


def test_what_the_person_does_is_no_offence_and_hides_none(repo: TestRepo) -> None:
    repo.freeze()
    repo.write("a.txt", "a\n")
    repo.commit("more", {"b.txt": "b\n"})
    repo.branch("side")
    repo.check()

    (repo.path / "a.txt").unlink()
    with pytest.raises(AssertionError, match=r"files:a\.txt"):
        repo.write("c.txt", "c\n")


def test_the_end_of_a_test_looks_at_every_repository(
    make_repo: Callable[[str], TestRepo],
) -> None:
    first, second = make_repo("first"), make_repo("second")

    assert TestRepo.made == [first, second]


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(AssertionError, match=r"^waited 0\.05 s in vain for rain; last value: 0$"):
        until(lambda: 0, timeout=0.05, what="rain")


def test_gitcmat_under_test_is_the_one_of_this_python() -> None:
    found = shutil.which("gitcmat")

    assert found is None or Path(found).parent == Path(os.environ["PATH"].split(":")[1])
