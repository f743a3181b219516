"""Single settings, of the repository and of the person, each in the one file it belongs into."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import Conflict, InvalidData, NotFound, Usage
from gitcmat.model.settings import CONFIG_KEYS, USER_KEYS, Config
from gitcmat.store import codec, documents, layout, settings, yamlio
from gitcmat.store.git import Git, Repository
from gitcmat.store.settings import REPOSITORIES
from gitcmat.store.yaml_paths import set_at
from gitcmat.store.yamlio import DELETE, KeyPath
from gitcmat.system import folders
from gitcmat.system.files import inside, read_regular, write_atomic

_LIMIT: Final = 1 << 20
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is in force: a dotted key, plain data, and ``file:line`` or `DEFAULT`."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Written:
    """Where a setting was written, and what is left to do."""

    key: str
    value: Any
    """None when it was removed."""
    path: str
    next: str


def list_settings(repo: Repository, git: Git) -> list[Setting]:
    """Return every setting in force, those of the repository as they are committed at HEAD.

    Raises `InvalidData` when a file is wrong.
    """
    config, lines = Config(), {}
    text = git.blob(f"HEAD:{layout.CONFIG}")
    if text is not None:
        config, document = documents.config(text, name=layout.CONFIG)
        lines = dict(document.lines)
    personal = settings.load_personal(repo)
    found = [
        Setting(".".join(path), codec.encode(value), _line(path, lines))
        for path, value in _leaves(config, ())
        if path != ("schema",)
    ]
    found += [
        Setting(key, codec.encode(value), personal.origins.get(key, DEFAULT))
        for path, value in _leaves(personal.settings, ())
        for key in [".".join(path)]
    ]
    return sorted(found, key=lambda setting: setting.key)


def get_setting(repo: Repository, git: Git, key: str) -> Setting:
    """Return one setting, or a group such as ``defaults`` as a mapping.

    Raises `NotFound` for a key that there is not.
    """
    every = list_settings(repo, git)
    for setting in every:
        if setting.key == key:
            return setting
    group = [s for s in every if s.key.startswith(f"{key}.")]
    if group:
        values = {s.key.removeprefix(f"{key}."): s.value for s in group}
        origins = dict.fromkeys(s.origin for s in group if s.origin != DEFAULT)
        return Setting(key, values, ", ".join(origins) or DEFAULT)
    raise _unknown(key, [s.key for s in every])


def set_setting(
    repo: Repository, key: str, value: str | None, *, everywhere: bool = False
) -> Written:
    """Write one setting into the file that it belongs into; None removes it. Comments there stay.

    `value` is read as YAML: ``4``, ``main``, ``[a, b]``. Keys of the person are written for this
    repository, or with `everywhere` for all. Nothing is written when the file would be wrong.
    Raises `NotFound` for a key that there is not, `InvalidData` for a value that does not fit.
    """
    path = tuple(key.split("."))
    data = DELETE if value is None else _value(key, value)
    if path[0] in USER_KEYS and path[0] not in CONFIG_KEYS:
        return _set_personal(repo, path, data, everywhere=everywhere)
    if path[0] in CONFIG_KEYS and path[0] != "schema":
        if everywhere:
            raise Usage(
                f"{key} is a setting of the repository.", hint=f"gitcmat config set {key} …"
            )
        return _set_config(repo, path, data)
    raise _unknown(key, [*USER_KEYS, *(k for k in CONFIG_KEYS if k != "schema")])


def _set_personal(
    repo: Repository, path: tuple[str, ...], data: object, *, everywhere: bool
) -> Written:
    file = settings.settings_file()
    before = _read(file)
    whole = path if everywhere else (REPOSITORIES, settings.named_place(before, repo), *path)
    shown = folders.tilde(file)
    after = set_at(before.decode(), whole, data, name=shown).encode()
    settings.read_personal(after, repo)
    write_atomic(file, after, mode=0o600)
    return Written(".".join(path), None if data is DELETE else data, shown, "it holds at once")


def _set_config(repo: Repository, path: tuple[str, ...], data: object) -> Written:
    if repo.work_tree is None:
        raise Conflict("A bare repository has no files to edit.", hint="use a clone of it")
    file = inside(repo.work_tree, layout.CONFIG)
    before = _read(file) or b"schema: 1\n"
    after = set_at(before.decode(), path, data, name=layout.CONFIG).encode()
    documents.config(after, name=layout.CONFIG)
    write_atomic(file, after)
    next_ = f"commit it: git commit -m 'Set {'.'.join(path)}' -- {layout.CONFIG}"
    return Written(".".join(path), None if data is DELETE else data, layout.CONFIG, next_)


def _read(file: Path) -> bytes:
    try:
        return read_regular(file, _LIMIT)
    except FileNotFoundError:
        return b""


def _value(key: str, text: str) -> Any:
    try:
        return yamlio.load(text, name=key).data
    except InvalidData as error:
        raise InvalidData(f"{key}: {text!r} is not a value", hint=error.hint) from None


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Take settings apart down to what is no group of settings."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, Mapping) and any(is_dataclass(one) for one in value.values()):
        for name, one in value.items():
            yield from _leaves(one, (*path, name))
    else:
        yield path, value


def _line(path: tuple[str, ...], lines: Mapping[KeyPath, int]) -> str:
    line = lines.get(path)
    return DEFAULT if line is None else f"{layout.CONFIG}:{line}"


def _unknown(key: str, known: list[str]) -> NotFound:
    like = get_close_matches(key, known, 1)
    hint = f"did you mean {like[0]}?" if like else "gitcmat config list"
    return NotFound(f"There is no setting {key!r}.", hint=hint)
