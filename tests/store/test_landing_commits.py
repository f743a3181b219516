"""The commits that land: one, a merge, or one by one; made without a work tree."""

import pytest

from gitcmat.errors import Conflict
from gitcmat.store.git import Git, discover
from gitcmat.store.landing_commits import LANDINGS, workshop
from tests.support.repo import TestRepo


@pytest.fixture
def project(repo: TestRepo) -> TestRepo:
    """`work` has two commits by others on the first commit of main; main has gone on."""
    repo.commit("base", {"a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n"})
    repo.git("switch", "-q", "-c", "work")
    repo.write("a.txt", "1\n2\n3\n4\nfive\n")
    repo.git("commit", "-q", "-a", "--author", "Ann <ann@example.org>", "-m", "five\n\nWith body.")
    repo.write("c.txt", "c\n")
    repo.git("add", "c.txt")
    repo.git("commit", "-q", "--author", "Bob <bob@example.org>", "-m", "c")
    repo.switch("main")
    repo.commit("main goes on", {"a.txt": "one\n2\n3\n4\n5\n"})
    return repo


def test_one_commit_holds_all_of_it(project: TestRepo) -> None:
    main, work = project.tip("main"), project.tip("work")
    with project.guarded(), workshop(discover(project.path)) as shop:
        merged = shop.merge(main, work)
        commit = shop.squash(merged.tree, main, "Title\n\nBody\n")
        ref = shop.bring_home(commit, (main, work), "it")
    assert (merged.conflicts, merged.messages) == ((), "")
    assert ref == f"{LANDINGS}it"
    assert project.tip(ref) == commit
    assert project.git("rev-list", "--parents", "-1", commit) == f"{commit} {main}"
    assert project.show(commit, "a.txt") == "one\n2\n3\n4\nfive\n"
    person = project.git("var", "GIT_AUTHOR_IDENT").split(">")[0] + ">"
    shown = project.git("log", "-1", "--format=%an <%ae>%n%cn <%ce>%n%B", commit)
    assert shown == f"{person}\n{person}\nTitle\n\nBody"
    assert project.git("fsck", "--no-dangling") == ""


def test_a_merge_commit_has_both_parents(project: TestRepo) -> None:
    main, work = project.tip("main"), project.tip("work")
    with workshop(discover(project.path)) as shop:
        merged = shop.merge(main, work)
        commit = shop.join(merged.tree, main, work, "Merge it\n")
        shop.bring_home(commit, (main, work), "it")
    assert project.git("rev-list", "--parents", "-1", commit) == f"{commit} {main} {work}"


def test_one_by_one_keeps_authors_and_words(project: TestRepo) -> None:
    main, work = project.tip("main"), project.tip("work")
    with workshop(discover(project.path)) as shop:
        merged = shop.merge(main, work)
        commit = shop.replay(merged.tree, main, work)
        shop.bring_home(commit, (main, work), "it")
    shown = project.git("log", "--format=%an: %s%n%b", f"{main}..{commit}")
    assert shown == "Bob: c\n\nAnn: five\nWith body."
    dates = "--format=%ad"
    assert project.git("log", dates, f"{main}..{commit}") == project.git("log", dates, "-2", "work")
    assert project.tip(f"{commit}~2") == main
    assert project.git("rev-parse", f"{commit}^{{tree}}") == merged.tree


def test_one_by_one_leaves_out_what_is_there_already(project: TestRepo) -> None:
    project.git("cherry-pick", "work~1")
    main, work = project.tip("main"), project.tip("work")
    with workshop(discover(project.path)) as shop:
        commit = shop.replay(shop.merge(main, work).tree, main, work)
        shop.bring_home(commit, (main, work), "it")
    assert project.git("log", "--format=%s", f"{main}..{commit}") == "c"


def test_commits_that_conflict_one_by_one_are_refused(project: TestRepo) -> None:
    project.git("switch", "-q", "work")
    project.commit("one, wrongly", {"a.txt": "uno\n2\n3\n4\nfive\n"})
    project.commit("one, after all", {"a.txt": "1\n2\n3\n4\nfive\n"})
    work, main = project.tip("work"), project.tip("main")
    wrong = project.git("rev-parse", "work~1")[:10]
    project.switch("main")
    with workshop(discover(project.path)) as shop:
        merged = shop.merge(main, work)
        assert merged.conflicts == ()
        with pytest.raises(Conflict) as caught:
            shop.replay(merged.tree, main, work)
    assert caught.value.message == (
        f"The commits cannot land one by one: {wrong} conflicts in a.txt."
    )
    assert caught.value.hint == "gitcmat land with --squash or --merge"


def test_conflicts_are_named_with_what_git_says(project: TestRepo) -> None:
    project.commit("mine", {"a.txt": "one\n2\n3\n4\n!\n", "c.txt": "mine\n"})
    with project.guarded(), workshop(discover(project.path)) as shop:
        merged = shop.merge(project.tip("main"), project.tip("work"))
    assert merged.conflicts == ("a.txt", "c.txt")
    assert merged.messages == (
        "CONFLICT (content): Merge conflict in a.txt\nCONFLICT (add/add): Merge conflict in c.txt"
    )


def test_work_without_common_history_is_a_conflict(project: TestRepo) -> None:
    tree = project.git("rev-parse", "HEAD^{tree}")
    alone = project.git("commit-tree", "-m", "alone", tree)
    with workshop(discover(project.path)) as shop:
        merged = shop.merge(project.tip("main"), alone)
    assert merged.conflicts == ("(all)",)


def test_what_is_not_brought_home_leaves_nothing(project: TestRepo) -> None:
    repo = discover(project.path)
    main, work = project.tip("main"), project.tip("work")
    with workshop(repo) as shop:
        commit = shop.squash(shop.merge(main, work).tree, main, "Gone\n")
    assert Git(repo.common_dir).rev(commit) is None
    assert list((repo.cmat / "landing").iterdir()) == []


def test_the_attributes_of_the_work_tree_choose_how_to_merge(project: TestRepo) -> None:
    project.commit("union", {".gitattributes": "c.txt merge=union\n", "c.txt": "mine\n"})
    with workshop(discover(project.path)) as shop:
        merged = shop.merge(project.tip("main"), project.tip("work"))
    assert merged.conflicts == ()
