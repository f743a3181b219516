"""The plan of a commit, and the memory of which plans the person at this machine has allowed."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gitcmat import __version__
from gitcmat.errors import InvalidData, NotTrusted
from gitcmat.model.agent_config import configuring, is_below
from gitcmat.model.intent import Intent
from gitcmat.model.trust import Plan, named_paths, plan_of
from gitcmat.store import memory
from gitcmat.store.git import Git, Repository
from gitcmat.system.files import read_regular, write_atomic

_LIMIT: Final = 16 << 20
_SCHEMA: Final = 1
_KEPT: Final = 20
"""How many plans stay trusted: those of a few branches that a person switches between."""


def read_plan(git: Git, intent: Intent) -> Plan:
    """Return the plan of an intent, with the files it names as they are at its commit, and those
    from which its agents' programs take settings.
    """
    named = _named_files(git, intent.commit, named_paths(intent.config, intent.agents))
    places = configuring(agent.profile for agent in intent.agents.values())
    named |= {path: blob for path, blob in intent.guests.items() if is_below(path, places)}
    return plan_of(intent.config, intent.agents, files=intent.files, named=named)


def _named_files(git: Git, commit: str, paths: tuple[str, ...]) -> dict[str, str]:
    """Those of `paths` that are files of `commit`, with their blobs; symlinks are followed."""
    if not paths:
        return {}
    fed = b"".join(f"{commit}:{path}\n".encode("utf-8", "surrogateescape") for path in paths)
    format_ = "--batch-check=%(objectname) %(objecttype)"
    done = git.run("cat-file", format_, "--follow-symlinks", input=fed)
    lines = iter(done.out.split(b"\n"))
    found: dict[str, str] = {}
    for path in paths:
        line = next(lines)
        word, _, rest = line.decode("utf-8", "surrogateescape").partition(" ")
        if word in ("symlink", "dangling", "loop", "notdir"):
            # These come in two lines, the second with the target or the name: a link out of the
            # repository is part of the plan.
            target = next(lines)
            if word == "symlink":
                found[path] = f"link to {target.decode('utf-8', 'surrogateescape')}"
        elif rest == "blob":
            found[path] = word
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A plan that was allowed, when, and by which version of gitcmat."""

    plan: Plan
    at: datetime
    version: str


class TrustMemory:
    """The plans that were allowed for one repository: a file outside of it.

    What cannot be read trusts nothing; `problem` then says what is wrong with it.
    """

    def __init__(self, repo: Repository) -> None:
        self.path = memory.place(repo).with_suffix(".json")
        self._repo = repo

    def trusted(self, plan: Plan) -> bool:
        """Whether exactly this plan was allowed. One that starts nothing needs no permission."""
        return plan.starts_nothing or any(one.plan == plan for one in self.all())

    def require(self, plan: Plan) -> None:
        """Raise `NotTrusted` unless the plan was allowed."""
        if not self.trusted(plan):
            why = self.problem or (
                "What gitcmat may start here has changed since you allowed it."
                if self.last()
                else "Nobody has allowed gitcmat to start anything for this repository yet."
            )
            raise NotTrusted(why, hint="gitcmat trust")

    def last(self) -> Trusted | None:
        """Return what was allowed last."""
        return next(reversed(self.all()), None)

    def all(self) -> tuple[Trusted, ...]:
        """Return all that is allowed, the latest last; nothing when the file is damaged."""
        try:
            return self._load()
        except InvalidData:
            return ()

    @property
    def problem(self) -> str | None:
        """What is wrong with the file, None when it is fine or not there."""
        try:
            self._load()
        except InvalidData as error:
            return error.message
        return None

    def remember(self, plan: Plan, at: datetime) -> None:
        """Allow a plan. The latest come last; a damaged file is replaced."""
        kept = [one for one in self.all() if one.plan != plan][-_KEPT + 1 :]
        kept.append(Trusted(plan=plan, at=at, version=__version__))
        data = {
            "schema": _SCHEMA,
            "repository": str(self._repo.common_dir),
            "plans": [
                {
                    "digest": one.plan.digest,
                    "at": one.at.isoformat(),
                    "version": one.version,
                    "plan": one.plan.text,
                }
                for one in kept
            ],
        }
        memory.ready(self.path)
        text = json.dumps(data, indent=1).encode() + b"\n"
        write_atomic(self.path, text, mode=0o600, durable=True)

    def forget(self) -> None:
        """Allow nothing any more."""
        self.path.unlink(missing_ok=True)

    def _load(self) -> tuple[Trusted, ...]:
        """Raises `InvalidData` for a file that is not exactly what `remember` writes."""
        try:
            memory.check_owner(self.path)
            data: Any = json.loads(read_regular(self.path, _LIMIT))
            if data["schema"] > _SCHEMA:
                raise InvalidData(
                    f"{self.path} was written by a newer gitcmat.", hint="upgrade gitcmat"
                )
            return tuple(_trusted(one) for one in data["plans"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidData(
                f"{self.path} is damaged, so nothing is trusted.", hint="gitcmat trust"
            ) from error


def _trusted(data: Any) -> Trusted:
    plan = Plan(str(data["plan"]))
    if plan.digest != data["digest"] or not isinstance(plan.data, dict):
        raise ValueError(data["digest"])
    return Trusted(plan=plan, at=datetime.fromisoformat(data["at"]), version=str(data["version"]))
