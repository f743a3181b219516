"""The protocol of ``gitcmat wrap``: what an embedding program may ask, one JSON object a line.

Whatever comes is judged here, and nothing that comes is more than a wrong request.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gitcmat.model.job import Permissions

VERSION: Final = 1
LONGEST: Final = 16_000_000
"""Bytes of one line; a longer one is skipped and answered by an error."""

_SESSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_LONGEST_NAME: Final = 128
_MOST_TAGS: Final = 32
_MODES: Final = {
    "read": Permissions.READ,
    "plan": Permissions.READ,
    "edit": Permissions.EDIT,
    "acceptEdits": Permissions.EDIT,
    "all": Permissions.ALL,
    "bypassPermissions": Permissions.ALL,
}
"""``permission_mode`` in our words and in those of Claude Code."""
_AS_STARTED: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one run differs from the way the wrapper was started."""

    cwd: str = ""
    """Where the agent works; empty for the wrapper's own folder."""
    permissions: Permissions | None = None
    session: str = ""
    """Id of the session to go on with."""
    resume_last: bool = False
    """Go on with the last session of this wrapper, if there is one."""
    exit_on_complete: bool = False
    timeout: int | None = None
    """Seconds, as the next."""
    idle_timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Let the agent do this."""

    text: str
    run_id: str = ""
    """By what name the embedding program knows the run; empty: we choose one."""
    tags: tuple[str, ...] = ()
    """Words that come back with each event of the run."""
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End the run; with an id only if it is that one."""

    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Say what goes on."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What came is no request."""

    reason: str
    """A word for programs."""
    message: str


Request = Prompt | Cancel | Status | Shutdown | Wrong


def understand(line: bytes) -> Request:
    """Read one line; an unknown option means nothing, all else that is wrong is `Wrong`."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return Wrong("invalid_json", "the line is not UTF-8")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        return Wrong("invalid_json", f"the line is no JSON: {why}")
    if not isinstance(said, dict):
        return Wrong("invalid_json", "the line is no JSON object")
    try:
        return _request(said)
    except ValueError as error:
        return Wrong("invalid_options", str(error))


def _request(said: Mapping[str, Any]) -> Request:
    match said.get("action"):
        case "prompt":
            return _prompt(said, "prompt", said.get("options"))
        case "cancel":
            return Cancel(run_id=_name(said, "run_id"))
        case "status":
            return Status()
        case "shutdown":
            return Shutdown()
        case None if "command" in said:
            # As the first programs spoke that embedded an agent so.
            return _prompt(said, "command", {"cwd": said.get("working_directory")})
        case None:
            return Wrong("unknown_action", "action: is missing")
        case other:
            shown = json.dumps(other)[:_LONGEST_NAME]
            known = "prompt, cancel, status, shutdown"
            return Wrong("unknown_action", f"action: {shown} is none of {known}")


def _prompt(said: Mapping[str, Any], key: str, options: object) -> Request:
    text = said.get(key)
    if not isinstance(text, str) or not text.strip():
        return Wrong("missing_prompt", f"{key}: is missing, empty or no text")
    if options is None:
        options = {}
    if not isinstance(options, dict):
        raise ValueError("options: is no object")  # noqa: TRY004 - data, not a wrong call
    return Prompt(
        text=_whole(text, key),
        run_id=_name(said, "run_id"),
        tags=_tags(said.get("tags")),
        options=Options(
            cwd=_text(options, "cwd") or _text(options, "working_directory"),
            permissions=_permissions(_text(options, "permission_mode")),
            session=_session(_text(options, "session_id")),
            resume_last=_flag(options, "resume_last_session"),
            exit_on_complete=_flag(options, "exit_on_complete"),
            timeout=_seconds(options, "timeout"),
            idle_timeout=_seconds(options, "idle_timeout"),
        ),
    )


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{key}: is no text")
    return _whole(value, key)


def _whole(value: str, key: str) -> str:
    """`value`, unless it has half a character, which nothing could be told."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{key}: has half a character (a lone surrogate)") from None
    return value


def _name(said: Mapping[str, Any], key: str) -> str:
    value = _text(said, key)
    if len(value) > _LONGEST_NAME or not value.isprintable():
        raise ValueError(f"{key}: is at most {_LONGEST_NAME} printable characters")
    return value


def _tags(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_TAGS:
        raise ValueError(f"tags: is a list of at most {_MOST_TAGS} words")
    return tuple(_name({"tags": word}, "tags") for word in value)


def _permissions(mode: str) -> Permissions | None:
    if mode in ("", _AS_STARTED):
        return None
    if mode not in _MODES:
        known = ", ".join((*_MODES, _AS_STARTED))
        raise ValueError(f"permission_mode: is one of {known}")
    return _MODES[mode]


def _session(value: str) -> str:
    if value and not _SESSION.fullmatch(value):
        raise ValueError("session_id: is letters, digits, dashes and underscores")
    return value


def _flag(said: Mapping[str, Any], key: str) -> bool:
    value = said.get(key)
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{key}: is true or false")
    return bool(value)


def _seconds(said: Mapping[str, Any], key: str) -> int | None:
    value = said.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key}: is a number of seconds")  # noqa: TRY004 - data, not a wrong call
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{key}: is a number of seconds")
    return math.ceil(value)
