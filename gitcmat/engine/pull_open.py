"""The one pull request of a branch: found where it is there, made where there is none."""

from dataclasses import dataclass

from gitcmat.engine import branches, pull_text
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.errors import Conflict
from gitcmat.forge import AlreadyThere, OutcomeUnknown
from gitcmat.model import pull_body, pull_rules
from gitcmat.model.entry import Entry
from gitcmat.model.forge import PullRequest, marks
from gitcmat.model.pull import PullState
from gitcmat.store import refs
from gitcmat.system.logs import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be there for an entry."""

    entry: Entry
    branch: str
    """Full branch, which is on the remote by now."""
    tip: str
    """The commit that it is at."""
    base: str = ""
    """The branch that a person wants it to go onto; empty: what follows from its needs."""
    draft: bool
    again: bool = False
    """Whether a new one is opened where the last was closed."""

    @property
    def head(self) -> str:
        """The branch as the forge calls it."""
        return self.branch.removeprefix(refs.BRANCHES)

    def depends_on(self, deps: Deps, hub: Hub) -> tuple[int, ...]:
        """Return the numbers of the pull requests that come first."""
        needs = _needs(deps, self.entry)
        return pull_rules.depends_on(needs, hub.remote.host, hub.remote.slug)

    def closes(self, hub: Hub) -> int:
        """Return the number of the issue that merging it closes; 0 for none."""
        return pull_rules.closes(self.entry, hub.remote.host, hub.remote.slug)


def open_(deps: Deps, hub: Hub, wanted: Wanted) -> tuple[PullRequest, bool]:
    """Return the pull request as it is then, up to date, and whether it was made now.

    Raises:
        Conflict: it was merged or closed, or that of the branch is for another task.
        UserError: the forge does not do it; see `gitcmat.forge`.
    """
    if found := _there(hub, wanted):
        return _up_to_date(deps, hub, wanted, found), False
    entry = wanted.entry
    numbers = wanted.depends_on(deps, hub)
    text = pull_text.body(deps, entry, wanted.tip, numbers, closes=wanted.closes(hub))
    try:
        made = hub.forge.pulls.create(
            title=pull_body.title(visible(entry.task.name)),
            body=text,
            head=wanted.head,
            base=_base(deps, wanted),
            draft=wanted.draft,
        )
    except (AlreadyThere, OutcomeUnknown) as error:
        if found := _there(hub, wanted):
            ours = isinstance(error, OutcomeUnknown)  # else somebody was faster
            return _up_to_date(deps, hub, wanted, found), ours
        raise
    return made, True


def _base(deps: Deps, wanted: Wanted) -> str:
    if wanted.base:
        return wanted.base

    def holds(need: Entry) -> bool:
        pushed = need.pull.pushed if need.pull else ""
        return bool(pushed) and branches.contains(deps.git, wanted.tip, pushed)

    return pull_rules.base_of(wanted.entry, _needs(deps, wanted.entry), holds)


def _there(hub: Hub, wanted: Wanted) -> PullRequest | None:
    """Return the pull request that the branch has; None when one may be made."""
    entry = wanted.entry
    all_ = hub.forge.pulls.of_branch(wanted.head)
    for found in all_:
        if found.state is PullState.OPEN:
            task = marks(found.body).get("task", entry.id)
            if task == entry.id:
                return found
            raise Conflict(
                f"{found.url} is from {wanted.head} too, and says that it is of the task {task}.",
                hint="close it there first",
            )
    last = all_[0] if all_ else None
    if last is not None and last.state is PullState.MERGED and last.head_sha == wanted.tip:
        raise Conflict(f"{entry.id} was merged by {last.url}.", hint="gitcmat pr sync")
    if last is not None and last.state is PullState.CLOSED and not wanted.again:
        raise Conflict(
            f"{last.url} was closed without merging.",
            hint=f"gitcmat pr create {entry.id} --again, or reopen it there",
        )
    return None


def _up_to_date(deps: Deps, hub: Hub, wanted: Wanted, found: PullRequest) -> PullRequest:
    """Have it say what is true by now, and go where it is wanted; nothing makes a draft of it."""
    numbers = wanted.depends_on(deps, hub)
    closes, entry = wanted.closes(hub), wanted.entry
    text = pull_text.refreshed(deps, entry, wanted.tip, numbers, found.body, closes=closes)
    body = text if text is not None and text != found.body else None
    base = wanted.base if wanted.base not in {"", found.base} else None
    draft = False if found.draft and not wanted.draft else None
    if body is None and base is None and draft is None:
        return found
    return hub.forge.pulls.edit(found.number, body=body, base=base, draft=draft)


def _needs(deps: Deps, entry: Entry) -> list[Entry]:
    facts = deps.store.read()
    found = (facts.entry(need) for need in entry.task.needs)
    return [need for need in found if need is not None]
