"""What is recorded of each real program: how it is called, and what the fake model says to it."""

from dataclasses import dataclass, replace
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import Final

from gitcmat.model.job import Permissions
from tests.support.fakemodel.scenario import Answer, Call, Failure, Run, Script, Usage, Write
from tests.support.realcli.calls import EDITS, FRESH, resumed

SLEEPER: Final = "python3 -c \"open('started', 'w').close(); import time; time.sleep(600)\""
"""A shell command that is at work until somebody ends it; the file says that it is."""

_SIGNALS: Final = (SIGTERM, SIGINT, SIGKILL)
_DEAF: Final = {("opencode", SIGINT)}
"""Works on for minutes as if nothing had come."""

_MISSING: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One transcript."""

    name: str
    cli: str
    scripts: tuple[Script, ...]
    args: tuple[str, ...] = ()
    """`SESSION` stands for the id of a session that a first call has begun."""
    before: tuple[str, ...] = ()
    """The arguments of that first call."""
    prompt: str = "Do what has to be done."
    signal: Signals | None = None
    """Sent when the file `started` is there."""
    plan: bool = False
    """With the token of a plan instead of a key."""
    offline: bool = False
    """Nobody listens where the model should be."""
    permissions: Permissions = Permissions.ALL
    """For programs that only their adapter starts: `args` are a profile's own then."""


def _one(
    cli: str, what: str, *answers: Answer, args: tuple[str, ...] = (), **options: bool
) -> Recording:
    name = f"{cli}_{what}"
    return Recording(
        name=name,
        cli=cli,
        scripts=(Script(answers),),
        args=args or FRESH[cli],
        plan=options.get("plan", False),
    )


def _works(cli: str) -> list[Recording]:
    """What all of them do in the same way."""
    hello: tuple[Call, ...] = (Run("echo hello > hello.txt; cat hello.txt"),)
    written: tuple[Call, ...] = (Write("notes/new.txt", "one\ntwo\n"),)
    done = Answer("All done.", usage=Usage(50, 7, 1000, 200))
    return [
        _one(cli, "text", Answer("Nothing has to be done.")),
        _one(cli, "shell", Answer("I look.", hello), done),
        _one(cli, "write", Answer("", written), done),
        _one(cli, "red_shell", Answer("", (Run("echo no >&2; exit 3"),)), done),
        _one(cli, "500", _fails("server_error")),
        _one(cli, "401", _fails("bad_key")),
        _one(cli, "429", _fails("rate_limit", 5)),
        _one(cli, "overloaded", _fails("overloaded")),
        _one(cli, "usage_limit", _fails("usage_limit", 7200), plan=cli == "claude"),
        _one(cli, "spend_limit", _fails("spend_limit", 86_400)),
        _one(cli, "broken_stream", Answer("This is cut off in the middle.", breaks=True)),
        *(_killed(cli, number) for number in _SIGNALS if (cli, number) not in _DEAF),
    ]


def _fails(kind: str, resets_in: int = 30) -> Answer:
    return Answer(failure=Failure(kind, resets_in=resets_in))


def _killed(cli: str, number: Signals) -> Recording:
    return Recording(
        name=f"{cli}_{number.name.lower()}_in_shell",
        cli=cli,
        scripts=(Script((Answer("", (Run(SLEEPER),)), Answer("It was interrupted."))),),
        args=FRESH[cli],
        signal=number,
    )


def _resumes(cli: str) -> Recording:
    return Recording(
        name=f"{cli}_resume",
        cli=cli,
        scripts=(
            Script((Answer("Which colour?"),), asks="Paint it."),
            Script((Answer("Blue it is."),), asks="Blue."),
        ),
        before=FRESH[cli],
        args=resumed(cli, "SESSION"),
        prompt="Blue.",
    )


def _missing(cli: str, session: str = _MISSING) -> Recording:
    return Recording(name=f"{cli}_resume_missing", cli=cli, scripts=(), args=resumed(cli, session))


def _by_adapter(cli: str, what: str, *answers: Answer, **options: bool) -> Recording:
    """What only the adapter can start; an edit of aider is the whole file, as the fake one says."""
    return Recording(
        name=f"{cli}_{what}",
        cli=cli,
        scripts=(Script(answers),),
        args=("--edit-format", "whole") if cli == "aider" else (),
        offline=options.get("offline", False),
        permissions=Permissions.READ if options.get("reads") else Permissions.ALL,
    )


def _refused(cli: str) -> list[Recording]:
    """How the provider of a driven program refuses."""
    kinds = {
        "500": _fails("server_error"),
        "401": _fails("bad_key"),
        "429": _fails("rate_limit", 5),
        "overloaded": _fails("overloaded"),
        "usage_limit": _fails("usage_limit", 7200),
        "spend_limit": _fails("spend_limit"),
        "recovers": _RECOVERS,
        "broken_stream": Answer("This is cut off in the middle.", breaks=True),
    }
    return [
        *(_by_adapter(cli, what, answer) for what, answer in kinds.items()),
        _by_adapter(cli, "offline", offline=True),
        *(
            replace(
                _by_adapter(cli, f"{number.name.lower()}_in_answer", Answer("Cut.", hangs=True)),
                signal=number,
            )
            for number in _SIGNALS
        ),
    ]


def _aider() -> list[Recording]:
    """It has no shell, and says all that it does in one answer."""
    written: tuple[Call, ...] = (Write("notes/new.txt", "one\ntwo\n"),)
    outside: tuple[Call, ...] = (Write("../out.txt", "x\n"),)
    suggested = Answer("Run:\n\n```bash\necho x > ran.txt\n```\n")
    return [
        _by_adapter("aider", "text", Answer("Nothing has to be done.")),
        _by_adapter("aider", "write", Answer("I write.", written, usage=Usage(50, 7, 1000, 200))),
        _by_adapter("aider", "read_only", Answer("So it could be.", written), reads=True),
        _by_adapter("aider", "outside", Answer("I write.", outside)),
        _by_adapter("aider", "malformed", suggested),
        replace(_by_adapter("aider", "shell", suggested), args=("--edit-format", "diff")),
        _by_adapter("aider", "empty", Answer("")),
        *_refused("aider"),
    ]


def _mini() -> list[Recording]:
    """Its one tool is a shell, and it goes on until it has run a command that ends its work."""
    hello: tuple[Call, ...] = (Run("echo hello > hello.txt; cat hello.txt"),)
    written: tuple[Call, ...] = (Write("new.txt", "one\ntwo\n"),)
    done = Answer("All done.", usage=Usage(50, 7, 1000, 200))
    killed = (Answer("", (Run(SLEEPER),)), Answer("It was interrupted."))
    return [
        _by_adapter("mini", "text", Answer("Nothing has to be done.")),
        _by_adapter("mini", "shell", Answer("I look.", hello), done),
        _by_adapter("mini", "write", Answer("", written), done),
        _by_adapter("mini", "red_shell", Answer("", (Run("echo no >&2; exit 3"),)), done),
        *_refused("mini"),
        *(
            replace(_by_adapter("mini", f"{number.name.lower()}_in_shell", *killed), signal=number)
            for number in _SIGNALS
        ),
    ]


_RECOVERS: Final = Answer("Then it worked.", failure=Failure("rate_limit", 1, 1))
_SHELL: Final = (Run("git commit --allow-empty -m x"),)

RECORDINGS: Final = (
    *_works("claude"),
    _one("claude", "denied", Answer("", _SHELL), Answer("I may not."), args=EDITS),
    _one("claude", "key_usage_limit", _fails("usage_limit", 7200)),
    _one("claude", "no_credit", _fails("no_credit")),
    _one("claude", "midway", Answer("A few words.", failure=Failure("overloaded", midway=True))),
    _one(
        "claude",
        "max_turns",
        *[Answer("", (Run("true"),))] * 2,
        args=(*FRESH["claude"], "--max-turns", "1"),
    ),
    _resumes("claude"),
    _missing("claude"),
    _one("claude", "recovers", _RECOVERS),
    *_works("codex"),
    _one("codex", "recovers", _RECOVERS),
    _one("codex", "usage_limit_days", _fails("usage_limit", 3 * 86_400)),
    _one(
        "codex", "midway", Answer("A few words.", failure=Failure("rate_limit", 0, 5, midway=True))
    ),
    _one(
        "codex",
        "denied",
        Answer("", (Run("echo x > x.txt"),)),
        Answer("I may not."),
        args=("exec", "--json", "-s", "read-only", "-"),
    ),
    _one(
        "codex",
        "read_only",
        Answer("", (Run("echo x > x.txt; echo went on"),)),
        Answer("I may not."),
        args=("exec", "--json", "-s", "read-only", "-"),
    ),
    _one(
        "codex",
        "outside",
        Answer("", (Write("../out.txt", "x\n"),)),
        Answer("I may not."),
        args=("exec", "--json", "-s", "workspace-write", "-"),
    ),
    _resumes("codex"),
    _missing("codex"),
    *_works("gemini"),
    _resumes("gemini"),
    _missing("gemini"),
    *_works("opencode"),
    _one("opencode", "recovers", _RECOVERS),
    _resumes("opencode"),
    _missing("opencode", "ses_00000000000000000000000000"),
    replace(_one("opencode", "waits", _fails("rate_limit", 3600)), signal=SIGTERM),
    *_aider(),
    *_mini(),
)
