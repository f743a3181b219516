"""Where the right to speak to a forge comes from. Nothing that is found here is ever kept.

In this order: ``GH_TOKEN``, ``GITHUB_TOKEN``, what git's credential helpers know, what ``gh``
knows, a GitHub App of the person's own. A token of the environment goes to nobody but those it is
for: the address of a remote comes from a repository, and may name any host.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitcmat.adapters.forges.logins import AppKey
from gitcmat.errors import UserError
from gitcmat.model.remote import Remote, is_cloud
from gitcmat.model.secret import Secret
from gitcmat.system import environment, proc

_SECONDS: Final = 20.0
"""How long another program may take; a helper may have to unlock something."""
_TOKEN: Final = re.compile(r"[!-~]{4,4096}")
_KEPT: Final = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
_NOBODY_TO_ASK: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GCM_INTERACTIVE": "never",
    "GH_PROMPT_DISABLED": "1",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """Who looks for credentials, and where."""

    env: Mapping[str, str]
    """The person's environment."""
    cwd: Path
    """The person's repository, whose configuration may name a credential helper."""
    app: AppKey | None = None
    """From the person's own settings."""
    hosts: Collection[str] = ()
    """Hosts of GitHub Enterprise that the person's own settings name."""
    forbidden: Sequence[Path] = field(default=())
    """Folders whose programs are never started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one place had."""

    place: str
    """Its name, as people know it: ``GH_TOKEN``, ``gh auth token``, …"""
    found: Secret | AppKey | None = None
    why: str = ""
    """Why there was nothing."""


def find_credential(remote: Remote, seeker: Seeker) -> Look | None:
    """Return the first place that has something for `remote`; None when none has."""
    return next((look for look in looks(remote, seeker) if look.found is not None), None)


def looks(remote: Remote, seeker: Seeker) -> Iterator[Look]:
    """Look in one place after the other, each when it comes to it."""
    yield from _in_environment(remote, seeker)
    yield _ask_git(remote, seeker)
    yield _ask_gh(remote, seeker)
    yield _own_app(remote, seeker)


def api_address(remote: Remote, env: Mapping[str, str]) -> str:
    """Return where the API is when a workflow runs on that very forge and says so; else nothing."""
    return env.get("GITHUB_API_URL", "") if _server(env) == remote.host else ""


def _in_environment(remote: Remote, seeker: Seeker) -> Iterator[Look]:
    cloud = is_cloud(remote.host)
    server = _server(seeker.env)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        value = seeker.env.get(name, "").strip()
        if "ENTERPRISE" in name:
            meant = not cloud and _is_known(remote.host, seeker)
            if cloud and not value:
                continue
        elif name == "GITHUB_TOKEN" and server:  # a workflow's token is for its own forge
            meant = remote.host == server
        else:
            meant = cloud or remote.host == server
        if not value:
            yield Look(place=name, why="it is not set")
        elif not meant:
            yield Look(place=name, why=f"it is not for {remote.host}")
        else:
            yield _checked(name, value)


def _ask_git(remote: Remote, seeker: Seeker) -> Look:
    place = "git credential fill"
    question = f"protocol=https\nhost={remote.host}\npath={remote.slug}.git\n\n"
    text = _said((place, "git", "credential", "fill"), question, seeker)
    if isinstance(text, Look):
        return text
    fields = dict(line.partition("=")[::2] for line in text.splitlines())
    value = fields.get("password", "")
    if not value:
        return Look(place=place, why=f"no credential helper knows {remote.host}")
    return _checked(place, value)


def _ask_gh(remote: Remote, seeker: Seeker) -> Look:
    place = "gh auth token"
    text = _said((place, "gh", "auth", "token", "--hostname", remote.host), "", seeker)
    return text if isinstance(text, Look) else _checked(place, text.strip())


def _own_app(remote: Remote, seeker: Seeker) -> Look:
    place = "GitHub App"
    if seeker.app is None:
        return Look(place=place, why="your own settings name none")
    # What an app signs is good at any host: a stranger could use it at the app's own.
    if not (is_cloud(remote.host) or _is_known(remote.host, seeker)):
        return Look(place=place, why=f"your own settings do not name {remote.host}")
    return Look(place=place, found=seeker.app)


def _said(command: Sequence[str], question: str, seeker: Seeker) -> str | Look:
    """Return what a program of the person's prints; `command` begins with the place's name."""
    place, name, *rest = command
    env = {
        key: value
        for key, value in seeker.env.items()
        if key in _KEPT or not environment.is_forbidden(key)
    }
    program = environment.find_program(name, env, seeker.forbidden)
    if program is None:
        return Look(place=place, why=f"{name} is not installed")
    try:
        done = proc.run(
            [str(program), *rest],
            cwd=seeker.cwd,
            env=env | _NOBODY_TO_ASK,
            input=question.encode(),
            timeout=_SECONDS,
        )
    except UserError as error:
        return Look(place=place, why=error.message)
    if not done.ok:
        # Not its own words: nobody knows what it puts into them.
        return Look(place=place, why=f"{name} has nothing (exit code {done.code})")
    return done.text


def _checked(place: str, value: str) -> Look:
    """Take a token only if it can go into a header."""
    if not _TOKEN.fullmatch(value):
        return Look(place=place, why="what is there is no token")
    return Look(place=place, found=Secret(value))


def _is_known(host: str, seeker: Seeker) -> bool:
    return host in {seeker.env.get("GH_HOST", ""), _server(seeker.env), *seeker.hosts}


def _server(env: Mapping[str, str]) -> str:
    """Return the host of the forge whose workflow we run in; empty outside of one."""
    match = re.fullmatch(r"https?://([^/@]+)/?", env.get("GITHUB_SERVER_URL", ""))
    return match[1].lower() if match else ""
