"""The plan of a real commit, and the memory of what was allowed."""

import json
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitcmat.errors import NotTrusted
from gitcmat.model.trust import Plan
from gitcmat.store.git import Git, Repository, discover
from gitcmat.store.intent import IntentReader
from gitcmat.store.ledger import How, Ledger
from gitcmat.store.trust import TrustMemory, read_plan
from tests.support.repo import TestRepo

NOW = datetime(2026, 11, 21, tzinfo=UTC)

CMAT = {
    ".cmat/config.yaml": "gates:\n  tests:\n    run: [python3, tools/gate.py]\n",
    ".cmat/agents/codemod.md": (
        "---\nname: codemod\ncommand: [python3, tools/codemod.py]\n---\nBe brief.\n"
    ),
    "tools/gate.py": "gate\n",
    "tools/codemod.py": "codemod\n",
}


def plan_of(repo: TestRepo) -> Plan:
    found = discover(repo.path)
    git = Git(found.common_dir)
    return read_plan(git, IntentReader(found, git).read("refs/heads/main", repo.tip()))


@pytest.fixture
def plan(repo: TestRepo) -> Plan:
    repo.commit("Use gitcmat", CMAT)
    return plan_of(repo)


@pytest.fixture
def found(repo: TestRepo) -> Repository:
    return discover(repo.path)


def test_the_files_that_commands_name_are_in_the_plan(repo: TestRepo, plan: Plan) -> None:
    assert plan.data["files"] == {
        path: repo.git("rev-parse", f"HEAD:{path}")
        for path in ("tools/codemod.py", "tools/gate.py")
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".cmat/config.yaml", "# a comment\n" + CMAT[".cmat/config.yaml"]),
        (".cmat/agents/codemod.md", CMAT[".cmat/agents/codemod.md"] + "And kind.\n"),
        (".cmat/tasks/a.yaml", "title: A\n"),
        ("tools/other.py", "other\n"),
    ],
)
def test_a_change_that_starts_nothing_keeps_the_plan(
    repo: TestRepo, plan: Plan, path: str, text: str
) -> None:
    repo.commit("Change", {path: text})

    assert plan_of(repo) == plan


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".cmat/config.yaml", "gates:\n  tests:\n    run: [python3, tools/gate.py, -x]\n"),
        ("tools/codemod.py", "evil\n"),
        (".cmat/hooks/x.sh", "evil\n"),
    ],
)
def test_a_change_of_what_runs_changes_the_plan(
    repo: TestRepo, plan: Plan, path: str, text: str
) -> None:
    repo.commit("Change", {path: text})

    assert plan_of(repo) != plan


def test_what_a_symlink_leads_to_is_in_the_plan(repo: TestRepo, plan: Plan) -> None:
    repo.git("mv", "tools", "real")
    (repo.path / "tools").symlink_to("real")
    repo.commit("Through a link")
    through_link = plan_of(repo)
    assert through_link == plan

    repo.commit("Change behind it", {"real/codemod.py": "evil\n"})

    assert plan_of(repo) != through_link


def test_a_link_out_of_the_repository_is_in_the_plan_as_what_it_is(repo: TestRepo) -> None:
    repo.commit("Use gitcmat", CMAT)
    repo.delete("tools/codemod.py")
    (repo.path / "tools/codemod.py").symlink_to("/opt/tool.py")
    repo.commit("Elsewhere")

    assert plan_of(repo).data["files"]["tools/codemod.py"] == "link to /opt/tool.py"


def test_nothing_is_trusted_until_it_is_remembered(found: Repository, plan: Plan) -> None:
    memory = TrustMemory(found)
    assert not memory.trusted(plan)
    with pytest.raises(NotTrusted) as refused:
        memory.require(plan)
    assert refused.value.message == (
        "Nobody has allowed gitcmat to start anything for this repository yet."
    )

    memory.remember(plan, NOW)

    assert TrustMemory(found).trusted(plan)
    TrustMemory(found).require(plan)
    last = TrustMemory(found).last()
    assert last is not None
    assert (last.plan, last.at) == (plan, NOW)


def test_a_changed_plan_is_not_trusted(repo: TestRepo, found: Repository, plan: Plan) -> None:
    TrustMemory(found).remember(plan, NOW)
    repo.commit("Change", {"tools/codemod.py": "evil\n"})

    with pytest.raises(NotTrusted) as refused:
        TrustMemory(found).require(plan_of(repo))

    assert refused.value.message == (
        "What gitcmat may start here has changed since you allowed it."
    )
    assert refused.value.hint == "gitcmat trust"


def test_several_plans_may_be_trusted_and_all_are_forgotten_at_once(
    repo: TestRepo, found: Repository, plan: Plan
) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)
    repo.commit("Change", {"tools/codemod.py": "better\n"})
    memory.remember(plan_of(repo), NOW)
    assert memory.trusted(plan)
    assert memory.trusted(plan_of(repo))

    memory.forget()

    assert not memory.trusted(plan)
    assert memory.last() is None
    memory.forget()


def test_it_is_kept_outside_of_the_repository_for_this_user_only(
    found: Repository, plan: Plan, home: Path
) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)

    assert memory.path.parent == home / ".local/state/gitcmat/trust"
    assert stat.S_IMODE(memory.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(memory.path.parent.stat().st_mode) == 0o700


def test_a_copy_of_a_trusted_repository_is_not_trusted(
    repo: TestRepo, found: Repository, plan: Plan, tmp_path: Path
) -> None:
    TrustMemory(found).remember(plan, NOW)
    shutil.copytree(repo.path, tmp_path / "copy")

    assert not TrustMemory(discover(tmp_path / "copy")).trusted(plan)


def test_a_repository_that_takes_the_place_of_a_trusted_one_is_not_trusted(
    repo: TestRepo, found: Repository, plan: Plan, tmp_path: Path
) -> None:
    TrustMemory(found).remember(plan, NOW)
    shutil.copytree(repo.path, tmp_path / "copy")
    TestRepo.made.clear()
    repo.path.rename(tmp_path / "away")
    (tmp_path / "copy").rename(repo.path)

    assert not TrustMemory(discover(repo.path)).trusted(plan)


def test_a_repository_nested_in_a_trusted_one_is_not_trusted(
    repo: TestRepo, found: Repository, plan: Plan
) -> None:
    TrustMemory(found).remember(plan, NOW)
    nested = TestRepo(repo.path / "nested")
    nested.commit("Use gitcmat", CMAT)
    assert plan_of(nested) == plan

    assert not TrustMemory(discover(nested.path)).trusted(plan)


def test_a_linked_work_tree_shares_what_is_trusted(
    repo: TestRepo, found: Repository, plan: Plan, tmp_path: Path
) -> None:
    TrustMemory(found).remember(plan, NOW)
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")

    assert TrustMemory(discover(tmp_path / "linked")).trusted(plan)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"schema": 1}', '{"schema": 1, "plans": [{}]}', "\xff", "[" * 100_000],
    ids=["empty", "half", "list", "null", "no plans", "bad plan", "not text", "deep"],
)
def test_a_damaged_memory_trusts_nothing_and_says_so(
    found: Repository, plan: Plan, text: str
) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)
    memory.path.write_bytes(text.encode("latin-1"))

    assert not memory.trusted(plan)
    assert memory.problem == f"{memory.path} is damaged, so nothing is trusted."
    with pytest.raises(NotTrusted, match="is damaged"):
        memory.require(plan)

    memory.remember(plan, NOW)
    assert TrustMemory(found).problem is None
    assert memory.trusted(plan)


def test_a_plan_that_does_not_fit_its_digest_is_damage(found: Repository, plan: Plan) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)
    data = json.loads(memory.path.read_bytes())
    data["plans"][0]["plan"] = data["plans"][0]["plan"].replace("codemod.py", "evil.py")
    memory.path.write_text(json.dumps(data), encoding="utf-8")

    assert memory.last() is None
    assert memory.problem is not None


def test_a_memory_of_a_newer_gitcmat_is_not_read(found: Repository, plan: Plan) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)
    memory.path.write_text('{"schema": 99, "plans": []}', encoding="utf-8")

    assert memory.problem == f"{memory.path} was written by a newer gitcmat."


def test_a_memory_that_others_can_write_trusts_nothing(found: Repository, plan: Plan) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)
    memory.path.chmod(0o666)

    assert not memory.trusted(plan)
    assert memory.problem == f"{memory.path} can be written by other users."


def test_a_link_instead_of_the_memory_trusts_nothing(
    found: Repository, plan: Plan, tmp_path: Path
) -> None:
    memory = TrustMemory(found)
    memory.remember(plan, NOW)
    memory.path.rename(tmp_path / "moved.json")
    memory.path.symlink_to(tmp_path / "moved.json")

    assert not memory.trusted(plan)


def test_a_plan_that_starts_nothing_needs_no_permission(repo: TestRepo, found: Repository) -> None:
    assert TrustMemory(found).trusted(plan_of(repo))


# --- the ledger --------------------------------------------------------------------------------


def test_the_ledger_holds_pairs_of_task_and_content(found: Repository) -> None:
    ledger = Ledger(found)
    assert not ledger.has("a", "1" * 40)

    ledger.add("a", "1" * 40, How.ADDED, NOW)

    for seen_by in (ledger, Ledger(found)):
        assert seen_by.has("a", "1" * 40)
        assert not seen_by.has("a", "2" * 40)
        assert not seen_by.has("b", "1" * 40)
        assert seen_by.problem is None


def test_a_pair_is_written_once_however_often_it_is_added(found: Repository) -> None:
    ledger = Ledger(found)
    for _ in range(3):
        ledger.add("a", "1" * 40, How.COMMITTED, NOW)

    assert ledger.path.read_text(encoding="utf-8") == (
        '{"id": "a", "blob": "' + "1" * 40 + '", "how": "committed here", '
        '"at": "2026-11-21T00:00:00+00:00"}\n'
    )
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600


def test_two_ledgers_of_one_repository_see_each_other(found: Repository) -> None:
    one, two = Ledger(found), Ledger(found)
    one.add("a", "1", How.APPROVED, NOW)
    assert two.has("a", "1")
    two.add("b", "2", How.APPROVED, NOW)
    assert one.has("b", "2")


def test_a_torn_line_costs_only_itself(found: Repository) -> None:
    ledger = Ledger(found)
    ledger.add("a", "1", How.ADDED, NOW)
    with ledger.path.open("ab") as stream:
        stream.write(b'{"id": "torn", "bl')

    ledger.add("b", "2", How.ADDED, NOW)

    assert Ledger(found).has("a", "1")
    assert Ledger(found).has("b", "2")
    assert not Ledger(found).has("torn", "")


def test_a_ledger_that_others_can_write_allows_nothing(found: Repository) -> None:
    ledger = Ledger(found)
    ledger.add("a", "1", How.ADDED, NOW)
    ledger.path.chmod(0o622)

    assert not ledger.has("a", "1")
    assert ledger.problem is not None
    assert "can be written by other users" in ledger.problem


def test_a_copy_of_the_repository_has_an_empty_ledger(
    repo: TestRepo, found: Repository, tmp_path: Path
) -> None:
    Ledger(found).add("a", "1", How.ADDED, NOW)
    shutil.copytree(repo.path, tmp_path / "copy")

    assert not Ledger(discover(tmp_path / "copy")).has("a", "1")
