"""The Model Context Protocol on standard input and output: the only place that knows it."""

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import anyio
import anyio.from_thread
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from gitcmat import __version__
from gitcmat.cli.boundary import BUG
from gitcmat.cli.output import SCHEMA
from gitcmat.cli.serving.tools import Tool
from gitcmat.errors import UserError
from gitcmat.system.refusals import refusal

_AT_ONCE: Final = 8
"""Calls that are carried out at the same time; others wait."""


def serve(tools: Sequence[Tool], about: str, *, at_once: int = _AT_ONCE) -> None:
    """Serve until standard input ends."""
    anyio.run(_serve, tools, about, at_once)


async def _serve(tools: Sequence[Tool], about: str, at_once: int) -> None:
    known = {tool.name: tool for tool in tools}
    room = anyio.CapacityLimiter(at_once)

    async def listed(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_shown(tool) for tool in tools])

    async def called(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = known.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool {params.name[:40]!r}.")
        call = partial(_call, tool, params.arguments or {}, _Waiting(context))
        return await anyio.to_thread.run_sync(call, limiter=room)

    server = Server(
        "gitcmat",
        version=__version__,
        instructions=about,
        on_list_tools=listed,
        on_call_tool=called,
    )
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


class _Waiting:
    """The client that waits for a call, as the thread of the call sees it."""

    def __init__(self, context: ServerRequestContext[Any]) -> None:
        self._context = context

    def tell(self, done: int, of: int, text: str) -> None:
        """Say how far it is, to a client that wants to know."""
        report = partial(self._context.session.report_progress, done, of, text)
        anyio.from_thread.run(report)

    def pause(self, seconds: float) -> None:
        """Sleep, unless the client has gone or wants no answer any more."""
        anyio.from_thread.check_cancelled()
        anyio.from_thread.run(anyio.sleep, seconds)


def _call(tool: Tool, given: Mapping[str, Any], caller: _Waiting) -> types.CallToolResult:
    try:
        data = tool(given, caller)
    except UserError as error:
        return _refused(error.message, error.hint, error.exit_code)
    except OSError as error:
        known = refusal(error)
        if known is not None:
            return _refused(known.message, known.hint, known.exit_code)
        return _bug(tool, error)
    except Exception as error:  # noqa: BLE001 - a bug must not end what an agent works with
        return _bug(tool, error)
    return _result({"schema": SCHEMA, **data}, wrong=False)


def _bug(tool: Tool, error: Exception) -> types.CallToolResult:
    sys.stderr.write(f"{tool.name}: {type(error).__name__}: {error}\n")
    said = f"This is a bug in gitcmat: {type(error).__name__}: {error}"
    return _refused(said, "please report it", BUG)


def _refused(message: str, hint: str, code: int) -> types.CallToolResult:
    error = {"message": message, "suggestion": hint, "exit_code": code}
    return _result({"schema": SCHEMA, "error": error}, wrong=True)


def _result(data: Mapping[str, Any], *, wrong: bool) -> types.CallToolResult:
    text = json.dumps(data, indent=2)  # pure ASCII: half of a surrogate pair is no UTF-8
    plain = json.loads(text.encode("ascii"))
    return types.CallToolResult(
        content=[types.TextContent(text=text)], structured_content=_clean(plain), is_error=wrong
    )


def _clean(value: Any) -> Any:
    """`value` without what cannot be sent as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _shown(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.about,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(read_only_hint=tool.reads, open_world_hint=False),
    )
