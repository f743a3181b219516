"""What a result changes, commit by commit: whether somebody who believes nothing of it may push it.

Also what a later commit takes back is looked at: whoever fetches the branch gets it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from gitcmat.errors import InvalidData
from gitcmat.model import ci_paths, ci_text
from gitcmat.model.job import Identity
from gitcmat.model.marks import one_line
from gitcmat.store.bundles import REFUSED
from gitcmat.store.git import Git
from gitcmat.store.resealing import RawCommit, commits
from gitcmat.system.logs import Redactor
from gitcmat.system.redaction import MARK

MOST_COMMITS: Final = 500
MOST_FILES: Final = 2_000
MOST_CHANGES: Final = 20_000
"""Changes of files in all commits together."""
LARGEST_FILE: Final = 10_000_000
LARGEST: Final = 50_000_000
"""Bytes of all new files of all commits together."""
LONGEST_MESSAGE: Final = 100_000
_LARGEST_OTHER: Final = 10 * LONGEST_MESSAGE
"""Bytes of a commit or a folder."""

_NOTHING: Final = "000000"
_AT_ONCE: Final = 100
_HEADERS: Final = ("tree", "parent", "author", "committer")
_RAW: Final = ("-r", "-m", "--root", "--raw", "-z", "--no-renames", "--no-abbrev", "--stdin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a result may be."""

    who: Identity
    """In whose name all commits are."""
    ours: frozenset[str]
    """Lines that messages may say in gitcmat's name."""
    secrets: tuple[str, ...] = ()
    """Values that nothing may hold, beside all that looks like one."""
    github: bool = False
    """Whether it may change files below ``.github/``."""


@dataclass(frozen=True, slots=True)
class _Change:
    before: str
    after: str
    old: str
    new: str
    path: bytes

    @property
    def shown(self) -> str:
        return one_line(self.path.decode("utf-8", "backslashreplace"))


def check(git: Git, start: str, head: str, rules: Rules) -> None:
    """See that the commits of `head` on top of `start` may be pushed.

    Raises `InvalidData`, which says what may not.
    """
    if not git.ok("merge-base", "--is-ancestor", start, head):
        _refuse(f"{head[:10]} does not go on from {start[:10]}")
    count = int(git.text("rev-list", "--count", head, f"^{start}", "--"))
    if count > MOST_COMMITS:
        _refuse(f"there are {count} commits; {MOST_COMMITS} are taken")
    changes = list(_changes(git, start, head))
    _check_sizes(git, start, head, {change.new: change.shown for change in changes})
    finder = Redactor(rules.secrets)
    for commit in commits(git, head, start):
        _check_commit(commit, rules, finder)
    _check_changes(git, start, head, changes, rules)
    _check_contents(git, changes, finder)


def secrets_in(git: Git, start: str, head: str, values: tuple[str, ...]) -> list[str]:
    """Return where the commits of `head` on top of `start` hold secrets: paths, and commits whose
    message does.
    """
    finder = Redactor(values)
    found = [
        f"the message of {commit.oid[:10]}"
        for commit in commits(git, head, start)
        if finder.has_secret(commit.message.encode("utf-8", "surrogateescape"))
    ]
    for change, data in _contents(git, list(_changes(git, start, head))):
        if _has_new_secret(git, change, data, finder):
            found.append(change.shown)
    return found


def _check_sizes(git: Git, start: str, head: str, paths: Mapping[str, str]) -> None:
    """Look at sizes alone: what is too large is never read.

    `paths` says where files lie. git is not asked: for folders in folders it says each whole path.
    """
    listed = ("rev-list", "--objects", "--no-object-names", head, f"^{start}", "--")
    objects = git.run(*listed).out
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    total = 0
    for line in git.run("cat-file", form, input=objects).out.splitlines():
        name, kind, size = line.split(b" ")
        shown = paths.get(name.decode(), name.decode()[:10])
        most = LARGEST_FILE if kind == b"blob" else _LARGEST_OTHER
        if int(size) > most:
            _refuse(f"{shown} has {int(size)} bytes; {most} are taken")
        total += int(size)
    if total > LARGEST:
        _refuse(f"it has {total} bytes; {LARGEST} are taken")


def _check_commit(commit: RawCommit, rules: Rules, finder: Redactor) -> None:
    where = f"the commit {commit.oid[:10]}"
    for key, _ in commit.headers:
        if key not in _HEADERS:
            _refuse(f"{where} has the header {one_line(key)!r}")
    for key in ("author", "committer"):
        name = commit.all(key)[0].rpartition("> ")[0] + ">"
        if name != f"{rules.who.name} <{rules.who.email}>":
            _refuse(f"{where} says that its {key} is {one_line(name)}")
    raw = commit.message.encode("utf-8", "surrogateescape")
    if len(raw) > LONGEST_MESSAGE:
        _refuse(f"the message of {where} is longer than {LONGEST_MESSAGE} bytes")
    try:
        message = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse(f"the message of {where} is no UTF-8")
    if finder.has_secret(raw):
        _refuse(f"the message of {where} holds a secret")
    if ci_text.harmless(message) != message:
        _refuse(f"the message of {where} hides something, or commands a workflow")
    if ci_text.sealed(message, rules.ours) != message:
        _refuse(
            f"the message of {where} calls somebody, closes an issue, skips checks or speaks for "
            "gitcmat"
        )


def _changes(git: Git, start: str, head: str) -> Iterator[_Change]:
    """What each commit changes of each of its parents."""
    asked = git.run("rev-list", head, f"^{start}", "--").out
    if not asked:
        return
    fields = iter(git.run("diff-tree", "--no-commit-id", *_RAW, input=asked).out.split(b"\0"))
    for field in fields:
        if field.startswith(b":"):
            before, after, old, new, _ = field[1:].decode("ascii").split(" ")
            yield _Change(before, after, old, new, next(fields))


def _check_changes(git: Git, start: str, head: str, changes: list[_Change], rules: Rules) -> None:
    if len(changes) > MOST_CHANGES:
        _refuse(f"its commits change files {len(changes)} times; {MOST_CHANGES} are taken")
    for change in changes:
        why = ci_paths.mode_problem(change.before, change.after)
        why = why or ci_paths.path_problem(change.path, github=rules.github)
        if why:
            _refuse(f"{change.shown[: ci_paths.LONGEST]} {why}")
    how = ("-r", "--name-only", "-z", "--no-renames", start, head)
    now = git.run("diff-tree", *how).out.split(b"\0")[:-1]
    if len(now) > MOST_FILES:
        _refuse(f"it changes {len(now)} files; {MOST_FILES} are taken")
    _check_twins(git, head, {change.path for change in changes if change.before == _NOTHING})


def _check_twins(git: Git, head: str, added: set[bytes]) -> None:
    """See that no new file is another one where names are compared without their case."""
    if not added:
        return
    seen: dict[str, str] = {}
    fresh = {path.decode() for path in added}
    for path in git.run("ls-tree", "-r", "--name-only", "-z", head).out.split(b"\0")[:-1]:
        name = path.decode("utf-8", "surrogateescape")
        other = seen.setdefault(ci_paths.folded(name), name)
        if other != name and fresh & {other, name}:
            _refuse(f"{one_line(name)} is the same file as {one_line(other)}, to some")


def _check_contents(git: Git, changes: list[_Change], finder: Redactor) -> None:
    for change, data in _contents(git, changes):
        if finder.has_secret(change.path) or _has_new_secret(git, change, data, finder):
            _refuse(f"{finder.text(change.shown)} holds a secret")
        hidden = _hidden(data)
        if hidden and hidden > _hidden(_before(git, change)):
            _refuse(f"{change.shown} has characters that make it look other than it is")


def _contents(git: Git, changes: list[_Change]) -> Iterator[tuple[_Change, bytes]]:
    """The content of each changed file, once for each change."""
    files = [c for c in changes if c.after != _NOTHING and c.old != c.new]
    for first in range(0, len(files), _AT_ONCE):
        some = files[first : first + _AT_ONCE]
        held = git.blobs({change.new for change in some})
        yield from ((change, held[change.new]) for change in some)


def _before(git: Git, change: _Change) -> bytes:
    return (git.blob(change.old) or b"") if change.before != _NOTHING else b""


def _has_new_secret(git: Git, change: _Change, data: bytes, finder: Redactor) -> bool:
    """Whether there is one that the file did not have: examples of such are in many a test."""
    now = _secrets(finder, data)
    return now > 0 and now > _secrets(finder, _before(git, change))


def _secrets(finder: Redactor, data: bytes) -> int:
    if not finder.has_secret(data):
        return 0
    text = data.decode("utf-8", "surrogateescape")
    return finder.text(text).count(MARK.decode()) - text.count(MARK.decode())


def _hidden(data: bytes) -> int:
    if b"\0" in data:
        return 0
    text = data.decode("utf-8", "ignore")
    return sum(char in ci_text.DECEIVING for char in text) if not text.isascii() else 0


def _refuse(why: str) -> NoReturn:
    raise InvalidData(f"The result is refused: {ci_text.harmless(why)}.", hint=REFUSED)
