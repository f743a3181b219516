"""Where things are measured: a temporary folder, with an environment that has nothing of the
person who runs it; real repositories in it, and the real program.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.measure import timed
from gitcmat.system.files import remove_tree

PROGRAM: Final = str(Path(sys.executable).with_name("gitcmat"))
"""The command as it is installed beside this Python."""
EMPTY_START: Final = (sys.executable, "-c", "pass")
"""A start of Python with nothing to do: what no program in Python can be faster than."""

_PASSED: Final = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")
_FILES_A_FOLDER: Final = 10
_LINE: Final = "a line of text that is as long as lines are\n"
_LINES: Final = 80


@contextmanager
def ground() -> Iterator["Ground"]:
    """Give a clean ground; at the end the environment is as before and the folder is gone.

    Nothing is removed until then: on some file systems it takes many times as long to make files
    where many were removed just before.
    """
    before = dict(os.environ)
    # Durable writes are part of what is measured, so this is on a disk where TMPDIR is.
    root = Path(tempfile.mkdtemp(prefix="gitcmat-bench-")).resolve()
    try:
        os.environ.clear()
        os.environ.update(_environment(before, root / "home"))
        yield Ground(root)
    finally:
        os.environ.clear()
        os.environ.update(before)
        remove_tree(root)


class Ground:
    """A temporary folder that repositories are made in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        settings = root / "home/.config/gitcmat/config.yaml"
        settings.parent.mkdir(parents=True)
        # Whatever the machine is short of: a daemon that waits would be measured as a slow one. The
        # floors isolate nothing, and an agent is to tell the world outside that it has started.
        settings.write_text(
            "limits: {load: 1000, memory: 1MB, disk: 1MB}\nsandbox: off\n", encoding="utf-8"
        )

    def project(self, name: str, files: int) -> "Project":
        """Make a repository with one commit of `files` small files, ten to a folder."""
        made = Project(self.root / name)
        made.path.mkdir()
        made.git("init", "-q", "--initial-branch=main")
        made.commit("Start", {file_name(n): text(n) for n in range(files)})
        return made


class Project:
    """A person's repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *argv: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's word
        """Run a program in the work tree and return what it printed.

        Raises RuntimeError, with what it said, when it exits other than with 0.
        """
        done = subprocess.run(
            argv, cwd=self.path, input=input or "", capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = done.stdout + done.stderr
            raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{said}")
        return done.stdout.rstrip("\n")

    def time(self, *argv: str) -> float:
        """Run a program in the work tree and return the seconds from its start to its end."""
        quiet = subprocess.DEVNULL
        return timed(
            lambda: subprocess.run(argv, cwd=self.path, stdin=quiet, stdout=quiet, check=True)
        )

    def git(self, *args: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's word
        """Run git as the person does."""
        return self.run("git", *args, input=input)

    def gitcmat(self, *args: str) -> str:
        """Run the real program."""
        return self.run(PROGRAM, *args)

    def write(self, files: Mapping[str, str]) -> None:
        """Save files, as an editor would."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def commit(self, message: str, files: Mapping[str, str]) -> None:
        """Save files and commit them."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)

    def use_gitcmat(self, *agent: str, gates: Mapping[str, str] | None = None) -> None:
        """Prepare the repository for gitcmat, with one agent that runs the argv `agent`, and
        allow what it may start. `gates` are names with the program of each.
        """
        self.gitcmat("init", "--no-detect", "--commit")
        wanted = "".join(f"  {name}: {{run: ['{run}']}}\n" for name, run in (gates or {}).items())
        config = f"schema: 1\ngates:\n{wanted}" if wanted else "schema: 1\n"
        argv = ", ".join(f"'{word}'" for word in agent or ("true",))
        self.commit(
            "Say how to work",
            {
                ".cmat/config.yaml": f"{config}defaults: {{agent: worker}}\n",
                ".cmat/agents/worker.md": f"---\nname: worker\ncommand: [{argv}]\n---\n",
            },
        )
        self.gitcmat("trust", "--digest", self.gitcmat("trust", "--print-digest"))

    def dirty(self, mark: str) -> None:
        """Change five files and make three new ones, which differ for each `mark`."""
        self.write({file_name(n): f"{mark}\n{text(n)}" for n in range(5)})
        self.write({f"new-{n}.txt": f"{mark}\n" for n in range(3)})


def file_name(number: int) -> str:
    """The path of one of the files that a project is made of."""
    return f"src/part-{number // _FILES_A_FOLDER:04}/file-{number:05}.txt"


def text(number: int) -> str:
    """Its content: up to 3.6 kB, and no two the same."""
    return f"file {number}\n" + _LINE * (number % _LINES)


def _environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    folders = {
        "HOME": home,
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
    }
    person = {"NAME": "Pat Person", "EMAIL": "pat@example.org"}
    return {
        **{name: environ[name] for name in _PASSED if name in environ},
        **{name: str(folder) for name, folder in folders.items()},
        **{f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in person.items()},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "TZ": "UTC",
        "USER": "pat",
        "LOGNAME": "pat",
    }
