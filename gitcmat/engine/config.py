"""Read and change settings: those of the repository, and the person's own for it.

A key is written with dots, ``defaults.attempts``. It stands in one of two files, and which one
follows from the key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from typing import Any, Final

from gitcmat.errors import NotFound
from gitcmat.model.gate import Gate
from gitcmat.model.settings import CONFIG_KEYS, USER_KEYS, Config, UserSettings
from gitcmat.store import codec, documents, layout, yamlio
from gitcmat.store.config_edit import set_at
from gitcmat.store.git import Git, Repository
from gitcmat.store.settings import (
    REPOSITORIES,
    load_personal,
    named_place,
    read_personal,
    settings_file,
)
from gitcmat.store.sources import saved_not_committed
from gitcmat.system import folders
from gitcmat.system.files import read_regular, write_atomic

_LIMIT: Final = 1 << 20
_DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it is."""

    key: str
    value: Any
    """Plain data."""
    origin: str
    """``file:line``, or ``default``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What was written."""

    setting: Setting
    tracked: bool
    """Whether it is in the repository's file, and so counts when it is committed."""


def settings(repo: Repository) -> list[Setting]:
    """Return every setting: the repository's as they are saved, then the person's own.

    Raises `InvalidData` when one of the files is wrong.
    """
    text = _repository_text(repo)
    config, document = documents.config(text or b"", name=layout.CONFIG)
    found = [_setting(key, value, layout.CONFIG, document.lines) for key, value in _flat(config)]
    personal = load_personal(repo)
    mine = {key: value for key, value in _flat(personal.settings) if key != "schema"}
    found += [
        Setting(key=key, value=value, origin=personal.origins.get(key, _DEFAULT))
        for key, value in mine.items()
    ]
    return found


def find(repo: Repository, key: str) -> list[Setting]:
    """Return the setting of this name, or all below it.

    Raises `NotFound`, with a suggestion, when there is none.
    """
    every = settings(repo)
    found = [one for one in every if one.key == key or one.key.startswith(f"{key}.")]
    if not found:
        raise _unknown(key, [one.key for one in every])
    return found


def change(repo: Repository, key: str, text: str, *, everywhere: bool = False) -> Changed:
    """Set a key to the YAML value `text`, in the file where it belongs; comments stay.

    `everywhere` sets one of the person's own for all their repositories. Nothing is written unless
    the whole file is right with it.

    Raises:
        NotFound: there is no such key, or no file to change.
        InvalidData: the value is wrong, or the file cannot be changed without losing something.
    """
    path = tuple(key.split("."))
    value = yamlio.load(text, name=key).data
    tracked = path[0] in CONFIG_KEYS
    if not tracked and path[0] not in USER_KEYS:
        raise _unknown(key, [*_writable(Config()), *_writable(UserSettings())])
    if tracked:
        _change_tracked(repo, path, value)
    else:
        _change_own(repo, path, value, everywhere=everywhere)
    return Changed(setting=find(repo, key)[0], tracked=tracked)


def is_unsaved(repo: Repository) -> bool:
    """Whether the repository's file is saved but not committed."""
    return any(one.path == layout.CONFIG for one in saved_not_committed(repo))


def _change_tracked(repo: Repository, path: tuple[str, ...], value: object) -> None:
    if repo.work_tree is None or not (file := repo.work_tree / layout.CONFIG).exists():
        raise NotFound(f"There is no {layout.CONFIG} to change.", hint="gitcmat init")
    before = read_regular(file, _LIMIT)
    text = set_at(before.decode(), path, value, name=layout.CONFIG)
    documents.config(text.encode(), name=layout.CONFIG)
    write_atomic(file, text.encode(), mode=file.stat().st_mode & 0o777)


def _change_own(
    repo: Repository, path: tuple[str, ...], value: object, *, everywhere: bool
) -> None:
    file = settings_file()
    try:
        before = read_regular(file, _LIMIT)
    except FileNotFoundError:
        before = b""
    where = path if everywhere else (REPOSITORIES, named_place(before, repo), *path)
    text = set_at(before.decode(), where, value, name=folders.tilde(file)).encode()
    read_personal(text, repo)
    write_atomic(file, text, mode=0o600)


def _repository_text(repo: Repository) -> bytes | None:
    if repo.work_tree is None:
        return Git(repo.git_dir).blob(f"HEAD:{layout.CONFIG}")
    try:
        return read_regular(repo.work_tree / layout.CONFIG, _LIMIT)
    except FileNotFoundError:
        return None


def _setting(
    key: str, value: object, file: str, lines: Mapping[tuple[str | int, ...], int]
) -> Setting:
    line = lines.get(tuple(key.split(".")))
    return Setting(key=key, value=value, origin=f"{file}:{line}" if line else _DEFAULT)


def _flat(value: object, above: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of settings; of a gate only what is said, as most have only a command."""
    for field in fields(value) if is_dataclass(value) else ():
        key, item = f"{above}{field.name}", getattr(value, field.name)
        if is_dataclass(item):
            yield from _flat(item, f"{key}.")
        elif isinstance(item, dict):
            for name, inner in item.items():
                plain = codec.encode(inner) if isinstance(inner, Gate) else {}
                yield from ((f"{key}.{name}.{part}", leaf) for part, leaf in plain.items())
        else:
            yield key, codec.encode(item)


def _writable(value: object) -> list[str]:
    return [key for key, _ in _flat(value)] + (["gates"] if isinstance(value, Config) else [])


def _unknown(key: str, known: list[str]) -> NotFound:
    like = get_close_matches(key, known, 1)
    meant = f" (did you mean '{like[0]}'?)" if like else ""
    return NotFound(f"There is no setting '{key}'{meant}.", hint="gitcmat config list")
