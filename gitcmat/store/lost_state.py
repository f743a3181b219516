"""Finds the newest state of a node among all objects, for when its ref is lost."""

from collections.abc import Iterator

from gitcmat.model.names import Sha
from gitcmat.store.git import Git

_FORMAT = "%H%x00%ce%x00%ct"


def find_state(git: Git, node: str) -> Sha | None:
    """Return the newest whole commit that `node` made as its state; None when there is none.

    Every object is looked at: seconds in a large repository. The objects of a state are on the
    disk before its ref moves, so the newest whole one is the last that anybody was told of.
    """
    newest = sorted(_made_by(git, node), reverse=True)
    for _, count, commit in newest:
        del count
        if git.ok("rev-list", "--objects", "--quiet", "--end-of-options", commit):
            return Sha(commit)
    return None


def _made_by(git: Git, node: str) -> Iterator[tuple[int, int, str]]:
    """Yield (time, length of its history, commit) of every state that the node wrote."""
    how = ("--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectname)")
    listed = git.run("cat-file", *how).text.splitlines()
    commits = [line.removeprefix("commit ") for line in listed if line.startswith("commit ")]
    fed = "".join(f"{commit}\n" for commit in commits).encode()
    shown = git.run(
        "log", "--no-walk=unsorted", "--stdin", "--ignore-missing", f"--format={_FORMAT}", input=fed
    )
    ours = [row for line in shown.text.splitlines() if (row := line.split("\0"))[1] == _mail(node)]
    latest = max((int(row[2]) for row in ours), default=0)
    for commit, _, when in ours:
        # Only within one second does the length tell which is newer.
        tied = int(when) == latest
        count = int(git.text("rev-list", "--count", commit)) if tied else 0
        yield int(when), count, commit


def _mail(node: str) -> str:
    return f"gitcmat@{node}"
