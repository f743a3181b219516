"""Sends back to the agent what programs on the forge found red, until a person has to be asked."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gitcmat.engine import branches
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_places import open_pull
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.synced import Synced
from gitcmat.model import gate_report, limits, talk
from gitcmat.model.entry import Entry
from gitcmat.model.events import ChecksRed
from gitcmat.model.forge import Check, CheckState, Level, Rollup
from gitcmat.model.marks import one_line
from gitcmat.model.names import short
from gitcmat.model.state import State
from gitcmat.system.logs import Redactor

_SHOWN: Final = 5
"""Red checks that are told in full; the others by name."""
_ROOM: Final = 14_000
_PLACES: Final = 20
_TIME: Final = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ", re.MULTILINE)
_LEVELS: Final = (Level.FAILURE, Level.WARNING, Level.NOTICE)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def take_in(reconciler: Reconciler, hub: Hub, look: Look, found: Synced) -> None:
    """Send back the work at review whose checks are red."""
    deps = reconciler.deps
    for entry in deps.store.read().entries(State.REVIEW):
        pull = open_pull(hub, entry)
        rollup = look.rollups.get(pull.number) if pull is not None else None
        if rollup is not None and _is_red(deps, entry, rollup):
            with found.about(entry.id):
                _send_back(reconciler, hub, entry, rollup.head_sha, found)


def _is_red(deps: Deps, entry: Entry, rollup: Rollup) -> bool:
    """Whether something red was said of what is at review now."""
    pull = entry.pull
    if rollup.state is not CheckState.FAILED or pull is None or pull.pushed != rollup.head_sha:
        return False
    return branches.tip(deps.git, entry).commit == pull.pushed


def _send_back(reconciler: Reconciler, hub: Hub, entry: Entry, head: str, found: Synced) -> None:
    """Have it happen, once for each commit and set of red checks."""
    checks = [c for c in hub.forge.checks.list(head) if not gate_report.is_ours(c.name)]
    red = [check for check in checks if check.state.red]
    if not red or not all(check.state.done for check in checks):
        return
    names = (*sorted({one_line(check.name) for check in red}),)
    digest = hashlib.sha256("\0".join(names).encode()).hexdigest()[:12]
    told, asked = f"red:{head}:{digest}:{entry.run}", f"asked:{head}:{digest}"
    before = any(one.startswith(f"red:{head}:{digest}:") for one in entry.talk.told)
    if told in entry.talk.told or asked in entry.talk.told:
        return
    text = _text(hub, head, red)
    deps, after = reconciler.deps, After()
    wants = reconciler(start=False).wants
    with deps.store.change("red checks", by=deps.daemon) as change:
        now = change.entry(entry.id)
        if now.state is not State.REVIEW or now.run != entry.run or wants is None:
            return
        attempts = now.task.attempts or wants.config(now).defaults.attempts
        event = ChecksRed(names=names, text=text, attempts=attempts, again=before)
        done = happen(change, entry.id, event, deps.clock.now(), after)
        new = (told, asked) if done.state is State.BLOCKED else (told,)
        change.put(replace(done, talk=replace(done.talk, told=talk.told(done.talk.told, *new))))
    what = "goes back to the agent" if done.state is State.PENDING else "needs a person"
    found.lines.append(f"{entry.id}: {', '.join(names)} red on {short(head)}; it {what}")


def _text(hub: Hub, head: str, red: Sequence[Check]) -> str:
    """Return what the agent is told: of each check where it points at, and the end of its log."""
    shown = red[:_SHOWN]
    parts = [f"These checks of the pull request are red on {short(head)}:"]
    parts += [_of_check(hub, check, _ROOM // len(shown)) for check in shown]
    if more := [one_line(check.name) for check in red[_SHOWN:]]:
        parts.append(f"Red, too: {limits.beginning(', '.join(more), 1_000)}")
    return "\n\n".join(parts)


def _of_check(hub: Hub, check: Check, room: int) -> str:
    lines = [f"{one_line(check.name)}: {check.state.value}"]
    if check.title:
        lines.append(one_line(limits.beginning(check.title, 300)))
    without_secrets = Redactor(()).text  # it may stand in a question, which all can read
    places = hub.forge.checks.annotations(check)
    for place in sorted(places, key=lambda p: _LEVELS.index(p.level))[:_PLACES]:
        message = limits.beginning(one_line(without_secrets(place.message)), 300)
        lines.append(f"{one_line(place.path)}:{place.line}: {message}")
    said = limits.beginning("\n".join(lines), room // 2)
    log = without_secrets(_COLOUR.sub("", _TIME.sub("", hub.forge.checks.log(check))))
    end = limits.cut(log.strip(), room // 2 - 100)
    return f"{said}\n\nThe end of its log:\n\n{end}" if end else said
