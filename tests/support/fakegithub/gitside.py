"""The bare repository behind a repository of the fake GitHub."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_HUB = {"GIT_COMMITTER_NAME": "GitHub", "GIT_COMMITTER_EMAIL": "noreply@example.org"}


class Conflicting(Exception):
    """Two commits do not merge."""


class GitSide:
    """Reads and merges in a bare repository, as a forge does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *args: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run git in it; return its output without the last newline."""
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *args],
            input=stdin,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **_HUB, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Conflicting(f"git {args[0]}: {done.stderr}{done.stdout}")
        return done.stdout.rstrip("\n")

    def branches(self) -> dict[str, str]:
        """Return all branches with their commits."""
        text = self.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads")
        pairs = (line.split(" ", 1) for line in text.splitlines())
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in pairs}

    def has(self, sha: str) -> bool:
        """Whether there is such a commit."""
        try:
            self.git("cat-file", "-e", f"{sha}^{{commit}}")
        except Conflicting:
            return False
        return True

    def contains(self, tip: str, commit: str) -> bool:
        """Whether `commit` is `tip` or an ancestor of it."""
        try:
            self.git("merge-base", "--is-ancestor", commit, tip)
        except Conflicting:
            return False
        return True

    def update(self, ref: str, sha: str) -> None:
        """Move or make a ref."""
        self.git("update-ref", ref, sha)

    def take(self, other: "GitSide", sha: str) -> None:
        """Bring a commit of another repository here."""
        self.git("fetch", "-q", str(other.path), sha)

    def commits(self, base: str, head: str) -> list[str]:
        """Return what `head` has and `base` has not, oldest first."""
        return self.git("rev-list", "--reverse", head, f"^{base}").splitlines()

    def base(self, base: str, head: str) -> str:
        """Return their best common ancestor."""
        return self.git("merge-base", base, head)

    def blob(self, sha: str, path: str) -> str:
        """Return the id of a file's content; empty when it is not there."""
        try:
            return self.git("rev-parse", "--verify", "-q", f"{sha}:{path}")
        except Conflicting:
            return ""

    def hunk(self, base: str, head: str, path: str) -> str:
        """Return the first hunk of what changes in a file."""
        text = self.git("diff", "--no-color", f"{base}...{head}", "--", path)
        _, found, rest = text.partition("\n@@")
        return (found + rest).lstrip("\n") if found else f"@@ -1 +1 @@ {path}"

    def files(self, base: str, head: str) -> list[tuple[str, str, str, int, int]]:
        """Return what changed from their common ancestor: letter, path, path before, + and -."""
        ends = f"{base}...{head}"
        counted: dict[str, tuple[int, int]] = {}
        numbers = self.git("diff", "--numstat", "-z", "--no-renames", ends).split("\0")
        for line in filter(None, numbers):
            plus, minus, path = line.split("\t")
            counted[path] = (int(plus.replace("-", "0")), int(minus.replace("-", "0")))
        found = []
        parts = iter(self.git("diff", "--name-status", "-z", "-M", ends).split("\0"))
        for letter in parts:
            if letter:
                path = before = next(parts)
                if letter[0] in "RC":
                    path = next(parts)
                else:
                    before = ""
                found.append((letter[0], path, before, *counted.get(path, (0, 0))))
        return found

    def mergeable(self, base: str, head: str) -> bool:
        """Whether they merge without a conflict."""
        try:
            self._tree(base, head)
        except Conflicting:
            return False
        return True

    def merge(self, base: str, head: str, author: str, message: str) -> str:
        """Make a merge commit of both."""
        return self._commit(self._tree(base, head), message, author, base, head)

    def squash(self, base: str, head: str, author: str, message: str) -> str:
        """Make one commit on `base` of all that `head` has."""
        return self._commit(self._tree(base, head), message, author, base)

    def rebase(self, base: str, head: str) -> str:
        """Put the commits of `head` on `base`, one by one; return the last."""
        tip = base
        for commit in self.commits(base, head):
            parent = self.git("rev-parse", f"{commit}^")
            # Both sides as children of `parent`, as that is what git then merges against.
            ours = self.git("commit-tree", f"{tip}^{{tree}}", "-p", parent, "-m", "x")
            tree = self._tree(ours, commit)
            name, mail, when = self.git("show", "-s", "--format=%an%n%ae%n%aI", commit).splitlines()
            message = self.git("show", "-s", "--format=%B", commit)
            env = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": when}
            tip = self.git("commit-tree", tree, "-p", tip, stdin=message, env=env)
        return tip

    def _tree(self, base: str, head: str) -> str:
        return self.git("merge-tree", "--write-tree", "--no-messages", base, head).split("\n")[0]

    def _commit(self, tree: str, message: str, author: str, *parents: str) -> str:
        env = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": f"{author}@users.example.org"}
        named = [arg for parent in parents for arg in ("-p", parent)]
        return self.git("commit-tree", tree, *named, stdin=message, env=env)
