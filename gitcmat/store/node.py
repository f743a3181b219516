"""Who this machine is to a repository: an opaque id, bound to the git directory so that a copied
folder gets a new one.
"""

import json
from pathlib import Path
from typing import Final

from gitcmat.model.names import NodeId, is_id
from gitcmat.store import refs
from gitcmat.store.git import Git, Repository

_FILE: Final = "node.json"


def node_id(repo: Repository, git: Git) -> NodeId:
    """Return this repository's node, made on the first call.

    A copied repository goes on from the facts that were copied with it, under an id of its own.
    """
    from gitcmat.system import ids
    from gitcmat.system.locks import FileLock

    file = file_of(repo)
    found = _read(file)
    if found and found[1] == _binding(repo.common_dir):
        return NodeId(found[0])
    repo.cmat.mkdir(mode=0o700, exist_ok=True)
    with FileLock(repo.cmat / "node.lock"):
        found = _read(file)
        if found and found[1] == _binding(repo.common_dir):
            return NodeId(found[0])
        node = f"n-{ids.token()}"
        held = git.ref(refs.state_ref(found[0])) if found else None
        if held:
            git.update_ref(refs.state_ref(node), held, None, why="copied repository")
        remember(repo, node)
        return NodeId(node)


def remember(repo: Repository, node: str) -> None:
    """Write down which node this machine is to the repository, bound to its git directory."""
    from gitcmat.system.files import write_atomic

    content = {"node": node, "bound": _binding(repo.common_dir)}
    write_atomic(file_of(repo), json.dumps(content).encode() + b"\n", durable=True)


def file_of(repo: Repository) -> Path:
    """Where it is written down."""
    return repo.cmat / _FILE


def known_node(repo: Repository) -> NodeId | None:
    """Return this repository's node without making one: for commands that only read."""
    found = _read(file_of(repo))
    return NodeId(found[0]) if found and found[1] == _binding(repo.common_dir) else None


def copied_node(repo: Repository) -> NodeId | None:
    """Return the node whose facts came with a copied repository, as long as it has none itself."""
    found = _read(file_of(repo))
    return NodeId(found[0]) if found and found[1] != _binding(repo.common_dir) else None


def _binding(common_dir: Path) -> str:
    """What a copy cannot have: a move keeps device and inode, a copy gets new ones."""
    found = common_dir.stat()
    return f"{found.st_dev}:{found.st_ino}"


def _read(file: Path) -> tuple[str, str] | None:
    try:
        held = json.loads(file.read_bytes())
        node, bound = held["node"], held["bound"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(node, str) or not is_id(node) or not isinstance(bound, str):
        return None
    return node, bound
