"""Runs inside of a sandbox without network: lets programs find the proxy, and becomes the command.

``python -I -S forwarder.py SOCKET [HOST:PORT ...] -- PROGRAM [ARGUMENT ...]``

Programs know a proxy by an address and a port; ours listens on a Unix socket outside. So a process
listens on the sandbox's own loopback and passes on what comes. For each ``HOST:PORT``, which must
be an address of the loopback, it listens there too and asks the proxy for that of the machine: a
model on the machine is then where its user expects it.

Only the standard library is here, and nothing of gitcmat: this file is started by its name.
"""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Final

_CHUNK: Final = 65536
_ANSWER: Final = 4096
_VARIABLES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def main(words: list[str]) -> None:
    """Listen, leave a process behind that passes on, and become the command; never returns."""
    cut = words.index("--")
    proxy, *doors = words[:cut]
    command = words[cut + 1 :]
    listeners = [_listen("127.0.0.1", 0)]
    port = listeners[0].getsockname()[1]
    wanted = [""]
    for door in doors:
        host, _, number = door.rpartition(":")
        listeners.append(_listen(host.strip("[]"), int(number)))
        wanted.append(door)
    # Twice, so that the sandbox's first process is the parent and the command has no unknown child.
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            _serve(proxy, listeners, wanted)
        os._exit(0)
    os.waitpid(child, 0)
    env = dict(os.environ)
    for name in _VARIABLES:
        env[name] = env[name.lower()] = f"http://127.0.0.1:{port}"
    env["NO_PROXY"] = env["no_proxy"] = "localhost,127.0.0.1,::1"
    try:
        os.execvpe(command[0], command, env)  # noqa: S606 - the purpose of it
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


def _serve(proxy: str, listeners: list[socket.socket], wanted: list[str]) -> None:
    """Pass on until the sandbox ends."""
    # An agent that is asked to end may still have something to say to its model.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)  # or the end of the command would not be the end of its output
    for listener, door in zip(listeners[1:], wanted[1:], strict=True):
        threading.Thread(target=_accept, args=(proxy, listener, door), daemon=True).start()
    _accept(proxy, listeners[0], wanted[0])


def _accept(proxy: str, listener: socket.socket, door: str) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            continue
        threading.Thread(target=_pass_on, args=(proxy, near, door), daemon=True).start()


def _pass_on(proxy: str, near: socket.socket, door: str) -> None:
    far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with near, far, suppress(OSError):
        far.connect(proxy)
        if door and not _is_let_through(far, door):
            return
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _is_let_through(far: socket.socket, door: str) -> bool:
    far.sendall(f"CONNECT {door} HTTP/1.1\r\nHost: {door}\r\n\r\n".encode())
    said = b""
    while not said.endswith(b"\r\n\r\n") and len(said) < _ANSWER:
        byte = far.recv(1)  # what follows the answer is not ours to read
        if not byte:
            return False
        said += byte
    return said.split(b" ", 2)[1:2] == [b"200"]


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(sys.argv[1:])
