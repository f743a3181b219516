"""`gitcmat ci plan`: which tasks may run now. It reads objects; nothing of the repository starts.

What it offers it may claim, so that two plans at once never offer the same. Where the token may not
write there are no claims, and the entry's version alone says whose result counts.
"""

from dataclasses import dataclass, field
from typing import Final

from gitcmat.engine import budgets, ci_trust
from gitcmat.engine.ci_node import Node, Nodes
from gitcmat.engine.intake import Wants
from gitcmat.errors import NotFound
from gitcmat.model import schedule
from gitcmat.model.ci import Offer
from gitcmat.model.entry import Entry
from gitcmat.model.schedule import World
from gitcmat.model.state import State
from gitcmat.store import remote_claims
from gitcmat.store.pushing import NotPushed
from gitcmat.store.remote_claims import Claim

NO_RIGHT: Final = "the token may not write: nothing is claimed, and the first result counts"


@dataclass(slots=True, kw_only=True)
class Planned:
    """What a plan offers, and what it says of the rest."""

    sha: str
    """The tip of the branch that tasks come from."""
    state: str
    """The commit of the facts; empty where there are none yet."""
    offers: list[Offer] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    """What people call the tasks."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Task → why it is not offered."""
    notes: list[str] = field(default_factory=list)


def plan(nodes: Nodes, *, sha: str, holder: str) -> Planned:
    """Take in what is on the remote, and offer what is ready.

    `sha` is a commit that the branch must have, empty for none; `holder` says who claims.

    Raises:
        NotFound: the branch or `sha` is not there.
        NotTrusted, Conflict: the plan of the repository is not the one that was allowed.
        UserError: the remote does not answer.
    """
    if not nodes.settings.leases:
        return _offered(nodes.fresh(), nodes, sha, [])
    try:
        return nodes.agree(lambda node: _claimed(node, nodes, sha, holder))
    except NotPushed:
        return _offered(nodes.fresh(), nodes, sha, [NO_RIGHT])


def _offered(node: Node, nodes: Nodes, sha: str, notes: list[str]) -> Planned:
    """Offer what is ready, and claim none of it: nothing is written anywhere."""
    state = node.state
    found, ready = _ready(node, nodes, sha)
    found.notes += notes
    found.state = state
    claims = remote_claims.read(node.deps.git, node.upstream(), node.seen.refs)
    for entry in _free(node, found, ready, claims)[: nodes.settings.most]:
        _offer(found, entry, lease="")
    return found


def _claimed(node: Node, nodes: Nodes, sha: str, holder: str) -> Planned:
    found, ready = _ready(node, nodes, sha)
    node.push()
    git, now = node.deps.git, node.deps.clock.now()
    claims = remote_claims.read(git, node.upstream(), node.seen.refs)
    taken: dict[str, Claim] = {}
    for entry in _free(node, found, ready, claims):
        if len(taken) == nodes.settings.most:
            break
        wanted = remote_claims.wanted(entry.id, holder, now, nodes.settings.lease_seconds)
        mine = remote_claims.take(git, node.upstream(), wanted, claims.get(entry.id))
        if mine is None:
            found.waiting[entry.id] = "somebody else has just claimed it"
        else:
            taken[entry.id] = mine
    return _still_ready(nodes, found, ready, taken)


def _still_ready(
    nodes: Nodes, found: Planned, ready: list[Entry], taken: dict[str, Claim]
) -> Planned:
    """Offer what was claimed, unless its last holder has done it between our look and our claim."""
    now = nodes.fresh()
    if now.state != found.state:
        facts = now.deps.store.read()
        for entry in ready:
            mine = taken.get(entry.id)
            there = facts.entry(entry.id)
            if mine is not None and (there is None or there.version != entry.version):
                remote_claims.release(now.deps.git, now.upstream(), entry.id, mine.commit)
                del taken[entry.id]
                found.waiting[entry.id] = "it has moved on meanwhile"
        found.state = now.state
    for entry in ready:
        if entry.id in taken:
            _offer(found, entry, lease=taken[entry.id].commit)
    return found


def _ready(node: Node, nodes: Nodes, sha: str) -> tuple[Planned, list[Entry]]:
    """Take in what is new; return what may start, what starts first first."""
    if sha and not node.deps.git.ok("merge-base", "--is-ancestor", sha, node.tip):
        raise NotFound(f"{sha} is not on {node.branch}.", hint="start from a commit of that branch")
    ci_trust.allow(node, nodes.settings.trust_digest)
    report = node.reconciler(start=False)
    found = Planned(sha=node.tip, state=node.state)
    if report.world is None or report.wants is None:
        return found, []
    found.notes += [str(problem) for problem in report.wants.problems]
    if over := _over_budget(node):
        found.notes.append(over)
        return found, []
    able = list(_startable(report.world, report.wants, found))
    return found, [entry for entry in able if nodes.settings.only in ("", entry.id)]


def _over_budget(node: Node) -> str:
    """Why nothing starts today; empty when something may."""
    deps = node.deps
    with deps.store.change("look at the budget", by=deps.daemon) as change:
        short = budgets.shortage(deps, change)
    return short.text if short is not None else ""


def _startable(world: World, wants: Wants, found: Planned) -> list[Entry]:
    ready = set(schedule.startable(world, gone=wants.sources.gone))
    able: list[Entry] = []
    for entry in sorted(world.entries.values(), key=lambda entry: entry.rank):
        if entry.id in ready:
            why = _cannot(wants, entry)
            if why:
                found.waiting[entry.id] = why
            else:
                able.append(entry)
        elif entry.state in (State.PENDING, State.BACKLOG):
            waits = schedule.waits_for(entry, world, gone=wants.sources.gone)
            found.waiting[entry.id] = waits or entry.reason
    return able


def _cannot(wants: Wants, entry: Entry) -> str:
    """Why an entry that is ready cannot start; empty when it can."""
    if not wants.may_start(entry):
        return "nobody has allowed what it would start"
    try:
        wants.agent(entry)
    except NotFound as error:
        return error.message
    return ""


def _free(node: Node, found: Planned, ready: list[Entry], claims: dict[str, Claim]) -> list[Entry]:
    """Those that nobody has claimed."""
    now = node.deps.clock.now()
    free: list[Entry] = []
    for entry in ready:
        held = claims.get(entry.id)
        if held is None or held.over(now):
            free.append(entry)
        else:
            until = f"{held.expires:%Y-%m-%d %H:%M} UTC"
            found.waiting[entry.id] = f"claimed by {held.holder} until {until}"
    return free


def _offer(found: Planned, entry: Entry, *, lease: str) -> None:
    found.titles[entry.id] = entry.task.name
    found.offers.append(Offer(task=entry.id, sha=found.sha, state=found.state, lease=lease))
