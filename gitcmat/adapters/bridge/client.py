"""Answers what the agent asks for during its turn, and tells what it does."""

from collections.abc import Sequence
from typing import Any, Final

from acp.exceptions import RequestError
from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    ReadTextFileResponse,
    RequestPermissionResponse,
    ToolCallUpdate,
    WriteTextFileResponse,
)
from pydantic import BaseModel

from gitcmat.adapters.bridge.errand import Errand
from gitcmat.adapters.bridge.permits import Verdict, decide
from gitcmat.adapters.bridge.voice import say
from gitcmat.adapters.bridge.worktree import Outside, WorkTree
from gitcmat.model.job import Permissions

_ALLOW: Final = ("allow_once", "allow_always")
_REJECT: Final = ("reject_once", "reject_always")
_REFUSED: Final = -32003
"""A code of our own, from those that are left to implementations."""


class Client:
    """Fills the protocol package's `Client`, but for terminals, which are not offered."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._tree = WorkTree(errand.root)
        self._calls: dict[str, dict[str, Any]] = {}
        self.listens = False
        """Whether what comes is new: an agent that loads a session tells all of it again."""
        self.cancelled = False
        """Whether the turn is to end, so that nothing is allowed any more."""

    async def session_update(self, session_id: str, update: BaseModel, **_: Any) -> None:  # noqa: ARG002
        """Tell what the agent does."""
        about = update.model_dump(mode="json", by_alias=True, exclude_none=True)
        self._remember(about)
        if self.listens:
            say("update", update=about)

    async def request_permission(
        self,
        session_id: str,  # noqa: ARG002
        tool_call: ToolCallUpdate,
        options: list[PermissionOption],
        **_: Any,
    ) -> RequestPermissionResponse:
        """Choose what the profile, or a person, has decided."""
        call = self._remember(tool_call.model_dump(mode="json", by_alias=True, exclude_none=True))
        if self.cancelled:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        verdict = self._judge(call)
        chosen = _choose(options, _ALLOW if verdict.allowed else _REJECT)
        self._tell(verdict if chosen or not verdict.allowed else _without_option(verdict), call)
        if chosen is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(
            outcome=AllowedOutcome(outcome="selected", option_id=chosen.option_id)
        )

    async def read_text_file(
        self,
        session_id: str,  # noqa: ARG002
        path: str,
        line: int | None = None,
        limit: int | None = None,
        **_: Any,
    ) -> ReadTextFileResponse:
        """Read a file of the work tree; one that is not there is empty.

        Raises:
            RequestError: it is not for the agent.
        """
        try:
            return ReadTextFileResponse(content=self._tree.read(path, line, limit))
        except FileNotFoundError:
            # Gemini CLI looks first at what it is about to write, and takes an error for the end.
            return ReadTextFileResponse(content="")
        except (Outside, OSError, ValueError) as error:
            raise _no(f"reading {path}", error) from error

    async def write_text_file(
        self,
        session_id: str,  # noqa: ARG002
        path: str,
        content: str,
        **_: Any,
    ) -> WriteTextFileResponse:
        """Write a file of the work tree, if the agent may change any.

        Raises:
            RequestError: it may not, or the file is not for the agent.
        """
        call = {"kind": "edit", "locations": [{"path": path}]}
        verdict = self._judge(call)
        if self.cancelled or not verdict.allowed:
            if self._errand.permissions is Permissions.READ:
                self._tell(verdict, call)
            raise _no(f"writing {path}", "it is not allowed to change that")
        try:
            self._tree.write(path, content)
        except (Outside, OSError, ValueError) as error:
            raise _no(f"writing {path}", error) from error
        say("wrote", path=path)
        return WriteTextFileResponse()

    def _remember(self, about: dict[str, Any]) -> dict[str, Any]:
        """All that is known of a call: its parts come one after the other."""
        number = about.get("toolCallId")
        if not isinstance(number, str):
            return about
        known = self._calls.setdefault(number, {})
        known.update(about)
        return known

    def _judge(self, call: dict[str, Any]) -> Verdict:
        errand = self._errand
        return decide(call, errand.permissions, errand.allowed, self._tree.holds)

    def _tell(self, verdict: Verdict, call: dict[str, Any]) -> None:
        about = {"allowed": verdict.allowed, "what": verdict.what, "ask": verdict.ask}
        say("permission", call=call.get("toolCallId", ""), **about)


def _choose(options: Sequence[PermissionOption], kinds: Sequence[str]) -> PermissionOption | None:
    found = {option.kind: option for option in reversed(options)}
    return next((found[kind] for kind in kinds if kind in found), None)


def _without_option(verdict: Verdict) -> Verdict:
    return Verdict(allowed=False, what=verdict.what, ask=verdict.ask)


def _no(what: str, why: object) -> RequestError:
    said = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
    say("trouble", text=f"was refused: {what}: {said}")
    return RequestError(_REFUSED, f"Refused: {said}")
