"""One connection to the fake model: a request is understood, checked, kept and answered."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import urlsplit

from tests.support.fakemodel import anthropic, chat, gemini, responses
from tests.support.fakemodel.asked import Asked, event
from tests.support.fakemodel.calls import NotOffered
from tests.support.fakemodel.dialect import Dialect
from tests.support.fakemodel.model import KEY, Model, Request, Unplanned
from tests.support.fakemodel.scenario import Answer

DIALECTS: Final[tuple[Dialect, ...]] = (anthropic, chat, gemini, responses)

_LONGEST_HANG: Final = 300.0
"""Seconds. No thread outlives its test for ever."""

_SECRETS: Final = ("authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key")


class Connection(BaseHTTPRequestHandler):
    """Speaks for `model`, which a subclass names."""

    model: Model
    host: str
    """The only address that a client may mean."""
    protocol_version = "HTTP/1.1"
    server_version = "fakemodel"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer as the scripts say."""
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path
        dialect = next((d for d in DIALECTS if re.fullmatch(d.PATHS, path)), None)
        if dialect is None or self.headers.get("host") != self.host:
            self._stray(raw)
            return
        body = json.loads(raw)
        asked = dialect.read(path, body)
        account = self._account(dialect.KEY_HEADERS)
        if asked.aside:
            self._aside(dialect, body, asked)
            return
        try:
            self._answer(dialect, body, asked, self.model.answer(asked, account))
        except (Unplanned, NotOffered) as error:
            self.model.complain(f"{dialect.NAME}: {error}")
            self._keep(body, asked, 400)
            self._json(400, {"error": {"type": "invalid_request_error", "message": str(error)}})

    def __getattr__(self, name: str) -> Callable[[], None]:
        """All other verbs are strays: nothing but POST is asked of a model."""
        if name.startswith("do_"):
            return lambda: self._stray(b"")
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Requests are kept, not printed."""

    def _aside(self, dialect: Dialect, body: Any, asked: Asked) -> None:
        number = self._keep(body, asked, 200)
        if asked.stream:
            self._events([event(dialect.aside(asked, number))])
        else:
            self._json(200, dialect.aside(asked, number))

    def _answer(self, dialect: Dialect, body: Any, asked: Asked, answer: Answer) -> None:
        failure = answer.failure
        if failure and not (failure.midway and asked.stream):
            refusal = dialect.refuse(failure)
            self._keep(body, asked, refusal.status)
            self._json(refusal.status, refusal.body, refusal.headers)
            return
        number = self._keep(body, asked, 200)
        if not asked.stream:
            if answer.hangs:
                self.model.hang(_LONGEST_HANG)
            self._json(200, dialect.whole(asked, answer, number), breaks=answer.breaks)
            return
        events = dialect.stream(asked, answer, number)
        half = len(events) // 2
        if failure:
            self._events([*events[:half], dialect.broken(failure)])
        elif answer.breaks:
            self._events(events[:half], breaks=True)
        else:
            self._events(events, hangs_at=half if answer.hangs else None)

    def _account(self, headers: Sequence[str]) -> str:
        """Return the account whose key was sent; complain if a secret is none of ours."""
        found = ""
        sent = {name: self.headers[name] for name in _SECRETS if name in self.headers}
        for name, secret in sent.items():
            key = secret.removeprefix("Bearer ")
            if name not in headers or not (key == KEY or key.startswith(f"{KEY}-")):
                self.model.complain(f"the header {name} came with something else than a dummy key")
            found = key.removeprefix(KEY).removeprefix("-")
        if not sent:
            self.model.complain(f"no key came with {self.path}")
        return found

    def _stray(self, raw: bytes) -> None:
        what = f"{self.command} {self.path} at {self.headers.get('host')}"
        self.model.complain(f"a request that nobody expects: {what}")
        self._keep(raw.decode(errors="replace"), None, 404)
        self._json(404, {"error": {"type": "not_found_error", "message": what}})

    def _keep(self, body: Any, asked: Asked | None, status: int) -> int:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.model.keep(Request(self.command, self.path, headers, body, asked, status))

    def _json(
        self,
        status: int,
        body: Any,
        headers: Mapping[str, str] | None = None,
        *,
        breaks: bool = False,
    ) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if breaks else data)
        self.close_connection = self.close_connection or breaks

    def _events(
        self, events: Iterable[bytes], *, breaks: bool = False, hangs_at: int | None = None
    ) -> None:
        """Send a stream of events, in chunks, so that a client can tell a cut from an end."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for index, data in enumerate(events):
            if index == hangs_at:
                self.model.hang(_LONGEST_HANG)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        if breaks:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")
