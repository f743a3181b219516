"""What `gitcmat ci` does about the event that started it, and the workflows that it writes."""

import os
from typing import TYPE_CHECKING, Final

import click

from gitcmat.cli.ci_options import job, opened, option
from gitcmat.cli.state import State, common
from gitcmat.cli.workflow import Workflow, cell

if TYPE_CHECKING:
    from pathlib import Path

    from gitcmat.engine.ci_node import Nodes
    from gitcmat.engine.hub import Hub
    from gitcmat.model.ci import CiSettings
    from gitcmat.model.ci_event import Passage
    from gitcmat.store.git import Git

_BY_EVENT: Final = ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME")


def through(nodes: "Nodes") -> "Passage | None":
    """Pass the gate; None where no event started us, but a person.

    Raises `Refusal` when the event may start nothing.
    """
    if not _by_event():
        return None
    from gitcmat.engine.ci_gate import gate

    return gate(os.environ, nodes.settings, lambda: _opened(nodes))


def _opened(nodes: "Nodes") -> "tuple[Git, Hub]":
    from gitcmat.app import open_hub

    deps = nodes.fresh().deps
    return deps.git, open_hub(deps)


def check_machine(nodes: "Nodes") -> None:
    """Refuse a machine that no workflow may use.

    Raises `Refusal`.
    """
    if _by_event():
        from gitcmat.engine.ci_gate import machine

        machine(os.environ, nodes.settings, lambda: _opened(nodes)[1])


def _by_event() -> bool:
    return any(os.environ.get(name) for name in _BY_EVENT)


@click.command()
@job()
@option("--task", default="", help="The only task that it is to be about.")
@common
def gate(state: State, *, settings: "CiSettings", work: "Path | None", task: str) -> None:
    """Say whether the event that started this workflow may start work; else exit with 5.

    It is refused unless it is known to be harmless: see docs/ci.md. Outputs: sha, task.
    """
    from gitcmat.engine import ci_gate

    env = {**os.environ, "CMAT_TASK": task}
    workflow = Workflow(os.environ)
    with opened(state, settings, work) as nodes:
        passage = ci_gate.gate(env, settings, lambda: _opened(nodes))
    values = {"sha": passage.sha, "task": passage.task or ""}
    workflow.output(values)
    workflow.summary([f"### gitcmat gate: {cell(passage.why)}"])
    state.out.show(values | {"why": passage.why}, f"{passage.why}, at {passage.sha}")


@click.command()
@click.option("--ref", required=True, metavar="COMMIT", help="The commit of gitcmat to run.")
@click.option("--branch", default="", help="Where tasks come from; default: where they do here.")
@click.option("--trust-digest", default="", help="The plan that may be started; default: this one.")
@click.option("--write", is_flag=True, help="Write them into .github/workflows/.")
@click.option("--replace", is_flag=True, help="Write over those that are there.")
@common
def workflows(
    state: State, *, ref: str, branch: str, trust_digest: str, write: bool, replace: bool
) -> None:
    """Print workflows for this repository, or write them for you to look at and to commit."""
    from gitcmat.engine import ci_workflows

    deps = state.app.deps
    found = ci_workflows.filled(deps, ref=ref, branch=branch, digest=trust_digest)
    data = [{"path": one.path, "how": str(one.how), "text": one.text} for one in found]
    if write or replace:
        ci_workflows.write(deps, found, replace=replace)
        lines = [f"{one.path}: {one.how}" for one in found]
    else:
        lines = [line for one in found for line in (f"# {one.path}", *one.text.splitlines(), "")]
    state.out.show({"workflows": data, "written": write or replace}, lines)
