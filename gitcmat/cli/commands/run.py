"""``gitcmat run``: start, follow and stop runs of agents."""

from collections.abc import Iterator, Sequence

import click

from gitcmat.app import run_exec
from gitcmat.cli.running import run_direct, run_in_background, run_now
from gitcmat.cli.shown import plain, run_seconds
from gitcmat.cli.state import State, common
from gitcmat.errors import Usage
from gitcmat.model.marks import one_line
from gitcmat.model.run import GATES, Run
from gitcmat.model.spending import Part, total


@click.group(name="run")
def command() -> None:
    """Start, follow and stop runs of agents."""


@command.command()
@click.argument("task")
@click.option("--background", is_flag=True, help="Start one attempt, print its run, and return.")
@common
def now(state: State, *, task: str, background: bool) -> None:
    """Run TASK in the foreground until it needs you: whatever limits and holds say.

    Ctrl-C stops the run and keeps its work. Exit code 1 when it did not get to review. In the
    background it needs no daemon: whatever looks next, a command or a daemon, takes the result in.
    """
    if background:
        run_in_background(state, task)
    else:
        run_now(state, task)


@command.command()
@click.argument("agent")
@click.argument("prompt")
@click.option("--background", is_flag=True, help="Print its run, and return.")
@common
def direct(state: State, *, agent: str, prompt: str, background: bool) -> None:
    """Run AGENT on PROMPT without a task: no gate judges it, and its work stays on the run's ref.

    Exit code 1 when it did not end well.
    """
    run_direct(state, agent, prompt, background=background)


@command.command(name="list")
@click.option("--task", metavar="ID", help="Only the runs of one task.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@common
def list_(state: State, *, task: str | None, limit: int) -> None:
    """List runs, the newest first."""
    from gitcmat.engine import runs

    found, left = runs.listed(state.app.deps, task=task, limit=limit)
    lines = state.out.table(_HEAD, map(_row, found)) if found else ["nothing has run yet"]
    if left:
        lines.append(f"and {left} more (--limit {limit + left})")
    state.out.show({"runs": [plain(r) for r in found], "left_out": left}, lines)


@command.command()
@click.argument("run")
@click.option("--log", "with_log", is_flag=True, help="Print what it printed, and nothing else.")
@common
def show(state: State, *, run: str, with_log: bool) -> None:
    """Show RUN; the id of a task means its last one."""
    from gitcmat.engine import runs

    deps = state.app.deps
    found = runs.find(deps, run)
    if not with_log:
        members = runs.members(deps, found)
        data = {"run": plain(found), "members": [plain(m) for m in members]}
        state.out.show(data, _lines(found, members))
        return
    text = runs.printed(deps, found)
    state.out.show({"run": plain(found), "log": text}, text)


@command.command()
@click.argument("run")
@click.option("--tail", "last", type=click.IntRange(0), metavar="N", help="Begin N lines back.")
@click.option("--since", type=click.IntRange(0), metavar="LINE", help="Begin behind this line.")
@common
def follow(state: State, *, run: str, last: int | None, since: int | None) -> None:
    """Print what RUN prints, as it comes, until it ends; the id of a task means its last run."""
    from gitcmat.engine import runs

    if last is not None and since is not None:
        raise Usage("--tail and --since exclude each other.", hint="choose one")
    deps = state.app.deps
    found = runs.find(deps, run)
    for text in runs.follow(deps, found, last=last, since=since):
        state.out.stream(text)


@command.command()
@click.argument("run", required=False)
@click.option("--all", "every", is_flag=True, help="Stop whatever runs.")
@common
def stop(state: State, *, run: str | None, every: bool) -> None:
    """Stop RUN, or the run of a task, with every process that it started; its work is kept.

    So does what its agent has delegated. Its task is on hold then, until it is released or run; a
    run that was itself delegated ends alone, and the agent that waits for it goes on. With --all a
    daemon that watches starts nothing else either, until `gitcmat queue resume`.
    """
    from gitcmat.engine import pauses, runs

    if every is (run is not None):
        raise Usage("Say which run to stop, or --all.", hint="gitcmat run stop RUN")
    deps = state.app.deps
    # Paused before anything ends: or what is ready takes its place.
    found, paused = ([runs.find(deps, run)], False) if run else pauses.pause_what_runs(deps)
    stopped = runs.stop(deps, found, state.app.settle)
    lines = [f"{r.id} ({r.task or 'no task'}): {r.outcome or 'under way'}" for r in stopped]
    facts = deps.store.read()
    entries = [facts.entry(r.task) for r in stopped if not r.alone]
    held = [e.id for e in entries if e is not None and e.hold]
    lines += [f"{task} is on hold: gitcmat queue release {task}" for task in held]
    if paused:
        lines.append("the daemon starts nothing new until: gitcmat queue resume")
    data = {"runs": [plain(r) for r in stopped], "on_hold": held, "paused": paused}
    state.out.show(data, lines)


@command.command(name="exec", hidden=True)
@click.argument("folder")
def exec_(folder: str) -> None:
    """Do one attempt: what a runner is started as."""
    raise click.exceptions.Exit(run_exec(folder))


_HEAD = ("RUN", "TASK", "ATTEMPT", "AGENT", "OUTCOME", "STARTED", "SECONDS", "MESSAGE")


def _row(run: Run) -> tuple[object, ...]:
    seconds = run_seconds(run)
    took = "" if seconds is None else f"{seconds:.0f}"
    started = f"{run.started.astimezone():%Y-%m-%d %H:%M:%S}"
    outcome = run.outcome or "under way"
    agent = f"{run.agent} for {run.parent}" if run.parent else run.agent
    return (run.id, run.task, run.attempt, agent, outcome, started, took, run.message)


def _lines(run: Run, members: Sequence[Run] = ()) -> Iterator[str]:
    seconds = run_seconds(run)
    took = "" if seconds is None else f", {seconds:.1f} s"
    yield f"{run.id}  {run.outcome or 'under way'}{took}  {run.message}".rstrip()
    about = f"{run.task}, attempt {run.attempt}" if run.task else "none"
    yield f"  task      {about}, by {run.agent}"
    if run.parent:
        group = f", in {one_line(run.group)}" if run.group else ""
        yield f"  for       {run.parent}, whose agent delegated it{group}"
    for member in members:
        yield f"  member    {member.id} {member.agent}: {member.outcome or 'under way'}"
    yield f"  started   {run.started.astimezone():%Y-%m-%d %H:%M:%S}"
    yield f"  from      {run.start[:12]} (base {run.base[:12]})"
    if run.agent != GATES:
        yield f"  sandbox   {run.sandbox}"
    if run.head:
        commits = "1 commit" if run.commits == 1 else f"{run.commits} commits"
        yield f"  result    {run.head[:12]}, {commits} on {run.ref}"
    spent = total([Part.of(run)])
    if spent.told:
        yield f"  cost      {spent}"
    for gate in run.gates:
        reason = f" ({gate.reason})" if gate.reason else ""
        yield f"  gate      {gate.name}: {gate.outcome}{reason}"
    yield from (f"  file      {f.status} {f.path}" for f in run.files)
    if run.more_files:
        yield f"  file      and {run.more_files} more"
    yield from (f"  mark      {m}" for m in run.marks)
    yield from (f"  warning   {w}" for w in run.warnings)
    yield from (f"  ignored   {i}" for i in run.ignored)
    yield f"  log       gitcmat run show {run.id} --log"
