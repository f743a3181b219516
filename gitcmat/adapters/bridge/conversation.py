"""One turn of an agent by the Agent Client Protocol, from the start of its program to its end."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any, Final, cast

import acp
from acp.exceptions import RequestError
from acp.schema import (
    ClientCapabilities,
    FileSystemCapabilities,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    McpServerStdio,
    NewSessionResponse,
    PromptResponse,
    ResumeSessionResponse,
)
from pydantic import ValidationError

from gitcmat import __version__
from gitcmat.adapters.bridge.client import Client
from gitcmat.adapters.bridge.errand import Errand
from gitcmat.adapters.bridge.voice import say
from gitcmat.adapters.bridge.wire import Wire
from gitcmat.errors import UserError

_GREETING: Final = 120
"""Seconds in which an agent says that it is one; some fetch their program first."""

_AFTER_CANCEL: Final = 3.0
"""Seconds to end the turn in; gitcmat ends everything two seconds later."""

_AFTER_END: Final = 2.0
_AUTH_REQUIRED: Final = -32000


async def hold(errand: Errand, argv: Sequence[str]) -> None:
    """Have the agent take its turn and say how it ended: with `stop`, the agent's own reason, or
    with `error`; `login` and `gone` name two errors that are not the turn's.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        wire = await Wire.start(argv, errand.root, os.environ)
    except UserError as error:
        say("end", error=error.message, login=True)
        return
    try:
        say("end", **await _Conversation(errand, wire, stopped).result())
    finally:
        await wire.end(_AFTER_END)


class _Conversation:
    def __init__(self, errand: Errand, wire: Wire, stopped: asyncio.Event) -> None:
        self._errand = errand
        self._wire = wire
        self._stopped = stopped
        self._client = Client(errand)
        self._agent = acp.connect_to_agent(cast("Any", self._client), wire)
        self._session = ""

    async def result(self) -> dict[str, Any]:
        """What is said of its end."""
        talk = asyncio.create_task(self._talk())
        stop = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({talk, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not talk.done():
                await self._cancel(talk)
                return {"stop": "cancelled", "by": "gitcmat"}
            return await self._told(talk)
        finally:
            for task in (talk, stop):
                task.cancel()
            await asyncio.gather(talk, stop, return_exceptions=True)
            await self._agent.close()

    async def _cancel(self, talk: asyncio.Task[dict[str, Any]]) -> None:
        self._client.cancelled = True
        try:
            if self._session:
                await self._agent.cancel(session_id=self._session)
        except (OSError, RuntimeError):
            return
        await asyncio.wait({talk}, timeout=_AFTER_CANCEL)

    async def _told(self, talk: asyncio.Task[dict[str, Any]]) -> dict[str, Any]:
        try:
            return await talk
        except RequestError as error:
            data = error.data if error.data is not None else ""
            about = {"error": str(error), "code": error.code, "data": data}
            return about | ({"login": True} if error.code == _AUTH_REQUIRED else {})
        except TimeoutError:
            return {"error": f"it did not answer as an ACP agent within {_GREETING} seconds"}
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, wrong["loc"]))
            return {"error": f"its answer is not of the protocol: {place}: {wrong['msg']}"}
        except OSError:
            await asyncio.sleep(0.2)  # its exit code comes after its last word
            code = self._wire.code
            return {"error": "it ended in the middle of its turn", "died": code}

    async def _talk(self) -> dict[str, Any]:
        async with asyncio.timeout(_GREETING):
            hello = await self._agent.initialize(
                protocol_version=acp.PROTOCOL_VERSION,
                client_capabilities=ClientCapabilities(
                    # Also where nothing may be written: an agent that is not offered this writes
                    # by itself, and nobody could say no.
                    fs=FileSystemCapabilities(read_text_file=True, write_text_file=True)
                ),
                client_info=Implementation(name="gitcmat", version=__version__),
            )
        if hello.protocol_version != acp.PROTOCOL_VERSION:
            found = f"{hello.protocol_version} of the protocol, not {acp.PROTOCOL_VERSION}"
            return {"error": f"it speaks version {found}", "login": True}
        if self._errand.session and not await self._go_on(hello):
            return {"error": "its session cannot be gone on with", "gone": True}
        if not self._errand.session:
            await self._begin()
        who = hello.agent_info
        say(
            "session",
            id=self._session if _goes_on(hello) else "",
            agent=f"{who.name} {who.version}" if who else "",
        )
        self._client.listens = True
        done: PromptResponse = await self._agent.prompt(
            session_id=self._session, prompt=[acp.text_block(self._errand.prompt)]
        )
        return {"stop": str(done.stop_reason)}

    async def _begin(self) -> None:
        made = await self._agent.new_session(cwd=self._errand.cwd, mcp_servers=self._servers())
        self._session = made.session_id
        await self._choose_model(made)

    async def _go_on(self, hello: InitializeResponse) -> bool:
        """Whether the session is there, and is the one to talk in."""
        able = hello.agent_capabilities
        resumes = able and able.session_capabilities and able.session_capabilities.resume
        if not _goes_on(hello):
            return False
        go_on = self._agent.resume_session if resumes is not None else self._agent.load_session
        try:
            made = await go_on(
                session_id=self._errand.session,
                cwd=self._errand.cwd,
                mcp_servers=self._servers(),
            )
        except RequestError as error:
            if error.code == _AUTH_REQUIRED:
                raise
            say("trouble", text=f"its session cannot be gone on with: {error}")
            return False
        self._session = self._errand.session
        await self._choose_model(made)
        return True

    async def _choose_model(
        self, made: NewSessionResponse | LoadSessionResponse | ResumeSessionResponse
    ) -> None:
        wanted = self._errand.model
        if not wanted:
            return
        for option in made.config_options or ():
            if "model" in (option.id, option.category):
                await self._agent.set_config_option(
                    config_id=option.id, session_id=self._session, value=wanted
                )
                return
        say("trouble", text=f"it lets nobody choose a model: not {wanted}; give it by command:")

    def _servers(self) -> list[Any]:
        if not self._errand.server:
            return []
        program, *arguments = self._errand.server
        return [McpServerStdio(name="gitcmat", command=program, args=arguments, env=[])]


def _goes_on(hello: InitializeResponse) -> bool:
    """Whether the agent can go on with a session later."""
    able = hello.agent_capabilities
    if able is None:
        return False
    sessions = able.session_capabilities
    return bool(able.load_session) or (sessions is not None and sessions.resume is not None)
