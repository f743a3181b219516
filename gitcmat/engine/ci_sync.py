"""`gitcmat ci sync`: one pass over the forge, for facts that lie on the remote."""

from collections.abc import Callable
from dataclasses import dataclass

from gitcmat.engine import forge_sync
from gitcmat.engine.ci_node import Node, Nodes
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.engine.synced import Synced
from gitcmat.model.state import FINISHED, State
from gitcmat.store import refs, remote_claims
from gitcmat.store.remote_state import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedHere:
    """What came of it."""

    state: str
    """The commit of the facts."""
    found: Synced


def sync(nodes: Nodes, open_hub: Callable[[Deps], Hub]) -> SyncedHere:
    """Take in what happened on the forge, show there what happened here, and push the facts.

    It may be killed anywhere, and repeated: what it makes on the forge it looks for first.

    Raises `UserError` when the forge or the remote does not answer.
    """
    return nodes.agree(lambda node: _pass(node, open_hub))


def _pass(node: Node, open_hub: Callable[[Deps], Hub]) -> SyncedHere:
    found = forge_sync.sync(node.reconciler, open_hub(node.deps))
    return SyncedHere(state=node.push(*_no_longer_needed(node)), found=found)


def _no_longer_needed(node: Node) -> list[Move]:
    """Results of runs whose work has landed, and claims on tasks that are finished: few refs keep
    everybody's git fast.
    """
    facts, now = node.deps.store.read(), node.deps.clock.now()
    moves: list[Move] = []
    for ref, commit in node.seen.refs.items():
        run = facts.run(ref.removeprefix(refs.RUNS)) if ref.startswith(refs.RUNS) else None
        entry = facts.entry(run.task) if run is not None and run.task else None
        if entry is not None and entry.state is State.DONE:
            moves.append(Move(ref=ref, new="", was=commit))
    claims = remote_claims.read(node.deps.git, node.upstream(), node.seen.refs)
    for task, claim in claims.items():
        entry = facts.entry(task)
        if claim.over(now) and (entry is None or entry.state in FINISHED):
            moves.append(remote_claims.end(task, claim.commit))
    return moves
