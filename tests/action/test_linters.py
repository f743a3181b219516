"""What others check workflows and actions by: GitHub's schemas, actionlint, zizmor's auditor."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
BIN: Final = Path(sys.executable).parent


def run(program: str, *args: str | Path) -> tuple[int, str]:
    argv = [BIN / program, *args]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """All that is shipped, in one project: our own workflows and those that people copy."""
    workflows = tmp_path / ".github/workflows"
    workflows.mkdir(parents=True)
    sources = [*ROOT.glob("templates/workflows/*.yml"), *ROOT.glob(".github/workflows/*.yml")]
    assert len(sources) >= 6
    for source in sources:
        shutil.copy(source, workflows)
    shutil.copy(ROOT / "action.yml", tmp_path)
    return tmp_path


def findings(project: Path, *more: str) -> list[str]:
    """The names of zizmor's audits that found something."""
    args = (
        *more,
        "--offline",
        "--no-progress",
        "--persona=auditor",
        "--format=json",
        "--no-exit-codes",
    )
    done = subprocess.run(
        [BIN / "zizmor", *args, project], capture_output=True, text=True, check=True
    )
    return [finding["ident"] for finding in json.loads(done.stdout)]


def test_they_are_as_githubs_schemas_say(project: Path) -> None:
    workflows = sorted((project / ".github/workflows").glob("*.yml"))
    schema = "--builtin-schema"
    code, said = run("check-jsonschema", schema, "vendor.github-workflows", *workflows)
    assert code == 0, said
    code, said = run("check-jsonschema", schema, "vendor.github-actions", project / "action.yml")
    assert code == 0, said


def test_actionlint_finds_nothing(project: Path) -> None:
    workflows = sorted((project / ".github/workflows").glob("*.yml"))
    assert run("actionlint", "-shellcheck=", "-pyflakes=", *workflows) == (0, "")


def test_the_auditor_of_zizmor_finds_nothing(project: Path) -> None:
    assert findings(project) == []


def test_what_the_auditor_is_told_to_ignore_is_the_gated_trigger_alone(project: Path) -> None:
    assert findings(project, "--no-ignores") == ["dangerous-triggers"]
    text = (project / ".github/workflows/gitcmat-comment.yml").read_text(encoding="utf-8")
    assert text.count("zizmor:") == 1


@pytest.mark.parametrize(
    ("old", "new", "ident"),
    [
        ("npm ci ", "npm ci ${{ github.event.issue.title }} ", "template-injection"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7", "unpinned-uses"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("          persist-credentials: false\n", "", "artipacked"),
        ("  schedule:", "  pull_request_target:\n  schedule:", "dangerous-triggers"),
    ],
)
def test_the_auditor_sees_a_breach(project: Path, old: str, new: str, ident: str) -> None:
    path = project / ".github/workflows/gitcmat.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert ident in findings(project)
