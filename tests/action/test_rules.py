"""Every workflow and action that is shipped keeps the rules; and the rules can be broken."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.ci_rules import breaches, breaches_of_action

ROOT: Final = Path(__file__).parents[2]
TEMPLATES: Final = sorted((ROOT / "templates/workflows").glob("*.yml"))
OWN: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))
TEXTS: Final = {path.name: path.read_text(encoding="utf-8") for path in [*TEMPLATES, *OWN]}
ACTION: Final = (ROOT / "action.yml").read_text(encoding="utf-8")

MAIN: Final = "gitcmat.yml"
COMMENT: Final = "gitcmat-comment.yml"
VALIDATE: Final = "gitcmat-validate.yml"
CODEQL: Final = "codeql.yml"
SCORECARD: Final = "scorecard.yml"
NO_ENVIRONMENT: Final = "rights to write or a secret, and no environment"


def test_there_are_some() -> None:
    assert [path.name for path in TEMPLATES] == [COMMENT, VALIDATE, MAIN]
    assert [path.name for path in OWN] == ["ci.yml", CODEQL, SCORECARD, "weekly.yml"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_workflow_keeps_the_rules(name: str) -> None:
    assert breaches(TEXTS[name]) == []


def test_the_action_keeps_the_rules() -> None:
    assert breaches_of_action(ACTION) == []


def test_scripts_of_the_action_take_nothing_but_variables() -> None:
    for script in ("install", "mode"):
        text = (ROOT / ".github/action" / script).read_text(encoding="utf-8")
        assert "${{" not in text
        assert "set -euo pipefail" in text


def test_the_jobs_are_the_same_in_both_workflows() -> None:
    """Who has read one has read the other."""

    def job(text: str, name: str) -> str:
        (found,) = re.findall(
            rf"^  {name}:\n(.*?)(?=^  \w|^  #|\Z)", text, re.DOTALL | re.MULTILINE
        )
        return str(found)

    for name in ("run", "publish"):
        assert job(TEXTS[MAIN], name) == job(TEXTS[COMMENT], name)


def swap(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return change


def after(head: str, old: str, new: str) -> Callable[[str], str]:
    """Change the first `old` after `head`."""

    def change(text: str) -> str:
        at = text.index(head)
        assert old in text[at:]
        return text[:at] + text[at:].replace(old, new, 1)

    return change


MUTANTS: Final = [
    (
        MAIN,
        swap("  schedule:", "  pull_request_target:\n  schedule:"),
        "trigger: pull_request_target",
    ),
    (MAIN, swap("  schedule:", "  workflow_run:\n  schedule:"), "trigger: workflow_run"),
    (
        MAIN,
        swap("  schedule:", "  repository_dispatch:\n  schedule:"),
        "trigger: repository_dispatch",
    ),
    (MAIN, swap("  schedule:", "  workflow_call:\n  schedule:"), "trigger: workflow_call"),
    (MAIN, swap("    branches: [main]\n", ""), "push: to any branch"),
    (MAIN, swap("permissions: {}", "permissions: write-all"), "permissions at the top are not {}"),
    (MAIN, swap("permissions: {}\n", ""), "permissions at the top are not {}"),
    (MAIN, swap("    timeout-minutes: 90\n", ""), "run: no timeout-minutes"),
    (MAIN, swap("    name: plan\n", ""), "plan: no name"),
    (MAIN, after("  plan:", "ubuntu-24.04", "ubuntu-latest"), "plan: runs on ubuntu-latest"),
    (MAIN, after("  run:", "ubuntu-24.04", "self-hosted"), "run: runs on self-hosted"),
    (
        MAIN,
        after("  run:", "contents: read", "contents: write"),
        "run: rights to write, and a secret",
    ),
    (
        MAIN,
        after("  run:", "    environment: gitcmat-run\n", ""),
        "run: rights to write or a secret, and no environment",
    ),
    (
        MAIN,
        after("  plan:", "    environment: gitcmat-publish\n", ""),
        "plan: rights to write or a secret, and no environment",
    ),
    (
        MAIN,
        after("  publish:", "contents: write", "id-token: write\n      contents: write"),
        "publish: rights that it does not need",
    ),
    (
        MAIN,
        after("  publish:", "mode: publish", "mode: publish\n          key: ${{ secrets.KEY }}"),
        "publish: rights to write, and a secret",
    ),
    (
        MAIN,
        after("  publish:", "cancel-in-progress: false", "cancel-in-progress: true"),
        "publish: no concurrency that lets it finish",
    ),
    (
        MAIN,
        after("  run:", "persist-credentials: false", "persist-credentials: true"),
        "run: persist-credentials",
    ),
    (
        MAIN,
        after("  run:", "          persist-credentials: false\n", ""),
        "run: persist-credentials",
    ),
    (
        MAIN,
        after(
            "  run:",
            "persist-credentials: false",
            "persist-credentials: false\n          repository: eve/x",
        ),
        "run: checks out more than this repository",
    ),
    (
        MAIN,
        swap("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7"),
        "not pinned: actions/checkout@v7",
    ),
    (
        MAIN,
        swap(" # v7.0.1", ""),
        "not pinned: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
    ),
    (MAIN, swap("npm ci ", "npm ci ${{ matrix.offer.task }} "), "run: an expression in run"),
    (MAIN, swap("npm ci ", "npm ci ${{ github.event.issue.title }} "), "run: an expression in run"),
    (
        MAIN,
        swap("task: ${{ inputs.task }}", "task: ${{ github.event.issue.title }}"),
        "plan: expression github.event.issue.title",
    ),
    (
        MAIN,
        swap("ref: ${{ matrix.offer.sha }}", "ref: ${{ github.head_ref }}"),
        "run: expression github.head_ref",
    ),
    (MAIN, swap("mode: run", "mode: run\n          all: ${{ toJSON(secrets) }}"), "all secrets"),
    (MAIN, swap("if-no-files-found: error", "cache: pip"), "a cache"),
    (
        MAIN,
        swap(
            "      - name: Install the agent\n",
            "      - name: Install the agent\n        continue-on-error: true\n",
        ),
        "run: continue-on-error",
    ),
    (
        COMMENT,
        swap("types: [created]", "types: [created, edited]"),
        "issue_comment: other types than ['created']",
    ),
    (
        COMMENT,
        swap("types: [labeled]", "types: [labeled, opened]"),
        "issues: other types than ['labeled']",
    ),
    (COMMENT, swap("    needs: [gate]\n", ""), "sync: not behind the gate"),
    (COMMENT, swap("needs: [gate, sync]", "needs: []"), "plan: not behind the gate"),
    (COMMENT, swap("needs.plan.result == 'success' && ", ""), "run: not behind the gate"),
    (
        COMMENT,
        swap("needs: [gate]", "needs: [gate]\n    if: always()"),
        "sync: not behind the gate",
    ),
    (
        COMMENT,
        swap("ref: ${{ github.sha }}", "ref: refs/pull/${{ github.event.issue.number }}/head"),
        "gate: expression github.event.issue.number",
    ),
    (
        VALIDATE,
        swap("contents: read", "contents: write"),
        "validate: rights to write, for pull requests",
    ),
    (
        VALIDATE,
        swap("mode: validate", "mode: validate\n          token: ${{ github.token }}"),
        "validate: a secret, for pull requests",
    ),
    (
        VALIDATE,
        swap("    name: validate\n", "    name: validate\n    environment: gitcmat-run\n"),
        "validate: a secret, for pull requests",
    ),
    (
        CODEQL,
        swap("  schedule:", "  pull_request:\n  schedule:"),
        "analyze: rights to write, for pull requests",
    ),
    (CODEQL, swap("contents: read", "contents: write"), f"analyze: {NO_ENVIRONMENT}"),
    (
        CODEQL,
        swap("    steps:\n", "    steps:\n      - run: pip install .\n"),
        f"analyze: {NO_ENVIRONMENT}",
    ),
    (
        CODEQL,
        swap("    steps:\n", "    steps:\n      - uses: ./\n"),
        f"analyze: {NO_ENVIRONMENT}",
    ),
    (
        SCORECARD,
        swap("results_format", "repo_token: ${{ secrets.PAT }}\n          results_format"),
        f"scorecard: {NO_ENVIRONMENT}",
    ),
    (
        SCORECARD,
        swap("contents: read", "contents: read\n      id-token: write"),
        "scorecard: rights that it does not need",
    ),
    (
        SCORECARD,
        swap("@4eaacf0543bb3f2c246792bd56e8cdeffafb205a # v2.4.3", "@v2.4.3"),
        "not pinned: ossf/scorecard-action@v2.4.3",
    ),
]


@pytest.mark.parametrize(
    ("name", "change", "breach"),
    MUTANTS,
    ids=[f"{n} {said}" for n, (_, _, said) in enumerate(MUTANTS)],
)
def test_a_breach_is_seen(name: str, change: Callable[[str], str], breach: str) -> None:
    assert breach in breaches(change(TEXTS[name]))


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        (
            swap('"$GITHUB_ACTION_PATH/.github/action/mode"', '"$X" ${{ inputs.task }}'),
            "an expression in run",
        ),
        (swap("      shell: bash\n", ""), "a step has no shell"),
        (swap("        CMAT_TASK: ${{ inputs.task }}\n", ""), "input task goes nowhere"),
        (swap("inputs.task }}", "inputs.taks }}"), "input taks is not declared"),
        (swap("using: composite", "using: node24"), "not composite"),
        (
            swap(
                "    - name: gitcmat\n",
                "    - uses: actions/setup-python@v6\n    - name: gitcmat\n",
            ),
            "not pinned: actions/setup-python@v6",
        ),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_breach_of_the_action_is_seen(change: Callable[[str], str], breach: str) -> None:
    assert breach in breaches_of_action(change(ACTION))
