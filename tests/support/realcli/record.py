"""Records what the real programs print: `python -m tests.support.realcli.record claude_text codex`.

A name is that of a recording, or the beginning of several. Paths and ports are replaced, nothing
else; each transcript is standard output as it came, and `recordings.json` says how it was made.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.support.fakemodel.model import KEY
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.clients import RealCli, real
from tests.support.realcli.driven import DRIVEN, driven
from tests.support.realcli.recordings import RECORDINGS, Recording
from tests.support.wait import until

STREAMS: Final = Path(__file__).parents[2] / "fixtures/streams"
INDEX: Final = STREAMS / "recordings.json"

_STACK: Final = re.compile(r'^ +at .*\n|^  File ".*\n(?:    .*\n)+', re.MULTILINE)
"""Lines that say where in the program something was thrown."""

_SESSION: Final = re.compile(r'"(?:session_id|sessionID|thread_id)":"([^"]+)"')


def record(recording: Recording) -> dict[str, Any]:
    """Make one transcript; return what the index says of it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as name:
        root = Path(name)
        repo = root / "project"
        subprocess.run(["git", "init", "-q", "-b", "main", str(repo)], check=True)
        model = FakeModel(*recording.scripts)
        with model:
            url = "http://127.0.0.1:1" if recording.offline else model.url
            client = real(recording.cli, root / "home", url)
            (root / "tmp").mkdir()
            env = client.environ | {"TZ": "UTC", "TMPDIR": str(root / "tmp")}
            if recording.plan:
                env |= {"CLAUDE_CODE_OAUTH_TOKEN": KEY, "ANTHROPIC_API_KEY": ""}
            done = _turn(recording, client, env, repo, model)
            left = _end_what_is_left(repo)
        clean = _Cleaner(client, root, model.port)
        kind = "txt" if recording.cli in DRIVEN else "jsonl"
        (STREAMS / f"{recording.name}.{kind}").write_text(clean(done.stdout), encoding="utf-8")
        return {
            "cli": recording.cli,
            "version": client.version,
            "args": list(recording.args),
            "signal": recording.signal.name if recording.signal else None,
            "code": done.returncode,
            "left": left,
            "stderr": clean(done.stderr),
        }


def _turn(
    recording: Recording, client: RealCli, env: dict[str, str], repo: Path, model: FakeModel
) -> subprocess.CompletedProcess[str]:
    if recording.cli in DRIVEN:
        call = driven(
            client,
            repo,
            recording.prompt,
            permissions=recording.permissions,
            args=recording.args,
        )
        argv, env, prompt = call.argv, {**env, **call.env}, call.stdin.decode()
    else:
        args = recording.args
        if recording.before:
            begun = _call((str(client.program), *recording.before), env, repo, "Paint it.")
            (session,) = set(_SESSION.findall(begun.stdout))
            args = tuple(session if arg == "SESSION" else arg for arg in args)
        argv, prompt = (str(client.program), *args), recording.prompt

    def at_work() -> bool:
        errors = (repo.parent / "err").read_text(encoding="utf-8")
        return (repo / "started").exists() or model.hanging > 0 or "level=ERROR" in errors

    return _call(argv, env, repo, prompt, recording.signal, at_work)


class _Cleaner:
    """Replaces what is of this machine only."""

    def __init__(self, client: RealCli, root: Path, port: int) -> None:
        self._words = {
            str(client.program): f"/opt/agents/{client.name}",
            str(client.program.resolve()): f"/opt/agents/{client.name}",
            str(client.program.resolve().parents[1]): f"/opt/agents/{client.name}",
            str(root / "project"): "/home/pat/project",
            str(root / "home"): "/home/pat",
            str(root): "/home/pat",
            str(root).replace("/", "-"): "-home-pat",
            f"127.0.0.1:{port}": "127.0.0.1:8080",
        }

    def __call__(self, text: str) -> str:
        for word, instead in self._words.items():
            text = text.replace(word, instead)
        return _STACK.sub("", text)


def _call(
    argv: tuple[str, ...],
    env: dict[str, str],
    repo: Path,
    prompt: str,
    number: signal.Signals | None = None,
    at_work: Callable[[], bool] = lambda: True,
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, or until a signal that it gets in the middle of its work."""
    asked, out, err = (repo.parent / name for name in ("prompt", "out", "err"))
    asked.write_text(prompt, encoding="utf-8")
    out.unlink(missing_ok=True)
    with asked.open("rb") as stdin, out.open("ab") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            argv, cwd=repo, env=env, stdin=stdin, stdout=stdout, stderr=stderr
        )
        if number:
            until(at_work, 60, "the program to be at work")
            process.send_signal(number)
        try:
            code = process.wait(300)
        finally:
            process.kill()
    text = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(argv, code, *text)


def _end_what_is_left(repo: Path) -> int:
    """Kill the processes that work in this folder, which is ours alone; return their number."""
    left = 0
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            inside = entry.readlink().is_relative_to(repo)
        except OSError:
            continue
        if inside:
            os.kill(int(entry.parent.name), signal.SIGKILL)
            left += 1
    return left


def main(names: list[str]) -> None:
    """Make the transcripts whose names begin so, and write the index."""
    for recording in RECORDINGS:
        if not recording.name.startswith(tuple(names)):
            continue
        sys.stderr.write(f"{recording.name}\n")
        about = record(recording)
        sys.stderr.write(f"  exit {about['code']}, {about['left']} processes left\n")
        index = json.loads(INDEX.read_text(encoding="utf-8")) if INDEX.exists() else {}
        index[recording.name] = about
        text = json.dumps(index, indent=1, sort_keys=True, ensure_ascii=False)
        INDEX.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
