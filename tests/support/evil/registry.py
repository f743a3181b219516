"""The attacks of the evil agent by name: what each is, and what it does from inside of a run.

This module and those with attacks run inside of a sandbox, too: standard library only.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an attacker who knows everything about the person's machine knows."""

    secret: str
    """Makes the tokens of this world unlike those of any other."""
    home: Path
    repo: Path
    linked: Path
    """Another work tree of the repository."""
    other: Path
    """Another repository of the person, in no list of private places."""
    canaries: Path
    """A folder outside of the workspace: what runs on the host leaves a file here."""
    work: Path = Path()
    """The agent's own work tree, its current folder."""
    vault: Path = Path()
    """A repository in a place of secrets."""
    vault_tree: str = ""
    """The id of its tree, which somebody may have told."""
    old_commit: str = ""
    """A commit of the person's that no branch reaches any more."""
    stranger: int = 0
    """A process of the person's that has nothing to do with gitcmat."""
    victim: int = 0
    """Another one, to be killed."""
    terminal: str = ""
    """A terminal that the person has open."""
    tcp: int = 0
    address: str = ""
    """Another address of this machine than that of its loopback; empty when it has none."""
    udp: int = 0
    model: int = 0
    """The port of the model server, which is named in the profile."""
    sockets: dict[str, str] = field(default_factory=dict)
    """Names of listening sockets and their places; the abstract one begins with ``@``."""

    def token(self, name: str) -> str:
        """What the attack `name` leaves wherever it gets; in no text that is not its own."""
        return "evil" + hashlib.sha256(f"{self.secret} {name}".encode()).hexdigest()[:20]

    @property
    def git(self) -> Path:
        """The repository's git directory."""
        return self.repo / ".git"

    def written(self) -> str:
        """On one line, for `read`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def read(cls, line: str, work: Path) -> "Target":
        """What `written` wrote, seen from the work tree `work`."""
        said = json.loads(line)
        paths = {"home", "repo", "linked", "other", "canaries", "vault"}
        known: dict[str, Any] = {
            k: Path(v) if k in paths else v for k, v in said.items() if k != "work"
        }
        return cls(**known, work=work)


Act = Callable[[Target, str], object]
"""Carries an attack out; the second is its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack: `shows` is the usual way in which it is found out whether it worked."""

    name: str
    threat: str
    wave: str
    text: str
    shows: str
    act: Act


ATTACKS: Final[dict[str, Attack]] = {}
READ: Final = "read"
"""It worked if a secret came home in its loot."""
WROTE: Final = "wrote"
"""It worked if its token is in a file outside of its workspace."""
SENT: Final = "sent"
"""It worked if its token was received."""
OWN: Final = "its own"
"""An oracle of its own says."""


def attack(wave: str, threat: str, shows: str = OWN) -> Callable[[Act], Act]:
    """Enter a function as an attack; its docstring is how people read of it."""

    def enter(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        text = " ".join((act.__doc__ or "").split()).removesuffix(".")
        ATTACKS[name] = Attack(name=name, threat=threat, wave=wave, text=text, shows=shows, act=act)
        return act

    return enter


def of_wave(wave: str) -> Iterator[Attack]:
    """The attacks that are tried in one run."""
    return (each for each in ATTACKS.values() if each.wave == wave)


def loot(t: Target, name: str, data: bytes | str) -> None:
    """Keep what was found: it comes home with the work, where the oracle looks for secrets."""
    folder = t.work / "loot"
    folder.mkdir(exist_ok=True)
    text = data.encode() if isinstance(data, str) else data
    with (folder / name).open("ab") as file:
        file.write(text + b"\n")


def put(path: Path, text: str) -> None:
    """Write a file, and whatever folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
