"""Things that the tests take from PyPI, by name and pinned, into a cache outside of the repository.

Read at import, before the guards of a test session empty the environment.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

_OUTSIDE: Final = dict(os.environ)
"""The environment of whoever started the tests: pip's own settings and caches are in it."""

_CACHE: Final = Path(_OUTSIDE.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gitcmat-tests"
_REQUIRED: Final = bool(_OUTSIDE.get("GITCMAT_REQUIRE_CODEBASE"))

_UNREACHABLE: Final = "connection broken by"
"""What pip says when there is no registry."""


def source_distribution(name: str, version: str, sha256: str) -> Path:
    """Return the archive of a package's sources, whose hash is checked at each call.

    Skips the test when there is no registry, unless GITCMAT_REQUIRE_CODEBASE is set; raises
    AssertionError when what was found is not what was pinned.
    """
    folder = _CACHE / f"{name}-{version}-{sha256[:12]}"
    if not folder.is_dir():
        pin = f"{name}=={version} --hash=sha256:{sha256}\n"
        _download(folder, pin, "--no-deps", "--no-binary", name, "--require-hashes")
    (archive,) = folder.iterdir()
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert found == sha256, f"{archive} has the hash {found}, not {sha256}: delete it"
    return archive


def wheelhouse(pins: Iterable[str]) -> Path:
    """Return a folder with the wheels of these requirements and of all that they need.

    Nothing that is installed from it asks a registry. Skips as `source_distribution` does.
    """
    text = "".join(f"{pin}\n" for pin in sorted(pins))
    key = hashlib.sha256(f"{sys.version}{sys.platform}{text}".encode()).hexdigest()[:12]
    folder = _CACHE / f"wheels-{key}"
    if not folder.is_dir():
        _download(folder, text, "--only-binary", ":all:")
    return folder


def _download(folder: Path, requirements: str, *options: str) -> None:
    """Fill `folder`, whole or not at all; of several at once one wins, and the others agree."""
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    asked = making / "requirements.txt"
    asked.write_text(requirements, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *(*options, "--retries", "1", "--dest", str(making), "--requirement", str(asked)),
        ],
        cwd=making,
        env=_OUTSIDE,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    asked.unlink()
    if done.returncode:
        shutil.rmtree(making)
        said = (done.stdout + done.stderr).strip()
        if not _REQUIRED and _UNREACHABLE in said:
            pytest.skip(f"NOT SHOWN ON A REAL CODE BASE: no registry to take it from\n{said}")
        raise AssertionError(f"pip download of {requirements.split()} failed:\n{said}")
    try:
        making.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(making)
