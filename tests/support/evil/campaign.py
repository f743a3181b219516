"""All waves of attacks in one mode, one after the other, and what became of each attack."""

import os
import pty
import select
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitcmat.model.run import Run
from tests.support.cli import PROGRAM, running
from tests.support.escapes import holders
from tests.support.evil.oracle import OUTLIVING, Evidence
from tests.support.evil.registry import of_wave
from tests.support.evil.world import World
from tests.support.wait import until

FLOODS: Final = ("forks", "memory", "output", "silence")
_KEPT: Final = ("HEAD", "index", "config", "info", "hooks")
_PLAIN: Final = ("borrow", "link", "rewrite", "replace", "nested", "judge", "kill")


class Campaign:
    """The waves in one world."""

    def __init__(self, world: World, logs: Path) -> None:
        self._world = world
        self._logs = logs

    def verdicts(self) -> dict[str, str]:
        """What became of each attack, by its name."""
        return dict(self._all())

    def _all(self) -> Iterator[tuple[str, str]]:
        world = self._world
        for task in ("asks", "reviewed"):
            world.do(task)
        world.refs_before = world.repo.refs()
        for wave in FLOODS:
            world.start(wave)
        for wave in FLOODS:
            yield from self._judged(wave, world.finish(wave))
        for wave in _PLAIN:
            yield from self._judged(wave, world.do(wave))
        yield from self._judged("disguise", self._from_a_terminal("disguise"))
        yield from self._reach()
        yield from self._judged("daemon", self._by_daemon("daemon"))
        yield from self._looked_at("plant")

    def _judged(self, wave: str, run: Run, shown: str = "") -> Iterator[tuple[str, str]]:
        evidence = Evidence(self._world, run)
        evidence.shown = shown
        for each in of_wave(wave):
            yield each.name, evidence.verdict(each.name)

    def _reach(self) -> Iterator[tuple[str, str]]:
        """The wave on all that is the person's, beside another run; then all is put right again."""
        world = self._world
        world.start("quiet")
        until(lambda: "ready" in world.log("quiet"), 30, "the other run")
        world.nonce = world.project.folder("quiet").read_job().nonce
        kept = self._logs / "kept"
        kept.mkdir(parents=True)
        git_dir = world.repo.git_dir
        for name in _KEPT:
            (shutil.copytree if (git_dir / name).is_dir() else shutil.copy2)(
                git_dir / name, kept / name
            )
        world.refs_before = world.repo.refs()
        run_id = world.start("reach")
        tree = Path(world.project.folder("reach").read_job().workspace) / "tree"
        last = next(reversed(list(of_wave("reach")))).name
        until(lambda: f"tried {last}" in world.log("reach"), 60, "all that is tried")
        world.alive = frozenset(n for n in OUTLIVING if holders(world.target.token(n)))
        (tree / "release").touch()
        world.finish("reach")
        quiet = Path(world.project.folder("quiet").read_job().workspace) / "tree"
        (quiet / "release").touch()
        yield from self._judged("reach", world.run(run_id))
        for name in _KEPT:
            place = git_dir / name
            shutil.rmtree(place) if place.is_dir() else place.unlink()
            (shutil.copytree if (kept / name).is_dir() else shutil.copy2)(kept / name, place)
        (git_dir / "objects/info/alternates").unlink(missing_ok=True)
        shutil.rmtree(git_dir / "refs/replace", ignore_errors=True)

    def _looked_at(self, wave: str) -> Iterator[tuple[str, str]]:
        """A wave that the person looks at on a terminal, and lands."""
        run = self._world.do(wave)
        commands = (
            ("review", "show", wave),
            ("review", "diff", wave),
            ("run", "show", run.id),
            ("run", "show", "--log", run.id),
            ("status",),
            ("land", wave),
        )
        yield from self._judged(wave, run, "".join(map(self._typed, commands)))

    def _from_a_terminal(self, wave: str) -> Run:
        self._world.typed = self._typed(("run", "now", wave))
        return self._world.finish(wave)

    def _by_daemon(self, wave: str) -> Run:
        world = self._world
        with running(world.repo.path, "watch", logs=self._logs / "watch") as daemon:
            until(lambda: world.project.entry(wave).run, 60, "the daemon to start it")
            run = world.finish(wave)
            world.daemon_died = daemon.process.poll() == -9
        return run

    def _typed(self, words: tuple[str, ...]) -> str:
        """What a terminal gets from a command that is typed there."""
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(self._world.repo.path)
            os.environ.pop("NO_COLOR", None)
            os.execv(sys.executable, [*PROGRAM, *words])  # noqa: S606 - after a fork
        got = bytearray()
        try:
            while select.select([terminal], [], [], 90)[0]:
                if not (data := os.read(terminal, 65536)):
                    break
                got += data
        except OSError:  # so does a terminal end
            pass
        finally:
            os.close(terminal)
            os.waitpid(pid, 0)
        return got.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
