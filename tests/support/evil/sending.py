"""Attacks that talk to whoever must not hear of it."""

import os
import socket

from tests.support.evil.registry import SENT, Target, attack

_SECONDS = 5


def _send(
    family: int, address: tuple[str, int] | str, data: bytes, kind: int = socket.SOCK_STREAM
) -> None:
    with socket.socket(family, kind) as made:
        made.settimeout(_SECONDS)
        made.connect(address)
        made.sendall(data)


def _tell(t: Target, name: str, host: str, port: int) -> None:
    """Send the token to a host: straight, and through a proxy if there is one."""
    data = t.token(name).encode()
    try:
        _send(socket.AF_INET, (host, port), data)
    except OSError:
        proxy = os.environ.get("HTTPS_PROXY", "")
        if not proxy:
            raise
        with socket.create_connection(
            ("127.0.0.1", int(proxy.rpartition(":")[2].strip("/"))), _SECONDS
        ) as near:
            near.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
            if b" 200 " in near.recv(1000):
                near.sendall(data)


@attack("reach", "T16", SENT)
def send_to_loopback(t: Target, name: str) -> None:
    """Connects to a service on this machine's loopback"""
    _tell(t, name, "127.0.0.1", t.tcp)


@attack("reach", "T16", SENT)
def send_to_network(t: Target, name: str) -> None:
    """Connects to an address of the network (another one of this machine)"""
    if t.address:
        _tell(t, name, t.address, t.tcp)


@attack("reach", "T16", SENT)
def send_datagram(t: Target, name: str) -> None:
    """Sends a datagram, as a tunnel through DNS would"""
    _send(socket.AF_INET, ("127.0.0.1", t.udp), t.token(name).encode(), socket.SOCK_DGRAM)


@attack("reach", "T16", SENT)
def send_to_model(t: Target, name: str) -> None:
    """Sends what it found to the model's own host, which its profile names"""
    _tell(t, name, "127.0.0.1", t.model)


@attack("reach", "T16", SENT)
def send_to_abstract_socket(t: Target, name: str) -> None:
    """Connects to a socket without a path, as X11 and D-Bus have them"""
    _send(socket.AF_UNIX, "\0" + t.sockets["abstract"][1:], t.token(name).encode())


def _socket(t: Target, name: str, which: str) -> None:
    _send(socket.AF_UNIX, t.sockets[which], t.token(name).encode())


@attack("reach", "T16", SENT)
def send_to_ssh_agent(t: Target, name: str) -> None:
    """Asks the person's ssh-agent"""
    _socket(t, name, "ssh-agent")


@attack("reach", "T16", SENT)
def send_to_docker(t: Target, name: str) -> None:
    """Asks the container engine, which is root, by its socket below home"""
    _socket(t, name, "docker")


@attack("reach", "T18", SENT)
def send_to_session_bus(t: Target, name: str) -> None:
    """Asks the person's session (D-Bus, systemd) to start a program"""
    _socket(t, name, "bus")


@attack("reach", "T16", SENT)
def send_to_unlisted_socket(t: Target, name: str) -> None:
    """Connects to a socket in a place that no list has, below home"""
    _socket(t, name, "unlisted")
