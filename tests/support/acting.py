"""Runs workflows for real, with act in host mode: each job in an empty folder, without containers.

What is pinned in a workflow is not fetched: `act` is told to take these commits from folders.
`gitcmat/gitcmat` is this checkout. For the three actions of GitHub there are `STANDINS`: theirs are
programs for node that talk to servers that only GitHub has. What these do is what workflows of ours
rely on: a clone at one commit without credentials, and a folder that reaches another job.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
BIN: Final = Path(sys.executable).parent
REF: Final = "5eed" * 10
"""The commit of gitcmat that workflows of tests name."""

_CHECKOUT: Final = """\
name: Checkout
description: "Stands in for actions/checkout: a clone at one commit"
inputs:
  ref: {description: Commit, default: "${{ github.sha }}"}
  fetch-depth: {description: How many commits, default: "1"}
  persist-credentials: {description: Whether git may use the token later, default: "true"}
  token: {description: Token, default: "${{ github.token }}"}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        REF: ${{ inputs.ref }}
        DEPTH: ${{ inputs.fetch-depth }}
        PERSIST: ${{ inputs.persist-credentials }}
        TOKEN: ${{ inputs.token }}
      run: |
        set -eu
        test "$PERSIST" = false
        git init -q -b main .
        git remote add origin "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git"
        auth="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)"
        specs=("$REF")
        test "$DEPTH" != 0 || specs=("+refs/heads/*:refs/remotes/origin/*")
        depth=(); test "$DEPTH" = 0 || depth=(--depth "$DEPTH")
        git -c http.extraHeader="$auth" fetch -q "${depth[@]}" --no-tags origin "${specs[@]}"
        git checkout -q --detach "$REF"
"""
_UPLOAD: Final = """\
name: Upload
description: "Stands in for actions/upload-artifact: a copy below $ARTIFACTS"
inputs:
  name: {description: Name, required: true}
  path: {description: Folder, required: true}
  if-no-files-found: {description: What then, default: warn}
  overwrite: {description: Whether, default: "false"}
  retention-days: {description: Days, default: "0"}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FROM: "${{ inputs.path }}"}
      run: |
        set -eu
        mkdir -p "$ARTIFACTS"
        rm -rf "$ARTIFACTS/$NAME"
        cp -R "$FROM" "$ARTIFACTS/$NAME"
"""
_DOWNLOAD: Final = """\
name: Download
description: "Stands in for actions/download-artifact: a copy from $ARTIFACTS"
inputs:
  name: {description: Name, required: true}
  path: {description: Folder, required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", TO: "${{ inputs.path }}"}
      run: |
        set -eu
        mkdir -p "$TO"
        cp -R "$ARTIFACTS/$NAME/." "$TO"
"""
STANDINS: Final = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1": _CHECKOUT,
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a": _UPLOAD,
    "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c": _DOWNLOAD,
}
_HERE: Final = """\
#!/usr/bin/env bash
# Stands in for the installation: the tests' own gitcmat.
set -eu
echo "program={program}" >>"$GITHUB_OUTPUT"
"""


@dataclass
class Acted:
    """What a workflow did."""

    code: int
    lines: list[dict[str, Any]]

    def said(self, job: str = "") -> str:
        """What its steps printed; of one job, by the beginning of its name."""
        return "".join(
            line.get("msg", "")
            for line in self.lines
            if line.get("raw_output") and _job(line).startswith(job)
        )

    @property
    def all(self) -> str:
        """Everything, the runner's own words too."""
        return "\n".join(str(line.get("msg", line)) for line in self.lines)

    @property
    def jobs(self) -> dict[str, str]:
        """Job → success or failure; what was skipped is missing."""
        return {_job(line): line["jobResult"] for line in self.lines if "jobResult" in line}

    @property
    def summaries(self) -> str:
        """What steps wrote for the page of the run."""
        found = (line["content"] for line in self.lines if line.get("command") == "summary")
        return "\n".join(dict.fromkeys(found))

    @property
    def commands(self) -> list[dict[str, Any]]:
        """What the runner took for commands, and obeyed: outputs, paths, variables, masks."""
        mine = ("command" in line and line["command"] != "summary" for line in self.lines)
        return [line for line, command in zip(self.lines, mine, strict=True) if command]

    def ok(self) -> "Acted":
        """Be sure that it was green."""
        assert self.code == 0, self.all
        return self


@dataclass
class Runner:
    """A machine for workflows: its home, its tools, and what it takes pinned actions from."""

    folder: Path
    installs: bool = False
    """Whether the action really installs gitcmat; if not, the tests' own is taken."""
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if sys.platform != "linux":
            pytest.skip("workflows are run on Linux alone")
        self.home = self.folder / "home"
        (self.home / ".config/act").mkdir(parents=True)
        (self.home / ".config/act/actrc").touch()
        (self.folder / "bin").mkdir()
        self.runs = 0
        for pin, text in STANDINS.items():
            place = self.folder / pin.partition("@")[0]
            place.mkdir(parents=True)
            (place / "action.yml").write_text(text, encoding="utf-8")
        self.action = export(self.folder / "gitcmat")
        if not self.installs:
            script = _HERE.replace("{program}", str(BIN / "gitcmat"))
            (self.action / ".github/action/install").write_text(script, encoding="utf-8")

    def program(self, name: str, text: str) -> None:
        """Put a program onto the PATH of steps."""
        path = self.folder / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run(
        self,
        workflow: str,
        event: str,
        payload: Mapping[str, Any],
        *,
        actor: str = "rita",
        project: Path | None = None,
        **more: str,
    ) -> Acted:
        """Run a workflow, given as text, for an event on the main branch of `project`, bare."""
        self.runs += 1
        control = self.folder / f"control-{self.runs}"
        self._control(control, project)
        (control / "workflow.yml").write_text(workflow, encoding="utf-8")
        (control / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        env = {"ARTIFACTS": str(self.folder / "artifacts"), "GITHUB_TRIGGERING_ACTOR": actor}
        env |= {"RUNNER_ENVIRONMENT": "github-hosted"} | self.env | more
        pins = {pin: self.folder / pin.partition("@")[0] for pin in STANDINS}
        pins[f"gitcmat/gitcmat@{REF}"] = self.action
        argv = [
            *(str(BIN / "act"), event, "-C", str(control), "-W", "workflow.yml", "--json"),
            *("-e", "event.json", "--actor", actor, "--defaultbranch", "main"),
            *("-P", "ubuntu-24.04=-self-hosted", "--pull=false", "--container-daemon-socket", "-"),
            *("--no-cache-server", "--cache-server-addr", "127.0.0.1"),
            *("--artifact-server-addr", "127.0.0.1", "--no-skip-checkout", "--rm"),
            *(f"--local-repository={pin}={place}" for pin, place in pins.items()),
            *(f"--env={name}={value}" for name, value in env.items()),
            *(f"--secret={name}={value}" for name, value in self.secrets.items()),
        ]
        path = f"{self.folder / 'bin'}:{BIN}:/usr/local/bin:/usr/bin:/bin"
        done = subprocess.run(
            argv,
            env={"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        lines = [_line(line) for line in (done.stdout + done.stderr).splitlines()]
        return Acted(done.returncode, lines)

    def _control(self, control: Path, project: Path | None) -> None:
        """What act takes the event's commit and branch, and the repository's name from."""
        git = ("git", "-C", str(control), "-c", "user.name=x", "-c", "user.email=x@x.invalid")
        if project:
            subprocess.run(["git", "clone", "-q", str(project), str(control)], check=True)
            subprocess.run([*git, "remote", "remove", "origin"], check=True)
        else:
            subprocess.run(["git", "init", "-q", "-b", "main", str(control)], check=True)
            subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Control"], check=True)
        url = "https://github.com/pat/project.git"
        subprocess.run([*git, "remote", "add", "origin", url], check=True)


def export(folder: Path) -> Path:
    """Copy what the action consists of, as a checkout of it would have it."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    wanted = re.compile(
        r"(gitcmat|hooks|templates|\.github/action)/|action\.yml|pyproject\.toml|README\.md|LICENSE"
    )
    for name in filter(None, listed.split("\0")):
        if wanted.match(name) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def _line(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"msg": text}
    return found if isinstance(found, dict) else {"msg": text}


def _job(line: Mapping[str, Any]) -> str:
    """The name of a job; act puts its number in a matrix behind it."""
    return re.sub(r"-\d+$", "", str(line.get("job", "")).partition("/")[2].rstrip())
