"""The network of a sandbox: none, the hosts of its model, or that of the machine; real servers."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.hosts import Host
from gitcmat.system import forwarder, proc
from gitcmat.system.proxy import Proxy
from tests.support.boxed import Boxed
from tests.support.wait import until

PLACE: Final = "/dev/gitcmat"


class Server:
    """Greets whoever connects on the loopback, and says back what it is told."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.met = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.met += 1
            threading.Thread(target=self._echo, args=(near,), daemon=True).start()

    def _echo(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            near.sendall(b"hello ")
            while data := near.recv(65536):
                near.sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def ask(path: Path, request: bytes) -> bytes:
    """What the proxy says to a request, all of it."""
    with socket.socket(socket.AF_UNIX) as near:
        near.connect(str(path))
        near.sendall(request)
        near.shutdown(socket.SHUT_WR)
        said = b""
        while data := near.recv(65536):
            said += data
    return said


def connect(target: str, more: bytes = b"") -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode() + more


def test_a_named_host_is_let_through_and_counted_as_nothing(tmp_path: Path, server: Server) -> None:
    host = Host("127.0.0.1", server.port)
    with Proxy(tmp_path / "s", [host]) as proxy:
        said = ask(tmp_path / "s", connect(str(host), b"you" + bytes(300_000)))
    assert said == b"HTTP/1.1 200 Connection established\r\n\r\nhello you" + bytes(300_000)
    assert proxy.refused == {}


def test_any_other_host_is_refused_and_remembered(tmp_path: Path, server: Server) -> None:
    with Proxy(tmp_path / "s", [Host("api.example.com")]) as proxy:
        for target in (f"127.0.0.1:{server.port}", *2 * ["evil.example:443"], "api.example.com:80"):
            said = ask(tmp_path / "s", connect(target))
            assert said.startswith(b"HTTP/1.1 403 Forbidden\r\n"), said
            assert said.endswith(
                f"gitcmat: {target} is not among the hosts of this agent\n".encode()
            )
    assert proxy.refused == {
        f"127.0.0.1:{server.port}": 1,
        "evil.example:443": 2,
        "api.example.com:80": 1,
    }
    assert server.met == 0


def test_a_name_that_leads_into_the_machine_is_refused(tmp_path: Path, server: Server) -> None:
    name = socket.gethostname()
    with suppress(OSError):
        inner = socket.gethostbyname(name)
        with Proxy(tmp_path / "s", [Host("a.example"), Host(name.lower(), server.port)]) as proxy:
            said = ask(tmp_path / "s", connect(f"{name}:{server.port}"))
        assert f"leads to {inner}, which has to be named itself\n".encode() in said
        assert proxy.refused == {f"{name.lower()}:{server.port}": 1}
    assert server.met == 0


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (
            b"GET http://api.example.com/ HTTP/1.1\r\n\r\n",
            "only CONNECT goes through here: use https",
        ),
        (b"CONNECT a.example:443\r\n\r\n", "only CONNECT goes through here: use https"),
        (b"\x16\x03\x01\r\n\r\n", "only CONNECT goes through here: use https"),
        (b"CONNECT a.example", "the request ends in its middle"),
        (b"CONNECT a.example:443 HTTP/1.1\r\nX: " + bytes(20_000), "the request is too long"),
        (connect("a.example:99999"), "'a.example:99999' has no port between 1 and 65535"),
        (
            connect("/etc/passwd"),
            "'/etc/passwd' is not the name of a host: write name or name:port",
        ),
    ],
)
def test_what_is_no_such_request_is_refused(tmp_path: Path, request_: bytes, said: str) -> None:
    with Proxy(tmp_path / "s", [Host("a.example")]) as proxy:
        answer = ask(tmp_path / "s", request_)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answer
    assert answer.endswith(f"\r\n\r\ngitcmat: {said}\n".encode()), answer
    assert proxy.refused == {}


def test_a_host_that_does_not_answer_is_said(tmp_path: Path, server: Server) -> None:
    server.close()
    host = Host("127.0.0.1", server.port)
    with Proxy(tmp_path / "s", [host]):
        said = ask(tmp_path / "s", connect(str(host)))
    server._listener = socket.create_server(("127.0.0.1", 0))
    assert said.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


def test_the_socket_is_its_owners_and_its_path_may_be_long(tmp_path: Path, server: Server) -> None:
    folder = tmp_path / ("long " * 40)
    folder.mkdir()
    with Proxy(folder / "s", [Host("127.0.0.1", server.port)]):
        assert (folder / "s").stat().st_mode & 0o777 == 0o600


def test_its_end_cuts_off_what_still_goes_through(tmp_path: Path, server: Server) -> None:
    host = Host("127.0.0.1", server.port)
    with socket.socket(socket.AF_UNIX) as near:
        with Proxy(tmp_path / "s", [host]):
            near.connect(str(tmp_path / "s"))
            near.sendall(connect(str(host)))
            said = b""
            while not said.endswith(b"hello "):
                said += near.recv(100)
        near.settimeout(10)
        assert near.recv(100) == b""


def test_it_leaves_no_thread(tmp_path: Path, server: Server) -> None:
    before = threading.active_count()
    host = Host("127.0.0.1", server.port)
    with Proxy(tmp_path / "s", [host]):
        for _ in range(20):
            ask(tmp_path / "s", connect(str(host)))
    until(lambda: threading.active_count() <= before + 1, what="its threads have ended")


REACH: Final = """
import socket, sys
try:
    near = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
    near.sendall(b"from inside"); near.shutdown(socket.SHUT_WR)
    data = b""
    while piece := near.recv(100): data += piece
    print(data.decode())
except OSError as error:
    print("no:", type(error).__name__)
"""


def test_with_the_full_network_the_machine_is_reached(tmp_path: Path, server: Server) -> None:
    said = Boxed(tmp_path / "box").python(REACH, "127.0.0.1", str(server.port))
    assert said.text == "hello from inside"


def test_without_network_not_even_the_machine_is_reached(tmp_path: Path, server: Server) -> None:
    box = Boxed(tmp_path / "box")
    box.network = False
    assert box.python(REACH, "127.0.0.1", str(server.port)).text == "no: ConnectionRefusedError"
    assert box.python(REACH, "192.0.2.1", "80").text == "no: OSError"
    assert server.met == 0


def through(
    box: Boxed, hosts: list[Host], *command: str, doors: tuple[str, ...] = ()
) -> tuple[proc.Done, dict[str, int]]:
    """Run a command behind the forwarder, with a proxy for `hosts`."""
    box.network = False
    here = str(Path(forwarder.__file__))
    box.around.show(here)
    socket_ = box.own.with_name("socket")
    box.also = ((socket_, PLACE),)
    with Proxy(socket_, hosts) as proxy:
        done = box.run(sys.executable, "-I", "-S", here, PLACE, *doors, "--", *command)
    socket_.unlink()
    return done, proxy.refused


CURL: Final = """
import os, socket, sys
proxy = os.environ["HTTPS_PROXY"].removeprefix("http://").rsplit(":", 1)
near = socket.create_connection((proxy[0], int(proxy[1])), timeout=5)
near.sendall(f"CONNECT {sys.argv[1]} HTTP/1.1\\r\\n\\r\\nfrom inside".encode())
near.shutdown(socket.SHUT_WR)
data = b""
while piece := near.recv(100): data += piece
print(data.split(b"\\r\\n")[0].decode(), "|", data.split(b"\\r\\n\\r\\n")[1].decode())
"""


def test_programs_reach_a_named_host_by_the_usual_variables(tmp_path: Path, server: Server) -> None:
    box = Boxed(tmp_path / "box")
    host = Host("127.0.0.1", server.port)
    inside = (sys.executable, "-I", "-S", "-c", CURL)
    done, refused = through(box, [host], *inside, str(host))
    assert refused == {}
    assert done.text == "HTTP/1.1 200 Connection established | hello from inside", done
    done, refused = through(box, [Host("a.example")], *inside, str(host))
    assert done.text.startswith("HTTP/1.1 403 Forbidden"), done
    assert refused == {str(host): 1}


def test_a_model_on_this_machine_is_where_its_user_expects_it(tmp_path: Path) -> None:
    for address in ("127.0.0.1", "::1"):
        server = Server(address)
        host = Host(address, server.port)
        box = Boxed(tmp_path / f"box {server.port}")
        python = (sys.executable, "-I", "-S", "-c", REACH)
        asked = (*python, address, str(server.port))
        done, _ = through(box, [host], *asked, doors=(str(host),))
        assert done.text == "hello from inside", done
        server.close()


def test_the_command_behind_the_forwarder_ends_as_it_would_alone(tmp_path: Path) -> None:
    box = Boxed(tmp_path / "box")
    done, _ = through(box, [], "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.code, done.out, done.err) == (7, b"out\n", b"err\n")
    assert through(box, [], "sh", "-c", "kill -9 $$")[0].code == 128 + 9
    done, _ = through(box, [], "/not/there")
    assert (done.code, done.err) == (127, b"/not/there: No such file or directory\n")


def test_the_command_has_no_child_that_it_did_not_start(tmp_path: Path) -> None:
    wait = "import os\ntry:\n print(os.wait())\nexcept ChildProcessError:\n print('none')"
    done, _ = through(Boxed(tmp_path / "box"), [], sys.executable, "-I", "-S", "-c", wait)
    assert done.text == "none"
