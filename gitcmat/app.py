"""Joins the real parts; the only place that does."""

import functools
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitcmat.adapters.forges.logins import AppKey
    from gitcmat.engine.ci_node import Nodes
    from gitcmat.engine.deps import Deps
    from gitcmat.engine.hub import Door, Hub
    from gitcmat.engine.reconcile import Reconciler, Report
    from gitcmat.errors import UserError
    from gitcmat.model.access import Credential
    from gitcmat.model.ci import CiSettings
    from gitcmat.model.forge_settings import AppSettings
    from gitcmat.model.remote import Remote
    from gitcmat.model.secret import Secret
    from gitcmat.store.pushing import Upstream


class App:
    """One repository, opened: what commands work with."""

    def __init__(self, deps: "Deps") -> None:
        self.deps = deps

    @functools.cached_property
    def reconciler(self) -> "Reconciler":
        """The loop's one step, for this repository."""
        from gitcmat.engine.reconcile import Reconciler

        return Reconciler(self.deps)

    @functools.cached_property
    def hub(self) -> "Hub":
        """The forge of the person's remote, opened when it is first asked for.

        Raises:
            NotFound: there is no such remote, it is on no forge, or nothing signs us in there.
        """
        return open_hub(self.deps)

    def wake(self) -> None:
        """Ask a daemon, if there is one, to look now: for what no watched folder shows."""
        from gitcmat.engine.hints import wake

        wake(self.deps.repo)

    def settle(
        self,
        on_line: Callable[[str], None] | None = None,
        *,
        approved: Collection[str] = (),
    ) -> "Report":
        """Take in what happened since, as every command that writes does first; start nothing.

        `approved` are tasks that the person's command has just let run.
        """
        from gitcmat.engine.landing_record import repair

        if (said := repair(self.deps)) and on_line is not None:
            on_line(said)
        report = self.reconciler(start=False, on_line=on_line, approved=approved)
        self.deps.store.tidy_if_needed()
        return report


def open_app(start: Path) -> App:
    """Open the repository that `start` lies in.

    Raises:
        NotFound: it lies in none.
        InvalidData: the person's own settings are wrong.
    """
    from gitcmat.engine.deps import Deps
    from gitcmat.errors import NotFound
    from gitcmat.store.git import Git, discover
    from gitcmat.system.clock import SystemClock

    if not start.is_dir():
        raise NotFound(f"There is no folder {start}.", hint="name another one")
    try:
        Path.cwd()
    except FileNotFoundError:
        raise NotFound("The folder that you are in is gone.", hint="cd to another one") from None
    repo = discover(start)
    return App(Deps(repo, Git(repo.common_dir), SystemClock()))


def find_door(deps: "Deps") -> "Door":
    """Look where the person's remote is, and what signs them in there; ask no forge.

    Raises `NotFound` when there is no such remote, or it is on no forge.
    """
    import os

    from gitcmat.adapters.forges.credentials import Look, Seeker, api_address, looks
    from gitcmat.adapters.forges.logins import AppKey
    from gitcmat.engine.boxes import forbidden
    from gitcmat.engine.hub import Door
    from gitcmat.errors import NotFound
    from gitcmat.model.access import Credential, Place, TokenKind, kind_of
    from gitcmat.model.remote import api_of, parse_remote

    own = deps.settings.forge
    address = deps.git.maybe("remote", "get-url", own.remote)
    remote = parse_remote(address) if address else None
    if address is None or remote is None:
        why = "is on no forge that gitcmat knows" if address else "does not exist"
        raise NotFound(
            f"The remote {own.remote!r} {why}.",
            hint="git remote add, or forge: {remote: NAME} in your own settings",
        )
    seeker = Seeker(
        env=os.environ,
        cwd=deps.repo.root,
        app=_app_key(own.app) if own.app else None,
        hosts=own.hosts,
        forbidden=forbidden(deps),
    )
    looked: list[Look] = []
    for look in looks(remote, seeker):
        looked.append(look)
        if look.found is not None:
            break
    found = looked[-1].found
    api = own.api or api_address(remote, os.environ)
    credential = Credential(
        place=looked[-1].place if found is not None else "",
        kind=TokenKind.INSTALLATION if isinstance(found, AppKey) else kind_of(found),
        looked=tuple(Place(name=look.place, why=look.why) for look in looked),
    )
    return Door(
        name=own.remote,
        remote=remote,
        api=api or api_of(remote.host),
        credential=credential,
        open=lambda: _opened(deps, address, remote, api, found, credential),
        upstream=lambda: _upstream(deps, address, remote, api, found),
    )


def open_hub(deps: "Deps") -> "Hub":
    """Open the forge that the person's remote is on; see `App.hub`."""
    return find_door(deps).open()


def _opened(
    deps: "Deps",
    address: str,
    remote: "Remote",
    api: str,
    found: "Secret | AppKey | None",
    credential: "Credential",
) -> "Hub":
    from gitcmat.adapters.forges import open_github, sign_in
    from gitcmat.engine.hub import Hub
    from gitcmat.errors import NotFound
    from gitcmat.model.remote import how_to_sign_in, push_url
    from gitcmat.store.pushing import signed_in

    if found is None:
        raise NotFound(
            f"There is nothing to sign in to {remote.host} with.",
            hint=f"{how_to_sign_in(remote.host)}; gitcmat auth status says where gitcmat looked",
        )
    login = sign_in(remote, found, clock=deps.clock, api=api)
    return Hub(
        remote=remote,
        forge=open_github(remote, login, clock=deps.clock, api=api),
        upstream=lambda: signed_in(push_url(address, remote), login.token()),
        credential=credential,
    )


def open_upstream(deps: "Deps") -> "Upstream":
    """Say how git reaches the remote: signed in where something signs us in, else as anybody. A
    remote that is on no forge is reached as git reaches it.

    Raises `NotFound` when there is no such remote.
    """
    from gitcmat.errors import NotFound
    from gitcmat.model.remote import parse_remote
    from gitcmat.store.pushing import Upstream

    name = deps.settings.forge.remote
    address = deps.git.maybe("remote", "get-url", name)
    if address is None:
        raise NotFound(f"The remote {name!r} does not exist.", hint="git remote add")
    if parse_remote(address) is None:
        return Upstream(address)
    return find_door(deps).upstream()


def _upstream(
    deps: "Deps", address: str, remote: "Remote", api: str, found: "Secret | AppKey | None"
) -> "Upstream":
    from gitcmat.adapters.forges import sign_in
    from gitcmat.model.remote import push_url
    from gitcmat.store.pushing import Upstream, signed_in

    url = push_url(address, remote)
    if found is None:
        return Upstream(url)
    return signed_in(url, sign_in(remote, found, clock=deps.clock, api=api).token())


def _app_key(own: "AppSettings") -> "AppKey":
    from gitcmat.adapters.forges.logins import AppKey

    key_file = Path(own.key).expanduser()
    return AppKey(app=own.id, key_file=key_file, installation=own.installation)


def open_nodes(start: Path, settings: "CiSettings", parent: Path) -> "Nodes":
    """Open what a job of a workflow works on: nodes of its own, in a folder below `parent`, from
    what the repository around `start` says about its remote.

    Raises `NotFound` outside of a repository.
    """
    import tempfile

    from gitcmat.engine.ci_node import Nodes, Place
    from gitcmat.store.git import discover
    from gitcmat.system.clock import SystemClock

    checkout = discover(start)
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="gitcmat-", dir=parent)).resolve()
    place = Place(folder=folder, checkout=checkout, clock=SystemClock(), sign_in=open_upstream)
    return Nodes(place, settings)


def run_launch() -> int:
    """Wait for runs to do, and do each in a child: see `gitcmat.engine.forks`."""
    from gitcmat.adapters.agents import AGENTS, make_agent
    from gitcmat.engine import forks
    from gitcmat.errors import UserError

    for kind in AGENTS:
        make_agent(kind)
    try:
        folder = forks.serve()
    except UserError as error:
        return _refused(error)
    if folder is not None:
        forks.end(run_exec(str(folder)))
    return 0


def run_exec(folder: str) -> int:
    """Do one attempt: the whole life of a runner process. Imports nothing that it does not need."""
    from gitcmat.adapters.agents import make_agent
    from gitcmat.engine.runner import execute
    from gitcmat.errors import UserError

    try:
        return execute(Path(folder), make_agent)
    except UserError as error:
        return _refused(error)


def _refused(error: "UserError") -> int:
    hint = f"\nhint: {error.hint}" if error.hint else ""
    sys.stderr.write(f"error: {error.message}{hint}\n")
    return error.exit_code
