"""Serves a fake GitHub on loopback."""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.support.fakegithub import checks, graphql, issues, people, pulls, reviews
from tests.support.fakegithub.apps import app_of
from tests.support.fakegithub.calls import ROUTES, Call, Refuse, Reply, check_permission
from tests.support.fakegithub.faults import Fault, Kind
from tests.support.fakegithub.githttp import PLACE, serve
from tests.support.fakegithub.openapi import description
from tests.support.fakegithub.shapes import Shapes
from tests.support.fakegithub.world import Token, World

PARTS = (checks, graphql, issues, people, pulls, reviews)
"""What has routes: imported for those."""

_LONGEST_HANG = 60.0


@dataclass
class Seen:
    """A request that came in."""

    number: int
    verb: str
    path: str
    query: dict[str, str]
    body: Any
    login: str = ""
    status: int = 0
    """What was answered; 0 for nothing."""


_PLAIN: Final = {
    Kind.NOT_PERMITTED: (
        403,
        "GitHub Actions is not permitted to create or approve pull requests.",
    ),
    Kind.SIGNED_OUT: (401, "Bad credentials"),
    Kind.HIDDEN: (404, "Not Found"),
    Kind.CLASH: (409, "Conflict"),
    Kind.UNFIT: (422, "Validation Failed"),
}
"""Refusals that are a status and a message."""


@dataclass
class Limit:
    """The requests of an hour, of each account."""

    most: int = 5000
    used: dict[str, int] = field(default_factory=dict)


class FakeGitHub(World):
    """A GitHub on a free port of 127.0.0.1 for the length of a `with` block.

    At its end AssertionError is raised if an answer was not as GitHub's own description says, or a
    request, or if something failed in here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.git_seen: list[Seen] = []
        """Requests of git, which are no part of the API; their verb is ``GIT`` for a fault."""
        self.wrong: list[str] = []
        self.limit = Limit()
        self.reset = self.now + timedelta(hours=1)
        self.apps: dict[str, str] = {}
        """Id of an App → its public key, PEM."""
        self.released = threading.Event()
        self.lock = threading.RLock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.shapes = Shapes(self, self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if kind is None:
            assert not self.wrong, "\n".join(self.wrong)

    def fail(self, kind: Kind, **when: Any) -> Fault:
        """Have something go wrong; see `Fault`."""
        fault = Fault(kind, **when)
        self.faults.append(fault)
        return fault

    def count(self, verb: str = "", path: str = "", status: int = 0) -> int:
        """Return how many requests came that fit; `path` is a pattern."""
        return sum(
            (not verb or seen.verb == verb)
            and re.search(path, seen.path) is not None
            and (not status or seen.status == status)
            for seen in self.seen
        )

    # --- one request, under the lock --------------------------------------------------------

    def answer(self, seen: Seen, headers: Mapping[str, str]) -> Reply:
        """Do what a request asks for and return the answer, as GitHub would."""
        known: Token | None = None
        token: Token | None = None
        try:
            self._follow_number(seen)
            known = self._token(headers.get("authorization", ""))
            seen.login = known.login
            reply = self._routed(seen, known)
            self._page(seen, reply)
            token = known
        except Refuse as refusal:
            reply = Reply(refusal.status, refusal.body, refusal.headers)
        reply.headers |= _about(known)
        self._compare(reply, seen, headers)
        self._count(reply, token)
        self._check(seen, reply)
        return reply

    def _token(self, sent: str) -> Token:
        kind, _, value = sent.partition(" ")
        if not value:
            raise Refuse(401, "Requires authentication")
        if app := app_of(self.apps, value):
            return Token(value, self.user(f"{app}[bot]").login, app=app)
        token = self.tokens.get(value)
        if (
            kind.lower() not in {"bearer", "token"}
            or token is None
            or (token.expires and token.expires < self.now)
        ):
            raise Refuse(401, "Bad credentials")
        return token

    def _follow_number(self, seen: Seen) -> None:
        """Understand the address that a moved repository is found at: it has no name in it."""
        if match := re.fullmatch(r"/repositories/(\d+)(/.*)?", seen.path):
            slug = next(repo.slug for repo in self.repos.values() if str(repo.id) == match[1])
            seen.path = f"/repos/{slug}{match[2] or ''}"

    def _refuse_old_name(self, seen: Seen, slug: str) -> None:
        if slug in self.moved:
            rest = seen.path.removeprefix(f"/repos/{slug}")
            place = f"{self.url}/repositories/{self.moved[slug].id}{rest}"
            status = 301 if seen.verb == "GET" else 307
            query = f"?{urlencode(seen.query)}" if seen.query else ""
            raise Refuse(status, "Moved Permanently", headers={"location": place + query})

    def _routed(self, seen: Seen, token: Token) -> Reply:
        if self.now >= self.reset:
            self.limit.used.clear()
            self.reset = self.now + timedelta(hours=1)
        if self.limit.used.get(token.login, 0) >= self.limit.most:
            raise Refuse(
                403,
                f"API rate limit exceeded for user ID {self.user(token.login).id}.",
                headers=self._rate(token),
            )
        # What is written out comes before what is a pattern.
        for found in sorted(ROUTES, key=lambda route: route.pattern.groups):
            match = found.pattern.fullmatch(seen.path)
            if match is None or found.verb != seen.verb:
                continue
            parts = {name: unquote(value) for name, value in match.groupdict().items()}
            call = Call(self, self.shapes, token, parts, seen.query, seen.body, self.url)
            self.wrong += description().request(seen.verb, seen.path, seen.query, seen.body)
            if "repo" in parts:
                self._refuse_old_name(seen, f"{parts['owner']}/{parts['repo']}")
                self.look(call.repo)
            check_permission(found, token)
            return found.answer(call)
        raise Refuse(404, "Not Found")

    def _page(self, seen: Seen, reply: Reply) -> None:
        items = reply.body[reply.key] if reply.key else reply.body
        if not isinstance(items, list) or seen.verb != "GET":
            return
        size, page = int(seen.query.get("per_page", "30")), int(seen.query.get("page", "1"))
        size = min(size, 100)
        last = max(1, -(-len(items) // size))
        cut = items[(page - 1) * size : page * size]
        reply.body = reply.body | {reply.key: cut} if reply.key else cut
        links = {"next": page + 1, "last": last} if page < last else {}
        links |= {"prev": page - 1, "first": 1} if page > 1 else {}
        if links:
            reply.headers["link"] = ", ".join(
                f"<{self.url}{seen.path}?{urlencode(seen.query | {'page': str(number)})}>; "
                f'rel="{name}"'
                for name, number in links.items()
            )

    def _compare(self, reply: Reply, seen: Seen, headers: Mapping[str, str]) -> None:
        if seen.verb != "GET" or reply.status != 200:
            return
        whole = json.dumps(reply.body, sort_keys=True)  # and not the links: so it is at GitHub
        reply.headers["etag"] = f'W/"{hashlib.sha256(whole.encode()).hexdigest()}"'
        if headers.get("if-none-match") == reply.headers["etag"]:
            reply.status, reply.body = 304, None

    def _count(self, reply: Reply, token: Token | None) -> None:
        if token is not None:
            if reply.status != 304:
                self.limit.used[token.login] = self.limit.used.get(token.login, 0) + 1
            reply.headers |= self._rate(token)

    def _rate(self, token: Token) -> dict[str, str]:
        used = self.limit.used.get(token.login, 0)
        return {
            "x-ratelimit-limit": str(self.limit.most),
            "x-ratelimit-remaining": str(self.limit.most - used),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str(int(self.reset.timestamp())),
        }

    def _check(self, seen: Seen, reply: Reply) -> None:
        self.wrong += description().answer(seen.verb, seen.path, reply.status, reply.body)


def _about(token: Token | None) -> dict[str, str]:
    """What each answer tells of the token."""
    told = {}
    if token is not None and token.scopes is not None:
        told["x-oauth-scopes"] = ", ".join(token.scopes)
    if token is not None and token.expires is not None:
        told["github-authentication-token-expiration"] = f"{token.expires:%Y-%m-%d %H:%M:%S} UTC"
    return told


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, hub: FakeGitHub) -> None:
        self._hub = hub
        bound = type("Bound", (_Connection,), {"hub": hub})
        super().__init__(("127.0.0.1", 0), bound)

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news; anything else fails the test."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self._hub.wrong.append(f"the fake itself failed: {error!r}")


class _Connection(BaseHTTPRequestHandler):
    hub: FakeGitHub
    protocol_version = "HTTP/1.1"
    server_version = "fakegithub"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        raw = self._body()
        parts = urlsplit(self.path)
        hub = self.hub
        if PLACE.fullmatch(parts.path):
            self._serve_git(parts.path, parts.query, raw)
            return
        with hub.lock:
            body = json.loads(raw) if raw else None
            query = dict(parse_qsl(parts.query))
            seen = Seen(len(hub.seen) + 1, self.command, parts.path, query, body)
            hub.seen.append(seen)
            fault = next((f for f in hub.faults if f.strikes(seen.number, *self._key(seen))), None)
            if fault is not None and self._refused(seen, fault):
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = self._elsewhere(seen, headers) or hub.answer(seen, headers)
        if fault is None:
            self._send(seen, reply)
        else:
            self._send_badly(seen, reply, fault)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that it looks for

    def log_message(self, *_: object) -> None:
        """Requests are kept, not printed."""

    @staticmethod
    def _key(seen: Seen) -> tuple[str, str]:
        return seen.verb, seen.path

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _serve_git(self, path: str, query: str, raw: bytes) -> None:
        hub, seen = self.hub, Seen(0, self.command, path, dict(parse_qsl(query)), None)
        headers = {name.lower(): value for name, value in self.headers.items()}
        with hub.lock:
            hub.git_seen.append(seen)
            number = len(hub.git_seen)
            fault = next((f for f in hub.faults if f.strikes(number, "GIT", path)), None)
            if fault is not None and fault.kind is Kind.LOST:
                self._hang_up()
                return
            reply = serve(hub, self.command, path, query, headers, raw)
        if fault is not None:
            self._hang_up()
            return
        assert reply is not None
        seen.status = reply.status
        self._write(reply.status, reply.headers, reply.data)

    def _elsewhere(self, seen: Seen, headers: Mapping[str, str]) -> Reply | None:
        """Answer for the place where logs are kept; whoever shows it a token is wrong."""
        if not seen.path.startswith("/elsewhere/"):
            return None
        if "authorization" in headers:
            self.hub.wrong.append("a token was shown to the place where logs are kept")
        number = int(seen.path.rpartition("/")[2])
        runs = {run.id: run for repo in self.hub.repos.values() for run in repo.runs.values()}
        return Reply(200, text=runs[number].log)

    def _refused(self, seen: Seen, fault: Fault) -> bool:
        """Do what a fault does before anything is done; whether that was all."""
        message, headers = "", {"retry-after": str(fault.seconds)}
        reset = int(self.hub.now.timestamp()) + fault.seconds
        match fault.kind:
            case Kind.LOST:
                self._hang_up()
                return True
            case Kind.BAD_GATEWAY:
                self._send(seen, Reply(502, text="<html>502</html>"))
                return True
            case Kind.UNAVAILABLE:
                status, message = 503, "Service unavailable"
            case Kind.PRIMARY_LIMIT:
                status, message = 403, "API rate limit exceeded for user ID 1000."
                headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)}
            case Kind.SECONDARY_LIMIT | Kind.SECONDARY_LIMIT_WITHOUT_TIME:
                status, message = 403, "You have exceeded a secondary rate limit."
                if fault.kind is Kind.SECONDARY_LIMIT_WITHOUT_TIME:
                    headers = {}
            case kind if kind in _PLAIN:
                (status, message), headers = _PLAIN[kind], {}
            case Kind.SINGLE_SIGN_ON:
                status, message = 403, "Resource protected by organization SAML enforcement."
                headers = {"x-github-sso": "required; url=https://github.com/orgs/acme/sso?a=b"}
            case Kind.ANOTHER_HOST:
                status, headers = 301, {"location": "http://localhost:9/repos/pat/project"}
            case Kind.TOO_MANY:
                status, message = 429, "Too many requests"
            case _:
                return False
        body = {"message": message, "documentation_url": "x"}
        self.hub.wrong += description().answer(seen.verb, seen.path, status, body)
        self._send(seen, Reply(status, body, headers))
        return True

    def _send_badly(self, seen: Seen, reply: Reply, fault: Fault) -> None:
        match fault.kind:
            case Kind.ANSWER_LOST:
                self._hang_up()
            case Kind.ANSWER_CUT:
                self._send(seen, reply, cut=True)
            case Kind.ANSWER_BAD_GATEWAY:
                self._send(seen, Reply(502, text="<html>502</html>"))
            case Kind.NONSENSE:
                self._send(seen, Reply(reply.status, text="<html>ok</html>"))
            case Kind.EMPTY:
                self._send(seen, Reply(reply.status, [{}]))
            case _:
                self.hub.released.wait(_LONGEST_HANG)
                self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True

    def _send(self, seen: Seen, reply: Reply, *, cut: bool = False) -> None:
        seen.status = reply.status
        if reply.text is not None:
            data = reply.text.encode()
        else:
            data = b"" if reply.body is None else json.dumps(reply.body).encode()
        kind = {"content-type": "application/json; charset=utf-8"}
        self._write(reply.status, kind | reply.headers, data, cut=cut)

    def _write(
        self, status: int, headers: Mapping[str, str], data: bytes, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut
