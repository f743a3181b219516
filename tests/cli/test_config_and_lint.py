"""`gitcmat config` and `gitcmat lint`, word for word."""

from pathlib import Path

import pytest

from tests.support.cli import gitcmat
from tests.support.repo import TestRepo

CONFIG = """\
# mine
gates:
  tests:
    run: [pytest]  # fast
defaults:
  attempts: 2
"""
SAVES = ("files:.cmat/config.yaml",)
AGENT = "---\nname: mod\ncommand: [cat]\n---\n"


@pytest.fixture
def settled(repo: TestRepo) -> TestRepo:
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG, ".cmat/agents/mod.md": AGENT})
    return repo


def own(home: Path) -> Path:
    return home / ".config/gitcmat/config.yaml"


def test_every_setting_is_listed_with_its_origin(settled: TestRepo, home: Path) -> None:
    own(home).write_text("parallel: 7\n")
    found = gitcmat(settled, "config", "list", "--show-origin", "--json").ok().json["settings"]
    by_key = {one["key"]: (one["value"], one["origin"]) for one in found}
    assert by_key["gates.tests.run"] == (["pytest"], ".cmat/config.yaml:4")
    assert by_key["defaults.attempts"] == (2, ".cmat/config.yaml:6")
    assert by_key["defaults.timeout"] == ("30m", "default")
    assert by_key["parallel"] == (7, "~/.config/gitcmat/config.yaml:1")
    assert by_key["tasks"] == ("own", "default")


def test_a_setting_is_printed_alone_or_with_all_below_it(settled: TestRepo) -> None:
    assert gitcmat(settled, "config", "get", "defaults.attempts").ok().out == "2\n"
    assert gitcmat(settled, "config", "get", "gates.tests.run").ok().out == "[pytest]\n"
    assert gitcmat(settled, "config", "get", "gates", "--show-origin").ok().out == (
        "KEY              VALUE     ORIGIN\ngates.tests.run  [pytest]  .cmat/config.yaml:4\n"
    )


def test_setting_one_keeps_the_comments_and_says_when_it_counts(settled: TestRepo) -> None:
    done = gitcmat(settled, "config", "set", "defaults.attempts", "5", changes=SAVES).ok()
    assert done.out == (
        "defaults.attempts = 5  (.cmat/config.yaml:6)\n"
        "It counts once .cmat/config.yaml is committed.\n"
    )
    assert settled.read(".cmat/config.yaml") == CONFIG.replace("attempts: 2", "attempts: 5")
    listed = gitcmat(settled, "config", "get", "defaults").ok().out
    assert listed.endswith("\n.cmat/config.yaml is saved, not committed; not used.\n")


def test_a_key_of_the_person_s_own_goes_to_their_own_file(settled: TestRepo, home: Path) -> None:
    own(home).unlink()
    gitcmat(settled, "config", "set", "parallel", "3").ok()
    gitcmat(settled, "config", "set", "--everywhere", "parallel", "1").ok()
    assert own(home).read_text() == (
        f"repositories:\n  {settled.path}:\n    parallel: 3\nparallel: 1\n"
    )
    assert gitcmat(settled, "config", "get", "parallel").ok().out == "3\n"


@pytest.mark.parametrize(
    ("key", "value", "code", "said"),
    [
        ("nope", "1", 4, "There is no setting 'nope'.\nhint: gitcmat config list"),
        ("paralel", "1", 4, "There is no setting 'paralel' (did you mean 'parallel'?)."),
        (
            "defaults.attemps",
            "1",
            3,
            ".cmat/config.yaml:7: defaults.attemps: unknown key (did you mean 'attempts'?)",
        ),
        ("defaults.attempts", "99", 3, ".cmat/config.yaml:6: defaults: attempts is 1 to 20"),
        ("defaults.attempts", "[", 3, "defaults.attempts:2: did not find"),
    ],
)
def test_a_wrong_key_or_value_changes_nothing(
    settled: TestRepo, key: str, value: str, code: int, said: str
) -> None:
    done = gitcmat(settled, "config", "set", key, value)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"error: {said}")


def test_without_a_file_there_is_nothing_to_set(repo: TestRepo) -> None:
    done = gitcmat(repo, "config", "set", "view", "false")
    assert (done.code, done.err) == (
        4,
        "error: There is no .cmat/config.yaml to change.\nhint: gitcmat init\n",
    )
    assert gitcmat(repo, "config", "get", "view").ok().out == "true\n"


def test_lint_names_file_line_and_what_to_do(settled: TestRepo) -> None:
    settled.write(".cmat/tasks/a.yaml", "title: x\nneeds: [b]\n")
    settled.write(".cmat/tasks/c.yml", "title: x\n")
    done = gitcmat(settled, "lint")
    assert (done.code, done.err) == (1, "")
    assert done.out == (
        ".cmat/tasks/a.yaml:2: needs: there is no task 'b'\n"
        "  hint: tasks are .cmat/tasks/<id>.yaml\n"
        ".cmat/tasks/c.yml:1: is not a task file\n"
        "  hint: name it c.yaml\n"
        ".cmat/tasks/a.yaml: new, saved, not committed; not used\n"
        ".cmat/tasks/c.yml: new, saved, not committed; not used\n"
    )
    as_json = gitcmat(settled, "--json", "lint")
    assert as_json.code == 1
    assert as_json.json["problems"][0] == {
        "path": ".cmat/tasks/a.yaml",
        "line": 2,
        "text": "needs: there is no task 'b'",
        "hint": "tasks are .cmat/tasks/<id>.yaml",
    }
    assert as_json.json["not_committed"][0] == {"path": ".cmat/tasks/a.yaml", "how": "new"}


def test_lint_of_a_commit_does_not_look_at_what_is_saved(settled: TestRepo) -> None:
    settled.write(".cmat/tasks/a.yaml", "titel: x\n")
    assert gitcmat(settled, "lint", "HEAD").ok().out == "Nothing is wrong below .cmat/.\n"
    wrong = gitcmat(settled, "lint", "HEAD", "--staged")
    assert wrong.code == 2
    assert wrong.err.startswith("error: COMMIT, --staged and --worktree exclude each other.\n")


def test_lint_of_what_is_staged_names_only_what_is_new_there(settled: TestRepo) -> None:
    settled.commit("Wrong before", {".cmat/tasks/old.yaml": "titel: x\n"})
    settled.write(".cmat/tasks/new.yaml", "title: x\npriority: hi\n")
    assert gitcmat(settled, "lint", "--staged").ok().out == "Nothing is wrong below .cmat/.\n"
    settled.git("add", ".cmat")
    done = gitcmat(settled, "lint", "--staged")
    assert done.code == 1
    assert done.out == (
        ".cmat/tasks/new.yaml:2: priority: 'hi' is not one of critical, high, normal, low "
        "(did you mean 'high'?)\n"
    )


def test_hooks_say_how_they_are(repo: TestRepo) -> None:
    done = gitcmat(repo, "hooks", "install", changes=("hooks:*",)).ok()
    assert done.out == (
        "post-checkout  installed\n"
        "post-commit    installed\n"
        "post-merge     installed\n"
        "post-rewrite   installed\n"
        "pre-commit     installed\n"
    )
    status = gitcmat(repo, "hooks", "status", "--json").ok().json
    assert status["installed"] is True
    assert gitcmat(repo, "hooks", "remove", changes=("hooks:*",)).ok().out.split()[1] == "absent"
