"""Our block in ``.git/info/exclude``: it hides the folders of facts on every branch.

The tracked ``.cmat/.gitignore`` does so only on branches that have it; a branch older than `init`
would show every record as untracked, and ``git add --all`` would commit them.
"""

import re
from contextlib import suppress
from typing import Final

from gitcmat.store.git import Repository
from gitcmat.store.layout import CMAT, FACTS
from gitcmat.system.files import write_atomic

_BEGIN: Final = "# >>> gitcmat"
_OPEN: Final = f"{_BEGIN} (what is above had no line end)"
_END: Final = "# <<< gitcmat"
_LINES: Final = "".join(f"/{CMAT}/{name}/\n" for name in FACTS)
_BLOCK: Final = f"{_BEGIN}\n{_LINES}{_END}\n".encode()
_OPEN_BLOCK: Final = _BLOCK.replace(_BEGIN.encode(), _OPEN.encode())
_FOUND: Final = re.compile(rb"^# >>> gitcmat.*?^# <<< gitcmat[^\n]*\n?", re.DOTALL | re.MULTILINE)


def ensure_excluded(repo: Repository) -> bool:
    """Write our block or bring it up to date, and say if the file changed; all else in it stays."""
    before = _read(repo)
    if _is_right(before):
        return False
    own = _without(before)
    closed = not own or own.endswith(b"\n")
    _write(repo, own + _BLOCK if closed else own + b"\n" + _OPEN_BLOCK)
    return True


def is_excluded(repo: Repository) -> bool:
    """Whether our block is there, once, and up to date."""
    return _is_right(_read(repo))


def has_block(repo: Repository) -> bool:
    """Whether a block of ours is there, in whatever state."""
    return _FOUND.search(_read(repo)) is not None


def remove_excluded(repo: Repository) -> bool:
    """Take our block out again, so that the file is as it was before; say if there was one."""
    before = _read(repo)
    after = _without(before)
    if after == before:
        return False
    if after:
        _write(repo, after)
        return True
    path = repo.common_dir / "info/exclude"
    path.unlink()  # there was none: git's own template is not empty
    with suppress(OSError):
        path.parent.rmdir()
    return True


def _is_right(text: bytes) -> bool:
    ours = _FOUND.findall(text)
    return len(ours) == 1 and ours[0] in (_BLOCK, _OPEN_BLOCK)


def _without(text: bytes) -> bytes:
    """The text without our block, and without the line end that was added for it."""
    after = _FOUND.sub(b"", text)
    if text.endswith(_OPEN_BLOCK) and after.endswith(b"\n"):
        after = after[:-1]
    return after


def _read(repo: Repository) -> bytes:
    try:
        return (repo.common_dir / "info/exclude").read_bytes()
    except FileNotFoundError:
        return b""


def _write(repo: Repository, data: bytes) -> None:
    path = (repo.common_dir / "info/exclude").resolve()  # a person may keep it elsewhere by a link
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    write_atomic(path, data, mode=mode)
