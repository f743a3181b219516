"""Pull requests of tasks: opened once, whatever happens in between, and found by people's words.

The branch is pushed first, and read back; then a pull request is looked for before one is made;
then it is recorded. Whoever is killed anywhere on that way does it again and finds what is there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gitcmat.engine import branches, pull_push, pull_text
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_record import as_seen, record
from gitcmat.engine.reconcile import Reconciler
from gitcmat.errors import Conflict, NotFound
from gitcmat.forge import AlreadyThere, OutcomeUnknown
from gitcmat.model import landing, pull_body, pull_rules
from gitcmat.model.access import TokenKind, starts_workflows
from gitcmat.model.entry import Entry
from gitcmat.model.forge import PullRequest, marks
from gitcmat.model.pull import Pull, PullState
from gitcmat.store import refs
from gitcmat.store.fetching import fetch
from gitcmat.store.layout import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A pull request that is there, and what was done for that."""

    entry: Entry
    pull: Pull
    made: bool
    """Whether it was opened now; else it was there."""
    pushed: bool
    """Whether its branch was moved now."""
    along: int = 0
    """Commits of the target here that the forge does not have: they are part of it."""
    silent: bool = False
    """Whether the push starts no workflow: it was by the token of one."""


def publish(
    reconciler: Reconciler, hub: Hub, task: str, *, draft: bool, again: bool = False
) -> Published:
    """Put the work of a task in review onto the forge, as a pull request.

    It may be repeated at any time. With `again` a new one is opened where the last was closed.

    Raises:
        Conflict: it is not in review or has no work; the branch there is somebody else's; its pull
            request was closed.
        UserError: the forge or the remote does not do it; see `gitcmat.forge`.
    """
    deps = reconciler.deps
    wants = reconciler(start=False).wants
    entry = named(deps, task)
    landing.check_state(entry)
    tip = branches.tip(deps.git, entry).commit
    if tip in ("", entry.base):
        raise Conflict(
            f"{entry.id} changes nothing: there is nothing to open a pull request for.",
            hint=f"gitcmat land {entry.id}, which closes it",
        )
    prefix = wants.config(entry).branch.prefix if wants else "cmat"
    branch = entry.branch or refs.branch_ref(prefix, entry.id)
    tip, pushed = pull_push.push_work(deps, hub, entry, branch, tip)
    along = _along(deps, hub, entry)
    seen, made = _opened(deps, hub, entry, branch, tip, draft=draft, again=again)
    entry = record(deps, entry.id, lambda known: replace(as_seen(hub, seen, known), pushed=tip))
    pull = pull_rules.recorded(entry)
    return Published(
        entry=entry,
        pull=pull,
        made=made,
        pushed=pushed,
        along=along,
        silent=pushed and _is_silent(hub),
    )


def named(deps: Deps, text: str) -> Entry:
    """Return the entry that somebody means by the beginning of its id, or by ``#12``.

    Raises `NotFound` when there is none.
    """
    facts = deps.store.read()
    number = text.removeprefix("#")
    if text.startswith("#") and number.isdecimal():
        for entry in facts.entries():
            if entry.pull is not None and entry.pull.number == int(number):
                return entry
        raise NotFound(f"No task has the pull request {text}.", hint="gitcmat pr list")
    found = facts.entry(facts.resolve(Kind.QUEUE, text))
    if found is None:
        raise NotFound(f"There is no task {text!r}.", hint="gitcmat queue list")
    return found


def listed(deps: Deps) -> list[Entry]:
    """Return the entries that have a pull request, what matters most first."""
    return [entry for entry in deps.store.read().entries() if entry.pull is not None]


def close(deps: Deps, hub: Hub, task: str) -> Entry:
    """Close the pull request of a task without merging it; the task stays where it is."""
    entry = named(deps, task)
    pull = pull_rules.still_open(entry)
    seen = hub.forge.pulls.close(pull.number)
    return record(deps, entry.id, lambda known: as_seen(hub, seen, known))


def _is_silent(hub: Hub) -> bool:
    """Whether what we push starts no workflow; only for tokens of one kind that has to be asked."""
    if hub.credential.kind is not TokenKind.INSTALLATION:
        return False
    return not starts_workflows(hub.forge.whoami())


def _along(deps: Deps, hub: Hub, entry: Entry) -> int:
    """How many commits of the target are here and not on the forge."""
    there = fetch(deps.git, hub.upstream(), entry.target)
    here = deps.git.ref(entry.target)
    if there is None:
        raise Conflict(
            f"{hub.remote.slug} has no branch {entry.target.removeprefix(refs.BRANCHES)}.",
            hint="push it, or have the task land on another branch",
        )
    return int(deps.git.text("rev-list", "--count", f"{there}..{here}")) if here else 0


def _opened(
    deps: Deps, hub: Hub, entry: Entry, branch: str, tip: str, *, draft: bool, again: bool
) -> tuple[PullRequest, bool]:
    """Return the one pull request of the branch, and whether it was made now."""
    head = branch.removeprefix(refs.BRANCHES)
    if found := _there(hub, entry, head, tip, again=again):
        return _readied(hub, found, draft=draft), False
    needs = _needs(deps, entry)
    base = pull_rules.base_of(
        entry,
        needs,
        lambda need: (
            branches.contains(deps.git, tip, need.pull.pushed)
            if need.pull and need.pull.pushed
            else False
        ),
    )
    numbers = pull_rules.depends_on(needs, hub.remote.host, hub.remote.slug)
    text = pull_text.body(deps, entry, tip, numbers)
    name = pull_body.title(entry.task.name)
    try:
        made = hub.forge.pulls.create(title=name, body=text, head=head, base=base, draft=draft)
    except (AlreadyThere, OutcomeUnknown):
        if found := _there(hub, entry, head, tip, again=again):
            return _readied(hub, found, draft=draft), True
        raise
    return made, True


def _there(hub: Hub, entry: Entry, head: str, tip: str, *, again: bool) -> PullRequest | None:
    """Return the pull request that the branch has; None when one may be made."""
    all_ = hub.forge.pulls.of_branch(head)
    for found in all_:
        if found.state is PullState.OPEN:
            task = marks(found.body).get("task", entry.id)
            if task == entry.id:
                return found
            raise Conflict(
                f"{found.url} is from {head} too, and says that it is of the task {task}.",
                hint="close it there first",
            )
    last = all_[0] if all_ else None
    if last is not None and last.state is PullState.MERGED and last.head_sha == tip:
        raise Conflict(f"{entry.id} was merged by {last.url}.", hint="gitcmat pr sync")
    if last is not None and last.state is PullState.CLOSED and not again:
        raise Conflict(
            f"{last.url} was closed without merging.",
            hint=f"gitcmat pr create {entry.id} --again, or reopen it there",
        )
    return None


def _readied(hub: Hub, found: PullRequest, *, draft: bool) -> PullRequest:
    """Take it out of draft where that is wanted; nothing makes a draft of it again."""
    if found.draft and not draft:
        return hub.forge.pulls.edit(found.number, draft=False)
    return found


def _needs(deps: Deps, entry: Entry) -> Iterable[Entry]:
    facts = deps.store.read()
    found = (facts.entry(need) for need in entry.task.needs)
    return [need for need in found if need is not None]
