"""A project on a fake GitHub, and the workflows that people copy in it, run by act."""

import json
from pathlib import Path
from typing import Final

from gitcmat.engine import ci_workflows
from gitcmat.model.forge import Comment, PullRequest
from tests.support import ci_events
from tests.support.acting import REF, Acted, Runner
from tests.support.ci_events import Told
from tests.support.ci_jobs import Jobs
from tests.support.fakegithub.server import FakeGitHub
from tests.support.repo import TestRepo

KEY: Final = "sk-model-0123456789abcdef"
AGENT: Final = """\
test "$ANTHROPIC_API_KEY" = "$EXPECTED" || exit 9
cat > /dev/null
case "$CMAT_TASK" in
bad*) exit 1 ;;
asks) gitcmat blocker ask "Which currency?" ;;
*) echo work >> "$CMAT_WORKSPACE/$CMAT_TASK.txt" ;;
esac
"""
NPM: Final = """\
#!/bin/sh
test "$1 $2 $3" = "ci --ignore-scripts --prefix" && test -f "$4/package-lock.json" || exit 1
mkdir -p "$4/node_modules/.bin"
echo "npm installed"
"""


class OnAct:
    """A project on a GitHub, its workflows, and a machine for them."""

    def __init__(self, hub: FakeGitHub, folder: Path, repo: TestRepo, script: str = AGENT) -> None:
        repo.commit(
            "Agent",
            dict.fromkeys((f".github/agent/package{x}.json" for x in ("", "-lock")), "{}\n"),
        )
        gates = {"tests": ["sh", "-c", "test ! -e broken.txt"]}
        self.jobs = Jobs(hub, folder, repo, script=script, gates=gates, attempts=1)
        self.stage = self.jobs.stage
        self.token = self.stage.token("robot[bot]")
        self.runner = Runner(folder / "machine")
        self.runner.program("npm", NPM)
        self.runner.program("sudo", '#!/bin/sh\necho "as root: $*"\n')
        self.runner.secrets = {"GITHUB_TOKEN": self.token, "ANTHROPIC_API_KEY": KEY}
        self.runner.env = {"GITHUB_SERVER_URL": hub.url, "GITHUB_API_URL": hub.url}

    def workflow(self, name: str, *, digest: str = "") -> str:
        """One of those that people copy, filled in as they do it."""
        found = ci_workflows.filled(
            self.jobs.project.deps, ref=REF, digest=digest or self.jobs.digest
        )
        (text,) = (one.text for one in found if one.path.endswith(f"/{name}"))
        # Where these tests run bubblewrap may not be had: then they are without it.
        return text.replace("sandbox: bwrap", "sandbox: auto")

    def act(self, workflow: str, event: Told, **more: str) -> Acted:
        """Have it happen."""
        sha = self.jobs.bare.tip("refs/heads/main")
        if "after" in event.payload:
            event.payload["after"] = sha
        done = self.runner.run(
            workflow,
            event.env["GITHUB_EVENT_NAME"],
            event.payload,
            actor=event.env["GITHUB_ACTOR"],
            project=self.jobs.bare.path,
            **more,
        )
        self._no_secret_is_shown(done)
        return done

    def pushed(self, **more: str) -> Acted:
        return self.act(self.workflow("gitcmat.yml"), ci_events.push(), **more)

    def pulls(self) -> dict[str, PullRequest]:
        """The open ones, by branch."""
        return {pull.head: pull for pull in self.stage.forge().pulls.open()}

    def _no_secret_is_shown(self, done: Acted) -> None:
        for text in (json.dumps(done.lines), done.summaries):
            assert self.token not in text
            assert KEY not in text
        artifacts = self.runner.folder / "artifacts"
        for path in artifacts.rglob("*") if artifacts.exists() else ():
            assert path.is_dir() or not {self.token, KEY} & {
                *path.read_bytes().decode("latin-1").split()
            }


def commented(number: int, made: Comment, *, author: str = "rita") -> Told:
    """The event of a comment that was made."""
    pull = author != "rita"
    login = made.author.login
    event = ci_events.commented(made.body, login, on=ci_events.issue(number, author, pull=pull))
    event.payload["comment"] |= {
        "id": made.id,
        "created_at": made.created.isoformat(),
        "updated_at": made.updated.isoformat(),
    }
    return event
