"""What an agent may reach while it works: what is wished for it, and what was decided at the claim.

A sandbox is for the agent alone. Setup and gates run as the person does.
"""

import posixpath
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.model.hosts import Host

INSTALL: Final = "install bubblewrap (apt install bubblewrap), or write sandbox: off"


class SandboxMode(StrEnum):
    """How an agent's processes are kept in."""

    OFF = "off"
    """They do whatever the person can."""
    BWRAP = "bwrap"
    """bubblewrap: file systems, processes and network of their own."""
    AUTO = "auto"
    """`BWRAP` where it works. Nothing that was decided says this."""


class Network(StrEnum):
    """Which network there is in a sandbox; what comes later lets more through."""

    NONE = "none"
    """A loopback of its own, and nothing else."""
    MODEL = "model"
    """The hosts that were named, through a proxy of ours."""
    FULL = "full"
    """That of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxWish:
    """``sandbox:`` of a profile, as a mapping; a word there is a wish with nothing but a mode."""

    mode: SandboxMode | None = field(
        default=None, metadata={"doc": "off, bwrap or auto; left out: bwrap if network is not full"}
    )
    network: Network = field(
        default=Network.FULL, metadata={"doc": "none, model (the hosts only) or full"}
    )
    hosts: tuple[str, ...] = field(
        default=(), metadata={"doc": "What network: model lets through: name or name:port"}
    )
    read: tuple[str, ...] = field(
        default=(), metadata={"doc": "Hidden files and folders to show: /path or ~/path"}
    )
    write: tuple[str, ...] = field(
        default=(), metadata={"doc": "Files and folders that it may change: /path or ~/path"}
    )

    def __post_init__(self) -> None:
        if self.hosts and self.network is not Network.MODEL:
            raise ValueError("hosts go with network: model")
        more = self.network is not Network.FULL or self.read or self.write
        if self.mode is SandboxMode.OFF and more:
            raise ValueError("mode: off leaves nothing to say")
        for host in self.hosts:
            Host.parse(host)
        for path in (*self.read, *self.write):
            if not _is_whole(path):
                raise ValueError(f"{path!r} is not a whole path: write it from / or ~/")

    @classmethod
    def of(cls, said: "SandboxMode | SandboxWish | None") -> "SandboxWish | None":
        """What a profile says, a word or a mapping, as a wish; None when it says nothing."""
        return cls(mode=said) if isinstance(said, SandboxMode) else said

    @property
    def meant(self) -> SandboxMode:
        """The mode. Who limits the network means it: that is not dropped where bwrap is missing."""
        if self.mode is not None:
            return self.mode
        return SandboxMode.AUTO if self.network is Network.FULL else SandboxMode.BWRAP

    @property
    def plain(self) -> dict[str, object]:
        """The wish as plain data that says each thing, also what was left out."""
        return {
            "mode": str(self.meant),
            "network": str(self.network),
            "hosts": sorted(self.hosts),
            "read": sorted(self.read),
            "write": sorted(self.write),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What was decided for one run; `mode` is `OFF` or `BWRAP`."""

    mode: SandboxMode = SandboxMode.OFF
    why: str = ""
    """Why there is none, where somebody would have liked one."""
    network: Network = Network.FULL
    hosts: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether there is a sandbox at all."""
        return self.mode is not SandboxMode.OFF

    def holds(self, other: "Box") -> bool:
        """Whether an agent in `other` reaches nothing that one in this cannot reach, but for the
        hosts and folders that its own program needs.
        """
        if not self.closed:
            return True
        networks = list(Network)
        return (
            other.closed
            and networks.index(other.network) <= networks.index(self.network)
            and (self.network is Network.FULL or {*other.hosts} <= {*self.hosts})
            and {*other.read} <= {*self.read, *self.write}
            and {*other.write} <= {*self.write}
        )

    @property
    def text(self) -> str:
        """What it is on one line, for people."""
        if self.closed:
            return f"{self.mode}, network {self.network}"
        return f"{self.mode}, {self.why}" if self.why else str(self.mode)


NO_BOX: Final = Box()


def decide(wish: SandboxWish | None, *, usual: SandboxMode, why_not: str) -> Box:
    """Decide for one run.

    `usual` holds for a profile that says nothing. `why_not` says why bubblewrap does not work on
    this machine; it is empty where it does.

    Raises:
        NotFound: a sandbox was asked for by name, and there is none: never without a word.
    """
    wish = wish or SandboxWish(mode=usual)
    if wish.meant is SandboxMode.OFF:
        return NO_BOX
    if why_not and wish.meant is SandboxMode.BWRAP:
        raise NotFound(
            f"The agent is to work in a sandbox, and there is none: {why_not}.", hint=INSTALL
        )
    if why_not:
        return Box(why=why_not)
    return Box(
        mode=SandboxMode.BWRAP,
        network=wish.network,
        hosts=wish.hosts,
        read=wish.read,
        write=wish.write,
    )


def _is_whole(path: str) -> bool:
    inside = path.removeprefix("~/") if path.startswith("~/") else path.removeprefix("/")
    if inside == path or "\0" in path:
        return False
    return posixpath.normpath(inside) == inside.rstrip("/") and ".." not in inside.split("/")
