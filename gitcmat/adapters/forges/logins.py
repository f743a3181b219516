"""What a connection to a forge signs in with."""

from dataclasses import dataclass
from pathlib import Path

from gitcmat.model.secret import Secret


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token that somebody else made, and that is good for as long as they say."""

    secret: Secret
    permissions: None = None

    def token(self) -> Secret:
        """Return that token."""
        return self.secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKey:
    """A GitHub App of one's own, by which installation tokens of an hour are made."""

    app: str
    """Its id, or its client id."""
    key_file: Path
    """Its private key, PEM; absolute, outside of repositories, and nobody else may read it."""
    installation: int = 0
    """Which installation; 0 for the one of the repository's owner."""
