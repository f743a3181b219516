"""Which events of a forge's workflows may start work.

Pure, and it fails closed: whatever is not known to be harmless is a `Refusal`. Text of an event is
a stranger's; none of it gets into a message but as `repr`, on one line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gitcmat.errors import InvalidData, NotTrusted
from gitcmat.model.ci_payload import Account, Payload, read_payload
from gitcmat.model.forge import GHOST, Comment, Permission, PullRequest, Repository
from gitcmat.model.names import Sha, TaskId, task_id

_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SLUG: Final = re.compile(r"[A-Za-z0-9_-]{1,100}/[A-Za-z0-9._-]{1,100}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_COMMAND: Final = "/cmat"
_BOT: Final = "[bot]"
_DOCS: Final = "see docs/ci.md"

WHOSE: Final = "RUNNER_ENVIRONMENT"
HOSTED: Final = "github-hosted"
"""What says that a machine belongs to the forge, and is made anew for each job."""

_NEVER: Final = {
    "pull_request": "it brings what nobody has reviewed; only the mode validate is for it",
    "pull_request_target": "anybody can cause it, and it runs with the rights of the repository",
    "workflow_run": "it runs with more rights than what it follows",
    "repository_dispatch": "its text has no author whose rights could be looked up",
}


class Refusal(NotTrusted):
    """This event starts nothing; the message says why."""


class Kind(StrEnum):
    """Events that may start work."""

    DISPATCH = "workflow_dispatch"
    SCHEDULE = "schedule"
    PUSH = "push"
    ISSUES = "issues"
    COMMENT = "issue_comment"


_ACTIONS: Final = {Kind.ISSUES: "labeled", Kind.COMMENT: "created"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the workflow says about its events, on the branch that people have reviewed."""

    label: str = ""
    """The label that asks for work; empty for none."""
    bots: frozenset[str] = frozenset()
    """Programs whose events count, by their whole logins: ``renovate[bot]``."""
    self_hosted: bool = False
    """Whether machines of one's own may be used, in a private repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, as the forge's runner tells it."""

    kind: Kind
    repository: str
    sha: Sha
    ref: str
    actor: str
    hosted: bool
    """Whether the machine belongs to the forge; what does not say so does not."""
    payload: Payload
    task: TaskId | None = None
    """The only task that it is about, if it names one."""

    @property
    def number(self) -> int | None:
        """The issue or pull request that it is about."""
        return self.payload.issue.number if self.payload.issue else None

    @property
    def on_pull(self) -> bool:
        """Whether that is a pull request."""
        return self.payload.issue is not None and self.payload.issue.pull

    @property
    def people(self) -> tuple[str, ...]:
        """Whose permission is to be looked up, each once."""
        logins = [self.payload.sender.login if self.payload.sender else self.actor]
        if self.payload.comment:
            logins.append(self.payload.comment.author.login)
        if self.payload.issue:
            logins.append(self.payload.issue.author.login)
        return tuple(dict.fromkeys(logins))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the forge and git say now."""

    repository: Repository
    on_branch: bool
    """Whether the event's commit is on the default branch as it is now."""
    permissions: Mapping[str, Permission] = field(default_factory=dict)
    pull: PullRequest | None = None
    """The pull request that was commented on."""
    comment: Comment | None = None
    """The comment as it is now; None when it is gone."""
    me: str = ""
    """Whom the forge takes us for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """An event that may start work."""

    sha: Sha
    """The only commit that anything may be taken from, whatever moves later."""
    task: TaskId | None
    why: str
    """Who caused it, and how, in words."""


def read_event(env: Mapping[str, str], payload: bytes) -> Event:
    """Read what the runner put into the environment and the event's file.

    Raises:
        Refusal: an event that never starts work, or one that is not what it must be.
    """
    kind = _kind(env.get("GITHUB_EVENT_NAME", ""))
    try:
        event = Event(
            kind=kind,
            repository=_matching(env, "GITHUB_REPOSITORY", _SLUG),
            sha=Sha(_matching(env, "GITHUB_SHA", _SHA)),
            ref=env.get("GITHUB_REF", ""),
            actor=_actor(env),
            hosted=env.get(WHOSE) == HOSTED,
            payload=read_payload(payload),
            task=task_id(env["CMAT_TASK"]) if env.get("CMAT_TASK") else None,
        )
    except InvalidData as error:
        raise Refusal(f"This event is not as it must be: {error.message}", hint=_DOCS) from error
    _check_shape(event)
    return event


def decide(event: Event, facts: Facts, rules: Rules) -> Passage:
    """Let an event pass.

    Raises:
        Refusal: it may start nothing.
    """
    check_runner(hosted=event.hosted, private=facts.repository.private, rules=rules)
    _check_place(event, facts)
    sender = event.payload.sender or Account(login=event.actor, bot=False)
    _check_person(sender, facts, rules, what="caused this event")
    match event.kind:
        case Kind.ISSUES:
            _check_label(event, rules)
            _check_author(event, facts, rules)
        case Kind.COMMENT:
            _check_comment(event, facts, rules)
            _check_author(event, facts, rules)
        case Kind.DISPATCH | Kind.SCHEDULE | Kind.PUSH:
            pass
    about = f" on #{event.number}" if event.number else ""
    return Passage(sha=event.sha, task=event.task, why=f"{event.kind}{about} by {event.actor}")


def check_runner(*, hosted: bool, private: bool, rules: Rules) -> None:
    """Refuse a machine that a stranger's code could stay on.

    Raises:
        Refusal: it is one of somebody's own, and the repository is public, or nobody allowed it.
    """
    if hosted:
        return
    if not private:
        raise Refusal(
            "This runner is self-hosted, and the repository is public: strangers' code would stay.",
            hint="use a hosted runner, such as ubuntu-24.04",
        )
    if not rules.self_hosted:
        raise Refusal(
            "This runner is self-hosted, and the workflow does not allow that.",
            hint='allow-self-hosted: "true", in private repositories alone',
        )


def _kind(name: str) -> Kind:
    if name in _NEVER:
        raise Refusal(f"{name} starts no work: {_NEVER[name]}.", hint=_DOCS)
    if name not in Kind.__members__.values():
        raise Refusal(
            f"The event {name[:64]!r} starts no work.", hint=f"on: {', '.join(Kind)}; {_DOCS}"
        )
    return Kind(name)


def _actor(env: Mapping[str, str]) -> str:
    actor, triggering = env.get("GITHUB_ACTOR", ""), env.get("GITHUB_TRIGGERING_ACTOR", "")
    attempt = _matching(env, "GITHUB_RUN_ATTEMPT", _NUMBER)
    if not actor or not triggering:
        raise Refusal("Nobody is named who caused this event.", hint=_DOCS)
    if actor.lower() != triggering.lower():
        how = "ran again by" if attempt != "1" else "started by"
        raise Refusal(
            f"An event of {actor!r} is {how} {triggering!r}.",
            hint="start it anew instead: Run workflow",
        )
    return actor


def _matching(env: Mapping[str, str], name: str, pattern: re.Pattern[str]) -> str:
    value = env.get(name, "")
    if not pattern.fullmatch(value):
        raise InvalidData(f"{name} is {value[:64]!r}.")
    return value


def _check_shape(event: Event) -> None:
    said, action = event.payload, _ACTIONS.get(event.kind, "")
    if action and said.action != action:
        raise Refusal(
            f"{event.kind} {said.action[:32]!r} starts no work.", hint=f"types: [{action}]"
        )
    if event.kind is not Kind.SCHEDULE and said.sender is None:
        raise Refusal("The account that caused this event is gone.", hint=_DOCS)
    if event.kind is not Kind.SCHEDULE and not said.repository:
        raise Refusal("This event names no repository.", hint=_DOCS)
    if said.sender and said.sender.login.lower() != event.actor.lower():
        raise Refusal(f"The event is of {said.sender.login!r}, not of {event.actor!r}.", hint=_DOCS)
    if action and said.issue is None:
        raise Refusal("This event names no issue.", hint=_DOCS)
    if event.kind is Kind.COMMENT and said.comment is None:
        raise Refusal("This event names no comment.", hint=_DOCS)
    if event.kind is Kind.PUSH and said.after != event.sha:
        raise Refusal(f"The push is of {said.after[:64]!r}, not of {event.sha}.", hint=_DOCS)


def _check_place(event: Event, facts: Facts) -> None:
    now, said = facts.repository, event.payload
    for name in (now.name, said.repository or event.repository):
        if name.lower() != event.repository.lower():
            raise Refusal(f"The event is of {event.repository}, not of {name[:128]!r}.", hint=_DOCS)
    if said.repository and said.default_branch != now.default_branch:
        raise Refusal(
            f"The default branch was {said.default_branch[:128]!r} when this happened, and is "
            f"{now.default_branch!r} now.",
            hint="start it anew: Run workflow",
        )
    if event.ref != f"refs/heads/{now.default_branch}":
        raise Refusal(
            f"The event is about {event.ref[:128]!r}, not about the default branch.",
            hint=f"branches: [{now.default_branch}]",
        )
    if not facts.on_branch:
        raise Refusal(f"{event.sha} is not on {now.default_branch!r}.", hint=_DOCS)


def _check_person(who: Account, facts: Facts, rules: Rules, *, what: str) -> None:
    if who.login == GHOST:
        raise Refusal(f"The account that {what} is gone.", hint=_DOCS)
    if who.login in rules.bots:
        return
    if who.bot or who.login.endswith(_BOT):
        raise Refusal(
            f"{who.login!r}, which {what}, is a program.", hint="bots: names those that count"
        )
    permission = facts.permissions.get(who.login, Permission.NONE)
    if not permission.may_write:
        raise Refusal(
            f"{who.login!r}, who {what}, may not write here ({permission}).",
            hint="ask somebody who may",
        )


def _check_label(event: Event, rules: Rules) -> None:
    if not rules.label or event.payload.label != rules.label:
        raise Refusal(
            f"The label {event.payload.label[:64]!r} asks for no work.",
            hint=f"it is {rules.label!r}",
        )


def _check_comment(event: Event, facts: Facts, rules: Rules) -> None:
    said, now = event.payload.comment, facts.comment
    if said is None or now is None:
        raise Refusal("The comment is gone.", hint=_DOCS)
    if not f"{said.body.partition(chr(10))[0].strip()} ".startswith(f"{_COMMAND} "):
        raise Refusal("The comment is no command.", hint=f"its first line begins with {_COMMAND}")
    if said.updated != said.created or now.updated != now.created or now.body != said.body:
        raise Refusal("The comment was edited.", hint="make a new one")
    _check_person(said.author, facts, rules, what="wrote the comment")
    if not event.on_pull:
        return
    if facts.pull is None:
        raise Refusal(f"There is no pull request #{event.number}.", hint=_DOCS)
    if facts.pull.head_repo.lower() != event.repository.lower():
        raise Refusal(
            f"#{event.number} comes from {facts.pull.head_repo or 'a repository that is gone'!r}, "
            "not from here.",
            hint="commands count on pull requests of the repository itself",
        )


def _check_author(event: Event, facts: Facts, rules: Rules) -> None:
    """Refuse what stands below a stranger's words; a pull request of our own is none."""
    if event.payload.issue is None:
        return
    author = event.payload.issue.author
    if event.on_pull and author.login == facts.me:
        return
    _check_person(author, facts, rules, what=f"wrote #{event.number}")
