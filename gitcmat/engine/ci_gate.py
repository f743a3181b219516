"""The gate before work in CI: whether the event that started a workflow may start anything."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gitcmat.engine.hub import Hub
from gitcmat.errors import InvalidData, UserError
from gitcmat.forge import Forge, NotVisible
from gitcmat.model.ci import CiSettings
from gitcmat.model.ci_event import (
    HOSTED,
    WHOSE,
    Event,
    Facts,
    Passage,
    Refusal,
    Rules,
    check_runner,
    decide,
    read_event,
)
from gitcmat.model.ci_payload import MOST_BYTES
from gitcmat.model.forge import Comment, PullRequest
from gitcmat.store.fetching import fetch
from gitcmat.store.git import Git
from gitcmat.store.pushing import remote_tip
from gitcmat.system.files import read_regular


def rules(settings: CiSettings) -> Rules:
    """Return what the workflow says about events."""
    return Rules(
        label=settings.label,
        bots=frozenset(settings.bots),
        self_hosted=settings.allow_self_hosted,
    )


def gate(
    env: Mapping[str, str], settings: CiSettings, opened: Callable[[], tuple[Git, Hub]]
) -> Passage:
    """Look at the event in `env` and let it pass.

    `opened` gives a repository of ours and its forge. It is not called, and nothing is asked, for
    what is refused anyway.

    Raises:
        Refusal: it may start nothing, or what has to be known is not to be had.
    """
    event = read_event(env, _file(env))
    try:
        return decide(event, _facts(event, *opened()), rules(settings))
    except Refusal:
        raise
    except UserError as error:
        raise Refusal(
            f"Whether this event may start work cannot be told: {error.message}", hint=error.hint
        ) from error


def machine(env: Mapping[str, str], settings: CiSettings, open_hub: Callable[[], Hub]) -> None:
    """Refuse a machine that must not be used. The forge is asked about those of one's own alone.

    Raises:
        Refusal: it must not be used, or the forge does not say what the repository is.
    """
    if env.get(WHOSE) == HOSTED:
        return
    said = rules(settings)
    check_runner(hosted=False, private=True, rules=said)
    try:
        private = open_hub().forge.repository().private
    except UserError as error:
        raise Refusal(
            f"Whether this machine may be used cannot be told: {error.message}", hint=error.hint
        ) from error
    check_runner(hosted=False, private=private, rules=said)


def _file(env: Mapping[str, str]) -> bytes:
    path = env.get("GITHUB_EVENT_PATH", "")
    try:
        return read_regular(Path(path), MOST_BYTES)
    except (OSError, InvalidData) as error:
        raise Refusal(
            f"The file of this event cannot be read: {path or 'GITHUB_EVENT_PATH is not set'}.",
            hint="this is for the jobs of a workflow; see docs/ci.md",
        ) from error


def _facts(event: Event, git: Git, hub: Hub) -> Facts:
    forge = hub.forge
    repository = forge.repository()
    return Facts(
        repository=repository,
        on_branch=_on_branch(event, git, hub, f"refs/heads/{repository.default_branch}"),
        permissions={login: forge.permission(login) for login in event.people},
        pull=_pull(forge, event),
        comment=_comment(forge, event),
        me=forge.whoami().login if event.on_pull else "",
    )


def _on_branch(event: Event, git: Git, hub: Hub, branch: str) -> bool:
    upstream = hub.upstream()
    tip = remote_tip(git, upstream, branch)
    if tip is None or tip == event.sha:
        return tip is not None
    fetched = fetch(git, upstream, branch)
    return fetched is not None and git.ok("merge-base", "--is-ancestor", event.sha, fetched)


def _pull(forge: Forge, event: Event) -> PullRequest | None:
    if not event.on_pull or event.number is None:
        return None
    try:
        return forge.pulls.get(event.number)
    except NotVisible:
        return None


def _comment(forge: Forge, event: Event) -> Comment | None:
    said = event.payload.comment
    if said is None or event.number is None:
        return None
    found = forge.comments.list(event.number, since=said.created)
    return next((comment for comment in found if comment.id == said.id), None)
