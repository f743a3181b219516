"""Plants the faults of the table into copies of gitcmat, one after the other, and sees that the
tests notice each of them.

``python -m tests.mutants [WORD …]`` takes only faults with one of these words in their names.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.mutants.table import Mutant, mutants

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = 90
"""Seconds that a test may take: a fault may well make it wait for ever."""

_PASSED, _FAILED = 0, 1
_MEANINGS: Final = {_PASSED: "SURVIVED", _FAILED: "killed"}


class Copy:
    """A copy of the checkout, with a Python that imports gitcmat from it and all else from ours."""

    def __init__(self, folder: Path) -> None:
        """Make it in `folder`."""
        self.folder = folder
        self.root = folder / "gitcmat"
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True)
        for name in os.fsdecode(done.stdout).split("\0"):
            if name and (ROOT / name).is_file():
                target = self.root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        venv = folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        self.python = venv / "bin/python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        ours = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
        paths = dict.fromkeys([str(self.root), *ours])
        (venv / "lib" / version / "site-packages/copy.pth").write_text("\n".join(paths) + "\n")
        self._plants = 0

    def plant(self, mutant: Mutant) -> None:
        """Plant a fault."""
        path = self.root / "gitcmat" / mutant.file
        self._write(path, mutant.planted(path.read_text(encoding="utf-8")))

    def heal(self, mutant: Mutant) -> None:
        """Take a fault out again."""
        name = Path("gitcmat", mutant.file)
        self._write(self.root / name, (ROOT / name).read_text(encoding="utf-8"))

    def test(self, killers: Sequence[str], workers: int = 0) -> tuple[int, str]:
        """Run tests; return pytest's exit code and what it printed."""
        options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-n", str(workers)]
        options += [f"--timeout={LONGEST}", f"--basetemp={self.folder / 'tmp'}"]
        options += [] if workers else ["-x"]
        argv = [str(self.python), "-m", "pytest", *options, *(f"tests/{k}" for k in killers)]
        done = subprocess.run(argv, cwd=self.root, capture_output=True, text=True, check=False)
        self._end_all()
        return done.returncode, done.stdout + done.stderr

    def _write(self, path: Path, text: str) -> None:
        """Write a module so that Python sees that it is another one."""
        path.write_text(text, encoding="utf-8")
        self._plants += 1
        os.utime(path, (self._plants, self._plants))

    def _end_all(self) -> None:
        """End what a faulty gitcmat has left running."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                place = (process / "cwd").readlink()
                if place.is_relative_to(self.folder) and int(process.name) != os.getpid():
                    os.kill(int(process.name), signal.SIGKILL)


def main(words: Sequence[str]) -> int:
    """Plant the faults that have one of `words` in their names; return 0 when all are noticed."""
    chosen = [m for m in mutants() if not words or any(word in m.name for word in words)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copies = [Copy(Path(name, str(number))) for number in range(os.cpu_count() or 1)]
        killers = sorted({mutant.killer for mutant in chosen})
        code, said = copies[0].test(killers, workers=len(copies))
        if code != _PASSED:
            _say(f"{said}\nThe tests fail without any fault.")
            return 1
        _say(f"{len(killers)} tests pass without a fault, {time.monotonic() - begun:.0f} s")
        free: SimpleQueue[Copy] = SimpleQueue()
        for copy in copies:
            free.put(copy)
        with ThreadPoolExecutor(len(copies)) as pool:
            codes = list(pool.map(lambda mutant: _try(mutant, free), chosen))
    killed = codes.count(_FAILED)
    _say(f"{killed} of {len(chosen)} faults are noticed, {time.monotonic() - begun:.0f} s")
    return 0 if chosen and killed == len(chosen) else 1


def _try(mutant: Mutant, free: "SimpleQueue[Copy]") -> int:
    copy = free.get()
    begun = time.monotonic()
    try:
        copy.plant(mutant)
        code, said = copy.test([mutant.killer])
        copy.heal(mutant)
    finally:
        free.put(copy)
    meaning = _MEANINGS.get(code, f"cannot be judged (pytest exits {code})")
    _say(f"{meaning:<8} {time.monotonic() - begun:5.1f} s  gitcmat {mutant.name}")
    if code != _FAILED:
        _say(f"  by {mutant.killer}")
        if code != _PASSED:
            _say(said)
    return code


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is a program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
