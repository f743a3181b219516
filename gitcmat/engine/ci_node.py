"""A job of a workflow as a node: a repository of its own, made for the job from what is on the
remote, and thrown away with it. Facts count when they are back there.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from gitcmat.engine.deps import Deps
from gitcmat.engine.reconcile import Reconciler
from gitcmat.errors import Conflict, NotFound
from gitcmat.model.ci import CiSettings
from gitcmat.model.forge_settings import ForgeSettings
from gitcmat.model.settings import TaskTrust, UserSettings
from gitcmat.model.state import OPEN
from gitcmat.model.task import Budget
from gitcmat.ports import Clock
from gitcmat.store import refs, remote_state
from gitcmat.store.git import Git, Repository, discover
from gitcmat.store.pushing import Upstream
from gitcmat.store.remote_state import Move, Moved, Seen
from gitcmat.store.settings import OwnSettings
from gitcmat.system.files import remove_tree

T = TypeVar("T")

TRIES: Final = 40
"""How often a decision is made anew because others were faster."""
_SHORTEST: Final = 0.05
_LONGEST: Final = 5.0
"""Seconds before another try: doubling, and never quite as long as another job's."""
_LOOKS: Final = 5


class _Decided(OwnSettings):
    """Settings that the workflow has decided: no file of the machine's counts."""

    def __init__(self, repo: Repository, settings: UserSettings) -> None:
        super().__init__(repo)
        self._settings = settings

    def now(self) -> UserSettings:
        return self._settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the nodes of a job are made, and from what."""

    folder: Path
    """Theirs alone; removed at the end of the job."""
    checkout: Repository
    """What the workflow has checked out: it says where the remote is, and lends its objects."""
    clock: Clock
    sign_in: Callable[[Deps], Upstream]
    """Says how git reaches the remote of a node."""


class Node:
    """One look at the remote, and what a job decides upon it."""

    def __init__(
        self, deps: Deps, upstream: Callable[[], Upstream], seen: Seen, branch: str
    ) -> None:
        self.deps = deps
        self.reconciler = Reconciler(deps)
        self.upstream = upstream
        self.seen = seen
        self.branch = branch
        """The full name of the branch that tasks come from."""
        self._was = deps.store.tip() or ""

    @property
    def tip(self) -> str:
        """The commit of that branch here."""
        return self.deps.git.ref(self.branch) or ""

    @property
    def state(self) -> str:
        """The commit of the facts here; empty for none."""
        return self.deps.store.tip() or ""

    def push(self, *moves: Move) -> str:
        """Put the facts onto the remote, with other refs or not at all; return their commit.

        Raises as `remote_state.move` does.
        """
        state = Move(ref=self.deps.store.ref, new=self.state, was=self._was)
        remote_state.move(self.deps.git, self.upstream(), [state, *moves])
        self._was = self.state
        return self.state


class Nodes:
    """Makes the nodes of one job, each from what is on the remote by then; a context."""

    def __init__(self, place: Place, settings: CiSettings) -> None:
        self.settings = settings
        self._place = place
        self._made: list[Node] = []
        self._held: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for node in self._made:
            node.deps.store.close()
        remove_tree(self._place.folder)

    @property
    def clock(self) -> Clock:
        """Says what time it is."""
        return self._place.clock

    @property
    def folder(self) -> Path:
        """Where a job may put what it needs for itself."""
        return self._place.folder

    def hold(self, commit: str) -> None:
        """Remember that a commit was checked and brought into a node: further ones have it, too."""
        self._held.add(commit)

    def holds(self, commit: str) -> bool:
        """Whether `hold` was told so."""
        return commit in self._held

    def fresh(self) -> Node:
        """Make a node of what is on the remote now.

        Raises:
            NotFound: the checkout has no such remote, or that has no such branch.
            PushUnknown: the remote does not answer.
        """
        return self._node(None)

    def exactly(self, sha: str, state: str) -> Node:
        """Make a node of what was on the remote when another job looked: the branch that tasks
        come from at `sha`, and the facts at `state` (empty for none).

        Raises `NotFound` when that is not in the history of what is there.
        """
        return self._node((sha, state))

    def agree(self, decide: Callable[[Node], T]) -> T:
        """Decide on what is on the remote, and again as long as somebody else is faster.

        `decide` pushes what it decided, by its node, and may be called many times.

        Raises `Conflict` when it never gets through.
        """
        for pause in _pauses():
            try:
                return decide(self.fresh())
            except Moved:
                time.sleep(pause)
        raise Conflict(
            f"Other jobs were faster {TRIES} times in a row.", hint="run this job once more"
        )

    def _node(self, then: tuple[str, str] | None) -> Node:
        deps, upstream = self._empty()
        git, state = deps.git, refs.state_ref(self.settings.node)
        for _ in range(_LOOKS):
            seen = remote_state.look(git, upstream())
            branch = self._branch(seen)
            remote_state.bring(git, upstream(), [branch, *({state} & seen.refs.keys())])
            if (git.ref(state) or "") == seen.refs.get(state, ""):
                break
        else:
            raise Conflict(f"{state} moves all the time.", hint="try again")
        if then is not None:
            remote_state.go_back(git, branch, then[0])
            remote_state.go_back(git, state, then[1])
        git.run("symbolic-ref", "HEAD", branch)
        deps.own_settings = _Decided(deps.repo, self._settings(branch))
        remote_state.bring(git, upstream(), self._worked_on(deps) & seen.refs.keys() - {branch})
        node = Node(deps, upstream, seen, branch)
        self._made.append(node)
        return node

    def _empty(self) -> tuple[Deps, Callable[[], Upstream]]:
        place, settings = self._place, self.settings
        address = Git(place.checkout.git_dir).maybe("remote", "get-url", settings.remote)
        if address is None:
            raise NotFound(
                f"{place.checkout.root} has no remote {settings.remote!r}.",
                hint="check the repository out first: actions/checkout",
            )
        lenders = [place.checkout] if remote_state.may_lend(place.checkout) else []
        lenders += [node.deps.repo for node in self._made]
        folder = place.folder / f"node-{len(self._made)}.git"
        wanted = remote_state.NodePlan(
            node=settings.node,
            address=address,
            object_format=place.checkout.object_format,
            lenders=lenders,
        )
        git = remote_state.make_node(folder, wanted)
        deps = Deps(discover(folder), git, place.clock)
        deps.me = settings.identity
        deps.own_settings = _Decided(deps.repo, self._settings(""))
        # What a person remembers on this machine is no business of a job.
        deps.trust.path = place.folder / "trust" / "plans.json"
        deps.ledger.path = place.folder / "trust" / "tasks"
        return deps, lambda: place.sign_in(deps)

    def _branch(self, seen: Seen) -> str:
        wanted = self.settings.branch.removeprefix(refs.BRANCHES)
        branch = f"{refs.BRANCHES}{wanted}" if wanted else seen.head
        if branch not in seen.refs or not refs.is_full_branch(branch):
            raise NotFound(
                f"The remote {self.settings.remote!r} has no branch {wanted or branch or 'HEAD'}.",
                hint="name the branch that tasks come from: CMAT_BRANCH",
            )
        return branch

    def _settings(self, branch: str) -> UserSettings:
        own, short = self.settings, branch.removeprefix(refs.BRANCHES)
        return UserSettings(
            tasks=TaskTrust.BRANCH if short else TaskTrust.OWN,
            trust_branch=short or None,
            parallel=own.most,
            budget=Budget(usd=own.day_budget) if own.day_budget else None,
            sandbox=own.sandbox,
            workspaces=str(self._place.folder / "workspaces"),
            checkpoint_every="never",
            forge=ForgeSettings(
                remote="origin", pull=own.pull, issues=own.label or None, bots=own.bots
            ),
        )

    def _worked_on(self, deps: Deps) -> set[str]:
        """What the work on open entries goes on from."""
        found: set[str] = set()
        for entry in deps.store.read().entries(*OPEN):
            found |= {entry.target, entry.branch}
            if entry.run:
                found.add(refs.run_ref(entry.run))
        return found


def _pauses() -> Iterator[float]:
    longest = _SHORTEST
    for _ in range(TRIES):
        yield random.uniform(longest / 2, longest)  # noqa: S311 - no secret hangs on it
        longest = min(_LONGEST, longest * 2)
