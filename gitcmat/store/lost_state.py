"""Finds the newest state of a node among all objects, for when its ref is lost."""

from gitcmat.model.names import Sha
from gitcmat.store.git import Git

_FORMAT = "%H%x00%ce%x00%ct%x00%P"


def find_state(git: Git, node: str) -> Sha | None:
    """Return the newest whole commit that `node` made as its state; None when there is none.

    Every object is looked at: seconds in a large repository. The objects of a state are on the
    disk before its ref moves, so the newest whole one is the last that anybody was told of.
    """
    for commit in _newest_first(_made_by(git, node)):
        if git.ok("rev-list", "--objects", "--quiet", "--end-of-options", commit):
            return Sha(commit)
    return None


def _made_by(git: Git, node: str) -> dict[str, tuple[int, str]]:
    """Return every state that the node wrote: commit → (time, the one before it)."""
    how = ("--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectname)")
    listed = git.run("cat-file", *how).text.splitlines()
    commits = [line.removeprefix("commit ") for line in listed if line.startswith("commit ")]
    fed = "".join(f"{commit}\n" for commit in commits).encode()
    shown = git.run(
        "log", "--no-walk=unsorted", "--stdin", "--ignore-missing", f"--format={_FORMAT}", input=fed
    )
    rows = [line.split("\0") for line in shown.text.splitlines()]
    return {commit: (int(at), before) for commit, mail, at, before in rows if mail == _mail(node)}


def _newest_first(made: dict[str, tuple[int, str]]) -> list[str]:
    """Sort states by time, where none is older than the one before it: clocks are put back."""
    place: dict[str, tuple[int, int]] = {}
    for commit in made:
        chain = []
        at = commit
        while at in made and at not in place:
            chain.append(at)
            at = made[at][1]
        for one in reversed(chain):
            when, length = place.get(made[one][1], (0, 0))
            place[one] = (max(made[one][0], when), length + 1)
    return sorted(place, key=lambda commit: place[commit], reverse=True)


def _mail(node: str) -> str:
    return f"gitcmat@{node}"
