"""Our block in ``.git/info/exclude``: it hides the folders of facts on every branch.

The tracked ``.cmat/.gitignore`` does so only on branches that have it; a branch older than `init`
would show every record as untracked, and ``git add --all`` would commit them.
"""

import re
from typing import Final

from gitcmat.store.git import Repository
from gitcmat.store.layout import CMAT, FACTS
from gitcmat.system.files import write_atomic

_BEGIN: Final = "# >>> gitcmat"
_END: Final = "# <<< gitcmat"
_LINES: Final = "".join(f"/{CMAT}/{name}/\n" for name in FACTS)
_BLOCK: Final = f"{_BEGIN}\n{_LINES}{_END}\n".encode()
_FOUND: Final = re.compile(rb"^# >>> gitcmat.*?^# <<< gitcmat[^\n]*\n?", re.DOTALL | re.MULTILINE)


def ensure_excluded(repo: Repository) -> bool:
    """Write our block or bring it up to date, and say if the file changed; all else in it stays."""
    before = _read(repo)
    if _is_right(before):
        return False
    own = _FOUND.sub(b"", before)
    gap = b"" if not own or own.endswith(b"\n") else b"\n"
    _write(repo, own + gap + _BLOCK)
    return True


def is_excluded(repo: Repository) -> bool:
    """Whether our block is there, once, and up to date."""
    return _is_right(_read(repo))


def remove_excluded(repo: Repository) -> bool:
    """Take our block out again; say if there was one."""
    before = _read(repo)
    after = _FOUND.sub(b"", before)
    if after == before:
        return False
    _write(repo, after)
    return True


def _is_right(text: bytes) -> bool:
    return text.count(_BLOCK) == 1 and len(_FOUND.findall(text)) == 1


def _read(repo: Repository) -> bytes:
    try:
        return (repo.common_dir / "info/exclude").read_bytes()
    except FileNotFoundError:
        return b""


def _write(repo: Repository, data: bytes) -> None:
    path = (repo.common_dir / "info/exclude").resolve()  # a person may keep it elsewhere by a link
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    write_atomic(path, data, mode=mode)
