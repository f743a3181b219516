"""Journals: what is about to be done to a person's files, on the disk before it is done.

What is killed in the middle leaves ``index.lock`` and half written files; with its journal the next
command knows whose they are and what they were.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

from gitcmat.errors import InvalidData
from gitcmat.store.git import Repository
from gitcmat.system.files import fsync_dir, read_regular, remove_tree, write_atomic

if TYPE_CHECKING:
    from dataclasses import Field

_LIMIT: Final = 256 << 20


class _Journal(Protocol):
    __dataclass_fields__: ClassVar[dict[str, "Field[Any]"]]

    def private(self, repo: Repository) -> Path:
        """The folder for what is made on the way."""


J = TypeVar("J", bound=_Journal)


class JournalFile(Generic[J]):
    """The one journal of a kind of work: ``.git/cmat/<name>``."""

    def __init__(self, name: str, kind: Callable[..., J], *, inner: Callable[[Any], None]) -> None:
        """`kind` is the dataclass; `inner` turns the plain values of a read one into its own."""
        self._name = name
        self._kind = kind
        self._inner = inner

    def there(self, repo: Repository) -> bool:
        """Whether such work is under way or was broken off; one look at one file."""
        return (repo.cmat / self._name).exists()

    def read(self, repo: Repository) -> J | None:
        """Return the journal, None when there is none.

        Raises `InvalidData` when it is damaged.
        """
        path = repo.cmat / self._name
        try:
            return self._journal(json.loads(read_regular(path, _LIMIT)))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidData(
                f"{path} is damaged: {error}.", hint="look at git status, then remove that file"
            ) from error

    def write(self, repo: Repository, journal: J) -> None:
        """Write the journal, durable: it is on the disk before what it announces happens."""
        data = json.dumps(asdict(journal)).encode("ascii")
        write_atomic(repo.cmat / self._name, data, mode=0o600, durable=True)

    def remove(self, repo: Repository, journal: J) -> None:
        """Forget work that is over."""
        remove_tree(journal.private(repo))
        (repo.cmat / self._name).unlink(missing_ok=True)
        fsync_dir(repo.cmat)

    def _journal(self, data: Any) -> J:
        if set(data) != {f.name for f in fields(self._kind)}:  # type: ignore[arg-type]
            raise ValueError("unknown or missing keys")
        self._inner(data)
        return self._kind(**data)
