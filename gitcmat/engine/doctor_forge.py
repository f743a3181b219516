"""Examines what pull requests need on this machine, if the person wants any; asks no forge."""

from collections.abc import Iterator
from pathlib import Path

from gitcmat.engine.doctor_case import Case, Patient, case
from gitcmat.model.forge_settings import AppSettings, PullMode
from gitcmat.model.health import Severity
from gitcmat.model.remote import is_cloud, parse_remote
from gitcmat.model.state import OPEN


def examine(patient: Patient) -> Iterator[Case]:
    """Say where pull requests go, or why they cannot."""
    own = patient.deps.settings.forge
    known = any(entry.pull is not None for entry in patient.facts.entries(*OPEN))
    if own.pull is PullMode.OFF and not known:
        return
    address = patient.deps.git.maybe("remote", "get-url", own.remote)
    remote = parse_remote(address) if address else None
    if remote is None:
        why = "is on no forge that gitcmat knows" if address else "does not exist"
        yield case(
            "forge",
            Severity.SERIOUS,
            f"Pull requests have no place to go: the remote {own.remote!r} {why}",
            how="git remote add, or forge: {remote: NAME} in your own settings",
        )
        return
    if own.app is not None:
        yield from _app(own.app)
    named = remote.host in own.hosts
    if not is_cloud(remote.host) and not named:
        yield case(
            "forge",
            Severity.MINOR,
            f"{remote.host} may be GitHub Enterprise, and your settings do not say so: it is given "
            "no token of your environment and no App",
            how="forge: {hosts: [" + remote.host + "]} in your own settings, if it is",
        )
        return
    yield case(
        "forge",
        Severity.INFO,
        f"Pull requests go to {remote.slug} on {remote.host}",
        how="gitcmat auth status asks it who you are",
    )


def _app(own: AppSettings) -> Iterator[Case]:
    key = Path(own.key).expanduser()
    try:
        mode = key.stat().st_mode
    except OSError as error:
        yield case(
            "forge-key",
            Severity.SERIOUS,
            f"The key of the GitHub App {own.id} cannot be read: {error.strerror}",
            where=str(key),
            how="put it there, or take forge.app out of your own settings",
        )
        return
    if mode & 0o077:
        yield case(
            "forge-key",
            Severity.SERIOUS,
            f"Others may read the key of the GitHub App {own.id}; it is not used",
            where=str(key),
            how=f"chmod 600 {key}",
        )
