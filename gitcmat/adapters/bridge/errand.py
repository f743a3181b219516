"""What the bridge is to do: one turn of one agent, and what that agent may do."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from gitcmat.model.job import Permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Handed over on standard input, because others can read arguments."""

    prompt: str
    cwd: str
    """The work tree, absolute."""
    session: str = ""
    """The agent's session to go on with; empty for a new one."""
    model: str = ""
    permissions: Permissions = Permissions.EDIT
    allowed: tuple[str, ...] = ()
    """What it may do besides, as `gitcmat.adapters.bridge.permits.rule` names it."""
    server: tuple[str, ...] = ()
    """How the agent starts gitcmat's own MCP server; empty for none."""

    @property
    def root(self) -> Path:
        """The work tree."""
        return Path(self.cwd)

    def written(self) -> bytes:
        """As JSON. A text that is no Unicode keeps its bytes."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "surrogateescape")

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Read what `written` wrote.

        Raises:
            ValueError, TypeError: it is something else.
        """
        fields: dict[str, Any] = json.loads(data.decode("utf-8", "replace"))
        return cls(
            **{
                **fields,
                "permissions": Permissions(fields["permissions"]),
                "allowed": tuple(fields["allowed"]),
                "server": tuple(fields["server"]),
            }
        )
