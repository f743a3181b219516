"""A person's machine, with honey in all places, and gitcmat working there for the evil agent."""

import json
import os
import pty
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import pytest

from gitcmat.model.run import Run
from gitcmat.system.locks import is_locked
from tests.support.escapes import kill_holders
from tests.support.evil import agent
from tests.support.evil.registry import ATTACKS, Target
from tests.support.evil.sinkholes import Sinkholes, own_address
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo
from tests.support.wait import until

HONEY_PLACES: Final = (
    *(".ssh/id_ed25519", ".gnupg/private-keys-v1.d/key", ".local/share/keyrings/login.keyring"),
    *(".password-store/mail.gpg", ".aws/credentials", ".azure/token", ".kube/config"),
    *(".config/gcloud/credentials.db", ".netrc", ".git-credentials", ".config/gh/hosts.yml"),
    *(".docker/config.json", ".npmrc", ".pypirc", ".cargo/credentials.toml"),
    *(".mozilla/firefox/x.default/logins.json", ".config/google-chrome/Default/Cookies"),
    *(".bash_history", ".zsh_history", ".claude/.credentials.json", ".codex/auth.json"),
    *(".gemini/oauth_creds.json", ".local/state/gitcmat/honey", ".config/gitcmat/honey"),
)
TOKENS: Final = ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "SSH_AUTH_SOCK")
GATES: Final = {
    "policy": {"run": ["false"]},
    "protected": {"run": ["sh", "tools/protected.sh"], "protect": ["tools/protected.sh"]},
    "open": {"run": ["sh", "tools/open.sh"]},
    "program": {"run": ["checker"]},
}
LIMITS: Final = {"run_processes": 60, "run_memory": "256MB"}
# A file of the repository that a command names would be part of the plan once it has landed.
REVIEWED: Final = 'echo x > "$CMAT_WORKSPACE/reviewed.txt"'
WAITS: Final = "cat > private.txt; echo ready; while [ ! -e release ]; do sleep 0.05; done"


class World:
    """One repository, one home, one mode in which the agent is kept in."""

    def __init__(
        self, repo: TestRepo, home: Path, place: Path, holes: Sinkholes, patch: pytest.MonkeyPatch
    ) -> None:
        self.repo, self.home, self.holes = repo, home, holes
        self.honey: list[str] = []
        self.canaries = place / "canaries"
        self.canaries.mkdir()
        temporary = place / "t"
        patch.setenv("TMPDIR", str(temporary))
        temporary.mkdir()
        patch.setenv("XDG_RUNTIME_DIR", str(temporary / "run"))
        patch.setenv("PATH", f"{os.environ['PATH']}:{home / '.local/bin'}:{home / 'bin'}")
        for name in TOKENS:
            patch.setenv(name, self._new_honey(name))
        master, slave = pty.openpty()
        self.terminal, self._slave = master, slave
        self.stranger, self.victim = self._strangers()
        self.boxed = False
        self.refs_before: dict[str, str] = {}
        self.alive: frozenset[str] = frozenset()
        """Which attacks had a living process while their run went on."""
        self.nonce = ""
        """That of another run."""
        self.typed = ""
        """What came out of the terminal that a run was started from."""
        self.daemon_died = False
        self.target = self._target(temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in ATTACKS:
            kill_holders(self.target.token(name))
        for process in (self.stranger, self.victim):
            process.kill()
            process.wait()
        os.close(self.terminal)
        os.close(self._slave)

    # --- what is there --------------------------------------------------------------------------

    def _new_honey(self, about: str) -> str:
        word = "".join(c for c in about.lower() if c.isalnum())
        self.honey.append(f"honey-{word}-{secrets.token_hex(6)}")
        return self.honey[-1]

    def _put(self, path: Path, about: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self._new_honey(about)}\n", encoding="utf-8")

    def _strangers(self) -> tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]:
        code = "import sys, time\nkept = sys.stdin.read() * 50_000\nprint(1, flush=True)\n"
        code += "time.sleep(600)"
        env = {"PATH": os.defpath, "TOKEN": self._new_honey("environment")}
        made = []
        for _ in range(2):
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", code],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(self._new_honey("memory").encode() + b" ")
            process.stdin.close()
            process.stdout.readline()
            process.stdout.close()
            made.append(process)
        return made[0], made[1]

    def _target(self, temporary: Path) -> Target:
        home, repo, holes = self.home, self.repo, self.holes
        for name in HONEY_PLACES:
            self._put(home / name, name)
        self._put(self.canaries / "backup", "backup")
        vault = TestRepo(home / ".password-store")
        vault.commit("Passwords")
        other = TestRepo(home / "work/other")
        other.commit("Start", {"x.txt": "x\n"})
        self._put(other.path / ".env", "other env")
        old = repo.commit("A password", {"password.txt": self._new_honey("password") + "\n"})
        repo.git("reset", "-q", "--hard", "HEAD~1")
        repo.commit("More", {"docs/guide.md": "x\n", ".gitignore": "*.log\n.env\n.venv\n"})
        for name in ("deleted", "rewound", "head"):
            repo.branch(f"victim-{name}")
        repo.git("tag", "victim")
        repo.write("README.md", "in the stash\n")
        repo.git("stash", "push", "-q")
        linked = repo.path.with_name("linked")
        repo.git("worktree", "add", "-q", "-b", "linked", str(linked))
        self._put(repo.path / ".env", "env")
        self._put(linked / ".env", "linked env")
        secret = self._new_honey("remote")
        repo.git("remote", "add", "origin", f"https://pat:{secret}@git.invalid/x")
        sockets = {
            "abstract": holes.unix(f"@evil-{secrets.token_hex(8)}"),
            "ssh-agent": holes.unix(f"{temporary}/ssh/agent"),
            "bus": holes.unix(f"{temporary}/run/bus"),
            "docker": holes.unix(f"{home}/.docker/run/docker.sock"),
            "unlisted": holes.unix(f"{home}/work/dev.sock"),
        }
        return Target(
            secret=secrets.token_hex(12),
            home=home,
            repo=repo.path,
            linked=linked,
            other=other.path,
            canaries=self.canaries,
            vault=vault.path,
            vault_tree=vault.git("rev-parse", "HEAD^{tree}"),
            old_commit=old,
            stranger=self.stranger.pid,
            victim=self.victim.pid,
            terminal=os.ttyname(self._slave),
            tcp=holes.tcp(),
            address=own_address(),
            udp=holes.udp(),
            model=holes.tcp(),
            sockets=sockets,
        )

    # --- gitcmat ----------------------------------------------------------------------------------

    def set_up(self, sandbox: object) -> None:
        """Give the project its agents and tasks; the evil one is kept in as `sandbox` says."""
        evil = [sys.executable, "-I", "-S", agent.__file__]
        files = {
            **_agent("evil", evil, sandbox),
            **_agent("silent", evil, sandbox, idle_timeout="1s"),
            **_agent("quiet", ["sh", "-c", WAITS], sandbox),
            **_agent("worker", ["sh", "-c", REVIEWED], sandbox),
            **_agent("asker", ["sh", "-c", 'gitcmat blocker ask "Which?"'], sandbox),
            ".cmat/.gitignore": "/queue/\n/blockers/\n/runs/\n/checkpoints/\n/subtasks/\n",
            "tools/protected.sh": "exit 1\n",
            "tools/open.sh": "exit 1\n",
        }
        checker = self.home / ".local/bin/checker"
        checker.parent.mkdir(parents=True, exist_ok=True)
        checker.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        checker.chmod(0o755)
        files[".cmat/config.yaml"] = json.dumps(
            {"gates": GATES, "defaults": {"attempts": 1, "backoff": "1s"}}
        )
        self.project = Project(self.repo, files)
        # What an agent does to the person's things is what is to be found out.
        self.boxed = sandbox != "off"
        self.repo.allow(
            "HEAD",
            "index",
            "config",
            "exclude",
            "stash",
            "refs",
            "reflogs",
            "hooks",
            "worktrees",
            "git",
            "files",
        )
        tasks: dict[str, str] = {}
        for wave in dict.fromkeys(each.wave for each in ATTACKS.values()):
            gates = list(GATES) if wave == "judge" else []
            who = "silent" if wave == "silence" else "evil"
            tasks |= task_file(wave, agent=who, gates=gates, prompt=self.prompt(wave))
        for name, who in (("quiet", "quiet"), ("reviewed", "worker"), ("asks", "asker")):
            prompt = self._new_honey("prompt")
            tasks |= task_file(name, agent=who, gates=[], prompt=prompt)
        self.project.commit(tasks)
        self.project.settings(parallel=16, limits=LIMITS)
        self.project.trust()

    def prompt(self, wave: str) -> str:
        """What the evil agent is told."""
        return f"evil: {wave} {self.target.written()}"

    def start(self, task: str) -> str:
        """Start a task; return the id of its run."""
        self.project.step(only=task)
        run = self.project.entry(task).run
        assert run is not None, self.project.why(task)
        return run

    def finish(self, *tasks: str) -> Run:
        """Wait for the runs of tasks, take them in; return the last one's."""
        folders = [self.project.folder(task) for task in tasks]
        for folder in folders:
            until(lambda f=folder: not is_locked(f.lock), 60, f"the end of {folder.path}")  # type: ignore[misc]
        self.project.clock.later(10)
        self.project.step(start=False)
        run = self.run(folders[-1].path.name)
        assert run.outcome is not None
        return run

    def run(self, run_id: str) -> Run:
        """A run as it is recorded."""
        found = self.project.deps.store.read().run(run_id)
        assert found is not None
        return found

    def do(self, task: str) -> Run:
        """Start a task and wait for its end."""
        self.start(task)
        return self.finish(task)

    def on_terminal(self) -> bytes:
        """What was printed on the person's other terminal."""
        os.set_blocking(self.terminal, False)
        try:
            return os.read(self.terminal, 100_000)
        except BlockingIOError:
            return b""

    def log(self, task: str) -> str:
        """The log of the last run of a task, as far as there is one."""
        file = self.project.folder(task).log
        return file.read_text(encoding="utf-8") if file.exists() else ""


def _agent(name: str, command: list[str], sandbox: object, **more: Any) -> dict[str, str]:
    head = json.dumps({"name": name, "command": command, "sandbox": sandbox, **more})
    return {f".cmat/agents/{name}.md": f"---\n{head}\n---\n"}


@contextmanager
def world(
    repo: TestRepo,
    home: Path,
    place: Path,
    patch: pytest.MonkeyPatch,
    sandbox: Callable[[int], object],
) -> Iterator[World]:
    """A world whose agents work as `sandbox` says, which is told the port of the model."""
    with Sinkholes() as holes, World(repo, home, place, holes, patch) as made:
        made.set_up(sandbox(made.target.model))
        yield made
