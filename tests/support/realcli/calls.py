"""The arguments with which each real program works without asking. The prompt is on stdin."""

from typing import Final

CLAUDE: Final = ("-p", "--output-format", "stream-json", "--verbose")
EDITS: Final = (*CLAUDE, "--permission-mode", "acceptEdits")
CODEX: Final = ("exec", "--json", "-s", "danger-full-access")

FRESH: Final[dict[str, tuple[str, ...]]] = {
    "claude": (*EDITS, "--allowedTools", "Bash,Edit,Read,Write"),
    "codex": (*CODEX, "-"),
    "gemini": ("-o", "stream-json", "--approval-mode", "yolo", "-m", "gemini-2.5-flash"),
    "opencode": ("run", "--format", "json", "--print-logs", "--log-level", "ERROR"),
}
"""For a new session."""


def resumed(cli: str, session: str) -> tuple[str, ...]:
    """Return the arguments that go on with a session."""
    match cli:
        case "codex":
            return (*CODEX, "resume", session, "-")
        case "opencode":
            return (*FRESH[cli], "-s", session)
        case _:
            return (*FRESH[cli], "--resume", session)
