"""What all jobs of a workflow are told, by options or by variables of the same names."""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from gitcmat.errors import Usage
from gitcmat.model.ci import BOT, MOST, CiSettings, Offer, full_sha
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.names import task_id
from gitcmat.model.sandbox import SandboxMode
from gitcmat.system.environment import is_forbidden

if TYPE_CHECKING:
    from gitcmat.cli.state import State
    from gitcmat.engine.ci_node import Nodes

F = TypeVar("F", bound=Callable[..., object])


def option(name: str, *alias: str, **more: Any) -> Callable[[F], F]:
    """An option that is a variable, too: ``--trust-digest`` is CMAT_TRUST_DIGEST."""
    variable = "CMAT_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *alias, envvar=variable, show_envvar=True, **more)


_COMMON: Final = (
    option("--node", default="ci", show_default=True, help="Whose facts the jobs share."),
    option("--remote", default="origin", show_default=True, help="Name of the remote."),
    option("--branch", default="", help="Where tasks come from; default: the remote's HEAD."),
    option(
        "--most",
        type=click.IntRange(1, MOST),
        default=4,
        show_default=True,
        help="How many tasks at once.",
    ),
    option(
        "--author", default=BOT, show_default=True, help="Whose name commits carry: Name <mail>."
    ),
    option("--label", default="", help="Label of issues that become tasks; default: none do."),
    option("--bots", default="", help="Programs whose word counts, by their whole logins."),
    option(
        "--allow-self-hosted", type=bool, default=False, help="Let this be a machine of your own."
    ),
    option("--work", type=click.Path(path_type=Path), help="Where to work; default: RUNNER_TEMP."),
)
_OFFER: Final = (
    option("--task", required=True, help="The task."),
    option("--sha", required=True, help="The commit that it begins from."),
    option("--state", "at", default="", help="The commit of the facts; empty for none."),
    option("--lease", default="", help="Its claim; empty for none."),
)
LEASES: Final = option(
    "--leases", type=bool, default=False, help="Claim what is offered: the token may write."
)
LEASE_FOR: Final = option(
    "--lease-for", default="2h", show_default=True, help="How long a claim holds."
)
ONLY: Final = option("--task", "only", default="", help="The only task to offer.")
DAY_BUDGET: Final = option(
    "--day-budget", type=float, default=0.0, help="US dollars that the runs of a day may cost."
)
TRUST: Final = option("--trust-digest", default="", help="The plan that may be started.")
PULL: Final = option(
    "--pull",
    type=click.Choice([mode.value for mode in PullMode]),
    default=PullMode.DRAFT.value,
    show_default=True,
    help="What becomes of work at review.",
)
GITHUB: Final = option(
    "--allow-github", type=bool, default=False, help="Let results change files below .github/."
)
SANDBOX: Final = option(
    "--sandbox",
    type=click.Choice([mode.value for mode in SandboxMode]),
    default=SandboxMode.AUTO.value,
    show_default=True,
    help="What agents are kept in.",
)
KEYS: Final = option("--agent-keys", default="", help="Names of variables that agents may have.")
OUT: Final = option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for what came of it."
)
IN: Final = option(
    "--in", "folder", required=True, type=click.Path(path_type=Path), help="Folder with that."
)
TRANSCRIPT: Final = option(
    "--transcript",
    type=click.Choice(["auto", "true", "false"]),
    default="auto",
    show_default=True,
    help="Print what agents print; auto: where strangers cannot read it.",
)


def job(*more: Callable[[Any], Any]) -> Callable[[F], F]:
    """Give a command the options of all jobs, and `more`; those that make settings come as
    `settings`.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapped(*args: Any, **given: Any) -> object:
            known = {name: given.pop(name) for name in _SETTINGS if name in given}
            return function(*args, settings=_settings(known), **given)

        made: Any = wrapped
        for one in reversed((*_COMMON, *more)):
            made = one(made)
        return cast("F", made)

    return decorate


def offered(function: F) -> F:
    """Give a command the options of one job of a matrix, as `offer`."""

    @functools.wraps(function)
    def wrapped(*args: Any, task: str, sha: str, at: str, lease: str, **given: Any) -> object:
        offer = Offer(
            task=task_id(task),
            sha=full_sha("CMAT_SHA", sha),
            state=full_sha("CMAT_STATE", at) if at else "",
            lease=full_sha("CMAT_LEASE", lease) if lease else "",
        )
        return function(*args, offer=offer, **given)

    made: Any = wrapped
    for one in reversed(_OFFER):
        made = one(made)
    return cast("F", made)


def opened(state: "State", settings: CiSettings, work: Path | None) -> "Nodes":
    """Open the nodes of a job."""
    import tempfile

    from gitcmat.app import open_nodes

    parent = work or Path(os.environ.get("RUNNER_TEMP") or tempfile.gettempdir())
    return open_nodes(state.start, settings, parent)


_SETTINGS: Final[tuple[str, ...]] = (
    *(
        "node",
        "remote",
        "branch",
        "most",
        "only",
        "author",
        "label",
        "bots",
        "leases",
        "lease_for",
        "trust_digest",
    ),
    *("sandbox", "pull", "agent_keys", "allow_github", "allow_self_hosted", "day_budget"),
)


def _settings(known: dict[str, Any]) -> CiSettings:
    if "sandbox" in known:
        known["sandbox"] = SandboxMode(known["sandbox"])
    if "pull" in known:
        known["pull"] = PullMode(known["pull"])
    known["bots"] = tuple(re.findall(r"[^\s,]+", known["bots"]))
    if "agent_keys" in known:
        known["agent_keys"] = tuple(re.findall(r"[^\s,]+", known["agent_keys"]))
        for name in known["agent_keys"]:
            if is_forbidden(name) or name.upper().startswith(("GITHUB_", "ACTIONS_", "RUNNER_")):
                raise Usage(
                    f"agent-keys: {name} is for the workflow, and for no agent.",
                    hint="name the variable of the model's key",
                )
    try:
        return CiSettings(**known)
    except ValueError as error:
        raise Usage(f"{error}.", hint="gitcmat ci --help") from None
