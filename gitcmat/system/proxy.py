"""The way out of a sandbox that may reach its model only: ``CONNECT`` to hosts that were named.

It runs in threads of the runner and ends with it. It listens on a Unix socket, sees no content
(what goes through is TLS between the agent and its host), and resolves names out here.
"""

import os
import socket
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from gitcmat.model.hosts import Host, may_lead_to

_CHUNK: Final = 65536
_LONGEST_REQUEST: Final = 8192
_MOST_AT_ONCE: Final = 128
_MOST_NAMED: Final = 20
_TO_ASK: Final = 30.0
_TO_CONNECT: Final = 20.0


class Proxy:
    """Lets through to `hosts`; `refused` counts what it did not."""

    def __init__(self, path: Path, hosts: Collection[Host]) -> None:
        """Listen at `path`, which must not be there yet.

        Raises:
            OSError: it cannot be made.
        """
        self._hosts = frozenset(hosts)
        self._refused: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._room = threading.Semaphore(_MOST_AT_ONCE)
        self._open: set[socket.socket] = set()
        self._listener = _listen(path)
        self._thread = threading.Thread(target=self._accept, name="proxy", daemon=True)

    @property
    def refused(self) -> dict[str, int]:
        """How often each ``host:port`` was asked for that is not allowed, the first ones only."""
        with self._lock:
            return dict(self._refused)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A close alone does not wake who waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            left = list(self._open)
        for end in left:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._room.acquire(blocking=False):
                near.close()
                continue
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        try:
            with near, suppress(OSError):
                self._connect(near)
        finally:
            self._room.release()

    def _connect(self, near: socket.socket) -> None:
        near.settimeout(_TO_ASK)
        try:
            host, rest = _asked(near)
        except ValueError as error:
            _answer(near, "400 Bad Request", str(error))
            return
        if host not in self._hosts:
            self._note(host)
            _answer(near, "403 Forbidden", f"{host} is not among the hosts of this agent")
            return
        try:
            far = self._reach(host)
        except PermissionError as error:
            self._note(host)
            _answer(near, "403 Forbidden", str(error))
            return
        except OSError as error:
            _answer(near, "502 Bad Gateway", f"{host}: {error.strerror or error}")
            return
        with far, self._kept(near, far):
            near.settimeout(None)
            far.settimeout(None)
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if rest:
                far.sendall(rest)
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join()

    def _reach(self, host: Host) -> socket.socket:
        """A connection to one of the addresses of an allowed host.

        Raises:
            PermissionError: its name leads only to where no name may lead.
            OSError: there is no such name, or nobody answers.
        """
        found = socket.getaddrinfo(host.name, host.port, type=socket.SOCK_STREAM)
        places = [(family, place) for family, _, _, _, place in found]
        allowed = [(f, p) for f, p in places if may_lead_to(str(p[0]), self._hosts)]
        if not allowed:
            inner = ", ".join(sorted({str(place[0]) for _, place in places}))
            raise PermissionError(f"{host} leads to {inner}, which has to be named itself")
        refusal: OSError | None = None
        for family, place in allowed:
            far = socket.socket(family, socket.SOCK_STREAM)
            far.settimeout(_TO_CONNECT)
            try:
                far.connect(place)
            except OSError as error:
                far.close()
                refusal = error
            else:
                return far
        raise refusal or OSError("no address")

    @contextmanager
    def _kept(self, *ends: socket.socket) -> Iterator[None]:
        """Remember both ends while something goes through, to cut it off at our own end."""
        with self._lock:
            self._open.update(ends)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(ends)

    def _note(self, host: Host) -> None:
        with self._lock:
            if str(host) in self._refused or len(self._refused) < _MOST_NAMED:
                self._refused[str(host)] += 1


def _listen(path: Path) -> socket.socket:
    """Listen at a path of any length: the kernel takes about a hundred bytes of one."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)
        listener.listen(_MOST_AT_ONCE)
    except BaseException:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def _asked(near: socket.socket) -> tuple[Host, bytes]:
    """Which host a client asks for, and what it has sent beyond its request.

    Raises:
        ValueError: it is no CONNECT request.
    """
    request = b""
    while b"\r\n\r\n" not in request:
        data = near.recv(_CHUNK)
        if not data:
            raise ValueError("the request ends in its middle")
        request += data
        if b"\r\n\r\n" not in request and len(request) > _LONGEST_REQUEST:
            raise ValueError("the request is too long")
    head, _, rest = request.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or words[0] != "CONNECT":  # noqa: PLR2004 - method, target, version
        raise ValueError("only CONNECT goes through here: use https")
    return Host.parse(words[1]), rest


def _answer(near: socket.socket, status: str, said: str) -> None:
    body = f"gitcmat: {said}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    near.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
