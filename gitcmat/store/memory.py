"""Where the decisions of a person about a repository are kept: outside of it, for it alone."""

import hashlib
import os
import stat
from pathlib import Path

from gitcmat.errors import InvalidData
from gitcmat.store.git import Repository
from gitcmat.system import folders


def place(repo: Repository) -> Path:
    """Return the path, without a suffix, of the files about one repository.

    Its name comes from the real path of the common git directory with its device and inode: a copy,
    a repository nested in it or another one later at the same path has another name. Linked work
    trees share one.
    """
    real = repo.common_dir.resolve()
    about = real.stat()
    key = os.fsencode(real) + b"\0%d\0%d" % (about.st_dev, about.st_ino)
    return folders.state() / "trust" / hashlib.sha256(key).hexdigest()


def ready(path: Path) -> None:
    """Make the folder of `path`, for this user only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)


def check_owner(path: Path) -> None:
    """Refuse a file that somebody else can write.

    Raises `InvalidData`, or FileNotFoundError when there is none.
    """
    for one in (path.parent, path):
        about = one.lstat()
        if about.st_uid != os.geteuid():
            raise InvalidData(f"{one} belongs to another user.", hint="remove it")
        if stat.S_IMODE(about.st_mode) & 0o022:
            raise InvalidData(f"{one} can be written by other users.", hint=f"chmod go-w {one}")
