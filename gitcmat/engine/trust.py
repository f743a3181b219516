"""Show what gitcmat may start here, and remember that a person has allowed it."""

import os
from dataclasses import dataclass

from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.model import trust
from gitcmat.model.intent import Intent
from gitcmat.model.state import OPEN
from gitcmat.model.trust import Plan
from gitcmat.store.git import Git
from gitcmat.store.intent import IntentReader
from gitcmat.store.sources import NotCommitted, is_for_review, saved_not_committed
from gitcmat.store.trust import Trusted, read_plan
from gitcmat.system.environment import find_program

_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What may be started by the tip of the branch that tasks come from."""

    branch: str
    commit: str
    settings_from: str
    """The commit whose settings these are; an earlier one where those of the tip are wrong."""
    intent: Intent
    """What its settings say."""
    plan: Plan
    allowed: bool
    last: Trusted | None
    """What was allowed last."""
    problem: str | None
    """What is wrong with the memory of what was allowed."""
    programs: dict[str, str | None]
    """Where the programs are on this machine; None for those that are missing."""
    unsaved: tuple[NotCommitted, ...]

    @property
    def lines(self) -> list[str]:
        """The plan, for a person."""
        return trust.describe(self.plan, self.programs)

    @property
    def changes(self) -> list[str]:
        """The difference from what was allowed last; empty when nothing was."""
        return trust.difference(self.last.plan, self.plan) if self.last else []


def look(deps: Deps) -> Look:
    """Read the plan of the tip; nothing of it is started.

    Raises:
        Conflict: HEAD is detached, or on a branch that agents write.
        NotFound: the branch has no commit.
        InvalidData: its settings are wrong, and none before them were right.
    """
    intent = tip(deps)
    ref, commit = intent.ref, intent.commit
    if intent.settings_from is None:
        said = "\n".join(str(problem) for problem in intent.problems)
        raise InvalidData(
            f"The settings of {_short(ref)} are wrong, so there is no plan:\n{said}",
            hint="gitcmat lint",
        )
    plan = read_plan(deps.git, intent)
    away = [path for path in (deps.repo.work_tree, deps.repo.common_dir) if path]
    names = [name for name in trust.programs_of(plan) if "/" not in name or name.startswith("/")]
    places = {name: find_program(name, os.environ, away) for name in names}
    return Look(
        branch=_short(ref),
        commit=commit,
        settings_from=intent.settings_from,
        intent=intent,
        plan=plan,
        allowed=deps.trust.trusted(plan),
        last=deps.trust.last(),
        problem=deps.trust.problem,
        programs={name: str(place) if place else None for name, place in places.items()},
        unsaved=saved_not_committed(deps.repo),
    )


def tip(deps: Deps) -> Intent:
    """What the tip of the branch that tasks come from says, right or wrong.

    Raises:
        Conflict: HEAD is detached, or on a branch that agents write.
        NotFound: the branch has no commit.
    """
    ref = _source(deps)
    commit = deps.git.ref(ref)
    if commit is None:
        raise NotFound(
            f"{_short(ref)} has no commit, so there is nothing to trust yet.", hint="git commit"
        )
    intent = IntentReader(deps.repo, deps.git).read(ref, commit)
    if is_for_review(ref, prefix=intent.config.branch.prefix):
        raise _for_review(ref)
    return intent


def allow(deps: Deps, found: Look, digest: str) -> None:
    """Remember that a person has allowed the plan; what is at the tip meanwhile does not matter.

    Raises `Conflict` unless `digest` is its whole digest.
    """
    if digest != found.plan.digest:
        raise Conflict(
            f"The plan of {found.branch} has the digest {found.plan.digest}, not {digest}.",
            hint="gitcmat trust, to see what it is",
        )
    deps.trust.remember(found.plan, deps.clock.now())


def _source(deps: Deps) -> str:
    """The full ref of the branch that new tasks come from."""
    pinned = deps.settings.trust_branch
    ref = f"{_HEADS}{pinned.removeprefix(_HEADS)}" if pinned else Git(deps.repo.common_dir).head()
    if ref is None:
        raise Conflict(
            "HEAD is detached, so there is no branch whose plan could be trusted.",
            hint="git switch to a branch",
        )
    made = {entry.branch for entry in deps.store.read().entries(*OPEN) if entry.branch}
    if is_for_review(ref, ours=made):
        raise _for_review(ref)
    return ref


def _for_review(ref: str) -> Conflict:
    return Conflict(
        f"{_short(ref)} is a branch that agents write: nothing is ever started from it.",
        hint="git switch to a branch of your own",
    )


def _short(ref: str) -> str:
    return ref.removeprefix(_HEADS)
