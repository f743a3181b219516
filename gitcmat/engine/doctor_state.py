"""Examines what everything else stands on: who this node is, and the ref of its state."""

from collections.abc import Iterator
from functools import partial

from gitcmat.engine.deps import Deps
from gitcmat.engine.doctor_case import Case, case
from gitcmat.errors import NotFound
from gitcmat.model.health import Severity
from gitcmat.model.names import NodeId
from gitcmat.store import lost_state, node, ref_damage, refs
from gitcmat.store.view_manifest import read_manifest


def examine(deps: Deps) -> Iterator[Case]:
    """Look at the node and at the state ref; needs no records."""
    yield from _node(deps)
    yield from _state(deps)


def _node(deps: Deps) -> Iterator[Case]:
    repo = deps.repo
    copied = node.copied_node(repo)
    if copied is not None:
        yield case(
            "node-copied",
            Severity.MINOR,
            "This repository is a copy of another one, and goes on under that one's name until "
            "something is written",
            where=copied,
            mend=partial(node.node_id, repo, deps.git),
        )
    elif node.known_node(repo) is None and (repo.cmat / "state.lock").exists():
        yield from _lost(deps)


def _lost(deps: Deps) -> Iterator[Case]:
    """The node's file is gone or damaged: the next change would begin with no records at all."""
    held = [*refs.list_refs(deps.git, refs.STATE)]
    if not held:
        return
    names = [NodeId(ref.removeprefix(refs.STATE)) for ref in held]
    what = f"{node.file_of(deps.repo)} is missing or damaged, so no records are found"
    if len(names) == 1:
        yield case(
            "node-lost",
            Severity.CRITICAL,
            what,
            where=names[0],
            mend=partial(node.remember, deps.repo, names[0]),
        )
    else:
        how = f"write it anew with one of these nodes: {', '.join(names)}"
        yield case("node-lost", Severity.CRITICAL, what, where=names[0], how=how)


def _state(deps: Deps) -> Iterator[Case]:
    broken = ref_damage.damaged(deps.repo, deps.git, [refs.STATE])
    known = node.known_node(deps.repo)
    own = refs.state_ref(known) if known else None
    for ref, how in broken.items():
        yield case(
            "ref-broken",
            Severity.CRITICAL,
            f"{ref} {how}; git fetch and git gc fail while it is there",
            where=ref,
            mend=partial(restore_state, deps, ref),
        )
    if own and own not in broken and deps.git.ref(own) is None and _has_worked(deps):
        yield case(
            "state-lost",
            Severity.CRITICAL,
            f"{own} is gone, and with it all records of this machine",
            where=own,
            mend=partial(restore_state, deps, own),
        )


def _has_worked(deps: Deps) -> bool:
    """Whether there were records once."""
    shown = read_manifest(deps.repo.cmat / "view/manifest.json").rows
    return any(deps.runs.glob("r-*")) or bool(shown)


def restore_state(deps: Deps, ref: str) -> None:
    """Put the newest state that the node wrote back into its ref.

    Raises `NotFound` when no state of it is left; the ref stays as it is then.
    """
    name = ref.removeprefix(refs.STATE)
    found = ref_damage.logged(deps.repo, deps.git, ref) or lost_state.find_state(deps.git, name)
    there = (deps.repo.common_dir / ref).exists()
    if found is None:
        path = deps.repo.common_dir / ref
        raise NotFound(
            f"No state of {name} is left to put into {ref}.",
            hint=f"rm {path}, to begin without records" if there else "git fsck --lost-found",
        )
    if there:
        ref_damage.rewrite(deps.repo, deps.git, ref, found)
    else:
        deps.git.update_ref(ref, found, None, why="gitcmat doctor: restored")
