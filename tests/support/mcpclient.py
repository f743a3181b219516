"""A client of the official package, on a real `gitcmat mcp`, for tests that are not async."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters


@dataclass(frozen=True, slots=True)
class Called:
    """What a call gave."""

    data: Any
    wrong: bool


def call(
    folder: Path,
    *calls: tuple[str, Mapping[str, Any]],
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> tuple[list[str], list[Called]]:
    """Start a server in a folder; return the names of its tools, and what each call gave."""
    whole = dict(os.environ if env is None else env)
    argv = ["-P", "-m", "gitcmat", "mcp", *args]
    server = StdioServerParameters(command=sys.executable, args=argv, env=whole, cwd=folder)

    async def talk() -> tuple[list[str], list[Called]]:
        async with Client(server, read_timeout_seconds=60) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            found = []
            for name, given in calls:
                result = await client.call_tool(name, dict(given))
                found.append(Called(result.structured_content, result.is_error))
            return names, found

    return anyio.run(talk)
