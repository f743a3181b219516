"""Who we are to a forge, and what we may do there."""

from dataclasses import dataclass

from gitcmat.engine.hub import Hub
from gitcmat.errors import UserError
from gitcmat.forge import NotAllowed, NotVisible, SignInRefused
from gitcmat.model.access import Access, May, TokenKind, may, starts_workflows
from gitcmat.model.forge import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What a forge says of whoever is signed in; None where it did not come to that."""

    kind: TokenKind
    person: Person | None = None
    access: Access | None = None
    may: tuple[May, ...] = ()
    refused: UserError | None = None
    """What the forge refused: the token, or the repository."""

    @property
    def starts_workflows(self) -> bool | None:
        """Whether what is pushed starts workflows; None where the forge does not know us."""
        return starts_workflows(self.person) if self.person else None


def signed_in(hub: Hub) -> SignedIn:
    """Ask the forge who we are.

    Raises `UserError` when it does not answer; see `gitcmat.forge`.
    """
    kind = hub.credential.kind
    person: Person | None = None
    try:
        person = hub.forge.whoami()
        access = hub.forge.access()
    except SignInRefused as error:
        how = f"make a new one, and put it where this one is: {hub.credential.place}"
        return SignedIn(kind=kind, refused=SignInRefused(error.message, hint=how))
    except (NotAllowed, NotVisible) as error:
        return SignedIn(kind=kind, person=person, refused=error)
    return SignedIn(kind=kind, person=person, access=access, may=may(kind, person, access))
