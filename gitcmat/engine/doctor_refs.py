"""Examines our refs below the state, those of runs and checkpoints and branches for review.

Those of the person are only seen to have been written whole: what git would stumble over is named.
"""

import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.doctor_case import Case, Patient, case
from gitcmat.model.health import Severity
from gitcmat.model.settings import Branch
from gitcmat.store import ref_damage, refs
from gitcmat.store.facts import Facts
from gitcmat.store.packedrefs import pack_refs

MANY: Final = 2_000
"""More loose refs of ours than this slow the person's own git down."""


def examine(patient: Patient) -> Iterator[Case]:
    """Look at every ref."""
    yield from _broken(patient.deps, patient.facts)
    yield from _foreign(patient.deps, patient.facts)
    yield from _many(patient.deps)


def git_version(deps: Deps) -> tuple[int, ...]:
    """The version of git, as numbers."""
    text = deps.git.text("version")
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _broken(deps: Deps, facts: Facts) -> Iterator[Case]:
    for ref, how in ref_damage.damaged(deps.repo, deps.git, _places(facts)).items():
        if ref.startswith(refs.STATE):
            continue
        value = _last_value(deps, facts, ref)
        becomes = f"back to {value[:12]}" if value else "removed, as nothing says where it was"
        yield case(
            "ref-broken",
            Severity.CRITICAL,
            f"{ref} {how}; git fetch and git gc fail while it is there",
            where=ref,
            how=f"gitcmat doctor --fix ({becomes})",
            mend=partial(_put_right, deps, ref, value),
        )


def _places(facts: Facts) -> tuple[str, ...]:
    """Below what our refs are."""
    branches = {f"{Path(e.branch).parent}/" for e in facts.entries() if e.branch}
    return (refs.OURS, *sorted(branches | {f"{refs.BRANCHES}{Branch().prefix}/"}))


def _foreign(deps: Deps, facts: Facts) -> Iterator[Case]:
    """Look at refs of the person, which are theirs to mend."""
    ours = _places(facts)
    for ref, how in ref_damage.unreadable(deps.repo, ["refs/"]).items():
        if ref.startswith(ours):
            continue
        path = deps.repo.common_dir / ref
        value = ref_damage.logged(deps.repo, deps.git, ref)
        again = f" && git update-ref {shlex.quote(ref)} {value}" if value else ""
        yield case(
            "ref-foreign",
            Severity.MINOR,
            f"{ref} {how}; it is not gitcmat's, and git fetch and git gc fail while it is there",
            where=ref,
            how=f"if no git is at work: rm {shlex.quote(str(path))}{again}",
        )


def _put_right(deps: Deps, ref: str, value: str | None) -> None:
    if value:
        ref_damage.rewrite(deps.repo, deps.git, ref, value)
    else:
        ref_damage.remove(deps.repo, deps.git, ref)


def _last_value(deps: Deps, facts: Facts, ref: str) -> str | None:
    """Where a ref was, as its reflog or the records say, if that is still here."""
    logged = ref_damage.logged(deps.repo, deps.git, ref)
    if logged:
        return logged
    said = [value for value in _recorded(facts, ref) if value]
    return next((v for v in said if deps.git.ok("cat-file", "-e", f"{v}^{{commit}}")), None)


def _recorded(facts: Facts, ref: str) -> Iterator[str]:
    name = ref.rpartition("/")[2]
    if ref.startswith(refs.RUNS) and (run := facts.run(name)):
        yield from (run.head, run.start)
    elif ref.startswith(refs.CHECKPOINTS) and (kept := facts.checkpoint(name)):
        yield kept.commit
    elif ref.startswith(refs.BRANCHES) and (entry := facts.entry(name)) and entry.branch == ref:
        yield entry.branch_head


def _many(deps: Deps) -> Iterator[Case]:
    count = sum(1 for _ in ref_damage.loose(deps.repo, [refs.OURS]))
    if count > MANY:
        yield case(
            "refs-many",
            Severity.MINOR,
            f"{count} loose refs of ours make git log and git status slow",
            where=refs.OURS,
            mend=partial(pack_refs, deps.git),
        )
