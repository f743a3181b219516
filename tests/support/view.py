"""A small state with its view, and what a person does to its files."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gitcmat.model.edits import merge_edit
from gitcmat.store import yamlio
from gitcmat.store.git import Git, discover
from gitcmat.store.objects import ObjectWriter
from gitcmat.store.view import Edit, View

PENDING = ".cmat/queue/pending/a.yaml"
ACTIVE = ".cmat/queue/active/a.yaml"
BLOCKER = ".cmat/blockers/b-abcd2345.yaml"
QUIET = 5.0


def entry(version: int = 1, *, priority: str = "normal", hold: bool = False) -> str:
    return (
        f"schema: 1\nid: a\npriority: {priority}\nhold: {str(hold).lower()}\nversion: {version}\n"
    )


QUESTION = "schema: 1\nid: b-abcd2345\nquestion: Which?\nanswer: |\n  \n"


class Records:
    """A small state: what is wanted, as blobs of the repository, and the view of it."""

    def __init__(self, path: Path, between: Callable[[str], None] | None = None) -> None:
        self.path = path
        self.repo = discover(path)
        self.git = Git(self.repo.git_dir, work_tree=self.repo.work_tree)
        self.wanted: dict[str, str] = {}
        self.texts: dict[str, bytes] = {}
        self.view = View(self.repo, self.git)
        if between is not None:
            self.view = View(self.repo, self.git, between=between)
        self.skew = 0.0

    @property
    def now(self) -> float:
        return time.time() + self.skew

    def set(self, records: Mapping[str, str]) -> None:
        """Commit the records, as the state does: one pack, on a ref."""
        writer = ObjectWriter(self.repo, self.git)
        self.wanted = {path: writer.blob(text.encode()) for path, text in records.items()}
        self.texts = {path: text.encode() for path, text in records.items()}
        tree = writer.tree([("100644", f"f{n}", oid) for n, oid in enumerate(self.wanted.values())])
        old = self.git.ref("refs/cmat/state/test")
        who = "Pat Person <pat@example.org> 1700000000 +0000"
        before = [old] if old else []
        commit = writer.commit(
            tree=tree, parents=before, author=who, committer=who, message="state"
        )
        writer.publish("refs/cmat/state/test", commit, old)

    def show(self, records: Mapping[str, str] | None = None) -> None:
        if records is not None:
            self.set(records)
        self.report = self.view.write(self.wanted, self.now)

    def edits(self) -> list[Edit]:
        return list(self.view.scan(self.now).edits)

    def read(self, path: str) -> str:
        return (self.path / path).read_text(encoding="utf-8")

    def files(self) -> list[str]:
        found = (self.path / ".cmat").rglob("*")
        return sorted(str(p.relative_to(self.path)) for p in found if not p.is_dir())

    def later(self, seconds: float) -> None:
        """Let time pass, for all that is told the time."""
        self.skew += seconds

    def merge(self, edit: Edit, current: str) -> object:
        texts = (edit.base, edit.text, current.encode())
        base, edited, now = (yamlio.load(text, name=edit.path).data for text in texts)
        return merge_edit(edit.kind, base, edited, now)


def save(path: Path, text: str) -> None:
    """Save as most editors do: another file, renamed over the old one."""
    new = path.with_name(f".{path.name}.swp")
    new.write_text(text, encoding="utf-8")
    new.rename(path)
