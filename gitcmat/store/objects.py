"""The writer of our objects: blobs, trees and one commit become one pack, and one ref moves to it.

Objects of ours are made in memory and nowhere else. They reach the store together (`packs` says
how), so a crash leaves unreachable objects or nothing.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from gitcmat.model.names import Sha
from gitcmat.store.git import Git, Repository
from gitcmat.store.packs import OnStep, RefMove, no_step, publish_pack

FILE: Final = "100644"
PROGRAM: Final = "100755"
LINK: Final = "120000"
FOLDER: Final = "40000"
SUBMODULE: Final = "160000"

_KINDS: Final = {"commit": 1, "tree": 2, "blob": 3}
_MODES: Final = frozenset({FILE, PROGRAM, LINK, FOLDER, SUBMODULE})
_SIGNATURE: Final = re.compile(r"[^<>\n\0]*<[^<>\n\0]*> \d+ [+-]\d{4}")
_STORED_LIMIT: Final = 0xFFFF


class ObjectWriter:
    """Collects the objects of one commit, then publishes them, once. Not thread-safe.

    The ids are right at once and may be used in trees and commits, but no other process sees an
    object before `publish`. `on_step` is told each step of `packs.STEPS` (tests end the process
    there).
    """

    def __init__(self, repo: Repository, git: Git, *, on_step: OnStep = no_step) -> None:
        self._repo = repo
        self._git = git
        self._on_step = on_step
        self._new_hash = hashlib.sha256 if repo.object_format == "sha256" else hashlib.sha1
        self._entries: dict[Sha, bytes] = {}

    def blob(self, data: bytes) -> Sha:
        """Add the content of a file."""
        return self._add("blob", data)

    def tree(self, entries: Iterable[tuple[str, str, str]]) -> Sha:
        """Add a folder of (mode, name, id) in any order; its own folders may have ``040000``.

        Raises:
            ValueError: a name that is there twice or that no folder may have (empty, with a slash,
                ``..``, ``.git``), or an unknown mode.
        """
        found: dict[bytes, bytes] = {}
        names: set[str] = set()
        for mode, name, oid in entries:
            mode = mode.lstrip("0")  # noqa: PLW2901 - `ls-tree` prints a zero that a tree must not have
            if mode not in _MODES:
                raise ValueError(f"{mode!r} is not a mode of a tree entry")
            if _is_bad_name(name) or name in names:
                raise ValueError(f"{name!r} cannot be a name in this tree")
            names.add(name)
            raw = name.encode("utf-8", "surrogateescape")
            # git sorts a folder as if its name ended with a slash.
            key = raw + b"/" if mode == FOLDER else raw
            found[key] = mode.encode() + b" " + raw + b"\0" + bytes.fromhex(oid)
        return self._add("tree", b"".join(found[key] for key in sorted(found)))

    def commit(
        self, *, tree: str, parents: Sequence[str], author: str, committer: str, message: str
    ) -> Sha:
        """Add a commit; `signature` or ``git var GIT_AUTHOR_IDENT`` give `author` and `committer`.

        Raises:
            ValueError: a signature that git would not read back, or a NUL in the message.
        """
        for who in (author, committer):
            if not _SIGNATURE.fullmatch(who):
                raise ValueError(f"{who!r} is not `name <email> seconds zone`")
        if "\0" in message:
            raise ValueError("a commit message cannot hold a NUL")
        lines = [f"tree {tree}", *(f"parent {p}" for p in parents)]
        lines += [f"author {author}", f"committer {committer}", "", message.rstrip("\n") + "\n"]
        return self._add("commit", "\n".join(lines).encode("utf-8", "replace"))

    def publish(self, ref: str, new: str, old: str | None, *, why: str = "") -> None:
        """Bring all objects into the store, durable, and move `ref` from `old` to `new`.

        `old` None means that the ref must not exist yet; `why` goes to its reflog.

        Raises:
            Conflict: the ref was elsewhere. Nothing has changed but for unreachable objects.
            GitError: git or the disk refused. The ref has not moved.
        """
        move = RefMove(ref, new, old, why)
        publish_pack(
            self._repo, self._git, self._pack(), self._entries, move, on_step=self._on_step
        )

    def _add(self, kind: str, data: bytes) -> Sha:
        oid = Sha(self._new_hash(b"%s %d\0" % (kind.encode(), len(data)) + data).hexdigest())
        if oid not in self._entries:
            self._entries[oid] = _entry_head(_KINDS[kind], len(data)) + _deflated(data)
        return oid

    def _pack(self) -> bytes:
        count = len(self._entries).to_bytes(4)
        body = b"".join([b"PACK\0\0\0\2", count, *self._entries.values()])
        return body + self._new_hash(body).digest()


def signature(name: str, email: str, when: datetime) -> str:
    """Who and when, as a commit has it: ``Ann <ann@example.org> 1700000000 +0100``.

    `when` is aware of its zone. What a signature cannot hold (angle brackets, line ends, NUL) is
    left out of name and email, as git does.
    """
    parts = [re.sub(r"[<>\n\0]", "", part).strip() for part in (name, email)]
    return f"{parts[0]} <{parts[1]}> {int(when.timestamp())} {when:%z}"


def _is_bad_name(name: str) -> bool:
    bad = name in {"", ".", ".."} or name.lower() == ".git"
    return bad or "/" in name or "\0" in name


def _entry_head(kind: int, size: int) -> bytes:
    """Kind and size as a pack has them: the size's lowest 4 bits with the kind, then 7 by 7."""
    head = bytearray()
    byte, size = kind << 4 | size & 0xF, size >> 4
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    head.append(byte)
    return bytes(head)


def _deflated(data: bytes) -> bytes:
    """`data` as a zlib stream: small ones stored, which costs a fiftieth of the time.

    Compressing is left to the next joining of packs, or gc.
    """
    size = len(data)
    if size > _STORED_LIMIT:
        return zlib.compress(data, 1)
    lengths = size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    return b"\x78\x01\x01" + lengths + data + zlib.adler32(data).to_bytes(4)
