"""``gitcmat auth``: who the person is to the forge of their remote."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from gitcmat.cli.state import State, common
from gitcmat.model.marks import one_line

if TYPE_CHECKING:
    from gitcmat.engine.auth import SignedIn
    from gitcmat.engine.hub import Door
    from gitcmat.model.access import Access, May

_NOTHING: Final = 4
_ALLOWED: Final = {True: "yes", False: "no", None: "unknown"}


@click.group(name="auth")
def command() -> None:
    """Who you are to the forge, and what you may do there."""


@command.command()
@common
@click.pass_context
def status(ctx: click.Context, state: State) -> None:
    """Say where the credential for the remote comes from, whose it is, and what it may do.

    No token is ever shown. Exits with 0 when the forge knows you and shows you the repository,
    with 1 when it refuses, with 4 when there is nothing to sign in with, or no such repository.
    """
    from gitcmat.app import find_door
    from gitcmat.engine import auth

    door = find_door(state.app.deps)
    if not door.credential.place:
        state.out.show(_door_data(door) | {"signed_in": False}, _nothing(door))
        ctx.exit(_NOTHING)
    found = auth.signed_in(door.open())
    data = _door_data(door) | _data(found)
    state.out.show(data, [*_door_lines(door), *_lines(found)])
    ctx.exit(found.refused.exit_code if found.refused else 0)


def _door_data(door: "Door") -> dict[str, Any]:
    credential = door.credential
    return {
        "remote": door.name,
        "host": door.remote.host,
        "repository": door.remote.slug,
        "api": door.api,
        "place": credential.place or None,
        "kind": str(credential.kind) if credential.place else None,
        "looked": [
            {"place": place.name, "found": not place.why, "why": place.why or None}
            for place in credential.looked
        ],
    }


def _data(found: "SignedIn") -> dict[str, Any]:
    access, refused, person = found.access, found.refused, found.person
    rate = access.rate if access else None
    return {
        "signed_in": refused is None,
        "login": person.login if person else None,
        "bot": person.bot if person else None,
        "permission": str(access.repository.permission) if access else None,
        "scopes": sorted(access.scopes) if access and access.scopes is not None else None,
        "permissions": dict(access.permissions) if access and access.permissions else None,
        "expires": access.expires if access else None,
        "may": [{"what": m.what, "allowed": m.allowed, "why": m.why} for m in found.may],
        "starts_workflows": found.starts_workflows,
        "rate": {"left": rate.left, "most": rate.most, "until": rate.until} if rate else None,
        "refused": {"message": refused.message, "suggestion": refused.hint} if refused else None,
    }


def _door_lines(door: "Door") -> Iterator[str]:
    yield f"{door.name}: {door.remote.slug} on {door.remote.host}"
    yield f"  api        {door.api}"
    for number, place in enumerate(door.credential.looked):
        name = "looked at" if not number else ""
        yield f"  {name:<10} {place.name}: {place.why or 'found'}"


def _nothing(door: "Door") -> Iterator[str]:
    from gitcmat.model.remote import how_to_sign_in

    yield from _door_lines(door)
    yield f"there is nothing to sign in to {door.remote.host} with"
    yield f"next: {how_to_sign_in(door.remote.host)}"


def _lines(found: "SignedIn") -> Iterator[str]:
    access, refused = found.access, found.refused
    if found.person is not None:
        yield f"  signed in  as {one_line(found.person.login)}, by {found.kind.words}"
    if refused is not None:
        yield f"refused: {refused.message}"
        if refused.hint:
            yield f"next: {refused.hint}"
    if access is None:
        return
    yield from _told(access)
    for number, one in enumerate(found.may):
        yield _may_line("may" if not number else "", one)
    if found.starts_workflows:
        yield "  workflows  start by what is pushed with it"
    else:
        yield "  workflows  none starts by what is pushed with it: it is the token of a workflow"


def _told(access: "Access") -> Iterator[str]:
    if access.expires is not None:
        yield f"  expires    {access.expires:%Y-%m-%d %H:%M:%S} UTC"
    if access.rate is not None:
        rate = access.rate
        until = f"{rate.until:%Y-%m-%d %H:%M:%S} UTC"
        yield f"  requests   {rate.left} of {rate.most} are left until {until}"


def _may_line(name: str, one: "May") -> str:
    return f"  {name:<10} {one.what:<13}  {_ALLOWED[one.allowed]:<7}  {one_line(one.why)}"
