"""An agent's program in its sandbox: what is really started, and what there is to tell of it."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from gitcmat.engine.supervision import Wrapper
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import NotFound
from gitcmat.model.hosts import Host
from gitcmat.model.job import JobAgent
from gitcmat.model.sandbox import Box, Network
from gitcmat.ports import Launch
from gitcmat.store.borrowing import linked_trees, object_folders
from gitcmat.system import bwrap, forwarder
from gitcmat.system.bwrap import Inside, Refused
from gitcmat.system.files import remove_tree
from gitcmat.system.proxy import Proxy
from gitcmat.system.surroundings import Surroundings

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_LIBRARIES: Final = ("/site-packages", "/dist-packages")
_SOCKET: Final = "/dev/gitcmat"
"""Where the proxy listens, from inside: what is made in ``/dev`` needs no place outside."""

_FREE_PORTS: Final = 1024
_MOST_STATUS: Final = 100_000
_LONGEST_LINE: Final = 1000
_FATAL: Final = frozenset(
    (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
)


class Boxing:
    """The sandbox of one start of an agent, as a context; one that is off changes nothing.

    `argv` and `env` are what is to be started then.
    """

    def __init__(
        self,
        bench: Workbench,
        profile: JobAgent,
        launch: Launch,
        argv: Sequence[str],
        env: dict[str, str],
    ) -> None:
        self._bench = bench
        self._box = profile.sandbox
        self._launch = launch
        self._own = Path(bench.job.workspace) / "box"
        self._stack = contextlib.ExitStack()
        self._proxy: Proxy | None = None
        self._status = -1
        self._launched = self.argv = tuple(argv)
        self.env = env
        self.wrapper: Wrapper | None = None
        """None where the program is started itself."""

    def __enter__(self) -> Self:
        """Make everything ready.

        Raises:
            NotFound: there is no sandbox on this machine any more, or nothing that it shall write.
            OSError: the disk refuses.
        """
        if self._box.closed:
            with contextlib.ExitStack() as stack:
                self._close(stack)
                self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def has_begun(self) -> bool:
        """Whether the program could be started, asked when all is over and nothing was killed."""
        if self.wrapper is None:
            return True
        self._give_up_fds()
        os.set_blocking(self._status, False)  # a process that cannot be ended may hold it open
        try:
            return b'"exit-code"' in os.read(self._status, _MOST_STATUS)
        except BlockingIOError:
            return False

    def code(self, code: int) -> int:
        """The program's exit code, minus the signal that killed it, from that of what was started.

        The signals that no program makes a code of by itself; others may be one of its own.
        """
        number = code - 128
        return -number if self.wrapper is not None and number in _FATAL else code

    @property
    def warnings(self) -> list[str]:
        """What people should know of this start."""
        if self._proxy is None or not self._proxy.refused:
            return []
        asked = (f"{name} ({n})" if n > 1 else name for name, n in self._proxy.refused.items())
        return [f"the sandbox let nothing through to {', '.join(asked)}"]

    def _close(self, stack: contextlib.ExitStack) -> None:
        found = bwrap.find(self._bench.theirs)
        if isinstance(found, Refused):
            raise NotFound(
                f"The agent is to work in a sandbox, and there is none: {found.why}.",
                hint=found.hint,
            )
        bwrap.renew(self._own)
        stack.callback(remove_tree, self._own)
        self.env = self._environment()
        also: tuple[tuple[Path, str], ...] = ()
        if self._box.network is Network.MODEL:
            also = self._behind_proxy(stack)
        read, write = os.pipe()
        self._status = read
        self.wrapper = Wrapper(fds=(write,))
        stack.callback(os.close, read)
        stack.callback(self._give_up_fds)
        inside = Inside(
            outlook=self._around().outlook,
            own=self._own,
            cwd=self._bench.tree,
            network=self._box.network is Network.FULL,
            also=also,
        )
        self.argv = tuple(bwrap.argv(found, inside, self.argv, status_fd=write))

    def _give_up_fds(self) -> None:
        """Close our ends of what only the sandbox is to write, once."""
        if self.wrapper is not None:
            for fd in self.wrapper.fds:
                os.close(fd)
            self.wrapper = Wrapper(fds=())

    def _environment(self) -> dict[str, str]:
        # Inside there is one folder for temporary files, and no socket of the person's session.
        env = {k: v for k, v in self.env.items() if k != "XDG_RUNTIME_DIR"}
        if self._box.network is not Network.FULL:
            env = {k: v for k, v in env.items() if not k.upper().endswith("_PROXY")}
        return env | {"TMPDIR": "/tmp", "CMAT_SANDBOX": self._box.text}  # noqa: S108 - its own

    def _behind_proxy(self, stack: contextlib.ExitStack) -> tuple[tuple[Path, str], ...]:
        hosts = [Host.parse(name) for name in self._box.hosts or self._launch.hosts]
        hosts += [Host("127.0.0.1", host.port) for host in hosts if host.name == "localhost"]
        socket = self._own / "proxy"
        self._proxy = stack.enter_context(Proxy(socket, hosts))
        # A model on this machine is met at its own address, where programs ask no proxy.
        doors = [h for h in hosts if h.is_here and h.name != "localhost" and h.port >= _FREE_PORTS]
        start = (sys.executable, "-I", "-S", forwarder.__file__, _SOCKET)
        self.argv = (*start, *dict.fromkeys(map(str, doors)), "--", *self.argv)
        return ((socket, _SOCKET),)

    def _around(self) -> Surroundings:
        """Everything that is hidden comes first: what is shown after it shows only a part."""
        bench, job = self._bench, self._bench.job
        around = Surroundings.of_person(os.environ)
        common_dir = Path(job.git_dir)
        around.hide(Path(job.workspace).parent)
        for place in (*_work_trees(job.work_tree, common_dir), common_dir):
            around.hide(place)
        around.show_programs(self.env)
        if self._box.network is Network.FULL:
            around.show_resolver()
        for needful in needed(self._launched):
            around.show(needful)
        for place in (*object_folders(common_dir), bench.folder.programs, bench.folder.scratch):
            around.read(place)
        for name in self._launch.state:
            state = Path.home() / name
            if name.endswith("/"):
                state.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.path.lexists(state):
                around.write(state)
        _allow(around, self._box)
        around.write(bench.tree)
        around.write(bench.inbox.parent)
        return around


def _work_trees(main: str | None, common_dir: Path) -> list[Path]:
    return [*([Path(main)] if main is not None else []), *linked_trees(common_dir)]


def needed(argv: Sequence[str]) -> Iterator[str | Path]:
    """What must be there for a program and for our own, wherever the person has put it."""
    yield from (sys.prefix, sys.base_prefix, sys.executable, _PACKAGE)
    yield from (path for path in sys.path if path.endswith(_LIBRARIES))
    for word in argv:
        # A file that the command names was allowed with it.
        if word.startswith("/") and os.path.isfile(word):  # noqa: PTH113 - False without permission
            yield word
            yield installation(Path(os.path.realpath(word)))
            for interpreter in _interpreter(Path(word)):
                yield interpreter
                yield installation(Path(os.path.realpath(interpreter)))


def installation(program: Path) -> Path:
    """The folder that a program is installed in with what belongs to it."""
    parts = program.parts
    if "node_modules" in parts:
        return Path(*parts[: parts.index("node_modules") + 1])
    around = program.parent.parent
    return around if (around / "pyvenv.cfg").is_file() else program.parent


def _interpreter(script: Path) -> Iterator[str]:
    """What the first line of a script names."""
    try:
        with script.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
    except OSError:
        return
    words = os.fsdecode(line.removeprefix(b"#!").strip()).split(maxsplit=1)
    if line.startswith(b"#!") and words and words[0].startswith("/"):
        yield words[0]


def _allow(around: Surroundings, box: Box) -> None:
    for name in box.read:
        around.read(_at_home(name))
    for name in box.write:
        around.write(_at_home(name))


def _at_home(name: str) -> str:
    return str(Path.home() / name.removeprefix("~/")) if name.startswith("~/") else name
