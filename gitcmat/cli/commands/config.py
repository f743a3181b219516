"""`gitcmat config`: settings of the repository and your own."""

from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from gitcmat.engine.config import Setting

_origin = click.option("--show-origin", is_flag=True, help="Say where each one is set.")


@click.group()
def command() -> None:
    """Settings of the repository (.cmat/config.yaml) and your own, for this repository."""


@command.command()
@click.argument("key")
@_origin
@common
def get(state: State, *, key: str, show_origin: bool) -> None:
    """Print the setting KEY (such as defaults.attempts), or all below it."""
    from gitcmat.engine import config

    found = config.find(_repository(state), key)
    if len(found) == 1 and found[0].key == key and not show_origin:
        state.out.show(_plain(found), _shown(found[0].value))
    else:
        _show(state, found, show_origin=show_origin)


@command.command(name="list")
@_origin
@common
def list_(state: State, *, show_origin: bool) -> None:
    """List all settings as they are saved."""
    from gitcmat.engine import config

    _show(state, config.settings(_repository(state)), show_origin=show_origin)


@command.command(name="set")
@click.argument("key")
@click.argument("value")
@click.option("--everywhere", is_flag=True, help="Of your own: for all repositories.")
@common
def set_(state: State, *, key: str, value: str, everywhere: bool) -> None:
    """Set KEY to VALUE, written as in YAML, in the file where it belongs."""
    from gitcmat.engine import config

    done = config.change(_repository(state), key, value, everywhere=everywhere)
    lines = [f"{done.setting.key} = {_shown(done.setting.value)}  ({done.setting.origin})"]
    if done.tracked:
        lines.append("It counts once .cmat/config.yaml is committed.")
    state.out.show(_plain([done.setting]), lines)


def _repository(state: State) -> Any:
    return state.app.deps.repo


def _show(state: State, found: "list[Setting]", *, show_origin: bool) -> None:
    from gitcmat.engine import config

    head = ("KEY", "VALUE", "ORIGIN") if show_origin else ("KEY", "VALUE")
    rows = [(one.key, _shown(one.value), one.origin)[: len(head)] for one in found]
    lines = state.out.table(head, rows)
    if config.is_unsaved(_repository(state)):
        lines.append(".cmat/config.yaml is saved, not committed; not used.")
    state.out.show(_plain(found), lines)


def _plain(found: "list[Setting]") -> dict[str, Any]:
    return {
        "settings": [{"key": s.key, "value": s.value, "origin": s.origin} for s in found],
    }


def _shown(value: Any) -> str:
    """A value on one line, as it could be written in YAML."""
    from gitcmat.store.yaml_scalars import inline

    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    return inline(value)
