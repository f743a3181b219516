"""How the demo prints: short lines, colours only where they are wanted."""

import io

import pytest

from gitcmat.cli.demo.screen import WIDTH, Screen

Capture = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    """A standard output that calls itself a terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr("sys.stdout", self)

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    screen = Screen(color=True, silent=False)
    screen.command("gitcmat init")
    screen.line("a  active → review")
    screen.line("-old")
    screen.line("nothing special")
    assert terminal.getvalue() == (
        "\x1b[1m$ gitcmat init\x1b[0m\n"
        "\x1b[32m  a  active → review\x1b[0m\n"
        "\x1b[31m  -old\x1b[0m\n"
        "  nothing special\n"
    )


@pytest.mark.parametrize("variable", [("NO_COLOR", ""), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(
    monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    terminal = Terminal(monkeypatch)
    monkeypatch.setenv(*variable)
    Screen(color=True, silent=False).say("Hello.")
    assert terminal.getvalue() == "Hello.\n"


def test_the_option_switches_colours_off(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    Screen(color=False, silent=False).say("Hello.")
    assert terminal.getvalue() == "Hello.\n"


def test_a_pipe_gets_no_colours(capsys: Capture) -> None:
    Screen(color=True, silent=False).say("Hello.")
    assert capsys.readouterr().out == "Hello.\n"


def test_long_lines_are_cut(capsys: Capture) -> None:
    Screen(color=False, silent=False).line("x" * 200)
    assert capsys.readouterr().out == f"  {'x' * (WIDTH - 3)}…\n"


def test_a_silent_screen_prints_nothing(capsys: Capture) -> None:
    Screen(color=False, silent=True).say("Hello.")
    assert capsys.readouterr().out == ""
