"""Pull requests of tasks: opened once, whatever happens in between, and found by people's words.

The branch is pushed first, and read back; then a pull request is looked for before one is made;
then it is recorded. Whoever is killed anywhere on that way does it again and finds what is there.
"""

from dataclasses import dataclass, replace

from gitcmat.engine import branches, pull_push, pull_text
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_open import Wanted, open_
from gitcmat.engine.pull_record import as_seen, record
from gitcmat.engine.reconcile import Reconciler
from gitcmat.errors import Conflict, NotFound
from gitcmat.model import landing, pull_rules
from gitcmat.model.access import TokenKind, starts_workflows
from gitcmat.model.entry import Entry
from gitcmat.model.pull import Pull
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
    reconciler: Reconciler,
    hub: Hub,
    task: str,
    *,
    draft: bool,
    base: str = "",
    again: bool = False,
) -> Published:
    """Put the work of a task in review onto the forge, as a pull request, or bring that which is
    there up to date.

    It may be repeated at any time. It goes onto `base`, a branch there without ``refs/heads/``;
    left out, onto the target of the task, or what `pull_rules.base_of` says. With `again` a new one
    is opened where the last was closed.

    Raises:
        Conflict: it is not in review or has no work; the branch there is somebody else's; its pull
            request was closed.
        NotFound: there is no such base there.
        UserError: the forge or the remote does not do it; see `gitcmat.forge`.
    """
    deps = reconciler.deps
    wants = reconciler(start=False).wants
    entry = named(deps, task)
    landing.check_state(entry, what="get a pull request")
    tip = branches.tip(deps.git, entry).commit
    if tip in ("", entry.base):
        raise Conflict(
            f"{entry.id} changes nothing: there is nothing to open a pull request for.",
            hint=f"gitcmat land {entry.id}, which closes it",
        )
    prefix = wants.config(entry).branch.prefix if wants else "cmat"
    branch = entry.branch or refs.branch_ref(prefix, entry.id)
    base = base.removeprefix(refs.BRANCHES)
    along = _along(deps, hub, entry, base)
    tip, pushed = pull_push.push_work(deps, hub, entry, branch, tip)
    wanted = Wanted(entry=entry, branch=branch, tip=tip, base=base, draft=draft, again=again)
    seen, made = open_(deps, hub, wanted)
    shown = pull_text.digest(entry, wanted.depends_on(deps, hub))
    entry = record(
        deps,
        entry.id,
        lambda known: replace(as_seen(hub, seen, known), pushed=tip, shown=shown),
    )
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
            if entry.issue is not None and entry.issue.number == int(number):
                return entry
        raise NotFound(f"No task has the pull request or issue {text}.", hint="gitcmat pr list")
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


def _along(deps: Deps, hub: Hub, entry: Entry, base: str) -> int:
    """How many commits of the target are here and not on the forge.

    Raises `NotFound` where the branch that it is to go onto is not there.
    """
    onto = f"{refs.BRANCHES}{base}" if base else entry.target
    there = fetch(deps.git, hub.upstream(), onto)
    if there is None:
        raise NotFound(
            f"{hub.remote.slug} has no branch {onto.removeprefix(refs.BRANCHES)}.",
            hint=f"push it, or name another: gitcmat pr create {entry.id} --base BRANCH",
        )
    here = deps.git.ref(entry.target) if onto == entry.target else None
    return int(deps.git.text("rev-list", "--count", f"{there}..{here}")) if here else 0
