"""The whole way of a task, typed command by command into the real program.

It is the same in every kind of repository: prepared, trusted, worked on, judged, reviewed, landed,
saved and restored. What each command prints is compared whole, ids and commits made alike.
"""

import re
from collections.abc import Mapping
from typing import Final

from tests.support.cli import Env, Result, gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import AGENT, SCRIPT

CONFIG: Final = """\
schema: 1
gates:
  listing: {run: [ls]}
defaults: {agent: fake, backoff: 1s, attempts: 2}
"""

LANDS: Final = ("refs:refs/heads/main", "index", "files")
ADDS: Final = ("refs:refs/heads/main", "index", "files:.cmat/tasks/*")

_ALIKE: Final = (
    (re.compile(r"\b([rbc])-[a-z2-7]{8}\b"), r"\1-xxxxxxxx"),
    (re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b"), "<commit>"),
    (re.compile(r"\b[0-9a-f]{10}\b"), "<short>"),
    (re.compile(r"\b\d+\.\d s\b"), "0.0 s"),
)


def alike(text: str) -> str:
    """Return `text` with ids, commits and seconds made alike."""
    for pattern, shown in _ALIKE:
        text = pattern.sub(shown, text)
    return text


def same(found: object, wanted: object) -> None:
    """Compare; unlike a bare assert here, show both whole."""
    assert found == wanted, f"\n--- found\n{found}\n--- wanted\n{wanted}"


def refused(result: Result, code: int, message: str, hint: str) -> None:
    """Compare a refusal whole: exit code, no output, message and hint."""
    err = f"error: {message}\nhint: {hint}\n"
    same((result.code, alike(result.out), alike(result.err)), (code, "", err))


class Journey:
    """One repository, and the person who types; `repo` is where they stand."""

    def __init__(self, repo: TestRepo, *, env: Env | None = None) -> None:
        self.repo = repo
        self.env = env

    def type(self, *args: str, changes: tuple[str, ...] = ()) -> Result:
        """Type `gitcmat ARGS`; of the person's things only `changes` may change."""
        return gitcmat(self.repo, *args, env=self.env, changes=changes)

    def prepare(self, files: Mapping[str, str] | None = None) -> None:
        """Write and commit what gitcmat needs, as a person who knows it does, and allow it."""
        self.repo.commit(
            "Use gitcmat",
            {
                ".cmat/config.yaml": CONFIG,
                ".cmat/agents/fake.md": AGENT,
                ".cmat/.gitignore": "/queue/\n/blockers/\n/runs/\n/checkpoints/\n/subtasks/\n",
                "tools/agent.sh": SCRIPT,
                **(files or {}),
            },
        )
        self.trust()

    def trust(self) -> None:
        """Allow what the tip says may start."""
        digest = self.type("trust", "--print-digest").ok().out.strip()
        same(self.type("trust", "--digest", digest).ok().out, "Allowed.\n")

    def add(self, task: str, *lines: str) -> None:
        """Commit a task file whose agent runs `lines` of shell."""
        prompt = "\n".join(f"sh: {line}" for line in lines)
        done = self.type("task", "add", f"Do {task}", "--id", task, "-p", prompt, changes=ADDS)
        same((done.ok().out, done.err), (f"{task}\n", f"committed .cmat/tasks/{task}.yaml\n"))

    def work(self, task: str) -> Result:
        """Run the task in the foreground, to its review."""
        done = self.type("run", "now", task).ok()
        same(done.out, f"{task}: review\nnext: gitcmat review diff {task}\n")
        return done

    def land(self, task: str, changes: tuple[str, ...] = LANDS) -> Result:
        """Put it onto main."""
        done = self.type("land", task, changes=changes).ok()
        lines = alike(done.out).splitlines()[:2]
        same(lines, [f"{task}: landed on main as <short>", "gates: green (listing)"])
        return done

    def save_and_restore(self) -> None:
        """Save half-done work under a name, lose it, and get it back byte by byte."""
        repo = self.repo
        repo.write("README.md", "# Half done\n")
        repo.write("notes.txt", "mine\n")
        repo.git("add", "notes.txt")
        repo.write("notes.txt", "mine, and more\n")
        before = (repo.status(), repo.git("diff"), repo.git("diff", "--cached"))
        saved = self.type("checkpoint", "create", "half done").ok()
        same(
            alike(saved.out),
            "c-xxxxxxxx: 2 paths differ from HEAD\n"
            "back to it: gitcmat checkpoint restore c-xxxxxxxx\n",
        )
        repo.git("reset", "-q", "--hard")
        back = self.type("checkpoint", "restore", "half done", changes=("index", "files")).ok()
        same(
            alike(back.out),
            "restored c-xxxxxxxx (half done): 2 files, 1 staged\n"
            "undo: gitcmat checkpoint restore --undo (what was there is c-xxxxxxxx)\n",
        )
        same((repo.status(), repo.git("diff"), repo.git("diff", "--cached")), before)
        repo.git("reset", "-q", "--hard")

    def healthy(self) -> None:
        """Nothing is wrong, and doctor says so."""
        found = self.type("doctor", "--json").ok().json
        serious = [f for f in found["findings"] if f["severity"] != "info"]
        same((found["score"], serious), (100, []))

    def whole(self) -> None:
        """Go the whole way of one task, in a repository that is prepared."""
        self.add("first", "echo more >> README.md", "echo new > new.txt")
        self.work("first")
        shown = self.type("review", "show", "first").ok().out
        same(alike(shown), REVIEWED)
        self.land("first")
        same(self.repo.show("main", "new.txt"), "new\n")
        same(self.repo.read("new.txt"), "new\n")
        same(self.repo.status(), "")
        self.save_and_restore()
        same(self.type("status").ok().out, LANDED)
        self.healthy()


REVIEWED: Final = """\
first  review  Do first
  | sh: echo more >> README.md
  | sh: echo new > new.txt
  gates     green (listing)
    listing: passed, 0.0 s
  branch    cmat/first onto main: 2 files +2 -0
    <short> Do first (Pat Person)
    M README.md
    A new.txt
  diff      git diff main...cmat/first
  land      gitcmat land first
  reject    gitcmat review reject first -m "why"
"""

LANDED: Final = """\
1 done; no daemon is running

finished:
ID     STATE  PRIORITY  AGENT  NOTE  TITLE
first  done   normal                 Do first
"""
