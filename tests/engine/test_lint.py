"""Whole messages for all that can be wrong below .cmat, committed, staged and saved."""

import os
from pathlib import Path

import pytest

from gitcmat.engine.lint import STAGED, WORK_TREE, lint
from gitcmat.errors import NotFound
from gitcmat.store.git import Git, discover
from tests.support.repo import TestRepo

GOOD = {
    ".cmat/config.yaml": "gates:\n  tests:\n    run: [pytest]\ndefaults:\n  agent: codemod\n",
    ".cmat/agents/codemod.md": "---\nname: codemod\ncommand: [x]\n---\n",
    ".cmat/tasks/a.yaml": "schema: 1\ntitle: A\n",
}

LONG = "put long texts into a file of the repository and name it in the prompt"


def check(path: Path, at: str = WORK_TREE, known: tuple[str, ...] = ()) -> list[str]:
    repo = discover(path)
    problems = lint(repo, Git(repo.common_dir), at, known=known)
    return [f"{p} | {p.hint}" if p.hint else str(p) for p in problems]


def saved(repo: TestRepo, files: dict[str, str]) -> list[str]:
    for path, text in {**GOOD, **files}.items():
        repo.write(path, text)
    return check(repo.path)


def test_what_is_right_has_no_problems(repo: TestRepo) -> None:
    assert saved(repo, {}) == []
    repo.commit("Use gitcmat")
    assert check(repo.path, "HEAD") == []
    assert check(repo.path, STAGED) == []


def test_a_repository_without_cmat_has_no_problems(repo: TestRepo) -> None:
    for at in (WORK_TREE, STAGED, "HEAD"):
        assert check(repo.path, at) == []


DEEP = "x: " + "[" * 50_000
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", [":1: is empty | write at least title: or prompt:"]),
        ("title: A\nprompt:", [":2: prompt: expected str, got null"]),
        ("prompt: |\n", [":1: a task needs a title or a prompt"]),
        ("title: [half", [":2: did not find expected ',' or ']'"]),
        (
            "title: this: that\n",
            [":1: mapping values are not allowed in this context | put the text in quotes"],
        ),
        ("just words\n", [":1: is not a mapping | write key: value"]),
        ("- title: A\n", [":1: is not a mapping | write key: value"]),
        ("title: A\n\ttitle: B\n", [":2: is indented with a tab | use spaces"]),
        (
            "title: A\nagent: a\ntitle: B\n",
            [":3: key 'title' is there twice (first in line 1) | keep one of them"],
        ),
        (BOMB, [":1: has an anchor (&a) | write the value out"]),
        (DEEP, [":1: is nested more than 32 levels deep"]),
        ("title: !!python/object:os.system A\n", [
            (":1: has a tag (tag:yaml.org,2002:python/object:os.system)"
            " | write plain YAML: keys, lists and text")
        ]),
        (
            "title: A\nprompt: x\x1b[2J\n",
            [
                (":2: has a control character (U+001B)"
                ' | remove it, or write it as an escape in double quotes: "\\x1b"')
            ],
        ),
        (
            "title: A\n<<<<<<< HEAD\nprompt: x\n=======\nprompt: y\n>>>>>>> theirs\n",
            [":2: has conflict markers | resolve the merge, then try again"],
        ),
        ("schema: 7\ntitle: A\n", [":1: is schema 7, this gitcmat knows 1 | upgrade gitcmat"]),
        ("titel: A\n", [
            ":1: titel: unknown key (did you mean 'title'?)",
        ]),
        (
            "title: A\nstatus: done\nx-mine: 1\n",
            [":2: status: unknown key | keys that begin with x- are yours"],
        ),
        ("title: A\npriority: hgih\n", [
            ":2: priority: 'hgih' is not one of critical, high, normal, low (did you mean 'high'?)"
        ]),
        ("title: 1.10\n", [":1: title: expected str, got float (quote it?)"]),
        ("title: A\nneeds: b\n", [":2: needs: expected list, got str (write [b])"]),
        ("title: A\ntimeout: soon\n", [
            ":2: timeout: 'soon' is not a duration (write 90s, 30m or 1h30m)"
        ]),
        ("title: A\nattempts: 99\n", [":2: attempts is 1 to 20"]),
        (
            "title: A\nbudget: {eur: 2.0}\n",
            [":2: budget.eur: unknown key", ":2: budget: a budget needs usd: or tokens:"],
        ),
        ("title: " + "x" * 300_000, [
            f":1: is larger than 64 KB | {LONG}"
        ]),
    ],
)  # fmt: skip
def test_a_wrong_task_file_is_named_by_line_and_key(
    repo: TestRepo, text: str, messages: list[str]
) -> None:
    found = saved(repo, {".cmat/tasks/a.yaml": text})

    assert found == [f".cmat/tasks/a.yaml{message}" for message in messages]


def test_bytes_that_are_no_text_are_named(repo: TestRepo) -> None:
    saved(repo, {})
    with repo.as_person():
        (repo.path / ".cmat/tasks/a.yaml").write_bytes(b"title: A\nprompt: \xff\xfe\n")

    assert check(repo.path) == [".cmat/tasks/a.yaml:2: is not UTF-8 | save it as UTF-8"]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("parallel: 4\n", [":1: parallel: belongs in ~/.config/gitcmat/config.yaml"]),
        ("trust_branch: main\n", [":1: trust_branch: belongs in ~/.config/gitcmat/config.yaml"]),
        ("tasks: branch\n", [":1: tasks: belongs in ~/.config/gitcmat/config.yaml"]),
        ("gatse: {}\n", [":1: gatse: unknown key (did you mean 'gates'?)"]),
        (
            "gates:\n  tests:\n    run: pytest -q\n",
            [":3: gates.tests.run: expected list, got str (write [pytest, -q])"],
        ),
        (
            "gates:\n  tests:\n    run: [x]\n    env: {A-B: x}\n",
            [
                (
                    ":4: gates.tests: env: 'A-B' is no name of a variable"
                    " | letters, digits and underscores, and no digit first, such as API_KEY"
                )
            ],
        ),
        (
            "defaults:\n  agent: codmod\n  gates: [test]\n",
            [
                (
                    ":2: defaults.agent: there is no agent 'codmod' (did you mean 'codemod'?)"
                    " | agents are .cmat/agents/<name>.md"
                ),
                (
                    ":3: defaults.gates: there is no gate 'test'"
                    " | gates are named under gates: in .cmat/config.yaml"
                ),
            ],
        ),
    ],
)
def test_wrong_settings_are_named_by_line_and_key(
    repo: TestRepo, text: str, messages: list[str]
) -> None:
    found = saved(repo, {".cmat/config.yaml": text})

    assert found == [f".cmat/config.yaml{message}" for message in messages]


def test_a_task_may_name_only_what_exists(repo: TestRepo) -> None:
    found = saved(
        repo,
        {
            ".cmat/tasks/b.yaml": (
                "title: B\nagent: codmod\nneeds:\n  - a\n  - gone\n  - done\ngates: [tests, test]\n"
            )
        },
    )

    assert found == [
        (
            ".cmat/tasks/b.yaml:2: agent: there is no agent 'codmod' (did you mean 'codemod'?)"
            " | agents are .cmat/agents/<name>.md"
        ),
        ".cmat/tasks/b.yaml:5: needs: there is no task 'gone' | tasks are .cmat/tasks/<id>.yaml",
        ".cmat/tasks/b.yaml:6: needs: there is no task 'done' | tasks are .cmat/tasks/<id>.yaml",
        (
            ".cmat/tasks/b.yaml:7: gates: there is no gate 'test' (did you mean 'tests'?)"
            " | gates are named under gates: in .cmat/config.yaml"
        ),
    ]
    assert len(check(repo.path, known=("done",))) == 3


def test_needs_that_go_round_are_shown_with_their_path(repo: TestRepo) -> None:
    found = saved(
        repo,
        {
            ".cmat/tasks/a.yaml": "title: A\nneeds: [b]\n",
            ".cmat/tasks/b.yaml": "title: B\nneeds:\n  - c\n",
            ".cmat/tasks/c.yaml": "title: C\nneeds: [a]\n",
            ".cmat/tasks/d.yaml": "title: D\nneeds: [d, a]\n",
            ".cmat/tasks/e.yaml": "title: E\nneeds: [a, d]\n",
        },
    )

    assert found == [
        (
            ".cmat/tasks/a.yaml:2: needs: goes round in a circle: a -> b -> c -> a"
            " | remove one of these needs"
        ),
        ".cmat/tasks/d.yaml:2: needs: goes round in a circle: d -> d | remove one of these needs",
    ]


def test_a_task_without_agent_needs_a_default_or_a_single_agent(repo: TestRepo) -> None:
    config = {".cmat/config.yaml": "view: true\n"}
    assert saved(repo, config) == []

    other = {".cmat/agents/other.md": "---\nname: other\ncommand: [x]\n---\n"}

    assert saved(repo, {**config, **other}) == [
        (
            ".cmat/tasks/a.yaml:1: agent: is missing, and there is no default"
            " | agent: in the task, or defaults: agent: in .cmat/config.yaml"
        )
    ]


def test_one_wrong_file_makes_no_noise_about_others(repo: TestRepo) -> None:
    found = saved(
        repo,
        {
            ".cmat/config.yaml": "gates: 1\n",
            ".cmat/agents/codemod.md": "no front matter\n",
            ".cmat/tasks/b.yaml": "title: B\nagent: codemod\ngates: [tests]\n",
        },
    )

    assert found == [
        ".cmat/agents/codemod.md:1: has no front matter | begin with ---, name: and ---",
        ".cmat/config.yaml:1: gates: expected mapping, got int",
    ]


def test_files_at_the_wrong_place_are_named(repo: TestRepo) -> None:
    found = saved(
        repo,
        {
            ".cmat/config.yml": "",
            ".cmat/agents/sub/x.md": "",
            ".cmat/agents/x.yaml": "",
            ".cmat/tasks/sub/b.yaml": "title: B\n",
            ".cmat/tasks/A.yaml": "title: B\n",
            ".cmat/tasks/b.yml": "title: B\n",
        },
    )

    assert found == [
        ".cmat/agents/sub/x.md:1: is not read | agents are .cmat/agents/<name>.md",
        ".cmat/agents/x.yaml:1: is not read | agents are .cmat/agents/<name>.md",
        ".cmat/config.yml:1: is not read | name it .cmat/config.yaml",
        (
            ".cmat/tasks/A.yaml:1: differs from a.yaml only by upper and lower case"
            " | delete one of them"
        ),
        ".cmat/tasks/b.yml:1: is not a task file | name it b.yaml",
        (
            ".cmat/tasks/sub/b.yaml:1: is in a sub-folder, where tasks are not read"
            " | git mv it to .cmat/tasks/b.yaml"
        ),
    ]


def test_odd_files_are_named_and_not_opened(repo: TestRepo) -> None:
    saved(repo, {})
    with repo.as_person():
        (repo.path / ".cmat/tasks/link.yaml").symlink_to("/dev/zero")
        os.mkfifo(repo.path / ".cmat/tasks/pipe.yaml")
        (repo.path / ".cmat/skills").symlink_to("/etc")

    assert check(repo.path) == [
        ".cmat/skills:1: is a symbolic link | put the file itself there",
        ".cmat/tasks/link.yaml:1: is a symbolic link | put the file itself there",
        ".cmat/tasks/pipe.yaml:1: is not a file | put a plain file there",
    ]


def test_cmat_as_a_symlink_is_named_and_not_followed(repo: TestRepo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/tasks").mkdir(parents=True)
    (tmp_path / "elsewhere/tasks/a.yaml").write_text("titel: A\n", encoding="utf-8")
    (repo.path / ".cmat").symlink_to(tmp_path / "elsewhere")
    repo.commit("A link")

    for at in (WORK_TREE, STAGED, "HEAD"):
        assert check(repo.path, at) == [".cmat:1: is a symbolic link | put the file itself there"]


def test_what_is_staged_is_judged_as_it_is_staged(repo: TestRepo) -> None:
    repo.commit("Use gitcmat", GOOD)
    repo.write(".cmat/tasks/a.yaml", "titel: A\nprompt: x\n")
    repo.git("add", "--all")
    repo.write(".cmat/tasks/a.yaml", "title: A\nstatus: x\n")

    assert check(repo.path, "HEAD") == []
    assert check(repo.path, STAGED) == [
        ".cmat/tasks/a.yaml:1: titel: unknown key (did you mean 'title'?)"
    ]
    assert check(repo.path) == [
        ".cmat/tasks/a.yaml:2: status: unknown key | keys that begin with x- are yours"
    ]


def test_a_file_in_the_middle_of_a_merge_is_named(repo: TestRepo) -> None:
    repo.commit("Use gitcmat", GOOD)
    repo.git("switch", "-q", "-c", "side")
    repo.commit("One", {".cmat/tasks/a.yaml": "title: One\n"})
    repo.switch("main")
    repo.commit("Two", {".cmat/tasks/a.yaml": "title: Two\n"})
    with pytest.raises(AssertionError):
        repo.git("merge", "side")

    assert check(repo.path, STAGED) == [
        ".cmat/tasks/a.yaml:1: is not merged | resolve the merge, then git add it"
    ]
    assert check(repo.path) == [
        ".cmat/tasks/a.yaml:1: has conflict markers | resolve the merge, then try again"
    ]


def test_a_record_of_ours_on_a_branch_is_named(repo: TestRepo) -> None:
    repo.commit("Oops", {**GOOD, ".cmat/queue/pending/a.yaml": "id: a\n"})

    for at in ("HEAD", STAGED):
        assert check(repo.path, at) == [
            (
                ".cmat/queue/pending/a.yaml:1: is gitcmat's own record, which no branch may track"
                " | git rm --cached .cmat/queue/pending/a.yaml"
            )
        ]
    assert check(repo.path) == []


def test_any_revision_can_be_judged(repo: TestRepo) -> None:
    repo.commit("Bad", {**GOOD, ".cmat/tasks/a.yaml": "titel: A\nprompt: x\n"})
    repo.commit("Good", GOOD)

    assert check(repo.path, "main") == []
    assert len(check(repo.path, "HEAD~1")) == 1
    with pytest.raises(NotFound, match="There is no commit nowhere"):
        check(repo.path, "nowhere")


def test_in_a_bare_repository_head_is_judged(repo: TestRepo, tmp_path: Path) -> None:
    repo.commit("Bad", {**GOOD, ".cmat/tasks/a.yaml": "titel: A\nprompt: x\n"})
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))

    assert len(check(tmp_path / "bare.git")) == 1
