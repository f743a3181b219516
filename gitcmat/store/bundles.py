"""A result on its way from one job to another: a git bundle with one ref.

Whoever opens one believes nothing: its objects are checked one by one in a repository that is made
for that and thrown away, and only then brought home.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.store.git import Git, GitError, Repository
from gitcmat.store.gitdirs import PRIVATE, make_empty, write_alternates
from gitcmat.store.packs import RefMove, adopt_pack
from gitcmat.system import proc
from gitcmat.system.files import read_regular

LARGEST: Final = 100_000_000
"""Bytes of a bundle that is opened."""

REFUSED: Final = "nothing was pushed; look at the artifact and at the log of the run"

_HEAD: Final = 64_000
_SECONDS: Final = 300.0
_REF: Final = "refs/heads/result"
_FIRST: Final = re.compile(rb"# v[23] git bundle\n")
_TIP: Final = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (\S+)")
_NEEDED: Final = re.compile(rb"-([0-9a-f]{40}|[0-9a-f]{64})(?: .*)?")
_PACKED: Final = re.compile(rb"pack\t[0-9a-f]+\n")
_STRICT: Final = (
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("core.commitGraph", "false"),
    ("core.multiPackIndex", "false"),
)
_AS_ERRORS: Final = ("badFilemode", "zeroPaddedFilemode", "nulInCommit")
"""What git only warns of."""


def make_bundle(git: Git, path: Path, ref: str, known: Collection[str]) -> None:
    """Write the commits of a ref that none of `known` has into a bundle.

    Raises `GitError` when there are none.
    """
    git.run("bundle", "create", "--quiet", path, ref, *(f"^{commit}" for commit in known))


class OpenedBundle:
    """A bundle in a repository of its own, which nothing else sees."""

    def __init__(
        self, path: Path, folder: Path, home: Repository, *, ref: str, known: Collection[str]
    ) -> None:
        """Open the bundle at `path`: exactly the ref `ref`, on top of commits of `known`.

        Raises `InvalidData`, which says what is wrong with it.
        """
        self._home = home
        self._known = tuple(known)
        self.head, pack = _parts(path, ref)
        make_empty(folder)
        self.git = Git(folder, env=PRIVATE, settings=_STRICT)
        kind = f"--object-format={home.object_format}"
        self.git.run("init", "--bare", "--quiet", "--template=", kind, folder)
        (folder / "objects/info").mkdir(parents=True, exist_ok=True)
        write_alternates(folder, [home.common_dir / "objects"])
        for number, commit in enumerate(known):
            self.git.run("update-ref", f"refs/known/{number}", commit)
        self._take("bundle", "verify", str(path))
        # Not by a fetch: of a bundle, that checks no object (git before 2.46).
        ids = ",".join(f"{name}=error" for name in _AS_ERRORS)
        said = self._take("index-pack", "--stdin", "--fix-thin", f"--strict={ids}", data=pack)
        if not _PACKED.fullmatch(said):
            raise InvalidData("The bundle has more in it than its pack.", hint=REFUSED)
        if self.git.maybe("cat-file", "-t", self.head) != "commit":
            raise InvalidData("The bundle holds something that is no commit.", hint=REFUSED)
        self._take("rev-list", "--objects", "--quiet", self.head, *(f"^{one}" for one in known))
        self._take("update-ref", _REF, self.head)

    def bring_home(self, ref: str) -> None:
        """Bring its commits into the repository that it is for, and make a ref of their head."""
        asked = "".join((f"{self.head}\n", *(f"^{commit}\n" for commit in self._known)))
        how = ("pack-objects", "--revs", "--stdout", "--quiet")
        pack = self.git.run(*how, input=asked.encode()).out
        git = Git(self._home.common_dir)
        move = RefMove(ref, self.head, git.ref(ref), "gitcmat: result of a job")
        adopt_pack(self._home, git, pack, move)

    def _take(self, *args: str, data: bytes | None = None) -> bytes:
        try:
            return self.git.run(*args, input=data, timeout=_SECONDS).out
        except GitError as error:
            if error.refused:
                raise
            raise InvalidData(f"git refuses the bundle: {_said(error)}.", hint=REFUSED) from error
        except proc.Timeout as error:
            raise InvalidData(
                f"git did not get through the bundle in {_SECONDS:.0f} seconds.", hint=REFUSED
            ) from error


def _said(error: GitError) -> str:
    """What git said of it, in one line."""
    lines = error.done.err.decode("utf-8", "replace").splitlines()
    told = [line.strip() for line in lines if line.startswith(("error:", "fatal:"))]
    return "; ".join((told or lines)[:3]).rstrip(".") or error.message


def _parts(path: Path, ref: str) -> tuple[str, bytes]:
    """Return the commit that the bundle says its one ref is at, and its pack."""
    data = read_regular(path, LARGEST)
    end = data.find(b"\n\n", 0, _HEAD)
    first = _FIRST.match(data)
    if first is None or end < 0:
        raise InvalidData("The bundle is none: its head is damaged.", hint=REFUSED)
    tips: list[tuple[str, str]] = []
    for line in data[first.end() : end].split(b"\n"):
        if line.startswith(b"@object-format=") or _NEEDED.fullmatch(line):
            continue
        tip = _TIP.fullmatch(line)
        if tip is None:
            shown = line[:80].decode("utf-8", "backslashreplace")
            raise InvalidData(f"The bundle says {shown!r}, which means nothing.", hint=REFUSED)
        tips.append((tip[1].decode(), tip[2].decode("utf-8", "backslashreplace")))
    if [name for _, name in tips] != [ref]:
        names = ", ".join(name for _, name in tips[:5]) or "nothing"
        raise InvalidData(f"The bundle holds {names} and not {ref} alone.", hint=REFUSED)
    return tips[0][0], data[end + 2 :]
