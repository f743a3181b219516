"""Thirty things that a person does with git, chosen by chance, done in two repositories alike.

One of the two is watched by gitcmat, the other never saw it. Whatever a person's verbs leave must
be the same in both: history, branches, tags, stash, index and files.
"""

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

_DATE: Final = 1_750_000_000
_TRIES: Final = 200
_SETTINGS: Final = (".cmat/config.yaml", ".cmat/agents", "tools")


class Person:
    """Somebody at work in two repositories at once, who does the same in each."""

    def __init__(self, watched: Path, shadow: Path, seed: int) -> None:
        """`seed` decides on all that is done."""
        self.places = (watched, shadow)
        self.steps = 0
        self.chance = random.Random(seed)  # noqa: S311 - to be repeated
        self.start = self._run(watched, ("rev-parse", "HEAD")).stdout.strip()
        """Where all begins; before it there are no settings, and these are allowed."""
        self.tasks = 0
        self.done: list[str] = []
        """What was done, for whoever looks for a fault."""

    # --- one step ------------------------------------------------------------------------------

    def step(self) -> None:
        """Do one thing, or try to: what git refuses, it refuses in both."""
        self.steps += 1
        verb = self.chance.choice(VERBS)
        self.done.append(verb.__name__)
        verb(self)

    def git(self, *args: str) -> bool:
        """Run git in both; say whether it went well. Raises AssertionError if one differs."""
        self.done[-1] += f" | git {' '.join(args)}"
        ends = [self._run(place, args) for place in self.places]
        codes = [end.returncode for end in ends]
        said = "\n".join(end.stderr + end.stdout for end in ends)
        assert codes[0] == codes[1], f"{self.done[-1]}: {codes}\n{said}"
        return codes[0] == 0

    def _run(self, place: Path, args: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        date = f"{_DATE + self.steps} +0000"  # the same commit in both has the same id
        env = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        env |= {"GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no"}
        for _ in range(_TRIES):  # a lock of the daemon's landing or of an editor is soon gone
            end = subprocess.run(
                ["git", *args],
                cwd=place,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                check=False,
            )
            if "index.lock" not in end.stderr:
                return end
        raise AssertionError(f"git {args} has found the index locked all the time")

    def write(self, name: str, text: str) -> None:
        """Save a file in both."""
        self.done[-1] += f" | {name}"
        for place in self.places:
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def some_file(self) -> str:
        """One of a few names, so that changes meet."""
        return self.chance.choice(("one.txt", "two.txt", "sub/three.txt", "with space.txt"))

    def some_branch(self) -> str:
        """A branch of the person's, which may be there or not."""
        return self.chance.choice(("main", "topic", "fix/one", "old"))

    def some_commit(self) -> str:
        """A commit by a name that is the same in both."""
        return self.chance.choice(("HEAD", "HEAD~1", "HEAD~2", "main", "topic", "main~1"))

    def some_text(self) -> str:
        """A few lines."""
        return "".join(f"{self.chance.randrange(4)}\n" for _ in range(self.chance.randrange(1, 5)))

    def come_to_rest(self) -> str:
        """End what is under way, go to main and commit a task there that can be worked on; return
        its id.
        """
        self.done.append("come to rest")
        give_up(self)
        if not self.git("switch", "-q", "-f", "main"):
            self.git("switch", "-q", "-f", "-c", "main")
        if not self.git("merge-base", "--is-ancestor", self.start, "HEAD"):
            self.git("reset", "-q", "--hard", self.start)
        self.git("bisect", "reset", "HEAD")  # if files were in the way of going back before
        self.git("switch", "-q", "-f", "main")
        self.git("checkout", "-q", self.start, "--", *_SETTINGS)  # by chance it was reverted
        self.git("commit", "-q", "-m", "Settings")
        task(self)
        return f"by-chance-{self.tasks}"

    # --- what is to be compared ----------------------------------------------------------------

    def left(self, place: Path) -> dict[str, str]:
        """What the verbs have left in one repository; gitcmat's own is not in it."""
        ours = (" refs/cmat/", " refs/heads/cmat/")
        asked = {
            "HEAD": ("rev-parse", "--symbolic-full-name", "HEAD"),
            "commit": ("rev-parse", "-q", "--verify", "HEAD"),
            "refs": ("for-each-ref", "--format=%(objectname) %(refname)"),
            "stash": ("stash", "list"),
            "index": ("ls-files", "--stage"),
            "status": ("status", "--porcelain", "--untracked-files=all", "--ignored=no"),
            "reflog": ("reflog", "--format=%H %gs"),
            "diff": ("diff",),
        }
        found = {}
        for name, args in asked.items():
            out = self._run(place, ("--no-optional-locks", *args)).stdout
            lines = [line for line in out.splitlines() if not any(o in line for o in ours)]
            found[name] = "\n".join(lines)
        return found

    def compare(self) -> None:
        """Raise AssertionError where the two differ, with all that was done."""
        watched, shadow = map(self.left, self.places)
        for name, wanted in shadow.items():
            story = "\n".join(self.done[-30:])
            assert watched[name] == wanted, (
                f"{name} differs after {self.steps} steps\n--- watched\n{watched[name]}\n"
                f"--- shadow\n{wanted}\n--- the last steps\n{story}"
            )


Verb = Callable[[Person], object]


def save(who: Person) -> None:
    """Change a file, and leave it so."""
    who.write(who.some_file(), who.some_text())


def stage(who: Person) -> None:
    """Change a file and stage it."""
    name = who.some_file()
    who.write(name, who.some_text())
    who.git("add", "--", name)


def commit(who: Person) -> None:
    """Commit what is staged."""
    who.git("commit", "-q", "-m", f"Step {who.steps}")


def commit_all(who: Person) -> None:
    """Change a file and commit everything."""
    who.write(who.some_file(), who.some_text())
    who.git("add", "--all")
    who.git("commit", "-q", "-m", f"Step {who.steps}")


def task(who: Person) -> None:
    """Commit a task file, and nothing else."""
    who.tasks += 1
    path = f".cmat/tasks/by-chance-{who.tasks}.yaml"
    who.write(path, f"title: Work {who.tasks}\nprompt: |\n  sh: echo {who.tasks} > work.txt\n")
    if not (who.git("add", "--", path) and who.git("commit", "-q", "-m", "Task", "--", path)):
        who.git("reset", "-q", "--", path)


def amend(who: Person) -> None:
    """Change the last commit."""
    who.git("commit", "-q", "--amend", "-m", f"Amended {who.steps}")


def unstage(who: Person) -> None:
    """Take a file out of the index again."""
    who.git("reset", "-q", "--", who.some_file())


def reset_soft(who: Person) -> None:
    """Go back a commit and keep everything."""
    who.git("reset", "-q", "--soft", "HEAD~1")


def reset_mixed(who: Person) -> None:
    """Go back a commit and keep the files."""
    who.git("reset", "-q", "HEAD~1")


def reset_hard(who: Person) -> None:
    """Throw changes away."""
    who.git("reset", "-q", "--hard", who.some_commit())


def restore(who: Person) -> None:
    """Take a file from the index."""
    who.git("restore", "--", who.some_file())


def switch(who: Person) -> None:
    """Check a branch out."""
    who.git("switch", "-q", who.some_branch())


def make_branch(who: Person) -> None:
    """Make a branch and check it out."""
    who.git("switch", "-q", "-c", who.some_branch(), who.some_commit())


def detach(who: Person) -> None:
    """Check a commit out."""
    who.git("switch", "-q", "--detach", who.some_commit())


def delete_branch(who: Person) -> None:
    """Delete a branch."""
    who.git("branch", "-q", "-D", who.some_branch())


def rename_branch(who: Person) -> None:
    """Give a branch another name."""
    who.git("branch", "-q", "-M", "topic", "fix/one")


def move_branch(who: Person) -> None:
    """Move a branch that is not checked out."""
    who.git("branch", "-q", "-f", who.some_branch(), who.some_commit())


def stash(who: Person) -> None:
    """Put changes away."""
    who.git("stash", "push", "-q", "-m", f"Step {who.steps}")


def stash_untracked(who: Person) -> None:
    """Put changes and new files away."""
    who.git("stash", "push", "-q", "--include-untracked", "-m", f"Step {who.steps}")


def stash_pop(who: Person) -> None:
    """Get them back."""
    who.git("stash", "pop", "-q")


def stash_drop(who: Person) -> None:
    """Forget them."""
    who.git("stash", "drop", "-q")


def merge(who: Person) -> None:
    """Merge a branch, and stay in the middle if it conflicts."""
    who.git("merge", "-q", "--no-edit", who.some_branch())


def rebase(who: Person) -> None:
    """Rebase onto a branch, and stay in the middle if it conflicts."""
    who.git("rebase", "-q", who.some_branch())


def cherry_pick(who: Person) -> None:
    """Take over a commit, and stay in the middle if it conflicts."""
    who.git("cherry-pick", who.some_commit())


def revert(who: Person) -> None:
    """Revert a commit, and stay in the middle if it conflicts."""
    who.git("revert", "--no-edit", who.some_commit())


def bisect(who: Person) -> None:
    """Begin to look for a fault."""
    if who.git("bisect", "start") and who.git("bisect", "bad"):
        who.git("bisect", "good", "HEAD~2")


def give_up(who: Person) -> None:
    """End whatever is under way."""
    for verb in ("merge", "rebase", "cherry-pick", "revert"):
        who.git(verb, "--abort")
    who.git("bisect", "reset")


def go_on(who: Person) -> None:
    """Settle conflicts by taking what is there, and go on."""
    who.git("add", "--all")
    for verb in ("rebase", "cherry-pick", "revert", "merge"):
        who.git(verb, "--continue")


def tag(who: Person) -> None:
    """Name a commit, or move the name."""
    who.git("tag", "-f", f"v{who.chance.randrange(3)}", who.some_commit())


def remove(who: Person) -> None:
    """Remove a file."""
    who.git("rm", "-q", "-f", "--", who.some_file())


def rename(who: Person) -> None:
    """Give a file another name."""
    who.git("mv", "-f", "--", who.some_file(), who.some_file())


def clean(who: Person) -> None:
    """Remove new files that are not ignored."""
    who.git("clean", "-q", "-f", "-d")


def tidy(who: Person) -> None:
    """Let git tidy up, all that it can."""
    who.git("gc", "-q", "--prune=now")


VERBS: Final[tuple[Verb, ...]] = (
    save, stage, commit, commit_all, commit_all, task, task, amend, unstage, reset_soft,
    reset_mixed, reset_hard, restore, switch, switch, make_branch, detach, delete_branch,
    rename_branch, move_branch, stash, stash_untracked, stash_pop, stash_drop, merge, rebase,
    cherry_pick, revert, bisect, give_up, give_up, go_on, tag, remove, rename, clean, tidy,
)  # fmt: skip
"""What is chosen from; some come up more often."""
