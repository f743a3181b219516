"""A task's work becomes one pull request, whatever happens on the way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitcmat.engine import pulls
from gitcmat.errors import Conflict, NotFound, UserError
from gitcmat.model.events import Rejected
from gitcmat.model.forge import MergeMethod, marks
from gitcmat.model.pull import PullState
from gitcmat.model.state import State
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project
from tests.support.repo import TestRepo


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub; its task ``a`` is at review."""
    repo.commit("Template", {".github/pull_request_template.md": "- [ ] I have read it\n"})
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo))
        made.done("a")
        yield made


def _numbers(there: OnGitHub) -> list[int]:
    return [pull.number for pull in there.stage.forge().pulls.of_branch("cmat/a")]


def test_a_pull_request_says_what_the_work_is(there: OnGitHub) -> None:
    done = there.create("a", draft=True)

    seen, entry = there.seen(), there.project.entry("a")
    assert (done.made, done.pushed, done.along) == (True, True, 0)
    assert (seen.title, seen.draft, seen.head, seen.base) == ("a", True, "cmat/a", "main")
    assert seen.head_sha == entry.head == there.stage.git.branches()["cmat/a"]
    assert marks(seen.body) == {"task": "a", "end": "a"}
    assert seen.body.endswith(
        f"\n\n- [ ] I have read it\n\nCmat-Task: a\nCmat-Run: {entry.run}\nAssisted-by: coder\n"
    )
    assert "Gates: no gates\n" in seen.body
    assert 'gitcmat review reject a -m "why"' in seen.body


def test_what_others_wrote_hides_nothing_and_calls_nobody(there: OnGitHub) -> None:
    name = "Fix \u202eit\u202c for @rita"
    there.done("bidi", title=name, prompt="Ask @rita <!-- hi -->\n\u202eevil")

    there.create("bidi")

    seen = there.seen()
    assert seen.title == "Fix \\u202eit\\u202c for @\u200brita"
    assert "\n> Ask @\u200brita &lt;!-- hi -->\n> \\u202eevil\n" in seen.body


def test_it_is_recorded(there: OnGitHub) -> None:
    done = there.create("a")

    pull = there.project.entry("a").pull
    assert pull == done.pull
    assert pull is not None
    assert (pull.host, pull.repo, pull.number) == ("forge.invalid", "pat/project", 1)
    assert (pull.draft, pull.state, pull.pushed) == (
        False,
        PullState.OPEN,
        there.project.entry("a").head,
    )
    assert pulls.named(there.project.deps, "#1").id == "a"
    with pytest.raises(NotFound, match=r"No task has the pull request or issue #7\."):
        pulls.named(there.project.deps, "#7")


def test_the_second_time_nothing_is_made(there: OnGitHub) -> None:
    there.create("a", draft=True)
    again = there.create("a", draft=True)
    ready = there.create("a", draft=False)

    assert (again.made, again.pushed, ready.made) == (False, False, False)
    assert not there.seen().draft
    assert _numbers(there) == [1]


def test_rework_goes_to_the_same_pull_request(there: OnGitHub) -> None:
    there.create("a")
    there.project.happen("a", Rejected(text="more", by="Pat"))
    there.project.work()

    done = there.create("a")

    assert (done.made, done.pushed) == (False, True)
    assert there.seen().head_sha == there.project.entry("a").head
    assert _numbers(there) == [1]


def test_what_was_noted_of_it_stays_when_it_is_pushed_again(there: OnGitHub) -> None:
    noted = replace(there.create("a").pull, told="x", approved=("rita",))
    with there.project.deps.store.change("test", by=there.project.deps.actor) as change:
        change.put(replace(change.entry("a"), pull=noted))
    there.project.happen("a", Rejected(text="more", by="Pat"))
    there.project.work()

    pull = there.create("a").pull

    assert (pull.told, pull.approved) == ("x", ("rita",))
    assert pull.pushed == there.project.entry("a").head


@pytest.mark.parametrize(
    ("kind", "verb", "path"),
    [
        (Kind.LOST, "GIT", "git-receive-pack$"),
        (Kind.ANSWER_LOST, "GIT", "git-receive-pack$"),
        (Kind.ANSWER_LOST, "POST", "/pulls$"),
        (Kind.NONSENSE, "POST", "/pulls$"),
        (Kind.NOT_PERMITTED, "POST", "/pulls$"),
    ],
)
def test_trouble_on_the_way_never_makes_two(
    there: OnGitHub, kind: Kind, verb: str, path: str
) -> None:
    there.hub.fail(kind, verb=verb, path=path)
    for _ in range(2):
        try:
            there.create("a")
        except UserError:
            continue

    assert _numbers(there) == [1]
    pull = there.project.entry("a").pull
    assert pull is not None
    assert pull.number == 1


def test_killed_before_it_was_recorded_it_is_found_again(there: OnGitHub) -> None:
    done = there.create("a")
    with there.project.deps.store.change("test", by=there.project.deps.actor) as change:
        change.put(replace(change.entry("a"), pull=None))

    again = there.create("a")

    assert (again.made, again.pull) == (False, done.pull)
    assert _numbers(there) == [1]


def test_a_branch_of_somebody_else_is_left_alone(there: OnGitHub) -> None:
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")

    with pytest.raises(Conflict) as refused:
        there.create("a")

    assert refused.value.message == (
        f"refs/heads/cmat/a on pat/project is at {theirs[:10]}, which gitcmat did not put there."
    )
    assert there.stage.git.branches()["cmat/a"] == theirs


def test_one_that_was_closed_is_not_opened_again_by_itself(there: OnGitHub) -> None:
    there.create("a")
    entry = pulls.close(there.project.deps, there.opened, "#1")
    assert entry.pull is not None
    assert entry.pull.state is PullState.CLOSED

    with pytest.raises(Conflict, match="was closed without merging") as refused:
        there.create("a")
    assert refused.value.hint == "gitcmat pr create a --again, or reopen it there"

    assert there.create("a", again=True).pull.number == 2


def test_commits_that_come_along_are_told(there: OnGitHub) -> None:
    there.project.commit({"notes.txt": "x\n"}, message="not pushed")
    there.project.task("b")
    there.project.work()

    assert there.create("b").along == 2


def test_a_base_that_is_named_is_gone_onto(there: OnGitHub) -> None:
    there.stage.push_commit("next", there.stage.git.branches()["main"])

    assert there.create("a", base="next").pull.base == "next"
    assert there.create("a").pull.base == "next"
    assert there.create("a", base="refs/heads/main").pull.base == "main"
    assert _numbers(there) == [1]


def test_a_base_that_is_not_there_is_refused_before_anything_is_pushed(there: OnGitHub) -> None:
    with pytest.raises(NotFound) as refused:
        there.create("a", base="nxet")

    assert (refused.value.message, refused.value.hint) == (
        "pat/project has no branch nxet.",
        "push it, or name another: gitcmat pr create a --base BRANCH",
    )
    assert "cmat/a" not in there.stage.git.branches()


def test_what_is_not_at_review_has_none(there: OnGitHub) -> None:
    there.project.task("c", hold=True)
    there.project.step()

    with pytest.raises(
        Conflict, match="c is pending; only what is in review can get a pull request"
    ):
        there.create("c")
    with pytest.raises(Conflict, match=r"a has no pull request\."):
        pulls.close(there.project.deps, there.opened, "a")


# --- what others push ---------------------------------------------------------------------------


def test_commits_that_others_push_on_top_are_part_of_the_work(there: OnGitHub) -> None:
    there.create("a")
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")

    done = there.create("a")

    assert (done.made, done.pushed, done.pull.pushed) == (False, False, theirs)
    assert there.project.repo.tip("refs/heads/cmat/a") == theirs
    there.project.happen("a", Rejected(text="more", by="Pat"))
    there.project.work()
    assert there.project.repo.show(there.project.entry("a").head, "theirs.py") == "x = 1\n"
    assert there.create("a").pushed


def test_what_went_on_here_and_there_is_for_a_person(there: OnGitHub) -> None:
    there.create("a")
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")
    there.project.happen("a", Rejected(text="more", by="Pat"))
    there.project.work()
    here = there.project.repo.tip("refs/heads/cmat/a")

    with pytest.raises(Conflict) as refused:
        there.create("a")

    assert (refused.value.message, refused.value.hint) == (
        "cmat/a has new commits on pat/project, and went on here, too.",
        "on cmat/a: git merge refs/cmat/remote/cmat/a",
    )
    assert there.stage.git.branches()["cmat/a"] == theirs
    assert there.project.repo.tip("refs/heads/cmat/a") == here


def test_a_branch_that_is_checked_out_does_not_follow(there: OnGitHub) -> None:
    there.create("a")
    there.project.repo.switch("cmat/a")
    there.stage.push("cmat/a", "theirs.py", "x = 1\n")

    with pytest.raises(Conflict, match="and is checked out here"):
        there.create("a")


# --- stacks -------------------------------------------------------------------------------------


def _on_top_of_a(project: Project) -> None:
    """Have somebody do ``b`` on the branch of ``a``."""
    repo, need = project.repo, project.entry("a")
    repo.switch("cmat/a")
    repo.git("switch", "-q", "-c", "cmat/b")
    work = repo.commit("on top", {"b.txt": "b\n"})
    repo.switch("main")
    with project.deps.store.change("test", by=project.deps.actor) as change:
        entry = change.entry("b")
        ref = "refs/heads/cmat/b"
        done = replace(entry, base=need.base, head=work, branch=ref, branch_head=work)
        change.put(replace(done, published=work, state=State.REVIEW))


def test_it_goes_onto_a_need_whose_work_it_holds(there: OnGitHub) -> None:
    there.create("a")
    there.project.task("b", needs=["a"])
    there.stage.push_main()
    there.project.step(start=False)
    _on_top_of_a(there.project)

    done = there.create("b")

    assert done.pull.base == "cmat/a"
    assert "\nDepends on #1\n" in there.seen(2).body
    there.button(1, MergeMethod.SQUASH)
    lines = there.sync().lines
    assert lines.index("b: #2 goes onto main now") < lines.index(
        "a: cmat/a on pat/project was deleted"
    )
    assert (there.seen(2).base, there.seen(2).state) == ("main", PullState.OPEN)
