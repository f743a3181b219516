"""What a pull request says of a task's work when it is opened."""

from typing import Final

from gitcmat.engine import branches, costs
from gitcmat.engine.deps import Deps
from gitcmat.engine.prompts import quoted
from gitcmat.model import pull_body
from gitcmat.model.entry import Entry
from gitcmat.model.forge import mark
from gitcmat.model.landing import in_words
from gitcmat.store.templates import render

_COMMITS: Final = 30
_FOLDERS: Final = ((".github/",), (), ("docs/",))
_NAME: Final = "pull_request_template.md"


def task_mark(task: str) -> str:
    """Return what the pull request of a task is known again by."""
    return mark("task", task)


def body(deps: Deps, entry: Entry, tip: str, depends_on: tuple[int, ...]) -> str:
    """Return the body of the pull request of an entry whose work is at `tip`."""
    facts = deps.store.read()
    run = facts.run(entry.run or "")
    subjects = _subjects(deps, entry, tip)
    used = costs.of_task(deps, facts, entry.id)
    values = {
        "mark": task_mark(entry.id),
        "id": entry.id,
        "prompt": pull_body.part(entry.task.prompt.strip() or entry.task.name),
        "depends_on": depends_on,
        "commits": [pull_body.part(subject, 300) for subject in subjects[:_COMMITS]],
        "more_commits": max(0, len(subjects) - _COMMITS),
        "said": pull_body.part(run.said.strip()) if run else "",
        "verdict": pull_body.part(in_words(entry.gates, entry.verdict)),
        "gates": [pull_body.part(f"{g.name}: {g.outcome}, {g.seconds:.1f} s") for g in entry.gates],
        "marks": [pull_body.part(text, 1000) for text in entry.marks],
        "cost": str(used) if used.told else "",
    }
    ours = render("pull_request.md.j2", values, quoted=quoted)
    return pull_body.assembled(
        ours, _template(deps, entry), _trailers(entry, run.agent if run else "")
    )


def _subjects(deps: Deps, entry: Entry, tip: str) -> list[str]:
    onto = branches.target_tip(deps.git, entry.target) or entry.base
    return deps.git.text("log", "--reverse", "--format=%s", f"{onto}..{tip}").splitlines()


def _trailers(entry: Entry, agent: str) -> list[str]:
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
