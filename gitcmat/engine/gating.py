"""Gates on request: on a commit or on the work of a task, without an agent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitcmat.engine import branches, checks
from gitcmat.engine.checks import Check
from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Intake, Wants
from gitcmat.engine.landing_record import repair
from gitcmat.engine.reconcile import Reconciler
from gitcmat.errors import Conflict, InvalidData, NotFound, NoWork
from gitcmat.model.gate import Gate, GateResult, Verdict, verdict
from gitcmat.model.intent import Intent
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What gates said of one commit."""

    run: str
    task: str
    """Empty when it was about no task."""
    commit: str
    results: tuple[GateResult, ...]

    @property
    def verdict(self) -> Verdict:
        """What they say together."""
        return verdict(self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is to be judged, and by whose settings."""

    task: str
    title: str
    base: str
    commit: str
    intent: Intent
    gates: tuple[str, ...]


def run(
    reconciler: Reconciler,
    names: Sequence[str],
    *,
    task: str | None,
    rev: str,
    on_line: Callable[[str], None],
    on_text: Callable[[str], None],
) -> Judged:
    """Run gates (none named: all that are wanted) on the work of `task`, or on the commit `rev`.

    The commands are those of the branch that the task comes from, or that is checked out; never
    those of the commit that is judged.

    Raises:
        NotFound: there is no such task, commit or gate.
        NoWork: no gates are configured.
        NotTrusted: the plan was not allowed at this machine.
        CheckFailed: the gates could not be run.
    """
    deps = reconciler.deps
    repair(deps)
    wants = reconciler(start=False).wants
    if wants is None:
        raise NotFound("There are no settings to read.", hint="gitcmat init")
    subject = _task(deps, wants, task) if task else _commit(deps, wants, rev)
    chosen = tuple(dict.fromkeys(names)) or subject.gates
    if not chosen:
        raise NoWork("No gates are wanted here.", hint="gates: in .cmat/config.yaml")
    plan = wants.plans[subject.intent.ref]
    deps.trust.require(plan)
    check = Check(
        task=subject.task,
        title=subject.title,
        base=subject.base,
        commit=subject.commit,
        gates=chosen,
        config=subject.intent.config,
        plan=plan.digest,
    )
    result = checks.perform(deps, check, on_text=on_text, on_line=on_line)
    reconciler(start=False)
    return Judged(run=result.run, task=subject.task, commit=subject.commit, results=result.gates)


def listed(deps: Deps) -> dict[str, Gate]:
    """Return the gates of the branch that is checked out, by name. Reads, and writes nothing."""
    wants = Intake(deps, remember=False).wants(deps.store.read())
    return dict(here(wants).config.gates)


def results(deps: Deps, text: str) -> Judged:
    """Return what gates said last of a task, or of one run (both by unique prefix).

    Raises `NotFound`, or `NoWork` when none have run yet.
    """
    facts = deps.store.read()
    if text.startswith("r-") and facts.entry(text) is None:
        found = facts.run(facts.resolve(Kind.RUNS, text))
        runs = [found] if found else []
    else:
        runs = facts.runs(task=facts.resolve(Kind.QUEUE, text))
    for one in runs:
        if one.gates:
            return Judged(
                run=one.id, task=one.task, commit=one.head or one.start, results=one.gates
            )
    raise NoWork(f"No gates have judged {text} yet.", hint=f"gitcmat gate run --task {text}")


def _task(deps: Deps, wants: Wants, text: str) -> _Subject:
    facts = deps.store.read()
    entry = facts.entry(facts.resolve(Kind.QUEUE, text))
    intent = wants.intent(entry) if entry else None
    if entry is None or intent is None:
        raise NotFound(f"The source of {text} is gone.", hint=f"gitcmat task show {text}")
    commit = branches.tip(deps.git, entry).commit
    if not commit:
        raise NoWork(f"{entry.id} has no work yet.", hint=f"gitcmat run now {entry.id}")
    return _Subject(
        task=entry.id,
        title=entry.task.name,
        base=entry.base or commit,
        commit=commit,
        intent=usable(intent),
        gates=wants.gates(entry),
    )


def _commit(deps: Deps, wants: Wants, rev: str) -> _Subject:
    commit = Git(deps.repo.git_dir).rev(rev)
    if commit is None:
        raise NotFound(f"There is no commit {rev!r}.", hint="git log")
    intent = usable(here(wants))
    chosen = intent.config.defaults.gates
    gates = tuple(intent.config.gates) if chosen is None else chosen
    return _Subject(
        task="", title=f"gates on {rev}", base=commit, commit=commit, intent=intent, gates=gates
    )


def here(wants: Wants) -> Intent:
    """What the branch that is checked out says.

    Raises `Conflict` when none is, or nothing is taken from it now.
    """
    found = wants.intents.get(wants.sources.new or "")
    if found is None:
        why = wants.sources.why_no_new or "no branch is checked out"
        raise Conflict(f"There are no settings to run by: {why}.", hint="git switch to your branch")
    return found


def usable(intent: Intent) -> Intent:
    """Return it; raises `InvalidData` when its settings are wrong."""
    if intent.settings_from is None:
        said = "\n".join(str(problem) for problem in intent.problems)
        raise InvalidData(f"The settings are wrong:\n{said}", hint="gitcmat lint")
    return intent
