"""What a job hands to the one that publishes, made by hand: honest, or as hostile as can be."""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gitcmat.engine import ci_plan, ci_publish, jobfile, trust
from gitcmat.engine.ci_handover import RESULT
from gitcmat.engine.ci_publish import Done
from gitcmat.model.ci import BUNDLE, REPORT, Attempt, Report
from gitcmat.model.entry import Entry, Version
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.gate import GateOutcome, GateResult
from gitcmat.model.job import Result, RunOutcome
from gitcmat.store import layout, records
from gitcmat.system import clock
from tests.support.ci_racer import nodes
from tests.support.project import Project, agent_file, config_file, task_file
from tests.support.repo import TestRepo

BOT: Final = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
RUN: Final = "r-abcdefgh"
WHEN: Final = "1700000000 +0000"
STATE: Final = "refs/cmat/state/ci"

Node = dict[bytes, Any]
"""A folder: name → (mode, id) or a folder."""


class Parcel:
    """A task ``x`` that was offered, on a remote; and a folder for what its run hands on."""

    def __init__(self, folder: Path, *, leases: bool = True) -> None:
        self.folder = folder
        self.repo = TestRepo(folder / "project")
        self.remote = TestRepo(folder / "remote.git", bare=True)
        self.repo.commit("Start", {"README.md": "# A project\n", "src/a.py": "print(1)\n"})
        project = Project(
            self.repo,
            {**config_file({"lint": ["true"], "tests": ["true"]}), **agent_file("coder", "true")},
        )
        project.commit(task_file("x", paths=["src/**"]), task_file("y"))
        self.repo.git("remote", "add", "origin", str(self.remote.path))
        self.repo.git("push", "-q", "origin", "main")
        digest = trust.look(project.deps).plan.digest
        with nodes(self.repo.path, folder / "plan", trust_digest=digest, leases=leases) as job:
            found = ci_plan.plan(job, sha="", holder="the plan")
        self.offer = next(offer for offer in found.offers if offer.task == "x")
        # What a job made lies nowhere but in its bundle: a repository that borrows, and lends none.
        self._evil = folder / "evil.git"
        self.git("init", "-q", "--bare", str(self._evil))
        borrowed = self._evil / "objects/info/alternates"
        borrowed.write_text(f"{self.remote.path / 'objects'}\n", encoding="utf-8")
        self.start = self.offer.sha
        self.digest = digest
        self.version = self.entry("x").version if leases else Version(count=1, node="ci")
        TestRepo.made.clear()

    # --- objects --------------------------------------------------------------------------------

    def git(self, *args: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run git where the work of the job is made up."""
        where = ["git", f"--git-dir={self._evil}"]
        done = subprocess.run([*where, *args], input=data, capture_output=True, check=True, env=env)
        return done.stdout.decode().strip()

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", data=data)

    def raw_tree(self, *entries: tuple[bytes, bytes, str]) -> str:
        """Write a tree of (mode, name, id), exactly as it is said."""
        data = b"".join(mode + b" " + name + b"\0" + bytes.fromhex(i) for mode, name, i in entries)
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=data)

    def tree(self, changes: Mapping[bytes, tuple[bytes, str] | None], at: str = "") -> str:
        """Write the tree of a commit with other files: path → (mode, id), None for none."""
        top: Node = {}
        for line in self.git("ls-tree", "-r", at or self.start).splitlines():
            about, _, path = line.partition("\t")
            mode, _, oid = about.split()
            _put(top, path.encode().split(b"/"), (mode.encode(), oid))
        for name, entry in changes.items():
            _put(top, name.split(b"/"), entry)
        return self._written(top)

    def _written(self, node: Node) -> str:
        entries = []
        for name, held in node.items():
            if isinstance(held, dict):
                entries.append((b"40000", name, self._written(held)))
            else:
                entries.append((held[0], name, held[1]))
        entries.sort(key=lambda entry: entry[1] + (b"/" if entry[0] == b"40000" else b""))
        return self.raw_tree(*entries)

    def beside(self, *entries: tuple[bytes, bytes, str]) -> str:
        """Write the tree of the start with a folder ``src`` of exactly these entries."""
        src = self.raw_tree(*entries)
        return self.top((b"40000", b"src", src))

    def top(self, *entries: tuple[bytes, bytes, str]) -> str:
        """Write the tree of the start with exactly these entries in place of ``src``."""
        held = []
        for line in self.git("ls-tree", self.start).splitlines():
            about, _, name = line.partition("\t")
            mode, _, oid = about.split()
            if name != "src":
                held.append((mode.lstrip("0").encode(), name.encode(), oid))
        return self.raw_tree(*held, *entries)

    def commit(
        self,
        tree: str = "",
        *,
        message: bytes = b"Do x\n",
        parents: tuple[str, ...] | None = None,
        author: str = f"{BOT} {WHEN}",
        committer: str = f"{BOT} {WHEN}",
        more: bytes = b"",
    ) -> str:
        """Write a commit, exactly as it is said."""
        tree = tree or self.tree({b"src/b.py": (b"100644", self.blob(b"print(2)\n"))})
        lines = [f"tree {tree}", *(f"parent {p}" for p in parents or (self.start,))]
        lines += [f"author {author}", f"committer {committer}"]
        data = "\n".join(lines).encode() + b"\n" + more + b"\n" + message
        return self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", data=data)

    def file(self, path: bytes, data: bytes = b"data\n", mode: bytes = b"100644") -> str:
        """A commit that adds one file."""
        return self.commit(self.tree({path: (mode, self.blob(data))}))

    # --- what is handed on ----------------------------------------------------------------------

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def empty(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()

    def bundle(self, head: str, *known: str, refs: tuple[str, ...] = (RESULT,)) -> None:
        """Write the bundle of a commit."""
        for ref in refs:
            self.git("update-ref", ref, head)
        path = str(self.out / BUNDLE)
        self.git("bundle", "create", "-q", path, *refs, *(f"^{k}" for k in known or (self.start,)))

    def packed(self, head: str, *objects: str) -> None:
        """Write a bundle of exactly these objects, whatever git thinks of them."""
        names = "".join(f"{name}\n" for name in (head, *objects))
        pack = self.git("pack-objects", "-q", str(self.folder / "made"), data=names.encode())
        made = self.folder / f"made-{pack}.pack"
        line = f"# v2 git bundle\n-{self.start} base\n{head} {RESULT}\n\n"
        (self.out / BUNDLE).write_bytes(line.encode() + made.read_bytes())
        for left in self.folder.glob("made-*"):
            left.unlink()

    def report(self, head: str) -> dict[str, Any]:
        """An honest report of one run that ended in `head`."""
        now = clock.now()
        result = Result(
            run=RUN,
            outcome=RunOutcome.FINISHED,
            head=head,
            gates=tuple(
                GateResult(name=name, outcome=GateOutcome.PASSED, exit_code=0)
                for name in ("lint", "tests")
            ),
            said="It is done.",
            started=now,
            ended=now,
        )
        attempt = Attempt(
            run=RUN,
            agent="coder",
            base=self.start,
            start=self.start,
            plan=self.digest,
            account="",
            sandbox="off",
            started=now,
            result=result,
        )
        report = Report(
            **dataclasses.asdict(self.offer),
            version=self.version,
            blob=self.git("rev-parse", f"{self.start}:.cmat/tasks/x.yaml"),
            runs=(attempt,),
        )
        told: dict[str, Any] = json.loads(jobfile.encode(report))
        return told

    def say(self, report: object) -> None:
        """Write the report."""
        (self.out / REPORT).write_text(json.dumps(report), encoding="utf-8")

    def honest(self, head: str = "") -> dict[str, Any]:
        """Hand on honest work, or a commit as if it were; return the report that was written."""
        head = head or self.commit()
        self.bundle(head)
        report = self.report(head)
        self.say(report)
        return report

    def publish(self, out: Path | None = None, **settings: Any) -> Done:
        """Have it published, without a pull request."""
        settings = {"pull": PullMode.OFF, **settings}
        out = out or self.out
        with nodes(self.repo.path, self.folder / f"publish-{out.name}", **settings) as job:
            parcel = ci_publish.receive(out, self.offer, job, ("key-of-the-model",))
            return ci_publish.publish(parcel, job, _no_forge)

    # --- what is on the remote ------------------------------------------------------------------

    def put_back(self, refs: Mapping[str, str]) -> None:
        """Have the remote as it was, whatever became of a case: the next one begins there."""
        now = self.remote.refs()
        for ref in now.keys() | refs.keys():
            if now.get(ref) != refs.get(ref):
                how = ("update-ref", ref, refs[ref]) if ref in refs else ("update-ref", "-d", ref)
                self.remote.git(*how)

    def entry(self, task: str) -> Entry:
        """A record as it is on the remote."""
        for path in self.remote.git("ls-tree", "-r", "--name-only", STATE).splitlines():
            key = layout.parse(path)
            if key is not None and key.kind is layout.Kind.QUEUE and key.id == task:
                found = records.read(key, self.remote.git("show", f"{STATE}:{path}").encode())
                assert isinstance(found, Entry)
                return found
        raise AssertionError(f"there is no {task}")


def _no_forge(_deps: object) -> Any:
    raise AssertionError("no forge is asked")


def _put(top: Node, parts: list[bytes], entry: tuple[bytes, str] | None) -> None:
    for part in parts[:-1]:
        held = top.setdefault(part, {})
        if not isinstance(held, dict):
            held = top[part] = {}
        top = held
    if entry is None:
        top.pop(parts[-1], None)
    else:
        top[parts[-1]] = entry


Make = Callable[[Parcel], object]
