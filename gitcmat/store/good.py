"""The last good settings of each source: ``.git/cmat/good.json``."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gitcmat import __version__
from gitcmat.errors import InvalidData
from gitcmat.model.agent import AgentProfile
from gitcmat.model.intent import Agent
from gitcmat.model.settings import Config
from gitcmat.store import codec
from gitcmat.store.yamlio import Document
from gitcmat.system.files import read_regular, write_atomic

_LIMIT: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``.cmat/config.yaml`` and ``.cmat/agents/`` say together."""

    config: Config = field(default_factory=Config)
    agents: Mapping[str, Agent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Good:
    """Settings that were good, the commit they are of, and the files that say them."""

    commit: str
    files: Mapping[str, str] | None
    """Path → blob; None where another version of gitcmat thought them good."""
    settings: Settings


class GoodSettings:
    """Remembers by full ref name. A lost or damaged file means only that nothing is remembered."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, ref: str) -> Good | None:
        """Return the last good settings of a ref."""
        found = self._load().get(ref)
        try:
            return None if found is None else _good(found)
        except (KeyError, TypeError, AttributeError, InvalidData):
            return None

    def put(self, ref: str, commit: str, files: Mapping[str, str], settings: Settings) -> None:
        """Remember settings as the last good ones of a ref."""
        agents = {
            name: {
                "profile": codec.encode(agent.profile),
                "system": agent.system,
                "path": agent.path,
                "blob": agent.blob,
            }
            for name, agent in settings.agents.items()
        }
        data = self._load()
        data[ref] = {
            "commit": commit,
            "files": dict(files),
            "version": __version__,
            "config": codec.encode(settings.config),
            "agents": agents,
        }
        with contextlib.suppress(OSError):  # a read-only repository can still be looked at
            write_atomic(self._path, json.dumps(data, indent=1).encode(), mode=0o600)

    def _load(self) -> dict[str, Any]:
        try:
            data = json.loads(read_regular(self._path, _LIMIT))
        except (OSError, ValueError, RecursionError, InvalidData):
            return {}
        return data if isinstance(data, dict) else {}


def _good(data: Mapping[str, Any]) -> Good:
    agents = {
        name: Agent(
            profile=codec.decode(AgentProfile, Document(one["profile"], {}), name=one["path"]),
            system=str(one["system"]),
            path=str(one["path"]),
            blob=str(one["blob"]),
        )
        for name, one in data["agents"].items()
    }
    config = codec.decode(Config, Document(data["config"], {}), name="good.json")
    # Another version may read the same text differently: what it thought is good still is, but it
    # must look again.
    files = data["files"] if data["version"] == __version__ else None
    return Good(str(data["commit"]), files, Settings(config, agents))
