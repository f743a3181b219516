"""Guards that every test is under, and the repository that most tests start from."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import environment
from tests.support.repo import TestRepo

_numbers = itertools.count()

# A busy machine is no fault: no test is judged by the clock.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell: programs under test would inherit deafness to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have an option for what takes too long for each change."""
    what = "also the whole sweeps: every kind of trouble at every request"
    parser.addoption("--sweeps", action="store_true", help=what)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the sweeps out, unless they were asked for."""
    if config.getoption("--sweeps"):
        return
    left_out = [item for item in items if item.get_closest_marker("sweep")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def agent_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the session its own environment; the path is where started real agents leave a line."""
    root = tmp_path_factory.mktemp("session")
    log = root / "real-agents-started.txt"
    environment.set_tripwires(root / "bin", log)
    (root / "home").mkdir()
    before = dict(os.environ)
    clean = environment.clean(before, home=root / "home", tripwires=root / "bin")
    os.environ.clear()
    os.environ.update(clean)
    yield log
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def home(agent_log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home of its own, with its XDG folders."""
    folder = agent_log.parent / f"home-{next(_numbers)}"
    folder.mkdir()
    for name, value in environment.of_home(folder).items():
        monkeypatch.setenv(name, value)
    # Agents of tests leave their marks outside of the workspace. What is about the sandbox turns
    # it on, and everything else is the same on a machine without one.
    own = folder / ".config/gitcmat/config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("sandbox: off\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def no_real_agent(agent_log: Path) -> Iterator[None]:
    """Fail a test that started a real agent, whatever became of it."""
    yield
    if agent_log.exists():
        started = agent_log.read_text(encoding="utf-8").split()
        agent_log.unlink()
        pytest.fail(f"the test started real agents: {started}")


@pytest.fixture(autouse=True)
def person_stays_untouched() -> Iterator[None]:
    """Fail a test that changed what belongs to a person in one of its frozen repositories."""
    TestRepo.made.clear()
    yield
    for repository in TestRepo.made:
        repository.check()


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], TestRepo]:
    """Make further repositories: `make_repo("other")` is one with a first commit on main."""

    def make(name: str) -> TestRepo:
        made = TestRepo(tmp_path / name)
        made.commit("Start", {"README.md": "# A project\n"})
        return made

    return make


@pytest.fixture
def repo(make_repo: Callable[[str], TestRepo]) -> TestRepo:
    """A person's repository: branch main, one commit, README.md, a clean work tree."""
    return make_repo("project")
