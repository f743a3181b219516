"""The person's own settings about a forge: gitcmat pushes and speaks there with their rights."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gitcmat.model.remote import is_api
from gitcmat.model.task import seconds

MOST_APPROVALS: Final = 100


class PullMode(StrEnum):
    """What becomes of work that comes to review, beside its branch here."""

    OFF = "off"
    """Nothing; `gitcmat pr create` by hand still works."""
    DRAFT = "draft"
    """A pull request that is a draft."""
    READY = "ready"
    """A pull request that may be reviewed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """A GitHub App of one's own."""

    id: str = field(metadata={"doc": "Its id, or its client id"})
    key: str = field(metadata={"doc": "File of its private key, PEM, outside of repositories"})
    installation: int = field(
        default=0, metadata={"doc": "Which installation; 0: that of the repository's owner"}
    )

    def __post_init__(self) -> None:
        if not self.id.strip():
            raise ValueError("an app needs an id")
        if not self.key.startswith(("/", "~/")):
            raise ValueError("the key of an app is a whole path, from / or ~/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeSettings:
    """Where pull requests go, and what one needs to be merged."""

    remote: str = field(default="origin", metadata={"doc": "Name of the remote"})
    pull: PullMode = field(
        default=PullMode.OFF,
        metadata={"doc": "What `pr sync` opens for work at review: off (nothing), draft, ready"},
    )
    every: str = field(default="60s", metadata={"doc": "How often `watch` looks there; or never"})
    issues: str | None = field(
        default=None, metadata={"doc": "Label of the issues that become tasks; left out: none"}
    )
    checks: bool = field(
        default=True, metadata={"doc": "Whether what gates say is shown there as checks"}
    )
    approvals: int = field(
        default=1, metadata={"doc": "How many people must approve; 0 for who works alone"}
    )
    bots: tuple[str, ...] = field(
        default=(), metadata={"doc": "Logins of programs whose reviews and issues count"}
    )
    api: str | None = field(
        default=None, metadata={"doc": "Address of the API where the host does not say it"}
    )
    hosts: tuple[str, ...] = field(
        default=(), metadata={"doc": "Hosts of GitHub Enterprise that may be given your tokens"}
    )
    app: AppSettings | None = field(
        default=None, metadata={"doc": "A GitHub App to sign in as; other tokens go first"}
    )

    def __post_init__(self) -> None:
        if not self.remote.strip() or self.remote.startswith("-"):
            raise ValueError("remote is the name of a remote")
        if self.issues is not None and (not self.issues.strip() or "," in self.issues):
            raise ValueError("issues is the name of one label, without a comma")
        if not 0 <= self.approvals <= MOST_APPROVALS:
            raise ValueError(f"approvals is 0 to {MOST_APPROVALS}")
        if self.api is not None and not is_api(self.api):
            raise ValueError("api is an https:// address (http:// for this machine alone)")
        _ = self.seconds

    @property
    def seconds(self) -> int:
        """Seconds between two looks of the daemon; 0 for none."""
        return 0 if self.every == "never" else seconds(self.every)
