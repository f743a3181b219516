"""What a pull request says of a task's work."""

import hashlib
from typing import Final

from gitcmat.engine import branches, costs
from gitcmat.engine.deps import Deps
from gitcmat.engine.pull_words import quote, words
from gitcmat.model import pull_body
from gitcmat.model.entry import Entry
from gitcmat.model.landing import in_words
from gitcmat.store.templates import render

_COMMITS: Final = 30
_FOLDERS: Final = ((".github/",), (), ("docs/",))
_NAME: Final = "pull_request_template.md"


def body(deps: Deps, entry: Entry, tip: str, depends_on: tuple[int, ...], *, closes: int) -> str:
    """Return the body of the pull request of an entry whose work is at `tip`; merged, it closes the
    issue `closes`, 0 for none.
    """
    ours, trailers = _ours(deps, entry, tip, depends_on, closes), _trailers(deps, entry)
    return pull_body.assembled(entry.id, ours, _template(deps, entry), trailers)


def refreshed(
    deps: Deps, entry: Entry, tip: str, depends_on: tuple[int, ...], body: str, *, closes: int
) -> str | None:
    """Return `body` as it is to be by now, None where that is not ours to say."""
    ours = _ours(deps, entry, tip, depends_on, closes)
    return pull_body.refreshed(body, entry.id, ours, _trailers(deps, entry))


def digest(entry: Entry, depends_on: tuple[int, ...]) -> str:
    """Return what changes when the body does, beside the work itself; it costs nothing."""
    told = (entry.run, in_words(entry.gates, entry.verdict), entry.marks, entry.task, depends_on)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _ours(deps: Deps, entry: Entry, tip: str, depends_on: tuple[int, ...], closes: int) -> str:
    facts = deps.store.read()
    run = facts.run(entry.run or "")
    subjects = _subjects(deps, entry, tip)
    used = costs.of_task(deps, facts, entry.id)
    values = {
        "id": entry.id,
        "prompt": quote(_wanted(entry), pull_body.LONGEST_PART),
        "closes": closes,
        "depends_on": depends_on,
        "commits": [words(subject) for subject in subjects[:_COMMITS]],
        "more_commits": max(0, len(subjects) - _COMMITS),
        "said": quote(run.said, pull_body.LONGEST_PART) if run and run.said.strip() else "",
        "verdict": words(in_words(entry.gates, entry.verdict)),
        "gates": [words(f"{g.name}: {g.outcome}, {g.seconds:.1f} s") for g in entry.gates],
        "marks": [words(text, 1000) for text in entry.marks],
        "cost": str(used) if used.told else "",
    }
    return render("pull_request.md.j2", values)


def _wanted(entry: Entry) -> str:
    """Return what was asked for; an issue tells that itself."""
    return entry.task.name if entry.issue else entry.task.prompt.strip() or entry.task.name


def _subjects(deps: Deps, entry: Entry, tip: str) -> list[str]:
    onto = branches.target_tip(deps.git, entry.target) or entry.base
    return deps.git.text("log", "--reverse", "--format=%s", f"{onto}..{tip}").splitlines()


def _trailers(deps: Deps, entry: Entry) -> list[str]:
    run = deps.store.read().run(entry.run or "")
    agent = run.agent if run else ""
    found = {"Cmat-Task": entry.id, "Cmat-Run": entry.run or "", "Assisted-by": agent}
    return [f"{key}: {value}" for key, value in found.items() if value]


def _template(deps: Deps, entry: Entry) -> str:
    """Return the repository's own template, from the branch that the work goes onto."""
    onto = branches.target_tip(deps.git, entry.target)
    for folder in _FOLDERS if onto else ():
        for found in deps.git.tree(onto or "", *folder, recurse=False):
            if found.kind == "blob" and found.path.lower() == "".join(folder) + _NAME:
                return (deps.git.blob(found.oid) or b"").decode("utf-8", "replace")
    return ""
