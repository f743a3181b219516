"""Intent is read from commits only; what is wrong in it is said and stops only itself."""

from pathlib import Path

import pytest

from gitcmat.model.intent import Intent
from gitcmat.model.problem import Problem
from gitcmat.model.task import Task
from gitcmat.store.git import Git, GitError, discover
from gitcmat.store.intent import IntentReader
from tests.support.repo import TestRepo

MAIN = "refs/heads/main"
NOTHING_STARTS = "no good settings are known for main: nothing starts"
ID = "1 to 63 lower-case letters, digits and dashes"
CONFIG = "gates:\n  tests:\n    run: [pytest]\n"
AGENT = "---\nname: codemod\ncommand: [python3, x.py]\n---\n\nBe brief.\n\n"


def reader(repo: TestRepo) -> IntentReader:
    found = discover(repo.path)
    return IntentReader(found, Git(found.common_dir))


def read(repo: TestRepo, ref: str = MAIN) -> Intent:
    return reader(repo).read(ref, repo.tip(ref))


def said(intent: Intent) -> list[str]:
    return [str(problem) for problem in intent.problems]


def test_everything_below_cmat_is_read(repo: TestRepo) -> None:
    commit = repo.commit(
        "Use gitcmat",
        {
            ".cmat/config.yaml": CONFIG,
            ".cmat/agents/codemod.md": AGENT,
            ".cmat/tasks/a.yaml": "title: A\n",
            ".cmat/tasks/.gitkeep": "",
        },
    )

    intent = read(repo)

    assert intent.problems == ()
    assert (intent.ref, intent.commit, intent.settings_from) == (MAIN, commit, commit)
    assert intent.config.gates["tests"].run == ("pytest",)
    assert intent.agents["codemod"].profile.command == ("python3", "x.py")
    assert intent.agents["codemod"].system == "Be brief."
    assert intent.tasks["a"].blob == repo.git("rev-parse", "HEAD:.cmat/tasks/a.yaml")
    assert reader(repo).task(intent.tasks["a"]) == Task(title="A")


def test_the_work_tree_and_the_index_are_not_looked_at(repo: TestRepo) -> None:
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG, ".cmat/tasks/a.yaml": "title: A\n"})
    repo.write(".cmat/config.yaml", "gates: {}\n")
    repo.write(".cmat/tasks/b.yaml", "title: B\n")
    repo.git("add", "--all")

    intent = read(repo)

    assert set(intent.tasks) == {"a"}
    assert set(intent.config.gates) == {"tests"}


def test_a_branch_without_cmat_wants_nothing(repo: TestRepo) -> None:
    intent = read(repo)

    assert (intent.tree, intent.tasks, intent.problems) == ("", {}, ())
    assert intent.settings_from == repo.tip()


def test_a_commit_that_is_not_there_is_no_empty_one(repo: TestRepo) -> None:
    with pytest.raises(GitError):
        reader(repo).read(MAIN, "1" * 40)


def parsed(log: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [line.split(" ", 1)[1] for line in lines if line.startswith("yaml ")]


def test_unchanged_settings_are_not_parsed_again(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG, ".cmat/agents/codemod.md": AGENT})
    log = tmp_path / "trace"
    monkeypatch.setenv("GITCMAT_TRACE", str(log))
    first = read(repo)
    assert parsed(log) == [".cmat/agents/codemod.md", ".cmat/config.yaml"]
    log.unlink()

    assert read(repo) == first  # in a new process, so to say
    repo.commit("Elsewhere", {"x": "x"})
    again = read(repo)

    assert parsed(log) == []
    assert (again.config, again.agents) == (first.config, first.agents)
    assert again.settings_from == repo.tip()


def test_for_a_commit_of_tasks_git_lists_once_and_no_settings_are_read(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG, ".cmat/agents/codemod.md": AGENT})
    first = read(repo)
    commit = repo.commit("A task", {".cmat/tasks/a.yaml": "title: A\n"})
    log = tmp_path / "trace"
    monkeypatch.setenv("GITCMAT_TRACE", str(log))

    intent = read(repo)

    lines = log.read_text(encoding="utf-8").splitlines()
    assert sum(" ls-tree " in line for line in lines) == 1
    assert sum(" cat-file " in line for line in lines) == 0
    assert parsed(log) == []
    assert (intent.config, intent.agents) == (first.config, first.agents)
    assert (intent.settings_from, list(intent.tasks)) == (commit, ["a"])


def test_settings_that_are_gone_again_are_no_good_ones(repo: TestRepo) -> None:
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG, ".cmat/agents/codemod.md": AGENT})
    read(repo)
    repo.git("rm", "-q", ".cmat/agents/codemod.md")
    repo.git("commit", "-q", "-m", "No agent")

    assert read(repo).agents == {}


def test_task_files_are_parsed_only_when_asked_for(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("Tasks", {f".cmat/tasks/t{n}.yaml": f"title: T{n}\n" for n in range(5)})
    log = tmp_path / "trace"
    monkeypatch.setenv("GITCMAT_TRACE", str(log))
    tasks = read(repo).tasks
    assert parsed(log) == []

    reader(repo).task(tasks["t3"])

    assert parsed(log) == [".cmat/tasks/t3.yaml"]


# --- wrong settings -----------------------------------------------------------------------------


def test_wrong_settings_keep_the_last_good_ones_also_after_a_restart(repo: TestRepo) -> None:
    good = repo.commit("Good", {".cmat/config.yaml": CONFIG, ".cmat/agents/codemod.md": AGENT})
    before = read(repo)
    repo.commit("Bad", {".cmat/config.yaml": "gates:\n  tests:\n    runs: [pytest]\n"})

    for _ in range(2):
        intent = read(repo)
        using = f"using the settings of {good[:10]}"
        assert said(intent) == [
            f".cmat/config.yaml:2: gates.tests: missing key 'run'; {using}",
            f".cmat/config.yaml:3: gates.tests.runs: unknown key (did you mean 'run'?); {using}",
        ]
        assert intent.settings_from == good
        assert (intent.config, intent.agents) == (before.config, before.agents)

    repo.commit("Good again", {".cmat/config.yaml": CONFIG + "view: false\n"})
    assert read(repo).problems == ()
    assert read(repo).config.view is False


def test_the_last_good_settings_outlive_their_commit(repo: TestRepo) -> None:
    repo.commit("Good", {".cmat/config.yaml": CONFIG})
    read(repo)
    repo.write(".cmat/config.yaml", "gates: 1\n")
    repo.git("commit", "-q", "--all", "--amend", "-m", "Bad")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")

    assert set(read(repo).config.gates) == {"tests"}


def test_without_good_settings_nothing_may_start(repo: TestRepo) -> None:
    repo.commit("Bad", {".cmat/config.yaml": "parallel: 4\n", ".cmat/tasks/a.yaml": "title: A\n"})

    intent = read(repo)

    assert intent.settings_from is None
    wrong = ".cmat/config.yaml:1: parallel: belongs in ~/.config/gitcmat/config.yaml"
    assert said(intent) == [f"{wrong}; {NOTHING_STARTS}"]
    assert set(intent.tasks) == {"a"}


def test_each_branch_has_last_good_settings_of_its_own(repo: TestRepo) -> None:
    repo.commit("Good", {".cmat/config.yaml": CONFIG})
    read(repo)
    repo.git("switch", "-q", "-c", "side")
    repo.commit("Bad", {".cmat/config.yaml": "gates: 1\n"})

    assert read(repo, "refs/heads/side").settings_from is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"refs/heads/main": 1}', "[" * 100_000])
def test_a_damaged_memory_of_good_settings_is_none(repo: TestRepo, text: str) -> None:
    repo.commit("Good", {".cmat/config.yaml": CONFIG})
    read(repo)
    (repo.git_dir / "cmat/good.json").write_text(text, encoding="utf-8")

    assert set(read(repo).config.gates) == {"tests"}


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (
            ".cmat/agents/codemod.md",
            "name: codemod\n",
            ".cmat/agents/codemod.md:1: has no front matter",
        ),
        (
            ".cmat/agents/codemod.md",
            "---\nname: other\ncommand: [x]\n---\n",
            ".cmat/agents/codemod.md:2: name: is 'other', but the file is named codemod.md",
        ),
        (
            ".cmat/agents/codemod.md",
            "---\nname: codemod\n---\n",
            ".cmat/agents/codemod.md:2: runs: command needs command: [program, argument, …]",
        ),
        (
            ".cmat/agents/Codemod.md",
            "---\nname: Codemod\ncommand: [x]\n---\n",
            ".cmat/agents/Codemod.md:1: 'Codemod' is not an agent's name",
        ),
        (
            ".cmat/config.yaml",
            "schema: 2\n",
            ".cmat/config.yaml:1: is schema 2, this gitcmat knows 1",
        ),
    ],
)
def test_wrong_settings_are_named(repo: TestRepo, path: str, text: str, message: str) -> None:
    repo.commit("Bad", {path: text})

    assert said(read(repo)) == [f"{message}; {NOTHING_STARTS}"]


@pytest.mark.parametrize("path", [".cmat/config.yaml", ".cmat/agents/codemod.md", ".cmat/agents"])
def test_settings_behind_a_symlink_are_not_read(repo: TestRepo, path: str) -> None:
    link = repo.path / path
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/etc/passwd")
    repo.commit("A link")

    assert said(read(repo)) == [f"{path}:1: is a symbolic link; {NOTHING_STARTS}"]


def test_cmat_itself_as_a_symlink_is_not_followed(repo: TestRepo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/tasks").mkdir(parents=True)
    (tmp_path / "elsewhere/tasks/a.yaml").write_text("title: A\n", encoding="utf-8")
    (repo.path / ".cmat").symlink_to(tmp_path / "elsewhere")
    repo.commit("A link")

    intent = read(repo)

    assert intent.tasks == {}
    assert said(intent) == [f".cmat:1: is a symbolic link; {NOTHING_STARTS}"]


# --- what is no task ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        (
            "sub/b.yaml",
            "is in a sub-folder, where tasks are not read",
            "git mv it to .cmat/tasks/b.yaml",
        ),
        ("b.yml", "is not a task file", "name it b.yaml"),
        ("notes.txt", "is not a task file", "tasks are named <id>.yaml"),
        ("B_1.yaml", "'B_1' is not a task id.", ID),
        ("-b.yaml", "'-b' is not a task id.", ID),
        ("con.yaml", "'con' is a reserved name on Windows.", "choose another id"),
        ("A.yaml", "differs from a.yaml only by upper and lower case", "delete one of them"),
        (f"{'x' * 64}.yaml", f"'{'x' * 64}' is not a task id.", ID),
        ("b\x1b.yaml", "'b\\x1b' is not a task id.", ID),
    ],
)
def test_a_file_that_is_no_task_is_named_and_the_others_count(
    repo: TestRepo, path: str, message: str, hint: str
) -> None:
    repo.commit("Tasks", {".cmat/tasks/a.yaml": "title: A\n", f".cmat/tasks/{path}": "title: B\n"})

    intent = read(repo)

    assert set(intent.tasks) == {"a"}
    assert intent.problems == (Problem(f".cmat/tasks/{path}", 1, message, hint),)


def test_an_id_that_leads_out_of_the_folder_is_refused(repo: TestRepo) -> None:
    """Git itself does not write such trees, but a stranger's program may."""
    blob = repo.git("hash-object", "-w", "--stdin", stdin="title: X\n")
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\t..\n100644 blob {blob}\tx.yaml\n")
    tasks = repo.git("mktree", stdin=f"040000 tree {tree}\ttasks\n")
    root = repo.git("mktree", stdin=f"040000 tree {tasks}\t.cmat\n")
    commit = repo.git("commit-tree", root, "-m", "Evil")

    intent = reader(repo).read(MAIN, commit)

    assert set(intent.tasks) == {"x"}
    assert said(intent) == [".cmat/tasks/..:1: is not a task file"]


def test_symlinks_and_submodules_among_the_tasks_are_named(repo: TestRepo) -> None:
    repo.commit("A task", {".cmat/tasks/a.yaml": "title: A\n"})
    (repo.path / ".cmat/tasks/b.yaml").symlink_to("a.yaml")
    repo.git("add", "--all")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.tip()},.cmat/tasks/c.yaml")
    repo.git("commit", "-q", "-m", "Odd ones")

    intent = read(repo)

    assert set(intent.tasks) == {"a"}
    assert said(intent) == [
        ".cmat/tasks/b.yaml:1: is a symbolic link",
        ".cmat/tasks/c.yaml:1: is a submodule",
    ]


def test_a_task_that_does_not_parse_stops_only_itself(repo: TestRepo) -> None:
    repo.commit(
        "Tasks",
        {".cmat/tasks/a.yaml": "title: A\n", ".cmat/tasks/b.yaml": "titel: B\npriority: soon\n"},
    )

    read_tasks = reader(repo).tasks(read(repo).tasks.values())

    assert read_tasks["a"] == Task(title="A")
    assert str(read_tasks["b"]) == (
        ".cmat/tasks/b.yaml:1: titel: unknown key (did you mean 'title'?)"
        " (and 1 more: gitcmat lint)"
    )


def test_a_sha256_repository_is_read_too(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "new", object_format="sha256")
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG, ".cmat/tasks/a.yaml": "title: A\n"})

    intent = read(repo)

    assert (set(intent.tasks), set(intent.config.gates)) == ({"a"}, {"tests"})
