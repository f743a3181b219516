"""Programs that are started only as their adapters start them: they are given files, too."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.adapters.agents import make_agent
from gitcmat.model.job import JobAgent, Permissions
from gitcmat.ports import Turn
from tests.support.realcli.clients import RealCli

DRIVEN: Final = {"aider": "aider", "mini": "mini-swe-agent"}
"""Name of the program → the adapter that drives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One start of a program."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    stdin: bytes


def driven(
    client: RealCli,
    cwd: Path,
    prompt: str,
    *,
    permissions: Permissions = Permissions.ALL,
    args: tuple[str, ...] = (),
) -> Call:
    """Return how the adapter starts the program for one turn; a folder beside `cwd` is for files.

    `args` are a profile's own, behind the program.
    """
    scratch = cwd.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    name = DRIVEN[client.name]
    profile = JobAgent(
        name="tester",
        runs=name,
        command=(str(client.program), *args),
        permissions=permissions,
        env=client.env,
    )
    turn = Turn(profile=profile, prompt=prompt, cwd=cwd, scratch=scratch)
    launch = make_agent(name).launch(turn)
    return Call(argv=launch.argv, env={**client.environ, **launch.env}, stdin=launch.stdin)
