"""What a program in a sandbox sees of this machine: an `Outlook` of the files that are there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.model import private_places as places
from gitcmat.model.outlook import Access, Outlook
from gitcmat.system import folders

_MOST_LINKS: Final = 40
_SHIMS: Final = "shims"
"""Where version managers (pyenv, rbenv, asdf, mise) put scripts that look for the real programs
beside it.
"""
_RESOLVER: Final = "/etc/resolv.conf"
_CERTIFICATES: Final = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
    *("NODE_EXTRA_CA_CERTS", "CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE"),
)


class Surroundings:
    """An outlook that is put together path by path; symlinks are followed as they are outside."""

    def __init__(self) -> None:
        self.outlook = Outlook()

    @classmethod
    def of_person(cls, env: Mapping[str, str]) -> "Surroundings":
        """What is left of a machine without secrets, sockets, other people and temporary files.

        `env` is the person's own environment, which may lead to places of secrets.
        """
        made = cls()
        for place in (*places.HOMES, *places.SOCKETS, *places.SYSTEM):
            made.hide(place)
        home = str(Path.home())
        if home != "/":
            made.read(home)
        for place in (*places.TEMPORARY, env.get("TMPDIR") or "/"):
            made.own(place)
        where, pattern = places.SSH_SERVER_KEYS
        for key in sorted(Path(where).glob(pattern)):
            made.hide(key)
        for place in places.below(home, places.CACHES, env):
            made.own(place)
        for place in places.below(home, (*places.SECRETS, *places.AGENTS), env):
            made.hide(place)
        for place in places.led_to(env):
            made.hide(place)
        # What gitcmat knows of the person: settings, what they allowed, workspaces.
        for folder in (folders.config(), folders.state(), folders.cache()):
            made.hide(folder)
        return made

    def show_programs(self, env: Mapping[str, str]) -> None:
        """Show what a program with this environment is looked for in, and its certificates."""
        for folder in env.get("PATH", "").split(os.pathsep):
            if folder.startswith("/"):
                self.show(folder)
                if (path := Path(folder)).name == _SHIMS:
                    self.show(path.parent)
        for name in _CERTIFICATES:
            if env.get(name, "").startswith("/"):
                self.show(env[name])

    def show_resolver(self) -> None:
        """Show how names of hosts are resolved: often a link into where sockets are."""
        self.show(_RESOLVER)

    def hide(self, place: str | Path) -> None:
        """Let nothing be there."""
        self._say(place, Access.HIDDEN)

    def own(self, place: str | Path) -> None:
        """Let there be something of the sandbox's own."""
        self._say(place, Access.OWN)

    def show(self, place: str | Path) -> None:
        """Let it be read if it is there and was not to be seen, by this name and its real one."""
        if os.path.exists(place):  # noqa: PTH110 - False where Path.exists raises: no permission
            self.outlook.show(self._lead(place))

    def read(self, place: str | Path) -> None:
        """Let it be read, whatever it was before; does nothing where nothing is."""
        if os.path.exists(place):  # noqa: PTH110
            self.outlook.say(self._lead(place), Access.READ)

    def write(self, place: str | Path) -> None:
        """Let it be changed, whatever it was before.

        Raises:
            NotFound: it is not there.
        """
        if not os.path.exists(place):  # noqa: PTH110
            raise NotFound(f"The sandbox is to write {place}, which is not there.", hint="make it")
        self.outlook.say(self._lead(place), Access.WRITE)

    def _say(self, place: str | Path, access: Access) -> None:
        real = os.path.realpath(place)
        if real != "/" and os.path.lexists(real):
            self.outlook.say(real, access)

    def _lead(self, place: str | Path) -> str:
        """The real path of `place`; symlinks on the way that would be gone are to be made again."""
        path = os.path.abspath(place)  # noqa: PTH100 - it drops .. only, and follows nothing
        for _ in range(_MOST_LINKS):
            link = _first_link(path)
            if link is None:
                return path
            target = os.readlink(link)  # noqa: PTH115 - bytes as they are
            if self.outlook.is_gone(link):
                self.outlook.links[link] = target
            rest = path[len(link) :].lstrip("/")
            path = os.path.normpath(os.path.join(os.path.dirname(link), target, rest))  # noqa: PTH118, PTH120
        return path


def _first_link(path: str) -> str | None:
    """The shortest beginning of `path` that is a symlink."""
    parts = path.split("/")
    ends = ("/".join(parts[:end]) for end in range(2, len(parts) + 1))
    return next((end for end in ends if os.path.islink(end)), None)  # noqa: PTH114
