"""Whoever listens around an agent: on the network, on sockets with and without a path."""

import selectors
import socket
import threading
from pathlib import Path
from typing import Final, Self

_CHUNK: Final = 65536
_TICK: Final = 0.05


class Sinkholes:
    """Takes whatever is sent to it, as a context; says nothing."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._open: list[socket.socket] = []
        self._got = bytearray()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def received(self) -> bytes:
        """All bytes that came, from whomever."""
        return bytes(self._got)

    def tcp(self) -> int:
        """Listen on all addresses of this machine; return the port."""
        return self._listen(socket.AF_INET, ("0.0.0.0", 0))  # noqa: S104 - a witness of the test

    def udp(self) -> int:
        """Take datagrams on loopback; return the port."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return self._enter(made)

    def unix(self, place: str) -> str:
        """Listen at a path, or in the space of names without one if it begins with ``@``."""
        if place.startswith("@"):
            self._listen(socket.AF_UNIX, "\0" + place[1:])
        else:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            self._listen(socket.AF_UNIX, place)
        return place

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for made in self._open:
            made.close()
        self._selector.close()

    def _listen(self, family: int, address: tuple[str, int] | str) -> int:
        made = socket.socket(family, socket.SOCK_STREAM)
        made.bind(address)
        made.listen()
        return self._enter(made)

    def _enter(self, made: socket.socket) -> int:
        made.settimeout(0)
        self._open.append(made)
        self._selector.register(made, selectors.EVENT_READ, made)
        name = made.getsockname()
        return int(name[1]) if made.family == socket.AF_INET else 0

    def _serve(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(_TICK):
                self._take(key.data)

    def _take(self, ready: socket.socket) -> None:
        if ready.type == socket.SOCK_STREAM and ready.getsockopt(
            socket.SOL_SOCKET, socket.SO_ACCEPTCONN
        ):
            self._enter(ready.accept()[0])
            return
        try:
            data = ready.recv(_CHUNK)
        except OSError:
            data = b""
        self._got += data
        if not data:
            self._selector.unregister(ready)


def own_address() -> str:
    """An address of this machine in its network, empty when it has none; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        found = str(asked.getsockname()[0])
    return "" if found.startswith("127.") else found
