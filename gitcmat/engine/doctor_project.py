"""Examines what people see and write: git, the view, hooks, ``.cmat/``, and trust."""

import shlex
from collections.abc import Collection, Iterator, Sequence

from gitcmat.engine import hooks, lint, references
from gitcmat.engine.deps import Deps
from gitcmat.engine.doctor_case import AUTO, Case, Patient, case
from gitcmat.engine.doctor_refs import git_version
from gitcmat.engine.doctor_runs import reconcile
from gitcmat.errors import NotFound
from gitcmat.model.health import Severity
from gitcmat.model.problem import Problem
from gitcmat.store import exclude, layout
from gitcmat.store.git import Repository
from gitcmat.store.git_rules import MINIMUM
from gitcmat.store.untrack import untrack


def examine(patient: Patient) -> Iterator[Case]:
    """Look at all of it."""
    yield from _git(patient.deps)
    yield from _view(patient)
    yield from _edits(patient.deps)
    yield from _hooks(patient.deps)
    yield from _intent(patient)
    yield from _tracked(patient.deps)
    yield from _trust(patient)


def _git(deps: Deps) -> Iterator[Case]:
    version = git_version(deps)
    if version < MINIMUM:
        shown, wanted = (".".join(map(str, v)) for v in (version, MINIMUM))
        yield case(
            "git-old",
            Severity.CRITICAL,
            f"git is {shown}; gitcmat needs {wanted} or newer",
            how="upgrade git",
        )


def _view(patient: Patient) -> Iterator[Case]:
    deps, home = patient.deps, patient.deps.view.home
    if home is None or not deps.repo.cmat.is_dir():
        return
    if not exclude.is_excluded(deps.repo):
        yield case(
            "exclude-missing",
            Severity.MINOR,
            "The folders of records are not ignored: git add --all would commit them",
            where=str(deps.repo.common_dir / "info/exclude"),
            mend=lambda: exclude.ensure_excluded(deps.repo),
        )
    wants = patient.wants
    intent = wants.intents.get(wants.sources.new or "")
    if intent is not None and not intent.config.view:
        return
    shown = patient.facts.shown(deps.clock.now())
    gone = sorted(path for path in shown if not (home.work_tree / path).exists())
    if gone:
        files = "1 file" if len(gone) == 1 else f"{len(gone)} files"
        yield case(
            "view-missing",
            Severity.MINOR,
            f"{files} of the view of the records cannot be found",
            where=gone[0],
            mend=lambda: reconcile(deps),
        )


def _edits(deps: Deps) -> Iterator[Case]:
    for refused in deps.view.refusals():
        yield case(
            "edit-refused",
            Severity.MINOR,
            f"An edit was not taken in: {refused.reason}",
            where=f"{refused.path}:{refused.line}",
            how="put it right, or remove the file: it is written anew",
        )


def _hooks(deps: Deps) -> Iterator[Case]:
    damage = hooks.damage(deps.repo)
    if damage:
        yield case(
            "hooks-changed",
            Severity.MINOR,
            f"Hooks that gitcmat had installed are not in place: {damage}",
            where=str(hooks.look(deps.repo).folder),
            how="gitcmat doctor --fix, or for good: gitcmat hooks remove",
            mend=lambda: hooks.install(deps.repo, force=True),
        )


def _intent(patient: Patient) -> Iterator[Case]:
    """Look at files as they are saved: what is mended is to be gone before it is committed."""
    deps = patient.deps
    known = patient.facts.states()
    try:
        problems, unknown = lint.judge(lint.take(deps.repo, deps.git, lint.WORK_TREE), known=known)
    except NotFound:
        return  # a bare repository without a commit
    for problem in sorted(set(problems)):
        if not layout.is_fact(problem.path):
            yield _broken(problem)
    for reference in sorted(unknown, key=lambda one: one.problem):
        yield _reference(deps.repo, reference, known)


def _broken(problem: Problem) -> Case:
    return case(
        "intent-broken",
        Severity.MINOR,
        problem.text,
        where=f"{problem.path}:{problem.line}",
        how=problem.hint or f"edit {problem.path}, then: gitcmat lint",
    )


def _reference(repo: Repository, reference: lint.Reference, known: Collection[str]) -> Case:
    problem, tree = reference.problem, repo.work_tree
    if tree is None:
        return _broken(problem)
    does = f"puts '{reference.like}' there" if reference.like else "takes it out"
    return case(
        "intent-broken",
        Severity.MINOR,
        problem.text,
        where=f"{problem.path}:{problem.line}",
        how=f"{AUTO} ({does}, in the saved file), or edit it: {problem.hint}",
        after=f"look at {problem.path} and commit it: it counts from then on",
        mend=lambda: references.mend(tree, reference, known=known),
    )


def _tracked(deps: Deps) -> Iterator[Case]:
    paths = deps.view.tracked()
    if paths:
        named = shlex.join(paths[:3]) + (" …" if len(paths) > len(paths[:3]) else "")
        yield case(
            "fact-tracked",
            Severity.SERIOUS,
            f"The branch tracks records of gitcmat, which are therefore not read: {named}",
            where=paths[0],
            how=f"{AUTO} (a commit that leaves the files here), or git rm -r --cached -- "
            f"{shlex.join(sorted({_folder(p) for p in paths}))}, then git commit",
            mend=lambda: _untrack(deps, paths),
        )


def _untrack(deps: Deps, paths: Sequence[str]) -> None:
    home = deps.view.home
    if home is not None:
        repo = deps.repo._replace(git_dir=home.git_dir, work_tree=home.work_tree)
        untrack(repo, paths, "Stop tracking the records of gitcmat")
        reconcile(deps)


def _folder(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _trust(patient: Patient) -> Iterator[Case]:
    wants = patient.wants
    for ref in sorted(set(wants.intents) - wants.trusted):
        yield case(
            "untrusted",
            Severity.INFO,
            "What gitcmat may start here is not allowed yet, so nothing starts",
            where=ref,
            how="gitcmat trust",
        )
