"""``gitcmat ci``: what the jobs of a workflow do."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcmat.cli import ci_gate, ci_options
from gitcmat.cli.ci_options import job, offered, opened
from gitcmat.cli.state import State, common
from gitcmat.cli.workflow import Workflow, cell, no_commands, plain, table
from gitcmat.model.ci import REPORT, CiSettings, Offer, full_sha

if TYPE_CHECKING:
    from gitcmat.engine.ci_plan import Planned
    from gitcmat.engine.ci_publish import Done
    from gitcmat.engine.ci_run import Ran


@click.group(name="ci")
def command() -> None:
    """Jobs of a workflow: find out what is ready, run it, publish it, take in what happened.

    Facts lie on the remote, as refs/cmat/state/NODE. Each option is a variable of the job, too; one
    that is empty counts as not set. See docs/ci.md.
    """


command.add_command(ci_gate.gate)
command.add_command(ci_gate.workflows)


@command.command()
@job(
    ci_options.ONLY,
    ci_options.LEASES,
    ci_options.LEASE_FOR,
    ci_options.DAY_BUDGET,
    ci_options.TRUST,
)
@ci_options.option("--sha", default="", help="A commit that the branch must have.")
@common
def plan(state: State, *, settings: CiSettings, sha: str, work: Path | None) -> None:
    """Say which tasks are ready. Starts nothing of the repository, and needs no files of it.

    In a workflow the event that started it is looked at first, as `gitcmat ci gate` does.

    Outputs: tasks (a JSON list for a matrix: task, sha, state, lease), count, sha, state.
    """
    from gitcmat.engine import ci_plan

    workflow = Workflow(os.environ)
    sha = full_sha("CMAT_SHA", sha) if sha else ""
    with opened(state, settings, work) as nodes:
        passage = ci_gate.through(nodes)
        sha = sha or (passage.sha if passage else "")
        found = ci_plan.plan(nodes, sha=sha, holder=workflow.holder)
    offers = [asdict(offer) for offer in found.offers]
    workflow.output(
        {
            "tasks": json.dumps(offers),
            "count": str(len(offers)),
            "sha": found.sha,
            "state": found.state,
        }
    )
    workflow.summary(_plan_summary(workflow, found))
    data = {"tasks": offers, "count": len(offers), "sha": found.sha, "state": found.state}
    state.out.show(
        data | {"waiting": found.waiting, "notes": found.notes}, plain(_plan_lines(found))
    )


@command.command()
@job(ci_options.TRUST, ci_options.SANDBOX, ci_options.KEYS, ci_options.OUT, ci_options.TRANSCRIPT)
@offered
@common
def run(
    state: State,
    *,
    settings: CiSettings,
    offer: Offer,
    out: Path,
    transcript: str,
    work: Path | None,
) -> None:
    """Run one task to its end, and write result.bundle and report.json. Needs no right to write.

    Agents get none of the variables of the workflow, but those that --agent-keys names. Exits with
    0 when there is work to look at, or a question; with 1 when it failed or must wait: the report
    is written then, too. Outputs: outcome, bundle, report.
    """
    from gitcmat.engine import ci_run
    from gitcmat.system import environment, own_environment
    from gitcmat.system.interrupts import Interrupts

    workflow = Workflow(os.environ)
    shown = transcript == "true" or (transcript == "auto" and workflow.private)
    secrets = environment.secrets(os.environ, settings.agent_keys)
    with opened(state, settings, work) as nodes:
        ci_gate.check_machine(nodes)
        node = ci_run.prepare(nodes, offer)
        workflow.keep_files()
        own_environment.become(environment.job_environment(os.environ, settings.agent_keys))
        try:
            with no_commands(), Interrupts() as interrupts:
                ears = ci_run.Ears(
                    interrupts=interrupts,
                    on_text=state.out.log if shown else _say_nothing,
                    on_line=state.out.progress,
                )
                done = ci_run.run(node, offer, out.absolute(), ears, secrets)
        finally:
            workflow.restore_files()
    bundle = str(done.handed.bundle or "")
    report = str(out.absolute() / REPORT)
    workflow.output({"outcome": str(done.outcome), "bundle": bundle, "report": report})
    workflow.summary(_run_summary(workflow, done))
    data = {"task": offer.task, "outcome": str(done.outcome), "bundle": bundle or None}
    state.out.show(data | {"report": report}, plain(_run_lines(done)))
    if interrupts.count:
        raise KeyboardInterrupt
    if not done.outcome.good:
        raise click.exceptions.Exit(1)


@command.command()
@job(ci_options.PULL, ci_options.GITHUB, ci_options.IN)
@offered
@common
def publish(
    state: State, *, settings: CiSettings, offer: Offer, folder: Path, work: Path | None
) -> None:
    """Check what a run left, record it, push its work, open its pull request. Starts nothing of it.

    Exits with 3 when what the run left is refused, with 5 when the task has moved on or its claim
    is lost; nothing is changed then. Outputs: outcome, pull, url, state.
    """
    from gitcmat.app import open_hub
    from gitcmat.engine import ci_publish
    from gitcmat.system import environment

    workflow = Workflow(os.environ)
    secrets = tuple(environment.secrets(os.environ, ()))
    with opened(state, settings, work) as nodes:
        ci_gate.check_machine(nodes)
        parcel = ci_publish.receive(folder.absolute(), offer, nodes, secrets)
        done = ci_publish.publish(parcel, nodes, open_hub)
    number = str(done.pull.number) if done.pull else ""
    url = done.pull.url if done.pull else ""
    values = {"outcome": str(done.outcome), "pull": number, "url": url, "state": done.state}
    workflow.output(values)
    workflow.summary(_publish_summary(done))
    state.out.show({"task": offer.task} | values, plain(_publish_lines(done)))


@command.command()
@job(ci_options.PULL)
@common
def sync(state: State, *, settings: CiSettings, work: Path | None) -> None:
    """Take in what happened to pull requests, and bring them up to date. Outputs: state."""
    from gitcmat.app import open_hub
    from gitcmat.engine import ci_sync

    workflow = Workflow(os.environ)
    with opened(state, settings, work) as nodes:
        ci_gate.through(nodes)
        done = ci_sync.sync(nodes, open_hub)
    lines = done.found.lines
    workflow.output({"state": done.state})
    workflow.summary(["### gitcmat sync", "", *(f"- {cell(line)}" for line in lines)])
    said = lines or [f"nothing new about {done.found.looked} pull requests"]
    state.out.show({"state": done.state, "news": lines}, plain(said))


def _say_nothing(text: str) -> None:
    """Keep what agents print out of a log that strangers read; the redacted log is not lost."""
    del text


def _plan_lines(found: "Planned") -> Iterator[str]:
    for offer in found.offers:
        claimed = f", claimed as {offer.lease[:10]}" if offer.lease else ""
        yield f"{offer.task}: ready{claimed}"
    if not found.offers:
        yield "nothing is ready"
    for task, why in found.waiting.items():
        yield f"{task}: waits ({why})"
    yield from found.notes


def _plan_summary(workflow: Workflow, found: "Planned") -> Iterator[str]:
    yield f"### gitcmat plan: {len(found.offers)} ready"
    yield ""
    rows = [
        (workflow.task_link(o.task, found.sha), "ready", cell(found.titles[o.task]))
        for o in found.offers
    ]
    rows += [
        (workflow.task_link(task, found.sha), "waits", cell(why))
        for task, why in found.waiting.items()
    ]
    yield from table(("Task", "", ""), rows)
    yield ""
    yield from (f"- {cell(note)}" for note in found.notes)


def _run_lines(done: "Ran") -> Iterator[str]:
    why = f" ({done.entry.reason})" if done.entry.reason else ""
    yield f"{done.entry.id}: {done.outcome}{why}"
    yield from (f"  asks: {question}" for question in done.questions)


def _run_summary(workflow: Workflow, done: "Ran") -> Iterator[str]:
    yield f"### gitcmat run: {done.entry.id}, {done.outcome}"
    yield ""
    yield ", ".join(_places(workflow, done))
    yield ""
    rows = []
    for one in done.handed.report.runs:
        gates = ", ".join(f"{gate.name}: {gate.outcome}" for gate in one.result.gates)
        why = one.result.message
        rows.append((one.run, cell(one.agent), cell(one.result.outcome), cell(gates), cell(why)))
    yield from table(("Run", "Agent", "Outcome", "Gates", ""), rows)
    yield ""
    yield from (f"- asks: {cell(question)}" for question in done.questions)


def _places(workflow: Workflow, done: "Ran") -> Iterator[str]:
    """Where to look on: the task as it was run, this run, the pull request of an earlier one."""
    report, pull = done.handed.report, done.entry.pull
    yield workflow.task_link(report.task, report.sha) if report.blob else cell(report.task)
    if workflow.run_link:
        yield workflow.run_link
    if pull:
        yield workflow.link(f"pull request {pull.number}", "pull", str(pull.number))


def _publish_lines(done: "Done") -> Iterator[str]:
    where = f", {done.pull.url}" if done.pull else ""
    yield f"{done.entry.id}: {done.outcome}{where}"
    yield from (f"  asks: {blocker.question}" for blocker in done.questions)
    yield from (f"  the next sync does this: {note}" for note in done.notes)


def _publish_summary(done: "Done") -> Iterator[str]:
    yield f"### gitcmat publish: {done.entry.id}, {done.outcome}"
    yield ""
    if done.pull:
        yield f"- [#{done.pull.number}]({done.pull.url}), {done.pull.state}"
    if done.entry.reason:
        yield f"- {cell(done.entry.reason)}"
    yield from (f"- asks: {cell(blocker.question)}" for blocker in done.questions)
    yield from (f"- the next sync does this: {cell(note)}" for note in done.notes)
