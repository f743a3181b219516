"""Where a repository is on a forge, read from the address of a remote."""

import re
from dataclasses import dataclass
from typing import Final

from gitcmat.errors import InvalidData

GITHUB: Final = "github.com"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
"""Hosts to which a token may go over http: it stays on this machine."""
_OTHER_NAMES: Final = {"ssh.github.com": GITHUB, "www.github.com": GITHUB}
"""Hosts that are github.com by another way in."""

_URL: Final = re.compile(
    r"(?P<scheme>[a-z+]+)://(?:[^/]*@)?(?P<host>[^/:@]+)(?::(?P<port>[0-9]{1,5}))?/(?P<path>[^?#]*)",
    re.IGNORECASE,
)
_SCHEMES: Final = frozenset({"git", "git+ssh", "http", "https", "ssh", "ssh+git"})
_USUAL: Final = {"https": "443", "http": "80"}
"""The port of https may say where the API is; that of the others never does."""
_SCP: Final = re.compile(r"(?:[^@/:\s]+@)?(?P<host>\[[^]]+\]|[^@/:\s\[\]]{2,}):(?P<path>[^\\]*)")
# One letter before the colon would be a drive of Windows, so a host has two at least.
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_OWNER: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A repository on a forge: its host in small letters, with a port where that is unusual."""

    host: str
    owner: str
    name: str

    @property
    def slug(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"

    @property
    def url(self) -> str:
        """Its address for fetching and pushing over https, with nothing secret in it."""
        return f"https://{self.host}/{self.slug}.git"


def parse_remote(url: str) -> Remote | None:
    """Read ``https://``, ``ssh://``, ``git://`` and ``user@host:path`` addresses.

    None for what is no repository of an owner on a host: paths of this machine, deeper paths,
    names with other characters than forges allow. A login in the address is never kept.
    """
    if "://" in url:
        found = _of_url(url)
    else:
        match = _SCP.fullmatch(url)
        found = (match["host"].lower(), match["path"]) if match else None
    if found is None:
        return None
    host, path = found
    parts = path.strip("/").removesuffix(".git").split("/")
    named = host.partition(":")[0]
    if len(parts) != 2 or not _HOST.fullmatch(named):  # noqa: PLR2004 - an owner and a name
        return None
    owner, name = parts
    if not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or name in {".", ".."}:
        return None
    return Remote(host=_OTHER_NAMES.get(host, host), owner=owner, name=name)


def parse_slug(text: str, host: str = GITHUB) -> Remote:
    """Read ``owner/name``.

    Raises:
        InvalidData: it is none.
    """
    remote = parse_remote(f"https://{host}/{text}")
    if remote is None:
        raise InvalidData(f"{text!r} names no repository.", hint="write owner/name")
    return remote


def api_of(host: str) -> str:
    """Return the address of the API of the GitHub at `host`, without a slash at its end."""
    if host == GITHUB:
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"https://{host}/api/v3"


def is_cloud(host: str) -> bool:
    """Whether GitHub itself runs this host; others run GitHub Enterprise, or something else."""
    return host == GITHUB or host.endswith(".ghe.com")


def how_to_sign_in(host: str) -> str:
    """Return what to do where nothing signs in to a host."""
    if is_cloud(host):
        return "gh auth login, or set GH_TOKEN"
    own = f"forge: {{hosts: ['{host}']}} in your own settings"
    return f"gh auth login --hostname {host}, or set GH_ENTERPRISE_TOKEN, with {own}"


def push_url(address: str, remote: Remote) -> str:
    """Return where a token may push to: https, or this very machine as its address says."""
    plain = address.startswith("http://") and remote.host.partition(":")[0] in LOOPBACK
    return f"http://{remote.host}/{remote.slug}.git" if plain else remote.url


def is_api(text: str) -> bool:
    """Whether an API may be at this address: https, or http on this very machine."""
    match = _URL.fullmatch(f"{text.rstrip('/')}/")
    if match is None or "@" in text:
        return False
    scheme, host = match["scheme"].lower(), match["host"].lower()
    return scheme == "https" or (scheme == "http" and host in LOOPBACK)


def _of_url(url: str) -> tuple[str, str] | None:
    match = _URL.fullmatch(url)
    if match is None or (scheme := match["scheme"].lower()) not in _SCHEMES:
        return None
    host, port = match["host"].lower(), match["port"]
    if port and port != _USUAL.get(scheme, port):
        host = f"{host}:{port}"
    return host, match["path"]
