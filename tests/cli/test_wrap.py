"""`gitcmat wrap`: JSON lines around an agent, with real processes on both sides."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.support.boxed import bubblewrap
from tests.support.cli import gitcmat
from tests.support.project import agent_file
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.wrapped import TERMINAL, plain, wrapped

ECHO = ("--command", "cat")
"""An agent that says what it is told."""
WAITS = ("--command", "sh -c 'cat > /dev/null; echo ready; exec sleep 600'")


def prompt(text: str = "Do it.", run_id: str = "one", **options: object) -> dict[str, object]:
    return {"action": "prompt", "prompt": text, "run_id": run_id, "options": options}


def living(mark: str) -> list[int]:
    """The processes that have `mark` among their arguments; zombies do not live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark.encode() in words:
                found.append(int(entry.name))
    return found


def test_a_whole_conversation(tmp_path: Path) -> None:
    with wrapped(tmp_path, *ECHO) as wrap:
        wrap.send({"action": "status"}, {**prompt("hello\nworld"), "tags": ["a"]})
        wrap.until("state")
        wrap.send({"action": "shutdown"})
        wrap.rest()
        assert [plain(event) for event in wrap.events] == [
            {
                "event": "ready",
                "agent": "command",
                "runs": "command",
                "unknown": ["cost", "tokens", "session", "tools", "limits"],
                "sandbox": "off",
                "gitcmat": wrap.events[0]["gitcmat"],
            },
            {"event": "status", "state": "idle"},
            {"event": "run_started", "run_id": "one", "tags": ["a"], "sandbox": "off"},
            {
                "event": "stream",
                "run_id": "one",
                "tags": ["a"],
                "payload": {"type": "said", "text": "hello"},
            },
            {
                "event": "stream",
                "run_id": "one",
                "tags": ["a"],
                "payload": {"type": "said", "text": "world"},
            },
            {
                "event": "run_completed",
                "run_id": "one",
                "outcome": "finished",
                "reason": "ok",
                "tags": ["a"],
                "message": "world",
                "result": "world",
                "exit_code": 0,
            },
            {"event": "state", "state": "idle"},
            {"event": "shutdown", "reason": "requested"},
        ]
        assert (wrap.process.returncode, wrap.errors) == (0, "")


def test_a_prompt_from_a_pipe_that_ends_is_done(tmp_path: Path) -> None:
    asked = json.dumps({"action": "prompt", "prompt": "hello"})
    done = gitcmat(tmp_path, "wrap", *ECHO, input=asked).ok()
    names = [json.loads(line)["event"] for line in done.out.splitlines()]
    assert names == ["ready", "run_started", "stream", "run_completed", "state", "shutdown"]


def test_the_end_of_input_ends_a_long_run_and_none_of_its_processes_is_left(tmp_path: Path) -> None:
    with wrapped(tmp_path, "--command", "sleep 611") as wrap:
        wrap.send(prompt())
        wrap.until("run_started")
        wrap.close()
        assert [plain(event) for event in wrap.rest()] == [
            {
                "event": "run_cancelled",
                "run_id": "one",
                "outcome": "cancelled",
                "reason": "end_of_input",
                "message": "stopped on request",
                "exit_code": -15,
            },
            {"event": "state", "state": "idle"},
            {"event": "shutdown", "reason": "end_of_input"},
        ]
    assert living("611") == []


def test_with_exit_on_complete_the_run_outlives_the_input(tmp_path: Path) -> None:
    with wrapped(tmp_path, "--command", "sh -c 'cat; sleep 6; echo done'") as wrap:
        wrap.send(prompt("hello\n", exit_on_complete=True))
        wrap.close()
        names = [event["event"] for event in wrap.rest()]
    assert names == [
        "ready",
        "run_started",
        "stream",
        "stream",
        "run_completed",
        "auto_shutdown",
        "shutdown",
    ]


def test_a_run_is_cancelled_by_its_name_only(tmp_path: Path) -> None:
    with wrapped(tmp_path, *WAITS) as wrap:
        wrap.send({"action": "cancel"}, prompt())
        wrap.until("stream")
        wrap.send({"action": "cancel", "run_id": "two"})
        wrap.until("cancel_ignored")
        wrap.send({"action": "cancel", "run_id": "one"}, {"action": "cancel"}, {"action": "status"})
        wrap.until("state")
        wrap.send({"action": "cancel", "run_id": "one"}, {"action": "shutdown"})
        wrap.rest()
        shown = [plain(event) for event in wrap.events if event["event"] not in ("ready", "stream")]
    assert shown == [
        {"event": "cancel_ignored", "reason": "no_active_run"},
        {"event": "run_started", "run_id": "one", "sandbox": "off"},
        {
            "event": "cancel_ignored",
            "run_id": "two",
            "reason": "run_id_mismatch",
            "active_run_id": "one",
        },
        {"event": "cancel_requested", "run_id": "one"},
        {"event": "cancel_ignored", "run_id": "one", "reason": "not_cancellable"},
        {"event": "status", "run_id": "one", "state": "ending"},
        {
            "event": "run_cancelled",
            "run_id": "one",
            "outcome": "cancelled",
            "reason": "cancel",
            "message": "stopped on request",
            "exit_code": -15,
        },
        {"event": "state", "state": "idle"},
        {"event": "cancel_ignored", "run_id": "one", "reason": "no_active_run"},
        {"event": "shutdown", "reason": "requested"},
    ]


def test_two_prompts_at_once_are_one_run_and_a_refusal(tmp_path: Path) -> None:
    with wrapped(tmp_path, *ECHO) as wrap:
        wrap.send(prompt(run_id="one"), prompt(run_id="two"))
        assert plain(wrap.until("error")) == {
            "event": "error",
            "run_id": "two",
            "reason": "busy",
            "message": "a run is on: cancel it, or wait for its end",
            "active_run_id": "one",
        }
        wrap.until("state")
        wrap.send(prompt(run_id="one"))
        assert plain(wrap.until("error")) == {
            "event": "error",
            "run_id": "one",
            "reason": "run_id_used",
            "message": "there was a run with this run_id before",
        }
        wrap.send(prompt(run_id="two"))
        wrap.until("state")
        ends = [event for event in wrap.events if event["event"] in TERMINAL]
    assert [(end["event"], end["run_id"]) for end in ends] == [
        ("run_completed", "one"),
        ("run_completed", "two"),
    ]


def test_it_stays_up_whatever_comes(tmp_path: Path) -> None:
    with wrapped(tmp_path, *ECHO) as wrap:
        wrap.send(bytes(range(11, 256)), b"", b"null", b'{"action": ["prompt"]}')
        wrap.send(b'{"action": "prompt", "prompt": "' + b"x" * 20_000_000 + b'"}')
        wrap.send(b"[" * 1_000_000, prompt(cwd="/nowhere/at/all"), prompt("hello", "two"))
        wrap.until("state")
        shown = [(e["event"], e["reason"]) for e in wrap.events]
        assert shown == [
            ("ready", None),
            ("error", "invalid_json"),
            ("error", "invalid_json"),
            ("error", "unknown_action"),
            ("error", "line_too_long"),
            ("error", "invalid_json"),
            ("error", "invalid_options"),
            ("run_started", None),
            ("stream", None),
            ("run_completed", "ok"),
            ("state", None),
        ]
        assert plain(wrap.events[4]) == {
            "event": "error",
            "reason": "line_too_long",
            "message": "a line has at most 16,000,000 bytes; it was skipped",
        }


def test_a_large_prompt_reaches_the_agent_whole(tmp_path: Path) -> None:
    with wrapped(tmp_path, "--command", "wc -c") as wrap:
        wrap.send(prompt("x" * 5_000_000))
        assert wrap.until("stream")["payload"] == {"type": "said", "text": "5000000"}


def test_where_nobody_reads_any_more_the_run_is_terminated(tmp_path: Path) -> None:
    with wrapped(tmp_path, "--command", "sleep 612") as wrap:
        wrap.send(prompt())
        wrap.until("run_started")
        until(lambda: living("612"), what="the agent")
        assert wrap.process.stdout is not None
        wrap.process.stdout.close()
        assert wrap.process.wait(30) == 1
        said = json.loads(wrap.errors)
        assert plain(said) == {
            "event": "run_terminated",
            "run_id": "one",
            "outcome": "terminated",
            "reason": "broken_pipe",
        }
    assert living("612") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_and_the_wrapper(tmp_path: Path, number: signal.Signals) -> None:
    with wrapped(tmp_path, *WAITS) as wrap:
        wrap.send(prompt())
        wrap.until("stream")
        wrap.process.send_signal(number)
        assert [plain(event) for event in wrap.rest()] == [
            {"event": "signal", "reason": number.name},
            {
                "event": "run_cancelled",
                "run_id": "one",
                "outcome": "cancelled",
                "reason": "signal",
                "message": "stopped on request",
                "exit_code": -15,
            },
            {"event": "shutdown", "reason": "signal"},
        ]
        assert wrap.process.returncode == 0


def test_a_signal_ends_an_idle_wrapper(tmp_path: Path) -> None:
    with wrapped(tmp_path, *ECHO) as wrap:
        wrap.until("ready")
        wrap.process.send_signal(signal.SIGTERM)
        shown = [plain(event) for event in wrap.rest()]
    assert shown == [
        {"event": "signal", "reason": "SIGTERM"},
        {"event": "shutdown", "reason": "signal"},
    ]


def test_a_killed_wrapper_leaves_neither_processes_nor_files(tmp_path: Path) -> None:
    """Also not those that went into a session of their own and forgot what marks them."""
    hidden = "setsid env -i sleep 613 & sleep 614"
    with wrapped(tmp_path, "--command", f"sh -c '{hidden}'", env={"TMPDIR": str(tmp_path)}) as wrap:
        wrap.send(prompt())
        wrap.until("run_started")
        until(lambda: living("613") and living("614"), what="the agent's processes")
        known = next(tmp_path.glob("gitcmat-wrap-*/run/processes"))
        until(lambda: len(json.loads(known.read_bytes())["processes"]) > 2, what="the record")
        wrap.process.kill()
        wrap.process.wait()
    until(lambda: not living("613") and not living("614"), what="their end")
    until(lambda: not list(tmp_path.glob("gitcmat-wrap-*")), what="the end of the folder")


def test_nothing_is_left_running_by_an_agent_that_ends(tmp_path: Path) -> None:
    with wrapped(tmp_path, "--command", "sh -c 'setsid sleep 615 & echo bye'") as wrap:
        wrap.send(prompt())
        end = wrap.until("run_completed")
    assert end["warnings"] == ["processes that the agent left running were ended: 1"]
    assert living("615") == []


def test_a_failure_is_told_with_its_exit_code(tmp_path: Path) -> None:
    with wrapped(tmp_path, "--command", "sh -c 'echo no; exit 3'") as wrap:
        wrap.send(prompt())
        assert plain(wrap.until("run_failed")) == {
            "event": "run_failed",
            "run_id": "one",
            "outcome": "failed",
            "reason": "agent_failed",
            "message": "exited 3: no",
            "result": "no",
            "exit_code": 3,
        }


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with wrapped(tmp_path, *WAITS, "--timeout", "20m") as wrap:
        wrap.send(prompt(timeout=1))
        assert plain(wrap.until("run_failed")) == {
            "event": "run_failed",
            "run_id": "one",
            "outcome": "failed",
            "reason": "timed_out",
            "message": "did not end within 1 seconds",
            "exit_code": -15,
        }


def test_a_run_may_ask_for_fewer_permissions_and_not_for_more(tmp_path: Path) -> None:
    with wrapped(tmp_path, *ECHO) as wrap:
        wrap.send(prompt(permission_mode="bypassPermissions"))
        assert plain(wrap.until("error")) == {
            "event": "error",
            "run_id": "one",
            "reason": "invalid_options",
            "message": "permission_mode: the wrapper was started with edit, which a run may lower "
            "and not raise to all",
        }
        wrap.send(prompt(run_id="two", permission_mode="plan"))
        wrap.until("run_completed")


CLAUDE = """\
#!/bin/sh
# Speaks as Claude Code does; what it is told decides how the turn ends.
told=$(cat)
case "$*" in *--resume?gone*) known=no ;; esac
if [ "$known" ]; then
  echo '{"type":"result","subtype":"error_during_execution","is_error":true,\
"errors":["No conversation found with session ID: gone"]}'
  exit 1
fi
echo '{"type":"system","subtype":"init","session_id":"s-1","model":"opus"}'
case "$told" in
  *limit*) echo '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected",\
"resetsAt":4102444800}}'
    echo '{"type":"result","subtype":"success","is_error":true,"result":"usage limit reached",\
"api_error_status":429}'
    exit 1 ;;
  *) echo '{"type":"result","subtype":"success","is_error":false,"result":"Done.",\
"total_cost_usd":0.5,"modelUsage":{"opus":{"inputTokens":3,"outputTokens":4}}}' ;;
esac
"""


def claude(folder: Path) -> tuple[str, ...]:
    program = folder / "bin/claude-like"
    program.parent.mkdir()
    program.write_text(CLAUDE.replace("\\\n", ""), encoding="utf-8")
    program.chmod(0o755)
    (folder / "work").mkdir()
    return ("--runs", "claude", "--command", str(program))


def test_a_session_is_gone_on_with(tmp_path: Path) -> None:
    with wrapped(tmp_path / "work", *claude(tmp_path)) as wrap:
        wrap.send(prompt(run_id="one", resume_last_session=True))
        end = wrap.until("run_completed")
        assert plain(end) == {
            "event": "run_completed",
            "run_id": "one",
            "outcome": "finished",
            "reason": "ok",
            "message": "Done.",
            "result": "Done.",
            "session_id": "s-1",
            "exit_code": 0,
        }
        assert end["spend"]["usd"] == 0.5
        assert plain(wrap.until("state")) == {
            "event": "state",
            "state": "idle",
            "last_session_id": "s-1",
        }
        wrap.send(prompt(run_id="two", resume_last_session=True))
        wrap.until("state")
        wrap.send(prompt(run_id="three", session_id="s-9"))
        wrap.until("state")
        started = [e for e in wrap.events if e["event"] == "run_started"]
    assert [event["session_id"] for event in started] == [None, "s-1", "s-9"]


def test_a_session_that_is_gone_is_said_to_be_and_nothing_begins_anew(tmp_path: Path) -> None:
    with wrapped(tmp_path / "work", *claude(tmp_path)) as wrap:
        wrap.send(prompt(session_id="gone"))
        said = "No conversation found with session ID: gone"
        assert plain(wrap.until("run_failed")) == {
            "event": "run_failed",
            "run_id": "one",
            "outcome": "failed",
            "reason": "session_gone",
            "message": said,
            "exit_code": 1,
        }
        assert plain(wrap.until("state")) == {"event": "state", "state": "idle"}


def test_a_limit_of_the_provider_is_no_completion(tmp_path: Path) -> None:
    with wrapped(tmp_path / "work", *claude(tmp_path)) as wrap:
        wrap.send(prompt("Reach the limit."))
        until_ = "2100-01-01T00:00:00+00:00"
        assert plain(wrap.until("limit_notice")) == {
            "event": "limit_notice",
            "run_id": "one",
            "message": "usage limit reached",
            "until": until_,
        }
        assert plain(wrap.until("run_failed")) == {
            "event": "run_failed",
            "run_id": "one",
            "outcome": "failed",
            "reason": "limit_reached",
            "until": until_,
            "message": "usage limit reached",
            "session_id": "s-1",
            "exit_code": 1,
        }


def test_a_secret_that_is_handed_through_is_not_told(tmp_path: Path) -> None:
    env = {"MODEL_KEY": "hunter2-hunter2", "OTHER_KEY": "not-for-agents"}
    script = "sh -c 'echo \"$MODEL_KEY-$OTHER_KEY\"'"
    with wrapped(tmp_path, "--command", script, "--pass-env", "MODEL_KEY", env=env) as wrap:
        wrap.send(prompt())
        assert wrap.until("stream")["payload"] == {"type": "said", "text": "[secret]-"}


def test_a_planted_program_is_never_chosen(repo: TestRepo) -> None:
    """Neither by a relative path, nor by its own, nor by a PATH with the repository in it."""
    repo.write("sub/agent", "#!/bin/sh\ntouch planted\n")
    (repo.path / "sub/agent").chmod(0o755)
    where = repo.path / "sub"
    path = os.pathsep.join([".", str(where), os.environ["PATH"]])
    for name in ("agent", "./agent", str(where / "agent")):
        found = gitcmat(where, "wrap", "--command", name, env={"PATH": path})
        fatal = json.loads(found.out)
        said = f"Cannot start `{name}`: there is no such program outside of the repository."
        hint = "an agent's program is on your PATH, or command: has its absolute path"
        assert plain(fatal) == {
            "event": "fatal",
            "reason": "cannot_start",
            "message": said,
            "hint": hint,
        }
        assert (found.code, found.err) == (4, f"error: {said}\nhint: {hint}\n")
    assert not list(repo.path.rglob("planted"))


def test_an_agent_of_a_repository_runs_when_its_plan_is_allowed(repo: TestRepo) -> None:
    files = agent_file("coder", "cat", "You are careful.")
    repo.commit("An agent", {".cmat/config.yaml": "{}\n", **files})
    refused = gitcmat(repo, "wrap", "coder")
    assert plain(json.loads(refused.out)) == {
        "event": "fatal",
        "reason": "not_trusted",
        "message": "Nobody has allowed gitcmat to start anything for this repository yet.",
        "hint": "gitcmat trust",
    }
    assert refused.code == 5
    digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(repo, "trust", "--digest", digest).ok()
    with wrapped(repo.path, "coder") as wrap:
        wrap.send(prompt())
        end = wrap.until("run_completed")
        said = [e["payload"]["text"] for e in wrap.events if e["event"] == "stream"]
        assert said == ["You are careful.", "Do it."]
        assert end["message"] == "Do it."
        repo.commit("Another command", agent_file("coder", "echo changed"))
        wrap.send(prompt(run_id="two"))
        assert plain(wrap.until("error")) == {
            "event": "error",
            "run_id": "two",
            "reason": "not_trusted",
            "message": "What gitcmat may start here has changed since you allowed it.",
        }


def test_what_cannot_be_wrapped_is_refused(tmp_path: Path) -> None:
    for args, said, hint in (
        ((), "Name an agent, or say --runs.", "gitcmat wrap --runs claude"),
        (("--runs", "acp"), "--runs acp needs --command.", "--command 'PROGRAM ARGUMENT…'"),
        (
            ("x", "--runs", "claude"),
            "A profile says how its agent runs.",
            "leave AGENT or the options out",
        ),
        (("--command", "'"), "--command cannot be read: No closing quotation.", "close the quotes"),
    ):
        found = gitcmat(tmp_path, "wrap", *args)
        assert (found.code, found.out) == (2, "")
        assert found.err == f"error: {said}\nhint: {hint}\n"


def boxes(folder: Path, *args: str) -> list[str]:
    """The sandbox as `ready`, `run_started` and a program in it name it, which writes a file."""
    script = "sh -c 'cat > /dev/null; touch mine; echo ${CMAT_SANDBOX:-off}'"
    with wrapped(folder, "--command", script, *args) as wrap:
        wrap.send(prompt())
        end = wrap.until(*TERMINAL)
        return [*(e["sandbox"] for e in wrap.events if "sandbox" in e), end["message"]]


def test_any_program_is_kept_in_as_the_settings_or_the_option_say(
    home: Path, tmp_path: Path
) -> None:
    bubblewrap()
    settings = home / ".config/gitcmat/config.yaml"
    folder = tmp_path / "plain"
    folder.mkdir()
    settings.write_text("sandbox: auto\n", encoding="utf-8")
    kept = ["bwrap, network full"] * 3
    assert boxes(folder) == kept
    assert (folder / "mine").exists()
    assert boxes(folder, "--sandbox", "off") == ["off"] * 3
    settings.write_text("sandbox: off\n", encoding="utf-8")
    assert boxes(folder) == ["off"] * 3
    assert boxes(folder, "--sandbox", "bwrap") == kept


def test_the_settings_for_one_repository_hold_and_its_git_is_not_in_the_box(
    repo: TestRepo, home: Path
) -> None:
    bubblewrap()
    settings = home / ".config/gitcmat/config.yaml"
    one = json.dumps(str(repo.path.resolve()))
    text = f"sandbox: off\nrepositories:\n  {one}:\n    sandbox: bwrap\n"
    settings.write_text(text, encoding="utf-8")
    with wrapped(repo.path, "--command", "sh -c 'cat > /dev/null; ls -A .git | wc -l'") as wrap:
        wrap.send(prompt())
        assert wrap.until("run_started")["sandbox"] == "bwrap, network full"
        assert wrap.until("stream")["payload"]["text"] in ("0", "1")


def test_where_there_is_no_sandbox_it_is_said_or_nothing_starts(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "bwrap").write_text("#!/bin/sh\necho not today >&2\nexit 1\n", encoding="utf-8")
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    work = tmp_path / "work"
    work.mkdir()
    (home / ".config/gitcmat/config.yaml").write_text("{}\n", encoding="utf-8")
    assert boxes(work) == [*["off, bubblewrap does not work here (not today)"] * 2, "off"]
    found = gitcmat(work, "wrap", *ECHO, "--sandbox", "bwrap")
    assert plain(json.loads(found.out)) == {
        "event": "fatal",
        "reason": "cannot_start",
        "message": "The agent is to work in a sandbox, and there is none: "
        "bubblewrap does not work here (not today).",
        "hint": "install bubblewrap (apt install bubblewrap), or write sandbox: off",
    }
    assert found.code == 4
