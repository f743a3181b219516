"""Git directories that we write ourselves: the vault of a workspace, and the agent's own ``.git``.

Both have the same parts. Writing them by hand costs no process and leaves nothing to a template, a
hook or a setting of the person's; only the settings that depend on the filesystem are asked from
``git init``, once per workspace.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_letters, digits
from typing import Final

from gitcmat.errors import UserError
from gitcmat.store.git import GitError
from gitcmat.store.git_rules import environment, program
from gitcmat.system import proc
from gitcmat.system.files import remove_tree

PRIVATE: Final[Mapping[str, str]] = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_DEFAULT_REF_FORMAT": "files",
}
"""Environment of a git that knows no settings but ours: no filter, no driver, no replacement."""

BRANCH: Final = "refs/heads/work"
"""The branch that an agent starts on."""

_PLAIN: Final = frozenset(f"{ascii_letters}{digits}/._-+@, ".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFolder:
    """What a git directory is made of."""

    config: str
    """The whole text of ``config``."""
    head: str
    """The whole line of ``HEAD``, without its end."""
    alternates: Sequence[Path]
    """Folders of objects that are read as if they were its own."""
    exclude: bytes
    """The whole text of ``info/exclude``."""
    shallow: bytes | None
    """Where history ends, as the host says it."""
    refs: Mapping[str, str] = field(default_factory=dict)
    """Full names of refs, written loose."""
    packed_refs: bytes = b""
    """The whole text of ``packed-refs``; empty for none."""

    def write(self, folder: Path) -> None:
        """Write the parts into `folder`; objects and an index that are there stay."""
        for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        write_alternates(folder, self.alternates)
        parts = {
            "HEAD": self.head.encode() + b"\n",
            "config": self.config.encode("utf-8", "surrogateescape"),
            "info/exclude": self.exclude,
            "shallow": self.shallow or b"",
            "packed-refs": self.packed_refs,
            **{name: oid.encode() + b"\n" for name, oid in self.refs.items()},
        }
        for name, data in parts.items():
            path = folder / name
            if data or name == "info/exclude":
                path.write_bytes(data)
            else:
                path.unlink(missing_ok=True)


def write_alternates(folder: Path, objects: Sequence[Path]) -> None:
    """Let the git directory `folder` read these folders of objects as if they were its own."""
    lines = [quoted(path) + b"\n" for path in objects]
    (folder / "objects/info/alternates").write_bytes(b"".join(lines))


def make_empty(folder: Path) -> None:
    """Make `folder` an empty folder, whatever was there."""
    remove_tree(folder)
    folder.mkdir(parents=True)


def filesystem_settings(folder: Path, object_format: str) -> str:
    """Return the ``config`` that ``git init`` makes for a work tree in `folder`, made by us alone.

    It holds what depends on the filesystem (modes, symlinks, case) and the format of the ids.
    """
    trial = folder / "probe"
    make_empty(trial)
    asked = ("--quiet", "--template=", "--initial-branch=work", f"--object-format={object_format}")
    done = proc.run(
        [program(), "init", *asked, "--", str(trial)], cwd=folder, env=environment(PRIVATE)
    )
    if done.code != 0:
        raise GitError(done)
    text = (trial / ".git" / "config").read_text(encoding="utf-8")
    remove_tree(trial)
    return text


def section(name: str, values: Mapping[str, str]) -> str:
    """Return a section of a git configuration; `name` may be ``filter "lfs"``."""
    lines = [f"[{name}]"]
    for key, value in values.items():
        safe = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'\t{key} = "{safe}"')
    return "\n".join(lines) + "\n"


def quoted(path: Path) -> bytes:
    """Return a path as a line of ``alternates``, in C's quotes when it has odd characters."""
    raw = os.fsencode(path)
    if all(byte in _PLAIN for byte in raw):
        return raw
    return b'"' + b"".join(_escaped(byte) for byte in raw) + b'"'


def read_shallow(common_dir: Path) -> bytes | None:
    """Return the host's list of commits whose parents it lacks, None for a whole history."""
    try:
        return (common_dir / "shallow").read_bytes()
    except FileNotFoundError:
        return None


def copy_index(source: Path, target: Path) -> None:
    """Give an agent the index of a tree that was checked out with ours."""
    try:
        shutil.copyfile(source / "index", target / "index")
    except FileNotFoundError as error:
        raise UserError(f"{source} has no index.", hint="gitcmat doctor") from error


def _escaped(byte: int) -> bytes:
    if byte in _PLAIN:
        return bytes([byte])
    return b"\\%03o" % byte
