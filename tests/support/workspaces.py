"""A workspace on a person's repository, and an agent that does in it what tests tell it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gitcmat.model.job import Identity
from gitcmat.store.collected import Collected
from gitcmat.store.git import discover
from gitcmat.store.slots import default_root, slot_folder
from gitcmat.store.workspaces import Prepared, Workspace
from tests.support.repo import TestRepo

PERSON: Final = Identity(name="Pat Person", email="pat@example.org")


class Desk:
    """`agent` is the folder that the agent works in; `base` the commit that it begins at."""

    def __init__(self, repo: TestRepo, *, at: Path | None = None) -> None:
        self.repo = repo
        host = discover(at or repo.path)
        self.space = Workspace(host, slot_folder(default_root(), host, 1))
        self.agent = self.space.tree
        self.base = repo.tip()

    def prepare(
        self, start: str = "", *, keep: Sequence[str] = (), copy: Sequence[str] = ()
    ) -> Prepared:
        return self.space.prepare(
            start or self.base, base=self.base, identity=PERSON, keep=keep, copy=copy
        )

    def collect(self, *, start: str = "") -> Collected:
        return self.space.collect(
            base=self.base,
            start=start or self.base,
            message="Work on parse-dates",
            identity=PERSON,
            trailers={"Cmat-Task": "parse-dates", "Cmat-Run": "r-abcdefgh"},
        )

    def bring_home(self, collected: Collected, run: str = "r-abcdefgh") -> str:
        ref = f"refs/cmat/runs/{run}"
        self.space.bring_home(collected.head, known=[self.base], ref=ref, old=None)
        return ref

    # --- what the agent does --------------------------------------------------------------

    def git(self, *args: str, ok: bool = True) -> str:
        """Run git as the agent would, in its folder and with no identity from outside."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_AUTHOR", "GIT_COMM"))}
        done = subprocess.run(
            ["git", *args], cwd=self.agent, env=env, capture_output=True, text=True, check=False
        )
        if ok and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout.rstrip("\n")

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.agent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")

    def commit(self, message: str, files: Mapping[str, str]) -> str:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    # --- what can be seen -----------------------------------------------------------------

    def names(self, commit: str) -> list[str]:
        return sorted(self.vault("ls-tree", "-r", "-z", "--name-only", commit).split("\0")[:-1])

    def show(self, commit: str, name: str) -> str:
        return self.vault("cat-file", "blob", f"{commit}:{name}")

    def vault(self, *args: str) -> str:
        """Run git in the vault, where a result is before it is brought home."""
        done = subprocess.run(
            ["git", f"--git-dir={self.space.vault.folder}", *args],
            capture_output=True,
            check=True,
        )
        return os.fsdecode(done.stdout)


def snapshot(tree: Path) -> dict[str, str]:
    """Describe every file, link and folder in a work tree but its ``.git``."""
    found = {}
    for parent, folders, names in os.walk(tree):
        if Path(parent) == tree:
            folders.remove(".git")
        for name in (*folders, *names):
            path = Path(parent, name)
            key = str(path.relative_to(tree))
            if path.is_symlink():
                found[key] = f"link to {path.readlink()}"
            elif path.is_dir():
                found[key] = "folder"
            else:
                mode = "x" if path.stat().st_mode & 0o100 else "-"
                found[key] = f"{mode} {path.read_bytes()!r}"
    return found
