"""Repositories, accounts and Apps of the fake GitHub."""

from datetime import timedelta
from typing import Any

from tests.support.fakegithub.calls import Call, Refuse, Reply, route
from tests.support.fakegithub.openapi import description
from tests.support.fakegithub.shapes import when

_OLD_WORDS = {"read": "read", "triage": "read", "write": "write", "maintain": "write"}


@route("GET", "/repos/{owner}/{repo}", "metadata=read")
def show_repo(call: Call) -> Reply:
    """With what the one who asks may do in it."""
    return Reply(200, call.shapes.repo(call.repo, viewer=call.token.login))


@route("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", "metadata=read")
def show_permission(call: Call) -> Reply:
    """In the old words and in the new."""
    login = call.parts["login"]
    if login not in call.world.users:
        raise Refuse(404, "Not Found")
    role = call.repo.roles.get(login, "none" if call.repo.private else "read")
    name = call.world.custom_roles.get(login, role)
    collaborator = call.shapes.user(login) | {"role_name": name}
    old = _OLD_WORDS.get(role, role)
    return Reply(200, {"permission": old, "role_name": name, "user": collaborator})


@route("GET", "/user")
def show_self(call: Call) -> Reply:
    """Not for Apps."""
    if call.token.app:
        raise Refuse(403, "Resource not accessible by integration")
    login = call.token.login
    return Reply(200, description().blank("public-user") | call.shapes.user(login))


@route("GET", "/app/installations")
def list_installations(call: Call) -> Reply:
    """One for each owner of a repository."""
    owners = {repo.owner for repo in call.world.repos.values()}
    return Reply(200, [_installation(call, owner) for owner in sorted(owners)])


@route("POST", "/app/installations/{installation}/access_tokens")
def make_token(call: Call) -> Reply:
    """A token for an hour."""
    owners = {str(call.world.users[repo.owner].id) for repo in call.world.repos.values()}
    if call.parts["installation"] not in owners:
        raise Refuse(404, "Not Found")
    login = f"{call.token.app}[bot]"
    permissions = call.world.app_permissions.get(call.token.app, {})
    value = call.world.token(login, app=call.token.app, prefix="ghs_", **permissions)
    made = call.world.tokens[value]
    made.expires = call.world.now + timedelta(hours=1)
    told = {"permissions": permissions} if permissions else {}
    return Reply(201, {"token": value, "expires_at": when(made.expires), **told})


def _installation(call: Call, owner: str) -> dict[str, Any]:
    return description().blank("installation") | {
        "id": call.world.users[owner].id,
        # GitHub's description wants a user and an enterprise in one here.
        "account": description().blank("enterprise") | call.shapes.user(owner),
        "app_slug": call.token.app,
        "repository_selection": "all",
        "created_at": when(call.world.now),
        "updated_at": when(call.world.now),
    }
