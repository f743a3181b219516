"""What a started program sees of the user's environment: an allow-list, never a copy.

Agents, setup and gates are started with `agent_environment`. What is not named in one of the lists
here is not passed on, so that a secret nobody thought of stays out.
"""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gitcmat.errors import NotFound, NotTrusted

_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "TERM",
        "TZ",
        "TMPDIR",
        # proxies, which programs look up in both spellings
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "FTP_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "ftp_proxy",
        "all_proxy",
        "no_proxy",
        # certificates of a company's own authority
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "NODE_USE_SYSTEM_CA",
        "PIP_CERT",
        "CARGO_HTTP_CAINFO",
        "AWS_CA_BUNDLE",
    }
)
_PREFIXES = ("LC_", "XDG_", "CMAT_")
# Keys to the user's account elsewhere, and ways to make git run or believe something else.
_FORBIDDEN = re.compile(
    r"SSH_AUTH_SOCK|SSH_AGENT_PID|GIT_.*|.*_ASKPASS"
    r"|(GH|GITHUB|GITLAB|GITEA|FORGEJO|BITBUCKET|CODEBERG)_(.*_)?(TOKEN|PAT|PASSWORD|SECRET)"
    r"|(GLAB|GL|CI_JOB|CI_REGISTRY|ACTIONS_RUNTIME|ACTIONS_ID_TOKEN_REQUEST)_(TOKEN|PASSWORD)"
    r"|HOMEBREW_GITHUB_API_TOKEN|ACTIONS_ID_TOKEN_REQUEST_URL",
    re.IGNORECASE,
)


_SECRET = re.compile(
    r"(.*_)?(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PAT|CREDENTIALS?"
    r"|(API|ACCESS|PRIVATE|SECRET|SIGNING|AUTH)_?KEY)(_\d+)?",
    re.IGNORECASE,
)


_OUR_OWN = frozenset(
    {
        # what Python itself and its libraries need on some machines, and a trace for tests
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "PYTHONUTF8",
        "GITCMAT_TRACE",
    }
)
_HEAD = 256
"""So many bytes at the beginning of a binary have a NUL among them."""


def secrets(base: Mapping[str, str], passed: Collection[str]) -> list[str]:
    """Values of `base` that nothing that is kept may hold: those that are `passed` on, and those
    that have a name of secrets, which an agent can find without being given them.
    """
    return [
        value
        for name, value in base.items()
        if value and (name in passed or is_named_secret(name, value))
    ]


def is_named_secret(name: str, value: str) -> bool:
    """Whether a variable has a name of secrets; where it holds a path it only says where one is."""
    return _SECRET.fullmatch(name) is not None and not value.startswith("/")


def is_forbidden(name: str) -> bool:
    """Whether only the user's own settings may pass this on: forge tokens, GIT_*, askpass."""
    return _FORBIDDEN.fullmatch(name) is not None


def agent_environment(
    base: Mapping[str, str],
    *,
    set: Mapping[str, str],  # noqa: A002 - reads as the setting it comes from
    pass_env: Collection[str],
    drop_paths: Sequence[Path],
    venv: Path | None = None,
    allow_forbidden: Collection[str] = (),
) -> dict[str, str]:
    """The environment for an agent, a setup command or a gate, from our own one (`base`).

    It holds the names on the allow-list, those in `pass_env` that `base` has, and what `set` says,
    which wins. PATH loses every entry inside `drop_paths` (repository, workspace) and every one
    that is not absolute. With `venv`, a virtual environment's folder, its programs come first, if
    it is there.

    Raises:
        NotTrusted: `set` or `pass_env` names a forbidden variable that `allow_forbidden` does not.
    """
    for name in (*set, *pass_env):
        if is_forbidden(name) and name not in allow_forbidden:
            raise NotTrusted(
                f"The variable {name} may not be given to agents or gates by a repository.",
                hint="Remove it there, or allow it in your own settings.",
            )
    chosen = {
        name: value
        for name, value in base.items()
        if (name in _NAMES or name.startswith(_PREFIXES) or name in pass_env)
        and (not is_forbidden(name) or name in allow_forbidden)
    }
    chosen.update(set)
    chosen["PATH"] = clean_path(chosen.get("PATH", os.defpath), drop_paths)
    if venv is not None and (venv / "bin").is_dir():
        chosen["PATH"] = os.pathsep.join(filter(None, (str(venv / "bin"), chosen["PATH"])))
        chosen["VIRTUAL_ENV"] = str(venv)
    return chosen


def job_environment(base: Mapping[str, str], passed: Collection[str]) -> dict[str, str]:
    """What is left of the environment of a workflow's job before anything of the repository starts:
    nothing by which a step speaks to its workflow, and of secrets only what is `passed`.
    """
    return {
        name: value
        for name, value in base.items()
        if name in passed
        or name in _NAMES
        or name in _OUR_OWN
        or name.startswith(("LC_", "XDG_", "GIT_CONFIG_"))
    }


def clean_path(path: str, drop_paths: Sequence[Path]) -> str:
    """`path` (a PATH) without entries that are relative, repeated or inside `drop_paths`.

    An entry counts by its name and by where its symlinks lead.
    """
    roots = frozenset((*drop_paths, *(root.resolve() for root in drop_paths)))
    kept: dict[str, None] = {}
    for entry in path.split(os.pathsep):
        folder = Path(entry)
        if not folder.is_absolute():
            continue
        places = (Path(os.path.normpath(entry)), folder.resolve())
        if all(roots.isdisjoint((place, *place.parents)) for place in places):
            kept[entry] = None
    return os.pathsep.join(kept)


def find_program(name: str, env: Mapping[str, str], forbidden: Sequence[Path] = ()) -> Path | None:
    """The absolute path of a program on the PATH of `env`, outside the `forbidden` folders.

    A name with a slash must be absolute and outside them too. None when there is none.
    """
    if "/" in name:
        path = Path(name)
        parent = clean_path(str(path.parent), forbidden)
        return path if path.is_absolute() and parent and _is_program(path, forbidden) else None
    for folder in clean_path(env.get("PATH", os.defpath), forbidden).split(os.pathsep):
        path = Path(folder, name)
        if folder and name and _is_program(path, forbidden):
            return path
    return None


def _is_program(path: Path, forbidden: Sequence[Path]) -> bool:
    if not (path.is_file() and os.access(path, os.X_OK) and _has_format(path)):
        return False
    target = path.resolve()  # a symlink in ~/bin may lead into the repository
    return not any(target.is_relative_to(root.resolve()) for root in forbidden)


def unfit(name: str) -> str:
    """Why the file with this absolute path is no program; empty where there is none, where it is
    one, and for what is looked for on the PATH.
    """
    path = Path(name)
    if not path.is_absolute() or not path.exists():
        return ""
    if not path.is_file():
        return "it is no file"
    if not os.access(path, os.X_OK):
        return "it is not executable"
    return "" if _has_format(path) else "it is text without a first line such as #!/bin/sh"


def not_found(name: str) -> NotFound:
    """The error for a program that `find_program` does not find outside of a repository."""
    if why := unfit(name):
        return NotFound(
            f"Cannot start `{name}`: {why}.",
            hint="name another program in command:, or make this one executable: chmod +x",
        )
    return NotFound(
        f"Cannot start `{name}`: there is no such program outside of the repository.",
        hint="an agent's program is on your PATH, or command: has its absolute path",
    )


def _has_format(path: Path) -> bool:
    """Whether the system can execute the file; only a shell takes a text without a first line."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return True  # one may be executed that cannot be read
    return head.startswith(b"#!") or b"\0" in head
