"""What an agent that means harm, and strangers who write events, can do to a workflow: nothing.

On a runner that obeys commands on standard output and in files, as GitHub's does.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import ci_events
from tests.support.acting import REF
from tests.support.ci_events import Told
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_act import OnAct
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EVIL: Final = r"""
cat > /dev/null
say() { echo "$1"; echo "$1" >&2; }
for word in set-output add-path set-env save-state; do
    say "::$word name=outcome::EVIL"
done
say "::add-mask::success"
say "::error file=x::EVIL"
say "##[add-path]/EVIL"
say "::stop-commands::EVIL"
say "::EVIL::"
env > "$CMAT_WORKSPACE/env.txt"
# What the runner reads lies beside the workspace, whatever the environment says.
for name in envs.txt pathcmd.txt outputcmd.txt statecmd.txt SUMMARY.md; do
    find "$RUNNER_ROOT" -name "$name" | while read -r file; do
        echo "$file" >> "$CMAT_WORKSPACE/written.txt"
        printf 'outcome=EVIL\nEVIL=EVIL\n/EVIL\n' >> "$file"
        rm -f "$file.old"; cp "$file" "$file.old"; rm -f "$file"; cp "$file.old" "$file"
    done
done
echo work > "$CMAT_WORKSPACE/a.txt"
"""

WORKFLOW: Final = f"""\
name: evil
on: push
permissions: {{}}
jobs:
  run:
    name: run
    runs-on: ubuntu-24.04
    outputs:
      outcome: ${{{{ steps.run.outputs.outcome }}}}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {{fetch-depth: 0, persist-credentials: false}}
      - id: plan
        uses: gitcmat/gitcmat@{REF}
        with: {{mode: plan, token: "${{{{ github.token }}}}", trust-digest: DIGEST}}
      - id: offer
        env:
          TASKS: ${{{{ steps.plan.outputs.tasks }}}}
          FIRST: |
            import json, os
            for name, value in json.loads(os.environ["TASKS"])[0].items():
                print(f"{{name}}={{value}}")
        run: python3 -c "$FIRST" >> "$GITHUB_OUTPUT"
      - id: run
        uses: gitcmat/gitcmat@{REF}
        with:
          mode: run
          token: ${{{{ github.token }}}}
          task: ${{{{ steps.offer.outputs.task }}}}
          sha: ${{{{ steps.offer.outputs.sha }}}}
          state: ${{{{ steps.offer.outputs.state }}}}
          trust-digest: DIGEST
          transcript: "true"
          sandbox: "off"
          out: ${{{{ runner.temp }}}}/out
      - uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1
        with: {{name: out, path: "${{{{ runner.temp }}}}/out"}}
      - name: later
        if: always()
        env: {{OUTCOME: "${{{{ steps.run.outputs.outcome }}}}"}}
        run: echo "outcome=$OUTCOME evil=$EVIL path=$PATH"
  publish:
    name: publish
    needs: [run]
    if: always()
    runs-on: ubuntu-24.04
    steps:
      - env: {{OUTCOME: "${{{{ needs.run.outputs.outcome }}}}"}}
        run: echo "outcome=$OUTCOME evil=$EVIL path=$PATH"
"""


def test_what_an_evil_agent_writes_reaches_no_later_step(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    script = EVIL.replace("$RUNNER_ROOT", str(tmp_path / "machine/home/.cache/act"))
    there = OnAct(hub, tmp_path, repo, script)
    there.jobs.task("a")
    text = WORKFLOW.replace("DIGEST", there.jobs.digest)
    done = there.act(text, ci_events.push()).ok()
    assert "EVIL" in done.said("run")  # it did try
    for job in ("run", "publish"):
        assert "outcome=review evil= path=" in done.said(job)
        assert "/EVIL" not in done.said(job).partition("outcome=review")[2]
    obeyed = [line for line in done.commands if "EVIL" in str(line)]
    assert {line["command"] for line in obeyed} <= {"ignored"}
    assert "/EVIL" not in done.summaries
    (bundle,) = (tmp_path / "machine/artifacts").rglob("result.bundle")
    work = left(there, bundle)
    written = {Path(line).name for line in work("written.txt")}
    assert written >= {"envs.txt", "pathcmd.txt", "outputcmd.txt"}  # it did that, too
    names = {line.partition("=")[0] for line in work("env.txt")}
    assert not {name for name in names if name.startswith(("GITHUB_", "ACTIONS_", "RUNNER_"))}
    assert not names & {"GH_TOKEN", "ANTHROPIC_API_KEY"}


def left(there: OnAct, bundle: Path) -> Callable[[str], list[str]]:
    """What the agent left in its work: by the name of a file its lines."""
    bare = TestRepo(there.runner.folder / "look.git", bare=True)
    bare.git("fetch", "-q", str(there.jobs.bare.path), "refs/heads/*:refs/heads/*")
    bare.git("fetch", "-q", str(bundle), "+refs/*:refs/look/*")
    (tip,) = bare.refs("refs/look/").values()
    return lambda name: bare.git("show", f"{tip}:{name}").splitlines()


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


CANARY: Final = "CANARY"
HOSTILE: Final = [
    *(
        f"{quote}; touch CANARY #"
        for quote in ("", "'", '"', "')", '")', "`", "\\", "'\"", "}}", "${{ 1 }}")
    ),
    *(f"$({command})" for command in ("touch CANARY", "touch${IFS}CANARY", "exec touch CANARY")),
    "`touch CANARY`",
    "${{ github.token }}",
    "${{ secrets.ANTHROPIC_API_KEY }}",
    "${{ toJSON(secrets) }}",
    "}}${{ github.token }}${{",
    "${{ format('{0}', github.token) }}",
    "%0A::set-output name=sha::CANARY",
    "x\n::set-output name=sha::CANARY",
    "x\r::set-env name=BASH_ENV::CANARY",
    "x\n::add-path::CANARY\n",
    "::add-mask::success",
    "::stop-commands::CANARY",
    "##[add-path]CANARY",
    "x\nsha=CANARY",
    "sha<<END\nCANARY\nEND",
    "--help",
    "-rf /",
    "--upload-pack=touch CANARY",
    "ext::sh -c touch% CANARY",
    "../../../../etc/passwd",
    "/etc/passwd",
    ".git/config",
    "refs/heads/main",
    "main; touch CANARY",
    "a\x00touch CANARY",
    "\u202etouch CANARY",
    "\u2028touch CANARY",
    "task\ufeff",
    "\u202e ;touch CANARY",
    "\u2066touch CANARY\u2069",
    "|touch CANARY",
    "&& touch CANARY",
    "|| touch CANARY",
    "\ntouch CANARY\n",
    "<(touch CANARY)",
    "{touch,CANARY}",
    "$'\\x74ouch CANARY'",
    "*",
    "~",
    "!!",
    "a" * 70_000,
    "Split\u0000",
]


@pytest.fixture
def crowd(hub: FakeGitHub, tmp_path: Path, repo: TestRepo) -> OnAct:
    there = OnAct(hub, tmp_path, repo)
    there.jobs.task("a")
    return there


def test_there_are_fifty() -> None:
    assert len(set(HOSTILE)) >= 50


def test_no_words_of_an_event_are_executed(crowd: OnAct, tmp_path: Path) -> None:
    """Ten at a time: as titles, bodies, labels, logins, branches, messages, and the task."""
    canary = tmp_path / "canary"
    before = crowd.jobs.bare.refs()
    main, comment = crowd.workflow("gitcmat.yml"), crowd.workflow("gitcmat-comment.yml")
    words = [text.replace(CANARY, str(canary)) for text in HOSTILE]
    for start in range(0, len(words), 10):
        ten = (words[start:] + words)[:10]
        for workflow, event in (
            (main, button(ten)),
            (comment, command(ten)),
            (comment, label(ten)),
        ):
            done = crowd.act(workflow, event)
            assert set(done.jobs) <= {"gate", "plan"}, done.all
            assert "success" not in done.jobs.values()
            assert not [line for line in done.commands if str(canary) in str(line.get("arg", ""))]
            assert not canary.exists()
    assert crowd.jobs.bare.refs() == before


def button(words: list[str]) -> Told:
    event = ci_events.dispatch("rita", "x y")
    event.payload["inputs"]["task"] = f"{'; '.join(words[:5])} "
    event.payload["ref"] = words[5]
    author = {"name": words[6], "email": words[7], "username": words[8]}
    event.payload["head_commit"] = {"message": words[9], "author": author}
    return event


def command(words: list[str]) -> Told:
    event = ci_events.commented(f"/cmat {words[0]}", on=issue(words[1:7]))
    event.payload["comment"]["user"] |= {"login": words[7], "html_url": words[8]}
    event.payload["comment"]["author_association"] = words[9]
    return event


def label(words: list[str]) -> Told:
    event = ci_events.labelled(author="eve")
    event.payload["issue"] = issue(words[:6])
    event.payload["repository"] |= {"default_branch": words[6], "description": words[7]}
    event.payload["sender"] |= {"login": words[8], "html_url": words[9]}
    return event


def issue(words: list[str]) -> dict[str, Any]:
    """A stranger's, with six texts of theirs in it."""
    found = ci_events.issue(author="eve")
    found["user"]["login"] = words[0]
    labels = [{"name": word} for word in words[1:4]]
    return found | {"title": words[4], "body": words[5], "labels": labels}
