"""Landing: the work of a task onto its target, judged before, recorded after.

The tree that lands is the one that the gates have passed: where they judged another one, they run
on it first. What is red then goes back like any red, a conflict becomes a question.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from gitcmat.engine import branches, checkpoints, checks
from gitcmat.engine.checks import Check
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.intake import Wants
from gitcmat.engine.landing_record import close, drop_branches, of_journal, repair
from gitcmat.engine.reconcile import Reconciler
from gitcmat.errors import CheckFailed, Conflict, NotFound
from gitcmat.model import landing as rules
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.events import Landed, LandingFailed
from gitcmat.model.gate import GateResult, verdict
from gitcmat.model.landing import How
from gitcmat.model.lifecycle import red_output
from gitcmat.model.marks import named
from gitcmat.model.names import short
from gitcmat.model.state import State
from gitcmat.store import landing as mechanics
from gitcmat.store import landing_journal
from gitcmat.store.landing_commits import Merged, Workshop, workshop
from gitcmat.store.packs import RefMove
from gitcmat.store.worktrees import holder

_TRIES = 3
_SHOWN = 10
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A landing, for the person who typed it."""

    entry: Entry
    old: str
    """Where the target was before."""
    commit: str | None
    """Where it is now; None when nothing had to land."""
    work_tree: Path | None = None
    """The work tree that moved with it."""
    behind: Path | None = None
    """One that did not, though it has the target checked out."""
    branch_left: str = ""
    """Why the branch for review is still there, and how to delete it."""

    @property
    def target(self) -> str:
        """The target as a person names it."""
        return _short(self.entry.target)


def land(
    reconciler: Reconciler,
    entry_id: str,
    *,
    how: How,
    override: str,
    on_line: Say,
    on_text: Say,
) -> Done:
    """Land the work of an entry in review; a person's commits on its branch are part of it.

    Raises:
        Conflict: it is not in review, wants an override, conflicts with its target, or the work
            tree of the target is not free.
        CheckFailed: its gates are red on the tree that would have landed; it went back.
        NotTrusted: the gates would have to run and may not.
        NotFound: the target or a gate is gone.
    """
    deps = reconciler.deps
    if repaired := repair(deps):
        on_line(repaired)
    for _ in range(_TRIES):
        wants = reconciler(start=False).wants
        entry = deps.store.read().entry(entry_id)
        if entry is None or wants is None:
            raise NotFound(f"There is no task {entry_id!r}.", hint="gitcmat queue list")
        rules.check_state(entry)
        attempt = _Landing(deps, wants, entry, override, on_line, on_text)
        try:
            return attempt.land(how)
        except _Moved:
            on_line(f"{entry.id} or {_short(entry.target)} has moved; once more from the new tips")
        finally:
            attempt.release()
            reconciler(start=False)
    raise Conflict(
        "Nothing was landed: the work or its target moves all the time.", hint="try again"
    )


class _Moved(Exception):
    """The target or the work is elsewhere by now; nothing has landed."""


class _Landing:
    """One try on one tip of the target."""

    def __init__(
        self,
        deps: Deps,
        wants: Wants,
        entry: Entry,
        override: str,
        on_line: Say,
        on_text: Say,
    ) -> None:
        self._deps = deps
        self._wants = wants
        self._entry = entry
        self._override = override
        self._on_line = on_line
        self._on_text = on_text
        self._kept = ""
        tip = deps.git.rev(entry.target)
        if tip is None:
            raise NotFound(
                f"{entry.id} lands on {_short(entry.target)}, which does not exist.",
                hint="make that branch again",
            )
        self._tip = tip
        self._work = branches.tip(deps.git, entry).commit
        self._check_behind()

    def _check_behind(self) -> None:
        """Refuse work that stands on what only the forge has: it would land that as its own."""
        git, entry = self._deps.git, self._entry
        there = branches.target_tip(git, entry.target)
        if there in (None, self._tip) or not entry.base:
            return
        if not branches.contains(git, self._tip, entry.base):
            raise Conflict(
                f"{entry.id} stands on commits that {_short(entry.target)} does not have here yet.",
                hint=f"git pull, on {_short(entry.target)}; or: gitcmat pr merge {entry.id}",
            )

    def land(self, how: How) -> Done:
        deps, entry = self._deps, self._entry
        holder(deps.repo, deps.git, entry.target)  # it is refused before gates work for nothing
        with workshop(deps.repo) as shop:
            if not self._work:
                return self._close()
            merged = shop.merge(self._tip, self._work)
            if merged.conflicts:
                self._conflicts(merged)
            if merged.tree == deps.git.text("rev-parse", f"{self._tip}^{{tree}}"):
                return self._close()
            judged = self._is_judged(merged.tree)
            if judged:
                rules.check_override(entry, entry.gates, self._override)
            commit = self._commit(shop, merged.tree, how)
            self._kept = shop.bring_home(commit, (self._tip, self._work), entry.id)
        if not judged:
            self._judge(commit, merged.tree)
        if said := checkpoints.before_landing(deps, entry.target, entry.id):
            self._on_line(said)
        done, landed = self._move(commit, how)
        return Done(
            entry=landed,
            old=self._tip,
            commit=commit,
            work_tree=done.work_tree,
            behind=done.behind,
            branch_left=branches.why_left(deps.git, landed),
        )

    def _move(self, commit: str, how: How) -> tuple[mechanics.Landing, Entry]:
        """Move the target and record it, in one change: nobody sends the work back meanwhile."""
        deps, entry = self._deps, self._entry
        move = RefMove(entry.target, commit, self._tip, f"gitcmat: land {entry.id}")
        note = {"task": entry.id, "how": how, "override": self._override, "by": deps.me.name}
        after = After()
        with deps.store.change(f"land {entry.id}", by=deps.actor) as change:
            now = change.entry(entry.id)
            rules.check_state(now)
            if now.run != entry.run or branches.tip(deps.git, now).commit != self._work:
                raise _Moved
            try:
                done = mechanics.land(deps.repo, deps.git, move, note)
            except Conflict as error:
                if deps.git.rev(entry.target) != self._tip:
                    raise _Moved from error
                raise
            landing = of_journal(deps, done.journal)
            landed = happen(change, entry.id, Landed(landing=landing), landing.at, after)
        landing_journal.remove(deps.repo, done.journal)
        drop_branches(deps, after)
        return done, landed

    def release(self) -> None:
        """Let go of a commit that was made for landing: it has landed, is the run's, or is
        waste.
        """
        if self._kept and (at := self._deps.git.ref(self._kept)):
            self._deps.git.delete_ref(self._kept, at)

    def _close(self) -> Done:
        """Close an entry whose work is on the target already, or is nothing."""
        deps, entry = self._deps, self._entry
        there = self._work not in ("", entry.base) and branches.contains(
            deps.git, self._tip, self._work
        )
        landing = Landing(
            commit=self._work if there else None,
            target=entry.target,
            how="none",
            at=deps.clock.now(),
            by=deps.me.name,
            override=self._override,
        )
        done = close(deps, entry.id, landing) or entry
        left = branches.why_left(deps.git, done)
        return Done(entry=done, old=self._tip, commit=None, branch_left=left)

    def _is_judged(self, tree: str) -> bool:
        """Whether the gates that are wanted now have judged this very tree."""
        entry = self._entry
        names = {gate.name for gate in entry.gates}
        return entry.checked_tree == tree and names >= set(self._gates())

    def _gates(self) -> tuple[str, ...]:
        """The gates that are wanted.

        Raises `NotFound` where nobody can tell: no settings must not look like no gates.
        """
        found = self._wants.intent(self._entry)
        if found is None or found.settings_from is None:
            raise NotFound(
                f"The settings that judge {self._entry.id} cannot be read: its source is gone or "
                "its .cmat/config.yaml is wrong.",
                hint="gitcmat lint",
            )
        return self._wants.gates(self._entry)

    def _commit(self, shop: Workshop, tree: str, how: How) -> str:
        entry = self._entry
        if how is How.REBASE:
            return shop.replay(tree, self._tip, self._work)
        run = self._deps.store.read().run(entry.run or "")
        agent = run.agent if run else ""
        if how is How.SQUASH:
            return shop.squash(tree, self._tip, rules.message(entry, agent=agent))
        message = rules.message(entry, agent=agent, merge_of=branches.shown(entry))
        return shop.join(tree, self._tip, self._work, message)

    def _judge(self, commit: str, tree: str) -> None:
        """Run the gates on the tree that would land, and keep what they say."""
        deps, entry, wants = self._deps, self._entry, self._wants
        names = self._gates()
        if not names:
            return
        found = wants.intent(entry)
        if found is not None:
            deps.trust.require(wants.plans[found.ref])
        self._on_line(f"{entry.id}: its gates have not judged it on {short(self._tip)} yet")
        check = Check(
            task=entry.id,
            title=entry.task.name,
            base=self._tip,
            commit=commit,
            gates=names,
            config=wants.config(entry),
            plan=wants.digest(entry),
        )
        result = checks.perform(deps, check, on_text=self._on_text, on_line=self._on_line)
        red = rules.unforeseen(entry, result.gates)
        if red:
            self._red(commit, red, result.gates)
        self._keep(tree, result.gates)
        rules.check_override(entry, result.gates, self._override)

    def _keep(self, tree: str, results: tuple[GateResult, ...]) -> None:
        with self._deps.store.change(f"checked {self._entry.id}", by=self._deps.actor) as change:
            now = change.entry(self._entry.id)
            if now.state is State.REVIEW and now.run == self._entry.run:
                judged = replace(now, gates=results, checked_tree=tree, verdict=verdict(results))
                change.put(judged, f"{now.id}: checked on the tip of its target")

    def _red(
        self, commit: str, names: tuple[str, ...], results: tuple[GateResult, ...]
    ) -> NoReturn:
        entry = self._entry
        text = f"On top of {_short(entry.target)} it is red.\n\n{red_output(results)}"
        event = LandingFailed(
            text=text,
            conflict=False,
            base=self._tip,
            head=commit,
            tip=self._work,
            gates=results,
        )
        self._fail(event)
        raise CheckFailed(
            f"{entry.id} is red on top of {_short(entry.target)}: {', '.join(names)}. "
            "Nothing was landed; it goes back to the agent.",
            hint=f"gitcmat gate results {entry.id}, then: gitcmat run now {entry.id}",
        )

    def _conflicts(self, merged: Merged) -> NoReturn:
        entry = self._entry
        paths = named(merged.conflicts, _SHOWN)
        event = LandingFailed(
            text=merged.messages or paths, conflict=True, base=self._tip, head=self._work
        )
        self._fail(event)
        raise Conflict(
            f"{entry.id} conflicts with {_short(entry.target)} in {paths}. Nothing was landed.",
            hint=f"gitcmat blocker list --task {entry.id}",
        )

    def _fail(self, event: LandingFailed) -> None:
        deps = self._deps
        with deps.store.change(f"land {self._entry.id}: refused", by=deps.actor) as change:
            happen(change, self._entry.id, event, deps.clock.now(), After())


def undo(done: Done, here: Path | None) -> str:
    """The one command that takes a landing back, as typed in the work tree `here`."""
    if done.commit is None:
        return ""
    if done.work_tree is None:
        return f"git update-ref {done.entry.target} {done.old} {done.commit}"
    where = "" if done.work_tree == here else f"-C {shlex.quote(str(done.work_tree))} "
    return f"git {where}reset --keep {done.old}"


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
