"""SIGKILL at every system call of one transition of the state, its gits' too, and none left out.

After each the transition has happened or it has not, what was acknowledged is there, and the next
command needs no repair. What the disk looks like after a kill is looked at each time; where it
looks as it did after another, the next command is not tried again.
"""

import signal
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.state import State
from tests.support.acked import Queue
from tests.support.faults import needs_strace
from tests.support.folders import Kept
from tests.support.repo import TestRepo
from tests.support.stepping import Blow
from tests.support.store import open_store
from tests.support.transition import Ended, Transitions

PROCESSES: Final = 6
"""gitcmat itself and its gits, in the order in which they begin."""
_TRIES: Final = 10

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), needs_strace]


@pytest.mark.parametrize("process", range(PROCESSES))
def test_a_transition_that_is_killed_at_any_system_call_has_happened_or_has_not(
    repo: TestRepo, tmp_path: Path, process: int, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = Sweep(repo, tmp_path)
    with Transitions(repo.path, sweep.task) as transitions:
        whole = sweep.unhurt(transitions)
        begun = {call.process for call in whole.story.calls}
        assert begun == set(range(PROCESSES)), "another number of gits: correct PROCESSES"
        places = zip(whole.story.calls, whole.story.accompanied, strict=True)
        mine = [(call, others) for call, others in places if call.process == process]
        kills: Counter[bool] = Counter()
        for call, others in mine:
            for everybody in (False, True) if others else (False,):
                sweep.kept.bring_back()
                ended = transitions.once(Blow(call, everybody=everybody))
                kills[everybody] += ended.story.struck
                sweep.look(ended)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nprocess {process}: {len(mine)} of {len(whole.story.calls)} system calls, each of "
            f"them killed at: {kills[False]}, and with all others: {kills[True]}; "
            f"{len(sweep.states)} states of the disk; {dict(sweep.ends)}"
        )
    assert kills[False] == len(mine)
    assert kills[True] == sum(others for _, others in mine)


class Sweep:
    """A repository, brought back to the same before each kill, and what is seen after it."""

    def __init__(self, repo: TestRepo, folder: Path) -> None:
        self.repo = repo
        self.states: dict[str, bool] = {}
        """What the disk looked like → whether the transition had happened."""
        self.ends: Counter[tuple[int, bool]] = Counter()
        """Exit code, and whether the transition had happened."""
        self._queue = Queue(repo, folder)
        self.task = max(self._queue.acked)
        self._queue.goes_on()  # the view is in the work tree
        self._before = self._tip()
        self.kept = Kept(repo.path)

    def look(self, ended: Ended) -> None:
        """See that nothing is half, and that what was acknowledged is there."""
        state = self.kept.state()
        if state not in self.states:
            self.states[state] = self._happened()
            self._queue.a_minute_later()
            self._queue.goes_on()
            self._queue.leaves_no_litter()
        happened = self.states[state]
        self.ends[ended.story.code, happened] += 1
        assert ended.story.code in (0, 1, -signal.SIGKILL)
        assert happened or not ended.acknowledged

    def unhurt(self, transitions: Transitions) -> Ended:
        """Return what it does when nobody is killed, seen twice alike: a slow moment may add a
        call, such as one more look for a child's end.
        """
        seen: list[Ended] = []
        while len(seen) < _TRIES and (len(seen) < 2 or seen[-1] != seen[-2]):
            self.kept.bring_back()
            seen.append(transitions.once())
            self.look(seen[-1])
            assert (seen[-1].story.code, seen[-1].acknowledged) == (0, True)
        assert seen[-1] == seen[-2]
        return seen[-1]

    def _happened(self) -> bool:
        store = open_store(self.repo.path)
        facts = store.read()
        entries = {entry.id: entry.state for entry in facts.entries()}
        store.close()
        self.repo.git("fsck", "--strict", "--no-dangling")
        assert set(entries) == self._queue.acked
        happened = facts.tip != self._before
        assert entries.pop(self.task) is (State.CANCELLED if happened else State.PENDING)
        assert State.CANCELLED not in entries.values()
        if happened:
            assert self.repo.git("rev-list", f"{facts.tip}", f"^{self._before}") == facts.tip
        return happened

    def _tip(self) -> str | None:
        store = open_store(self.repo.path)
        store.read().states()
        tip = store.tip()
        store.close()
        return tip
