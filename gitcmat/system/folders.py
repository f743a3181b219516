"""Where this person's own files lie, by the XDG base directory specification."""

import os
from pathlib import Path

_APP = "gitcmat"


def config() -> Path:
    """The folder of the person's settings."""
    return _folder("XDG_CONFIG_HOME", ".config")


def state() -> Path:
    """The folder of what gitcmat remembers about the person's decisions."""
    return _folder("XDG_STATE_HOME", ".local/state")


def cache() -> Path:
    """The folder of what can be made again: workspaces."""
    return _folder("XDG_CACHE_HOME", ".cache")


def tilde(path: Path) -> str:
    """A path for people: ``~`` for the home folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)


def _folder(variable: str, default: str) -> Path:
    # The specification: a relative path is to be ignored.
    named = Path(os.environ.get(variable, ""))
    return (named if named.is_absolute() else Path.home() / default) / _APP
