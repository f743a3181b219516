"""Hosts that an agent may reach, as profiles name them, and addresses that no name may lead to."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_LONGEST: Final = 253
_PORTS: Final = 65_535
_HTTPS: Final = 443
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Host:
    """A name or address with a port."""

    name: str
    """Lower case, without a dot at its end; an IPv6 address without brackets."""
    port: int = _HTTPS

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name``, ``name:port``, ``address:port`` or ``[address]:port``; the port is 443.

        Raises:
            ValueError: it is none of these.
        """
        name, port = text, ""
        if text.startswith("["):
            name, closed, port = text[1:].partition("]")
            if not closed or (port and not port.startswith(":")) or not is_address(name):
                raise ValueError(f"{text!r} is not an address with a port")
            port = port.removeprefix(":") or str(_HTTPS)
        elif not is_address(text):
            name, colon, port = text.partition(":")
            port = port if colon else str(_HTTPS)
        else:
            port = str(_HTTPS)
        name = name.lower().removesuffix(".")
        if not _is_name(name) and not is_address(name):
            raise ValueError(f"{text!r} is not the name of a host: write name or name:port")
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= _PORTS):
            raise ValueError(f"{text!r} has no port between 1 and {_PORTS}")
        return cls(str(ipaddress.ip_address(name)) if is_address(name) else name, int(port))

    @property
    def is_here(self) -> bool:
        """Whether it is the machine itself, by name."""
        if self.name == "localhost":
            return True
        return is_address(self.name) and ipaddress.ip_address(self.name).is_loopback

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"{name}:{self.port}"


def is_address(text: str) -> bool:
    """Whether `text` is an IP address and no name; one with a zone is none."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def may_lead_to(address: str, allowed: Iterable[Host]) -> bool:
    """Whether a name that was allowed may lead to this address.

    A name is somebody else's to point anywhere: to this machine, its network or what a cloud tells
    a machine about itself. Such an address must stand in `allowed` itself, or be ``localhost``.
    """
    if _is_public(ipaddress.ip_address(address)):
        return True
    named = {host.name for host in allowed}
    here = ipaddress.ip_address(address).is_loopback and "localhost" in named
    return here or str(ipaddress.ip_address(address)) in named


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        # An IPv4 address in the clothes of an IPv6 one is judged as what it is.
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def _is_name(text: str) -> bool:
    if len(text) > _LONGEST or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        return False
    # What looks like a number is read as an address by some resolvers: 0x7f.1, 2130706433.
    last = text.rpartition(".")[2]
    return not last.isdigit() and not last.startswith("0x")
