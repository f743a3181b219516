"""A real repository with a small language for what a person does in it, and a guard on theirs.

Once frozen (by `freeze`, or by the first `gitcmat(...)` in it) nothing of the person's may change
but by this class: each method that writes looks first whether all is as it was, then acts, then
freezes again. The fixture `person_stays_untouched` looks a last time at the end of each test.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

from tests.support.digest import Digest, difference, digest

_READING: Final = frozenset(
    {"cat-file", "diff", "for-each-ref", "fsck", "log", "ls-files", "ls-tree", "merge-base"}
    | {"rev-list", "rev-parse", "show", "show-ref", "status", "var"}
)


class TestRepo:
    """A repository of a person; `path` is its work tree (or the bare folder)."""

    __test__ = False

    made: ClassVar[list["TestRepo"]] = []
    """Those made in this test; emptied by the fixture that checks them."""

    def __init__(
        self, path: Path, *, bare: bool = False, object_format: str = "sha1", branch: str = "main"
    ) -> None:
        self.path = path
        self.work_tree = None if bare else path
        self.git_dir = path if bare else path / ".git"
        self._frozen: Digest | None = None
        self._allowed: tuple[str, ...] = ()
        path.mkdir(parents=True, exist_ok=True)
        kind = ["--bare"] if bare else []
        self._git(
            "init", "-q", f"--initial-branch={branch}", f"--object-format={object_format}", *kind
        )
        TestRepo.made.append(self)

    @classmethod
    def at(cls, path: Path) -> "TestRepo":
        """Take a repository that is there already, or one work tree of it.

        Of a linked work tree its own git directory is guarded: its HEAD, its index, its files.
        """
        there = cls.__new__(cls)
        there.path = path
        there._frozen, there._allowed = None, ()
        there.git_dir = Path(there._git("rev-parse", "--absolute-git-dir"))
        bare = there._git("rev-parse", "--is-bare-repository") == "true"
        there.work_tree = None if bare else path
        TestRepo.made.append(there)
        return there

    # --- what a person does -----------------------------------------------------------------

    def git(
        self, *args: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Run git in the repository; return its output without the last newline.

        Raises AssertionError with git's own words when it fails.
        """
        if args[0] in _READING:
            return self._git(*args, stdin=stdin, env=env)
        with self.as_person():
            return self._git(*args, stdin=stdin, env=env)

    def write(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        """Save a file, as an editor would that writes in place."""
        path = self.path / name
        with self.as_person():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(mode)
        return path

    def delete(self, name: str) -> None:
        """Remove a file of the work tree."""
        with self.as_person():
            (self.path / name).unlink()

    def commit(self, message: str = "change", files: Mapping[str, str] | None = None) -> str:
        """Write `files`, add all that is not ignored, commit (even nothing); return the commit."""
        with self.as_person():
            for name, text in (files or {}).items():
                path = self.path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            self._git("add", "--all")
            self._git("commit", "-q", "--allow-empty", "-m", message)
        return self.tip()

    def branch(self, name: str, at: str = "HEAD") -> None:
        """Make a branch without switching to it."""
        self.git("branch", "-q", name, at)

    def switch(self, name: str) -> None:
        """Check out an existing branch."""
        self.git("switch", "-q", name)

    @contextmanager
    def as_person(self) -> Iterator[None]:
        """Whatever changes inside is the person's own doing."""
        self.check()
        yield
        if self._frozen is not None:
            self.freeze()

    # --- what can be seen ---------------------------------------------------------------------

    def read(self, name: str) -> str:
        """Return the text of a file in the work tree."""
        return (self.path / name).read_text(encoding="utf-8")

    def tip(self, ref: str = "HEAD") -> str:
        """Return the commit that `ref` names."""
        return self._git("rev-parse", "--verify", f"{ref}^{{commit}}")

    def has(self, ref: str) -> bool:
        """Say whether `ref` (a full name) exists."""
        return ref in self.refs()

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Return full names of refs below `prefix` and what they point to."""
        lines = self._git("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def show(self, ref: str, name: str) -> str:
        """Return the text of a file in a commit, with its last newline."""
        return self._git("show", f"{ref}:{name}", keep=True)

    def names(self, ref: str) -> list[str]:
        """Return the paths of all files in a commit."""
        return self._git("ls-tree", "-r", "--name-only", ref).splitlines()

    def status(self) -> str:
        """Return `git status --porcelain`, without touching the index."""
        return self._git("status", "--porcelain", "--untracked-files=all")

    # --- the guard ----------------------------------------------------------------------------

    def freeze(self) -> None:
        """From here on nothing of the person's may change, but for what `allow` has named."""
        self._frozen = digest(self.git_dir, self.work_tree)

    def keep_frozen(self) -> None:
        """Freeze, unless that has been done; what changed since then is still found."""
        if self._frozen is None:
            self.freeze()

    def allow(self, *keys: str) -> None:
        """Let these parts or keys change for the rest of the test (see `tests.support.digest`)."""
        self._allowed += keys

    def check(self, *, allowing: tuple[str, ...] = ()) -> None:
        """Raise AssertionError with one line per unexpected change since the last `freeze`."""
        if self._frozen is None:
            return
        now = digest(self.git_dir, self.work_tree)
        changes = difference(self._frozen, now, (*self._allowed, *allowing))
        if changes:
            self._frozen = None  # said once, not again at the end of the test
            lines = "\n  ".join(changes)
            raise AssertionError(
                f"what belongs to the person has changed in {self.path}:\n  {lines}"
            )

    @contextmanager
    def guarded(self, *allowing: str) -> Iterator[None]:
        """Freeze, and check at the end of the block; `allowing` may change inside it."""
        self.keep_frozen()
        self.check()
        yield
        self.check(allowing=allowing)
        if allowing:
            self.freeze()

    def _git(
        self,
        *args: str,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        keep: bool = False,
    ) -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", **(env or {})},
            input="" if stdin is None else stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip()
            raise AssertionError(f"git {' '.join(args)}: exit {done.returncode}\n{said}")
        return done.stdout if keep else done.stdout.rstrip("\n")
