"""Writes the tree of the records: only the folders on the way to what has changed are made anew."""

from collections.abc import Iterator, Mapping

from gitcmat.model.names import Sha
from gitcmat.store.git import Git
from gitcmat.store.objects import FILE, FOLDER, ObjectWriter

_Folder = dict[str, "_Folder | bytes | None"]
_Tree = dict[str, tuple[str, str]]


def write_tree(
    writer: ObjectWriter, git: Git, old: Sha | None, files: Mapping[str, bytes | None]
) -> Sha:
    """Write the trees that hold `files` (path → content, None: gone) over those of commit `old`."""
    root: _Folder = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            at = at.setdefault(folder, {})  # type: ignore[assignment]
        at[name] = data
    names = list(_folder_paths(root, ""))
    raw = git.blobs([f"{old}:{p}" for p in names]) if old else {}
    size = len(old or "") // 2  # bytes of an id, in this repository
    held = {p: _read_tree(raw.get(f"{old}:{p}", b""), size) for p in names}
    return _write(writer, root, "", held) or writer.tree([])


def _folder_paths(folder: _Folder, path: str) -> Iterator[str]:
    yield path
    for name, inner in folder.items():
        if isinstance(inner, dict):
            yield from _folder_paths(inner, f"{path}/{name}" if path else name)


def _read_tree(raw: bytes, size: int) -> _Tree:
    """Read a tree object: name → (mode, id)."""
    found: _Tree = {}
    at = 0
    while at < len(raw):
        space = raw.index(b" ", at)
        end = raw.index(b"\0", space)
        oid = raw[end + 1 : end + 1 + size]
        found[raw[space + 1 : end].decode()] = (raw[at:space].decode(), oid.hex())
        at = end + 1 + size
    return found


def _write(writer: ObjectWriter, folder: _Folder, path: str, held: dict[str, _Tree]) -> Sha | None:
    """Write `folder` over what was there; None when nothing is left in it."""
    entries = dict(held[path])
    for name, inner in folder.items():
        if isinstance(inner, dict):
            oid = _write(writer, inner, f"{path}/{name}" if path else name, held)
            mode = FOLDER
        else:
            oid = None if inner is None else writer.blob(inner)
            mode = FILE
        if oid is None:
            entries.pop(name, None)
        else:
            entries[name] = (mode, oid)
    if not entries:
        return None
    return writer.tree((mode, name, oid) for name, (mode, oid) in entries.items())
