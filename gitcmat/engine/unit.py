"""The daemon as a service of systemd: the text of a unit, for a person to install."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gitcmat.errors import Usage

_KEPT: Final = ("PATH", "LANG", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
"""What a service of systemd does not have from the person's shell, and agents and git need."""


def unit_text(program: Sequence[str], root: Path, environ: Mapping[str, str]) -> str:
    """Return a user unit that runs the daemon of the repository at `root`.

    `program` is the argv of gitcmat, its first word an absolute path.

    Raises:
        Usage: a path holds a line break, which no unit can.
    """
    argv = [*program, "-C", str(root), "watch"]
    kept = {name: environ[name] for name in _KEPT if environ.get(name)}
    if "PATH" in kept:
        absolute = [p for p in kept["PATH"].split(os.pathsep) if Path(p).is_absolute()]
        kept["PATH"] = os.pathsep.join(dict.fromkeys(absolute))
    if any("\n" in word for word in (*argv, *kept.values())):
        raise Usage("A path with a line break cannot stand in a unit of systemd.")
    lines = [
        f"# Save it as ~/.config/systemd/user/{unit_name(root)}, then:",
        f"#   systemctl --user enable --now {unit_name(root)}",
        "[Unit]",
        f"Description=gitcmat watches {_percent(str(root))}",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(_quoted(word, dollar=True) for word in argv)}",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in kept.items()),
        "# Runs outlive the daemon: only it is ended, they go on.",
        "KillMode=process",
        "Restart=on-failure",
        "RestartSec=5",
        "# Another daemon is at work, or the settings are wrong: trying again changes nothing.",
        "RestartPreventExitStatus=2 3 4 5",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return "\n".join(lines) + "\n"


def unit_name(root: Path) -> str:
    """Return a file name for the unit of the repository at `root`."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in root.name)
    return f"gitcmat-{kept or 'repository'}.service"


def _quoted(word: str, *, dollar: bool = False) -> str:
    text = _percent(word).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + (text.replace("$", "$$") if dollar else text) + '"'


def _percent(text: str) -> str:
    return text.replace("%", "%%")
