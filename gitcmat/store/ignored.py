"""What is ignored in a workspace beyond its ``.gitignore`` files."""

import os
from pathlib import Path

from gitcmat.model.agent_config import LITTER
from gitcmat.store.git import Git, Repository
from gitcmat.store.layout import CMAT, FACTS
from gitcmat.store.slots import Slot


def ignored(slot: Slot, host: Repository, git: Git) -> bytes:
    """Return the lines of ``info/exclude``: the person's, our facts, what is copied in or kept, and
    what agents' programs keep for themselves.

    `git` is that of the person's repository, `host`.
    """
    ours = [f"/{CMAT}/{name}/" for name in FACTS]
    ours += [_literal(path) for path in slot.copied] + [*slot.keep, *LITTER]
    return b"\n".join([*_persons(host, git), os.fsencode("\n".join(ours)), b""])


def _persons(host: Repository, git: Git) -> list[bytes]:
    """The person's own ignore files, as they are now: an agent could change them later."""
    named = git.maybe("config", "--type=path", "--get", "core.excludesFile")
    settings = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    everywhere = Path(named) if named else Path(settings) / "git" / "ignore"
    files = (everywhere, host.common_dir / "info" / "exclude")
    return [path.read_bytes() for path in files if path.is_file()]


def _literal(path: str) -> str:
    """Return a path as a line of an ignore file that means it alone."""
    return "/" + "".join(f"\\{c}" if c in "\\*?[ " else c for c in path.strip("/"))
