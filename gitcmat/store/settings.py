"""The person's own settings: ``config.yaml`` in their configuration folder, never in a repository.

Top-level keys hold for every repository; those below ``repositories: {PATH: …}`` for one, named by
its path. Wrong settings stop everything: the defaults may allow more than the person wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.settings import CONFIG_KEYS, USER_KEYS, USER_SCHEMA, UserSettings
from gitcmat.store import codec, documents, layout, yamlio
from gitcmat.store.git import Repository
from gitcmat.store.yamlio import Document, KeyPath
from gitcmat.system import folders
from gitcmat.system.files import read_regular

REPOSITORIES: Final = "repositories"

_LIMIT: Final = 1 << 20
_ELSEWHERE: Final = dict.fromkeys(CONFIG_KEYS - USER_KEYS - {"schema"}, layout.CONFIG)


@dataclass(frozen=True, slots=True)
class Personal:
    """The settings of a person for one repository, and where each that they wrote stands."""

    settings: UserSettings
    origins: Mapping[str, str]
    """Key, dotted in a group, to ``file:line``; a key that is not here has its default."""


def settings_file() -> Path:
    """Return the path of the person's own file."""
    return folders.config() / documents.USER_FILE


def load_user_settings(repo: Repository | None) -> UserSettings:
    """Return what the person's own file says for this repository, None for no repository.

    Raises `InvalidData` with ``file:line: key: what`` when it is wrong, also for another
    repository.
    """
    return load_personal(repo).settings


class OwnSettings:
    """The person's own settings as they are now: read again when the file has changed."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._seen: tuple[int, ...] | None = None
        self._settings = UserSettings()

    def now(self) -> UserSettings:
        """Return what the file says at this moment.

        Raises `InvalidData` when it is wrong: what held before may be more than the person wants.
        """
        try:
            about = settings_file().stat()
        except OSError:
            seen: tuple[int, ...] = ()
        else:
            seen = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
        if seen != self._seen:
            self._settings = load_user_settings(self._repo)
            self._seen = seen
        return self._settings


def load_personal(repo: Repository | None) -> Personal:
    """Return the settings with their origins; see `load_user_settings`."""
    try:
        text = read_regular(settings_file(), _LIMIT)
    except FileNotFoundError:
        return Personal(UserSettings(), {})
    return read_personal(text, repo)


def read_personal(text: bytes, repo: Repository | None) -> Personal:
    """Check the text of a whole file, and return what it says for this repository."""
    name = folders.tilde(settings_file())
    document = yamlio.load(text, name=name)
    if document.data is None:
        return Personal(UserSettings(), {})
    if not isinstance(document.data, dict):
        raise InvalidData(f"{name}:{document.lines[()]}: is not a mapping", hint="write key: value")
    everywhere = {k: v for k, v in document.data.items() if k != REPOSITORIES}
    found = _decode(everywhere, document.lines, {}, name=name)
    for place, own in _places(document, name=name).items():
        settings = _decode(everywhere, document.lines, {place: own}, name=name)
        if repo is not None and _is_here(place, repo):
            found = settings
    return found


def place_of(repo: Repository) -> Path:
    """Return what a repository is named by: the real path of its main work tree or bare folder."""
    return (repo.main_work_tree or repo.common_dir).resolve()


def named_place(text: bytes, repo: Repository) -> str:
    """Return how the file names this repository already, or how it is to be named."""
    data = yamlio.load(text, name=folders.tilde(settings_file())).data or {}
    places = data.get(REPOSITORIES) if isinstance(data, dict) else None
    known = [place for place in places or () if _is_here(place, repo)]
    return known[0] if known else str(place_of(repo))


def _decode(
    everywhere: dict[str, Any],
    lines: Mapping[KeyPath, int],
    here: Mapping[str, dict[str, Any]],
    *,
    name: str,
) -> Personal:
    data = dict(everywhere)
    at: dict[KeyPath, int] = dict(lines)
    for place, own in here.items():
        for key, value in own.items():
            data[key] = _over(data.get(key), value)
            if data[key] is value:
                at = {path: line for path, line in at.items() if path[:1] != (key,)}
        at |= {path[2:]: line for path, line in lines.items() if path[:2] == (REPOSITORIES, place)}
    settings = codec.decode(
        UserSettings, Document(data, at), name=name, schema=USER_SCHEMA, elsewhere=_ELSEWHERE
    )
    keys = {path: [part for part in path if isinstance(part, str)] for path in at}
    return Personal(
        settings,
        {
            ".".join(parts): f"{name}:{at[path]}"
            for path, parts in keys.items()
            if len(parts) == len(path) and parts[:1] and parts[0] in USER_KEYS
        },
    )


def _over(everywhere: object, here: object) -> object:
    """What holds for one repository: of a group of settings, each for itself."""
    if isinstance(everywhere, dict) and isinstance(here, dict):
        return {**everywhere, **here}
    return here


def _places(document: Document, *, name: str) -> dict[str, dict[str, Any]]:
    found = document.data.get(REPOSITORIES) or {}
    if not isinstance(found, dict):
        line = document.lines[(REPOSITORIES,)]
        raise InvalidData(f"{name}:{line}: {REPOSITORIES}: expected mapping of paths")
    for place, own in found.items():
        line = document.lines[REPOSITORIES, place]
        if not isinstance(own, dict):
            raise InvalidData(f"{name}:{line}: {REPOSITORIES}.{place}: expected mapping")
        if not Path(place).expanduser().is_absolute():
            raise InvalidData(
                f"{name}:{line}: {REPOSITORIES}.{place}: is not a whole path",
                hint="write it from / or ~/",
            )
    return found


def _is_here(place: str, repo: Repository) -> bool:
    return Path(place).expanduser().resolve() == place_of(repo)
