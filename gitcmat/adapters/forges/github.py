"""The connection to GitHub: PyGithub's, with our own patience. The only importer of PyGithub.

PyGithub signs in, keeps the connection, and knows the addresses of GitHub Enterprise. Its objects
are not used: one that comes in a list asks GitHub again when something is read that lists leave
out, and a list of a hundred becomes a hundred and one requests (counted). Nor is its own patience,
which repeats what changes something.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from github import Auth, Github
from github.Requester import Requester
from jwt import PyJWTError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

from gitcmat.adapters.forges.github_refusals import (
    Answer,
    Ask,
    error_of,
    pause_before_retry,
    read_json,
)
from gitcmat.adapters.forges.logins import AppKey
from gitcmat.errors import InvalidData, NotFound
from gitcmat.forge import Login, NotVisible
from gitcmat.model.remote import Remote, api_of
from gitcmat.model.secret import Secret
from gitcmat.ports import Clock
from gitcmat.system.files import read_regular

_KEPT: Final = 256
"""Answers that are kept, so that GitHub need not send them again while they are true."""
_PAGE: Final = "100"
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NEXT: Final = re.compile(r'<([^<>]+)>;\s*rel="next"')
_NOT_MODIFIED: Final = 304
_FOUND: Final = 302
_KEY_BYTES: Final = 65536


class GitHubConnection:
    """Asks GitHub about one repository. May be used by several threads.

    What changes nothing is asked again after trouble and after short limits, for `patience`
    seconds of waiting in all; what changes something is sent once. All methods raise what
    `gitcmat.forge` says; `what` and `needs` are for its messages (see `Ask`).
    """

    def __init__(
        self,
        remote: Remote,
        login: Login,
        *,
        clock: Clock,
        api: str = "",
        wait: Callable[[float], object] = time.sleep,
        patience: float = 60.0,
        timeout: int = 20,
    ) -> None:
        """`api` is the address of the API where the host does not say it; `wait` waits so many
        seconds; `timeout` is in seconds too, for one answer.

        Raises:
            InvalidData: the token would go over the net for everybody to read.
        """
        address = urlsplit(api or api_of(remote.host))
        if address.scheme != "https" and address.hostname not in _HERE:
            raise InvalidData(f"{address.geturl()!r} is no address of an API: it is not https.")
        self.remote = remote
        self.repo = f"/repos/{remote.slug}"
        self._clock = clock
        self._wait = wait
        self._patience = patience
        self._kept: OrderedDict[str, tuple[str, Answer]] = OrderedDict()
        self._lock = threading.Lock()
        self._timeout = timeout
        self._login = login
        self._github = self._made(_Carried(login), address.geturl())

    def close(self) -> None:
        """Close its connections."""
        self._github.close()

    @property
    def permissions(self) -> Mapping[str, str] | None:
        """What the token was made for, as far as that is known here: see `Login`."""
        return self._login.permissions

    def headed(self, path: str, *, what: str, needs: str = "") -> tuple[Any, Mapping[str, str]]:
        """Return what GitHub says of `path` now, and the headers of that answer."""
        answer = self._send(Ask(verb="GET", path=path, what=what, needs=needs))
        return answer.body, answer.headers

    def get(self, path: str, *, what: str, needs: str = "", **params: str) -> Any:
        """Return what GitHub says of `path`."""
        return self._get(Ask(verb="GET", path=path, what=what, needs=needs, params=params)).body

    def pages(
        self, path: str, *, what: str, needs: str = "", key: str = "", **params: str
    ) -> Iterator[Any]:
        """Yield the items of a list, each page when it comes to it; `key` is where they are in
        an answer that is no list.
        """
        ask = Ask(
            verb="GET", path=path, what=what, needs=needs, params={"per_page": _PAGE, **params}
        )
        answer = self._get(ask)
        while True:
            yield from answer.body[key] if key else answer.body
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            answer = self._get(replace(ask, path=following[1], params={}))

    def news(self, path: str, tag: str, *, what: str, **params: str) -> tuple[str, list[Any]]:
        """Return the items of a list and its tag; none when it still is what `tag` was given for.

        All its pages are read if the first has changed, so what is new must be on the first.
        """
        ask = Ask(verb="GET", path=path, what=what, params={"per_page": _PAGE, **params})
        answer = self._send(ask, tag, also=_NOT_MODIFIED)
        if answer.status == _NOT_MODIFIED:
            return tag, []
        items = list(answer.body)
        rest = answer
        while following := _NEXT.search(rest.headers.get("link", "")):
            rest = self._get(replace(ask, path=following[1], params={}))
            items.extend(rest.body)
        return answer.headers.get("etag", ""), items

    def text(self, path: str, *, what: str, needs: str = "") -> str:
        """Return a text that GitHub keeps elsewhere; the token is not shown to that place."""
        ask = Ask(verb="GET", path=path, what=what, needs=needs)
        place = urlsplit(self._send(ask, also=_FOUND).headers["location"])
        elsewhere = self._made(None, f"{place.scheme}://{place.netloc}")
        try:
            return self._send(
                replace(ask, path=f"{place.path}?{place.query}"), requester=elsewhere.requester
            ).text
        finally:
            elsewhere.close()

    def write(
        self, verb: str, path: str, body: Mapping[str, object], *, what: str, needs: str = ""
    ) -> Any:
        """Have something changed, and return what GitHub says of it then."""
        ask = Ask(verb=verb, path=path, what=what, needs=needs, body=dict(body) or None, safe=False)
        return self._send(ask).body

    def query(
        self, text: str, *, what: str, needs: str = "", safe: bool = True, **variables: object
    ) -> Any:
        """Ask by GraphQL, for what the other interface does not tell; `safe` as in `Ask`."""
        ask = Ask(
            verb="POST",
            path=self._github.requester.graphql_url,
            what=what,
            needs=needs,
            body={"query": text, "variables": variables},
            safe=safe,
        )
        return self._send(ask).body["data"]

    def _made(self, auth: Auth.Auth | None, api: str) -> Github:
        return Github(
            auth=auth,
            base_url=api,
            timeout=self._timeout,
            user_agent="gitcmat",
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def _get(self, ask: Ask) -> Answer:
        """Ask for what may have been asked for before; what has not changed is not sent again."""
        place = f"{ask.path}?{urlencode(ask.params)}"
        with self._lock:
            tag, kept = self._kept.get(place, ("", None))
        answer = self._send(ask, tag, also=_NOT_MODIFIED)
        if answer.status == _NOT_MODIFIED and kept is not None:
            return kept
        tag = answer.headers.get("etag", "")
        if tag and not _is_full(answer):
            with self._lock:
                self._kept[place] = (tag, answer)
                self._kept.move_to_end(place)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return answer

    def _send(
        self, ask: Ask, tag: str = "", *, also: int = 0, requester: Requester | None = None
    ) -> Answer:
        """Send `ask`, again if that is right, until it is answered; `also` is a status that is
        right beside those of success.

        Raises:
            UserError: what `error_of` says of the last answer.
        """
        waited, tries = 0.0, 1
        while True:
            answer = self._once(requester or self._github.requester, ask, tag)
            if answer.status == also != 0 or 200 <= answer.status < 300:  # noqa: PLR2004
                return answer
            now = self._clock.now()
            pause = pause_before_retry(ask, answer, tries, now)
            if pause is None or waited + pause > self._patience:
                raise error_of(ask, answer, self.remote.slug, now)
            self._wait(pause)
            waited += pause
            tries += 1

    def _once(self, requester: Requester, ask: Ask, tag: str) -> Answer:
        headers = {"If-None-Match": tag} if tag else {}
        try:
            status, got, text = requester.requestJson(
                ask.verb, ask.path, dict(ask.params), headers, ask.body
            )
        except OSError as error:  # all that can befall a connection is one
            return Answer(status=0, text=_words(error), sent=not _never_sent(error))
        except (AssertionError, RuntimeError):  # what PyGithub says where it will not go
            return Answer(status=0, text="it sent us to another host")
        answer = Answer(status=status, headers=got, text=text)
        if requester is not self._github.requester:
            return answer
        try:
            return _of_graphql(replace(answer, body=read_json(text)))
        except ValueError:
            success = status < 300  # noqa: PLR2004 - but nobody knows of what
            return replace(answer, status=0 if success else status, text="it sent no JSON")


class AppLogin:
    """Makes installation tokens of a GitHub App, for one repository alone, when one is due."""

    _EARLY: Final = timedelta(minutes=10)
    """What is left of a token at least when it is given out: a push may take long."""

    def __init__(
        self, key: AppKey, connect: Callable[[Login], GitHubConnection], clock: Clock
    ) -> None:
        """`connect` makes a connection to the repository that the tokens are for."""
        self._key = key
        self._connect = connect
        self._clock = clock
        self._lock = threading.Lock()
        self._made: tuple[Secret, datetime] | None = None
        self.permissions: Mapping[str, str] | None = None
        """What the last token may; None before there is one."""

    def token(self) -> Secret:
        """Return a token that is good for ten minutes at least.

        Raises:
            UserError: the key cannot be used, or the app is not installed there.
        """
        with self._lock:
            if self._made is None or self._made[1] - self._EARLY < self._clock.now():
                self._made = self._new()
            return self._made[0]

    def _new(self) -> tuple[Secret, datetime]:
        connection = self._connect(_AppItself(self._key))
        try:
            number = self._key.installation or self._installation(connection)
            made = connection.write(
                "POST",
                f"/app/installations/{number}/access_tokens",
                {"repositories": [connection.remote.name]},
                what="make an installation token",
            )
        finally:
            connection.close()
        self.permissions = dict(made.get("permissions") or {}) or None
        return Secret(made["token"]), datetime.fromisoformat(made["expires_at"])

    def _installation(self, connection: GitHubConnection) -> int:
        owner = connection.remote.owner.casefold()
        for found in connection.pages("/app/installations", what="list installations"):
            if str((found["account"] or {}).get("login", "")).casefold() == owner:
                return int(found["id"])
        raise NotVisible(
            f"The GitHub App {self._key.app} is not installed for {connection.remote.owner}.",
            hint="install it there, or name the installation in your settings",
        )


class _AppItself:
    """Signs in as the app, which may do nothing but make tokens."""

    permissions = None

    def __init__(self, key: AppKey) -> None:
        self._key = key

    def token(self) -> Secret:
        path = self._key.key_file
        try:
            if path.stat().st_mode & 0o077:
                raise InvalidData(
                    f"{path}: others may read the app's key.", hint=f"chmod 600 {path}"
                )
            key = read_regular(path, _KEY_BYTES).decode()
        except OSError as error:
            raise NotFound(f"{path}: the app's key cannot be read: {error.strerror}.") from error
        try:
            return Secret(Auth.AppAuth(self._key.app, key).create_jwt())
        except (PyJWTError, ValueError):  # not as a cause: it may quote the file
            raise InvalidData(f"{path}: this is no private key.") from None


class _Carried(Auth.Auth):
    """Hands the token that is good at the time to each request, and shows it to nobody else."""

    def __init__(self, login: Login) -> None:
        self._login = login

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        return self._login.token().reveal()


def _is_full(answer: Answer) -> bool:
    """Whether it is a page with no room left. It may stay as it is while another comes after it,
    and the link to that is not part of what the tag is for.
    """
    body = answer.body
    lists = [body] if isinstance(body, list) else body.values() if isinstance(body, dict) else ()
    return any(isinstance(items, list) and len(items) >= int(_PAGE) for items in lists)


def _of_graphql(answer: Answer) -> Answer:
    """Return an answer with the status that the other interface would have: this says 200."""
    body = answer.body
    if answer.status != 200 or not isinstance(body, dict) or not body.get("errors"):  # noqa: PLR2004
        return answer
    kind = str(body["errors"][0].get("type", ""))
    message = "; ".join(str(error.get("message", "")) for error in body["errors"])
    statuses = {"NOT_FOUND": 404, "FORBIDDEN": 403, "INSUFFICIENT_SCOPES": 403, "RATE_LIMITED": 429}
    return replace(answer, status=statuses.get(kind, 422), body={"message": message})


def _never_sent(error: BaseException) -> bool:
    """Whether a connection failed before anything went over it."""
    seen: BaseException | None = error
    while seen is not None:
        reason = getattr(seen.args[0] if seen.args else None, "reason", None)
        if isinstance(reason, ConnectTimeoutError | NewConnectionError | SSLError):
            return True
        seen = seen.__context__
    return False


def _words(error: OSError) -> str:
    """Return why a connection failed; never the library's own words, which quote addresses."""
    text = repr(error).lower()
    for sign, words in (
        ("nameresolution", "its host has no address here"),
        ("certificate", "its certificate is not trusted here"),
        ("connecttimeout", "its host does not answer"),
        ("newconnection", "its host does not take connections"),
        ("proxy", "the proxy would not"),
        ("timed out", "it did not answer in time"),
        ("timeout", "it did not answer in time"),
    ):
        if sign in text:
            return words
    return "the connection broke"
