"""What holds for every workflow and action that this project ships, as a list of breaches.

zizmor and actionlint know much of it; what they say changes with their versions, this does not.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gitcmat.store import yamlio

TRIGGERS: Final = frozenset(
    {"issue_comment", "issues", "pull_request", "push", "schedule", "workflow_dispatch"}
)
"""SAFETY: never pull_request_target, workflow_run or repository_dispatch, nor what nobody knows."""
_TYPES: Final = {"issues": ["labeled"], "issue_comment": ["created"]}
_RUNNERS: Final = re.compile(r"(ubuntu|macos)-[0-9]{2}(\.[0-9]{2})?")
_USES: Final = re.compile(r"^\s*(?:- )?uses:\s*(.*)$", re.MULTILINE)
_PINNED: Final = re.compile(
    r"(?:\./|[\w.-]+/[\w./-]+@[0-9a-f]{40} # (?:v\d+\.\d+\.\d+|the commit that you have reviewed))"
)
_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_HARMLESS: Final = re.compile(
    r"github\.(sha|token|ref|workflow|event_name|run_id)|runner\.temp|secrets\.[A-Z_]+"
    r"|matrix\.(offer\.(task|sha|state|lease)|os|python|language)|inputs\.task"
    r"|fromJSON\(needs\.plan\.outputs\.tasks \|\| '\[\]'\)|(needs|steps)\.\w+\.outputs\.\w+"
)
"""Names of things that no stranger writes. `inputs.task` is written by who may press the button."""


def breaches(text: str) -> list[str]:
    """Return what is wrong with a workflow."""
    data = yamlio.load(text, name="workflow").data
    return sorted({*_everywhere(text), *_workflow(data)})


def breaches_of_action(text: str) -> list[str]:
    """Return what is wrong with an action."""
    data = yamlio.load(text, name="action").data
    found = set(_everywhere(text))
    if data["runs"]["using"] != "composite":
        found.add("not composite")
    steps = data["runs"]["steps"]
    found |= {wrong for step in steps for wrong in _run(step)}
    found |= {
        "a step has no shell" for step in steps if "run" in step and step.get("shell") != "bash"
    }
    found |= {"uses something" for step in steps if "uses" in step}
    given = {
        name for step in steps for name in re.findall(r"inputs\.([\w-]+)", str(step.get("env")))
    }
    found |= {f"input {name} goes nowhere" for name in {*data["inputs"]} - given}
    found |= {f"input {name} is not declared" for name in given - {*data["inputs"]}}
    return sorted(found)


def _everywhere(text: str) -> Iterator[str]:
    for used in _USES.findall(text):
        if not _PINNED.fullmatch(used.strip()):
            yield f"not pinned: {used}"
    if re.search(r"actions/cache|^\s+(cache|restore-keys):", text, re.MULTILINE):
        yield "a cache"
    if re.search(r"secrets:\s*inherit|toJSON\(\s*secrets|secrets\[", text):
        yield "all secrets"


def _workflow(data: Mapping[str, Any]) -> Iterator[str]:
    on, jobs = data["on"], data["jobs"]
    yield from _triggers(on)
    if data.get("permissions") != {}:
        yield "permissions at the top are not {}"
    if "env" in data or "defaults" in data:
        yield "env or defaults for all jobs"
    for name, job in jobs.items():
        for wrong in _job(job, data):
            yield f"{name}: {wrong}"
    if {"issues", "issue_comment"} & {*on}:
        yield from (f"{name}: not behind the gate" for name in jobs if not _gated(name, jobs))
    if "pull_request" in on:
        yield from (f"{name}: {wrong}" for name, job in jobs.items() for wrong in _harmless(job))


def _triggers(on: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"trigger: {name}" for name in {*on} - TRIGGERS)
    for name, types in _TYPES.items():
        if name in on and (on[name] or {}).get("types") != types:
            yield f"{name}: other types than {types}"
    if "push" in on and not (on["push"] or {}).get("branches"):
        yield "push: to any branch"


def _job(job: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[str]:
    if not job.get("name"):
        yield "no name"
    if not isinstance(job.get("timeout-minutes"), int):
        yield "no timeout-minutes"
    if not isinstance(job.get("permissions"), dict):
        yield "no permissions of its own"
    if "uses" in job or "secrets" in job or "container" in job or "services" in job:
        yield "another workflow or a container"
    yield from _runner(job)
    yield from _rights(job)
    concurrency = job.get("concurrency") or data.get("concurrency") or {}
    if not concurrency or (_writes(job) and concurrency.get("cancel-in-progress") is not False):
        yield "no concurrency that lets it finish"
    for step in job.get("steps", []):
        yield from _run(step)
        yield from _checkout(step)
    yield from _expressions(job)


def _rights(job: Mapping[str, Any]) -> Iterator[str]:
    writes, secret = _writes(job), "secrets." in str(job)
    rights = job.get("permissions") or {}
    if {*rights.values()} - {"read", "write"}:
        yield "rights that are neither read nor write"
    if {"id-token", "packages", "workflows", "deployments"} & {*rights}:
        yield "rights that it does not need"
    if writes and secret:
        yield "rights to write, and a secret"
    if (writes or secret) and "environment" not in job and not _only_finds(job):
        yield "rights to write or a secret, and no environment"


def _only_finds(job: Mapping[str, Any]) -> bool:
    """Whether a job may write findings alone, and runs nothing of its own: a scanner."""
    rights = job.get("permissions") or {}
    writes = {name for name, right in rights.items() if right != "read"}
    steps = job.get("steps", [])
    return (
        writes == {"security-events"}
        and "secrets." not in str(job)
        and all("run" not in step and not step["uses"].startswith("./") for step in steps)
    )


def _writes(job: Mapping[str, Any]) -> bool:
    return "write" in (job.get("permissions") or {}).values()


def _expressions(job: Mapping[str, Any]) -> Iterator[str]:
    parts = [{key: value for key, value in job.items() if key not in {"if", "steps"}}]
    parts += [{k: v for k, v in step.items() if k != "if"} for step in job.get("steps", [])]
    for inside in _EXPRESSION.findall(str(parts)):
        if not _HARMLESS.fullmatch(inside.strip()):
            yield f"expression {inside.strip()}"


def _runner(job: Mapping[str, Any]) -> Iterator[str]:
    runner = str(job.get("runs-on"))
    matrix = (job.get("strategy") or {}).get("matrix") or {}
    runners = matrix.get("os", []) if runner == "${{ matrix.os }}" else [runner]
    runners = [*runners, *(more["os"] for more in matrix.get("include", []) if "os" in more)]
    yield from (f"runs on {one}" for one in runners if not _RUNNERS.fullmatch(one))


def _run(step: Mapping[str, Any]) -> Iterator[str]:
    if "${{" in str(step.get("run", "")):
        yield "an expression in run"
    if "continue-on-error" in step:
        yield "continue-on-error"


def _checkout(step: Mapping[str, Any]) -> Iterator[str]:
    if not str(step.get("uses", "")).startswith("actions/checkout@"):
        return
    given = step.get("with") or {}
    if given.get("persist-credentials") is not False:
        yield "persist-credentials"
    if {"repository", "submodules", "lfs", "token", "ssh-key"} & {*given}:
        yield "checks out more than this repository"


def _gated(name: str, jobs: Mapping[str, Any]) -> bool:
    """Whether a job starts only after the gate has let the event pass."""
    if name == "gate":
        return True
    needs, when = jobs[name].get("needs", []), str(jobs[name].get("if", ""))
    needs = [needs] if isinstance(needs, str) else needs
    if re.search(r"\b(always|cancelled|failure)\(", when):
        # It runs after jobs that failed or were skipped, too: one must have been green.
        needs = [need for need in needs if f"needs.{need}.result == 'success'" in when]
    return any(_gated(need, jobs) for need in needs)


def _harmless(job: Mapping[str, Any]) -> Iterator[str]:
    if {*(job.get("permissions") or {}).values()} - {"read"}:
        yield "rights to write, for pull requests"
    if "environment" in job or "secrets." in str(job) or "github.token" in str(job):
        yield "a secret, for pull requests"
