"""One definition of green: each session runs what `.ci/run` runs, for one part of it."""

from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "imports", "tests"]


def _install(session: nox.Session) -> None:
    session.install("-c", "constraints.txt", "-e", ".[test,dev]")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    _install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, of the tests too."""
    _install(session)
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Check who imports whom."""
    _install(session)
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests that take no more than a few seconds each."""
    _install(session)
    session.run("pytest", "-q", "-n", "auto", "-m", "not slow", *session.posargs)


@nox.session
def e2e(session: nox.Session) -> None:
    """Run the slow tests and those that start the real program."""
    _install(session)
    session.run("pytest", "-q", "-n", "auto", "-m", "slow", *session.posargs)
    session.run("pytest", "-q", "-n", "auto", "tests/e2e", *session.posargs)


@nox.session
def sweeps(session: nox.Session) -> None:
    """Try every kind of trouble at every request to a forge: about half an hour."""
    _install(session)
    session.run("pytest", "-q", "-n", "auto", "--sweeps", "-m", "sweep", *session.posargs)


@nox.session
def agents(session: nox.Session) -> None:
    """Run the tests that start real agents, those of `.ci/run` and the slower ones, which npm and
    pip install: some 2 GB.
    """
    _install(session)
    programs = ("claude", "codex", "gemini", "opencode", "aider", "mini")
    session.run("python", "-m", "tests.support.realcli", *programs)
    session.env["GITCMAT_REQUIRE_CLIS"] = " ".join(programs)
    session.run("pytest", "-q", "-m", "agents", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what it costs; `nox -s bench -- --quick` is a look, `-- --write` keeps the table."""
    _install(session)
    session.run("python", "-m", "bench", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Plant faults in copies of gitcmat, one by one, and see that the tests notice each of them."""
    _install(session)
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel and try it in an environment that holds nothing else."""
    session.install("-c", "constraints.txt", "build")
    dist = session.create_tmp()
    session.run("python", "-m", "build", "--wheel", "--outdir", dist, ".")
    (wheel,) = Path(dist).glob("*.whl")
    session.install("-c", "constraints.txt", str(wheel.resolve()))
    session.run("gitcmat", "--version")
    session.run("gitcmat", "demo")
