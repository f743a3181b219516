"""Notes what reviewers and checks say of pull requests: what `review` shows asks no forge."""

from dataclasses import replace

from gitcmat.engine.deps import Deps
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.synced import Synced
from gitcmat.model.pull import Pull, in_words
from gitcmat.model.state import OPEN


def take_in(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Note how the open pull requests of open tasks stand."""
    mine = (hub.remote.host, hub.remote.slug)
    news: dict[str, Pull] = {}
    for entry in deps.store.read().entries(*OPEN):
        pull = entry.pull
        if pull is None or not pull.open or (pull.host, pull.repo) != mine:
            continue
        with found.about(entry.id):
            now = _noted(pull, look)
            if now != pull:
                news[entry.id] = now
    if not news:
        return
    with deps.store.change("reviews and checks", by=deps.daemon) as change:
        for task, now in news.items():
            known = change.find(task)
            if known is not None and known.pull is not None and known.pull.number == now.number:
                pull = replace(
                    known.pull, approved=now.approved, rejected=now.rejected, checks=now.checks
                )
                change.put(replace(known, pull=pull), f"{task}: {in_words(now)}")


def _noted(pull: Pull, look: Look) -> Pull:
    checks = pull.checks  # unless it is asked for in this pass
    if rollup := look.rollups.get(pull.number):
        checks = str(rollup.state) if rollup.state is not None else ""
    if not look.spoken(pull.number):
        return replace(pull, checks=checks)
    stands = look.standing(look.pull(pull.number))
    return replace(pull, approved=stands.approved, rejected=stands.rejected, checks=checks)
