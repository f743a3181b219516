"""Where the files are that come with the program: in the wheel or in a checkout."""

from pathlib import Path

from gitcmat.errors import NotFound

_PACKAGE = Path(__file__).resolve().parent.parent


def templates_dir() -> Path:
    """The folder of templates that `init` copies from.

    Raises:
        NotFound: the installation is incomplete.
    """
    return _find("templates")


def hooks_dir() -> Path:
    """The folder of git hook scripts.

    Raises:
        NotFound: the installation is incomplete.
    """
    return _find("hooks")


def _find(name: str) -> Path:
    for parent in (_PACKAGE / "_assets", _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise NotFound(
        f"The folder `{name}` that belongs to gitcmat is missing from {_PACKAGE}.",
        hint="Install gitcmat again: pip install --force-reinstall gitcmat",
    )
