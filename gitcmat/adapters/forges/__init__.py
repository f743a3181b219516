"""Forges that gitcmat can work with, behind the port in `gitcmat.forge`; imported on use."""

from gitcmat.adapters.forges.logins import AppKey, TokenLogin
from gitcmat.forge import Forge, Login
from gitcmat.model.remote import Remote
from gitcmat.model.secret import Secret
from gitcmat.ports import Clock


def sign_in(remote: Remote, credential: Secret | AppKey, *, clock: Clock, api: str = "") -> Login:
    """Return what gives the tokens for a repository: those that an App makes, or this one.

    `api` is the address of the API where the host does not say it.
    """
    if isinstance(credential, Secret):
        return TokenLogin(credential)
    from gitcmat.adapters.forges.github import AppLogin, GitHubConnection

    return AppLogin(
        credential, lambda login: GitHubConnection(remote, login, clock=clock, api=api), clock
    )


def open_github(
    remote: Remote, login: Login, *, clock: Clock, api: str = "", patience: float = 60.0
) -> Forge:
    """Return the repository on GitHub; nothing is asked yet. `patience` is for how many seconds
    one call may wait in all, for limits to pass and for trouble to end.
    """
    from gitcmat.adapters.forges.github import GitHubConnection
    from gitcmat.adapters.forges.github_forge import GitHubForge

    return GitHubForge(GitHubConnection(remote, login, clock=clock, api=api, patience=patience))
