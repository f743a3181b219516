"""A folder that is brought back to what it was, and a name for each state that it comes into."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_RANDOM: Final = re.compile(r"(?<=/pack-676974636d6174)[0-9a-f]+|(?<=\.)[a-z2-7]{8,}(?=\.tmp)")
_UNLIKE: Final = re.compile(r"\.keep$|/cache\.sqlite-")
"""Files whose content is another each time (the number of a process, salt): their size counts."""


class Kept:
    """What lies in a folder, in memory."""

    def __init__(self, folder: Path) -> None:
        """Remember it as it is, but for times: no two files are equally old any more.

        git asks packs in the order of their age, so with times alone by chance it would not do the
        same again.
        """
        self._folder = folder
        self._folders = set(_folders(folder))
        self._files = {path: path.read_bytes() for path in _files(folder)}
        self._modes = {path: path.lstat().st_mode & 0o7777 for path in self._files}
        newest = max(path.lstat().st_mtime_ns // 10**9 for path in self._files)
        self._times = {path: newest - n for n, path in enumerate(sorted(self._files))}
        for path in self._files:
            self._set_time(path)

    def bring_back(self) -> None:
        """Make the folder what it was; the folders that it had stay the same ones."""
        for path in set(_folders(self._folder)) - self._folders:
            shutil.rmtree(path, ignore_errors=True)  # gone with the one that it lies in
        for path in self._folders:
            path.mkdir(parents=True, exist_ok=True)
        for path in set(_files(self._folder)) - set(self._files):
            path.unlink()
        for path, data in self._files.items():
            if not path.exists() or path.read_bytes() != data:
                path.unlink(missing_ok=True)
                path.write_bytes(data)
                path.chmod(self._modes[path])
            self._set_time(path)

    def state(self) -> str:
        """Return a name that is the same where names and contents of all files are."""
        return "\n".join(sorted(_named(path) for path in _files(self._folder)))

    def _set_time(self, path: Path) -> None:
        os.utime(path, (self._times[path],) * 2)


def _named(path: Path) -> str:
    data = path.read_bytes()
    like = str(len(data)) if _UNLIKE.search(str(path)) else hashlib.sha256(data).hexdigest()
    return f"{_RANDOM.sub('', str(path))} {like}"


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def _folders(folder: Path) -> Iterator[Path]:
    for root, names, _ in os.walk(folder):
        yield from (Path(root, name) for name in names)
