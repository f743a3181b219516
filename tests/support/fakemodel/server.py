"""Serves a fake model on loopback, in every dialect at once."""

import sys
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.support.fakemodel.connection import Connection
from tests.support.fakemodel.model import Model
from tests.support.fakemodel.scenario import Script


class FakeModel(Model):
    """A model on a free port of 127.0.0.1 for the length of a `with` block.

    At the end of the block AssertionError is raised if a client sent another key than the dummy,
    asked for another host or path, or asked what no script answers.
    """

    def __init__(self, *scripts: Script) -> None:
        super().__init__(scripts)
        self._server = _Server(self)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The address, without a path and without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if kind is None:
            self.check()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, model: Model) -> None:
        self._model = model
        super().__init__(("127.0.0.1", 0), Connection)
        host = f"127.0.0.1:{self.server_port}"
        self.RequestHandlerClass = type("Bound", (Connection,), {"model": model, "host": host})

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no news; anything else fails the test."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self._model.complain(f"the server itself failed: {error!r}")
