"""Fetches and pushes over HTTP, as git itself serves them, for who may."""

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.support.fakegithub.shapes import ROLES
from tests.support.fakegithub.world import Repo, Token, World

PLACE: Final = re.compile(
    r"/(?P<slug>[^/]+/[^/]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)


@dataclass
class GitReply:
    """What git answers."""

    status: int
    headers: dict[str, str]
    data: bytes


def serve(
    world: World, verb: str, path: str, query: str, headers: Mapping[str, str], data: bytes
) -> GitReply | None:
    """Answer a request of git; None when it is none."""
    match = PLACE.fullmatch(path)
    if match is None:
        return None
    token = _token(world, headers.get("authorization", ""))
    if token is None:
        text = b"Invalid username or token."
        return GitReply(401, {"www-authenticate": 'Basic realm="GitHub"'}, text)
    repo = world.repos.get(match["slug"])
    if repo is None or (repo.private and token.login not in repo.roles):
        return GitReply(404, {}, b"Repository not found.")
    if "git-receive-pack" in (match["rest"] + query) and not _may_push(repo, token):
        return GitReply(403, {}, f"Permission to {repo.slug} denied to {token.login}.".encode())
    return _backend(repo, verb, match["rest"], query, headers, data)


def _token(world: World, sent: str) -> Token | None:
    kind, _, value = sent.partition(" ")
    if kind.lower() != "basic":
        return None
    secret = base64.b64decode(value).decode().partition(":")[2]
    token = world.tokens.get(secret)
    return None if token is None or (token.expires and token.expires < world.now) else token


def _may_push(repo: Repo, token: Token) -> bool:
    role = repo.roles.get(token.login, "read")
    allowed = token.permissions is None or token.permissions.get("contents") == "write"
    return allowed and ROLES.index(role) >= ROLES.index("write")


def _backend(
    repo: Repo, verb: str, rest: str, query: str, headers: Mapping[str, str], data: bytes
) -> GitReply:
    env = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(repo.git.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "REMOTE_USER": "somebody",
        "REQUEST_METHOD": verb,
        "PATH_INFO": f"/{rest}",
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(data)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
    }
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "http-backend"],
        input=data,
        env=env,
        capture_output=True,
        check=True,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    found = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(found.pop("Status", "200").split()[0])
    return GitReply(status, {name.lower(): value for name, value in found.items()}, body)
