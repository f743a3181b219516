"""Nodes of jobs: what is on the remote decides, whoever comes at the same time."""

from pathlib import Path

import pytest

from gitcmat.engine import ci_plan, trust
from gitcmat.engine.ci_node import Node
from gitcmat.errors import NotFound, NotTrusted
from gitcmat.store.pushing import NotPushed
from gitcmat.store.remote_state import Move, Moved, move
from tests.support.ci_racer import nodes, race, record
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo
from tests.support.store import NOW, Clock

STATE = "refs/cmat/state/ci"


@pytest.fixture
def remote(tmp_path: Path, repo: TestRepo) -> TestRepo:
    """A bare repository that the person's project was pushed to."""
    made = TestRepo(tmp_path / "remote.git", bare=True)
    repo.git("remote", "add", "origin", str(made.path))
    repo.git("push", "-q", "origin", "main")
    return made


def _tasks(remote: TestRepo) -> set[str]:
    listed = remote.git("ls-tree", "-r", "--name-only", STATE).splitlines()
    return {Path(path).stem for path in listed if "/queue/" in path}


def test_of_eight_jobs_at_once_none_is_lost(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    names = [f"task-{n}" for n in range(8)]

    states = race(repo.path, tmp_path, "record", names)

    assert _tasks(remote) == set(names)
    assert remote.tip(STATE) in states
    history = remote.git("log", "--format=%H %P", STATE).splitlines()
    assert [len(line.split()) - 1 for line in history] == [1] * 7 + [0]
    assert {line.split()[0] for line in history} == set(states)
    assert remote.git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_a_node_that_is_late_decides_anew_on_what_is_there(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    tries = 0

    def decide(node: Node) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            with nodes(repo.path, tmp_path / "other") as other:
                record(other.fresh(), "theirs")
        return record(node, "ours")

    with nodes(repo.path, tmp_path / "mine") as mine:
        assert mine.agree(decide) == remote.tip(STATE)

    assert tries == 2
    assert _tasks(remote) == {"ours", "theirs"}


def test_a_state_that_others_have_moved_is_never_forced(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    with nodes(repo.path, tmp_path / "a") as one, nodes(repo.path, tmp_path / "b") as other:
        late = one.fresh()
        record(other.fresh(), "theirs")
        there = remote.tip(STATE)
        with pytest.raises(Moved) as caught:
            record(late, "ours")
        assert caught.value.message == (f"{STATE} is at {there} on {remote.path} by now.")
        unrelated = Move(ref=STATE, new=late.state, was=there)
        with pytest.raises(ValueError, match="would lose"):
            move(one.fresh().deps.git, late.upstream(), [unrelated])
    assert remote.tip(STATE) == there


def test_an_answer_that_was_lost_is_looked_for(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    with nodes(repo.path, tmp_path / "a") as one, nodes(repo.path, tmp_path / "b") as other:
        node = one.fresh()
        ours = record(node, "ours")
        theirs = record(other.fresh(), "theirs")
        # As if nobody had answered: it is refused now, and has been done all the same.
        move(node.deps.git, node.upstream(), [Move(ref=STATE, new=ours, was="")])
    assert remote.tip(STATE) == theirs


def test_a_remote_that_refuses_is_told_from_one_that_moved(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    hook = remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    with nodes(repo.path, tmp_path / "mine") as mine, pytest.raises(NotPushed):
        mine.agree(lambda node: record(node, "ours"))

    assert STATE not in remote.refs()


@pytest.mark.parametrize(
    "how", [("--depth=1",), ("--bare",), ("--depth=1", "--bare"), ("--filter=blob:none",), ()]
)
def test_any_checkout_will_do(
    tmp_path: Path, repo: TestRepo, remote: TestRepo, how: tuple[str, ...]
) -> None:
    remote.git("config", "uploadpack.allowFilter", "true")
    repo.commit("more", {"more.txt": "1\n"})
    repo.git("push", "-q", "origin", "main")
    place = tmp_path / "checkout"
    repo.git("clone", "-q", *how, f"file://{remote.path}", str(place))

    with nodes(place, tmp_path / "job") as job:
        node = job.fresh()
        assert node.tip == repo.tip("main")
        assert node.deps.git.text("rev-list", "--count", node.tip) == "2"
        assert record(node, "x") == remote.tip(STATE)
    assert not (tmp_path / "job").exists()


def test_a_checkout_whose_ids_are_long_will_do_too(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "long", object_format="sha256")
    remote = TestRepo(tmp_path / "long.git", bare=True, object_format="sha256")
    repo.commit("Start", {"README.md": "1\n"})
    repo.git("remote", "add", "origin", str(remote.path))
    repo.git("push", "-q", "origin", "main")
    place = tmp_path / "checkout"
    repo.git("clone", "-q", "--depth=1", f"file://{remote.path}", str(place))
    with nodes(place, tmp_path / "job") as job:
        assert record(job.fresh(), "x") == remote.tip(STATE)


def test_nothing_that_a_checkout_is_set_up_to_start_is_started(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    project = Project(repo)
    project.task("x")
    repo.commit("filters", {".gitattributes": "* filter=evil diff=evil merge=evil\n"})
    repo.git("push", "-q", "origin", "main")
    trap, place = tmp_path / "trap", tmp_path / "checkout"
    repo.git("clone", "-q", str(remote.path), str(place))
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\necho $0 $@ >> {trap}\ncat\n")
    script.chmod(0o755)
    there = TestRepo.at(place)
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.askPass", "credential.helper", "core.pager"),
        *("filter.evil.clean", "filter.evil.smudge", "diff.evil.command", "merge.evil.driver"),
        *("uploadpack.packObjectsHook", "gpg.program", "core.alternateRefsCommand", "core.editor"),
    ):
        there.git("config", key, str(script))
    there.git("config", "core.hooksPath", str(tmp_path / "hooks"))
    (tmp_path / "hooks").mkdir()
    for hook in ("pre-push", "post-checkout", "reference-transaction", "post-index-change"):
        (tmp_path / "hooks" / hook).symlink_to(script)
    trap.unlink(missing_ok=True)
    digest = trust.look(project.deps).plan.digest

    with nodes(place, tmp_path / "job", trust_digest=digest) as job:
        found = ci_plan.plan(job, sha="", holder="me")

    assert [offer.task for offer in found.offers] == ["x"]
    assert not trap.exists(), trap.read_text()


def test_a_checkout_without_the_remote_or_the_branch_is_named(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    assert remote.has("refs/heads/main")
    with nodes(repo.path, tmp_path / "a", remote="upstream") as job, pytest.raises(NotFound) as no:
        job.fresh()
    assert no.value.message == f"{repo.path} has no remote 'upstream'."
    with nodes(repo.path, tmp_path / "b", branch="trunk") as job, pytest.raises(NotFound) as no:
        job.fresh()
    assert no.value.message == "The remote 'origin' has no branch trunk."
    with nodes(repo.path, tmp_path / "c") as job, pytest.raises(NotFound) as no:
        job.exactly("1" * 40, "")
    assert no.value.message == f"{'1' * 40} is not in the history of refs/heads/main."


def test_two_plans_at_once_never_offer_the_same(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    project = Project(repo)
    project.commit(*(task_file(f"t{n}") for n in range(6)))
    repo.git("push", "-q", "origin", "main")
    digest = trust.look(project.deps).plan.digest

    offered = race(repo.path, tmp_path, "plan", ["a", "b", "c", "d"], digest)

    found = [task for line in offered for task in line.split()]
    assert sorted(found) == [f"t{n}" for n in range(6)]
    claims = {ref.rpartition("/")[2] for ref in remote.refs() if "/claims/" in ref}
    assert claims == set(found)


def test_a_claim_that_ran_out_is_taken_over_and_one_that_did_not_is_not(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    project = Project(repo)
    project.task("x")
    repo.git("push", "-q", "origin", "main")
    digest = trust.look(project.deps).plan.digest

    def plan(name: str, lease_for: str, later: float = 0) -> ci_plan.Planned:
        clock = Clock(NOW)
        clock.later(later)
        how = {"trust_digest": digest, "lease_for": lease_for}
        with nodes(repo.path, tmp_path / name, clock=clock, **how) as made:
            return ci_plan.plan(made, sha="", holder=name)

    [first] = plan("first", "1m").offers
    second = plan("second", "1m", 60 + 299)
    assert second.offers == []
    assert second.waiting["x"].startswith("claimed by first until ")
    [third] = plan("third", "1m", 60 + 301).offers
    assert remote.tip("refs/cmat/claims/x") == third.lease != first.lease
    said = remote.git("log", "-1", "--format=%s", third.lease)
    assert '"epoch": 1' in said
    assert '"holder": "third"' in said


def test_a_plan_without_claims_writes_nothing(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    project = Project(repo)
    project.task("x")
    repo.git("push", "-q", "origin", "main")
    before = remote.refs()
    with nodes(
        repo.path,
        tmp_path / "job",
        leases=False,
        trust_digest=trust.look(project.deps).plan.digest,
    ) as job:
        [offer] = ci_plan.plan(job, sha=repo.tip("main"), holder="me").offers
    assert (offer.task, offer.sha, offer.state, offer.lease) == ("x", repo.tip("main"), "", "")
    assert remote.refs() == before


def test_a_plan_of_the_repository_that_nobody_allowed_starts_nothing(
    tmp_path: Path, repo: TestRepo, remote: TestRepo
) -> None:
    project = Project(repo)
    project.task("x")
    repo.git("push", "-q", "origin", "main")
    digest = trust.look(project.deps).plan.digest
    with nodes(repo.path, tmp_path / "a") as job, pytest.raises(NotTrusted) as caught:
        ci_plan.plan(job, sha="", holder="me")
    assert caught.value.message == (
        f"The workflow names no plan that it trusts; what main would start has the digest {digest}."
    )
    assert STATE not in remote.refs()
