"""What happens in the demo, step by step; every step looks whether it ended as it should."""

import re
import shlex
from functools import partial
from typing import Any, Final

from gitcmat.cli.demo.screen import Screen
from gitcmat.cli.demo.stage import Stage
from gitcmat.errors import CheckFailed
from gitcmat.store import yamlio

_UNITTEST: Final = ("python3", "-m", "unittest", "discover", "-s", "tests", "-t", ".")
_DOCTEST: Final = ("python3", "-m", "unittest", "doctests")
_MOVE: Final = re.compile(r"\d\d:\d\d:\d\d (?:split|prices|shares)  ")
_NO_ANSWER: Final = "answer: |\n"
_PERSON: Final = {"user.name": "Demo", "user.email": "demo@example.org"}
_ANSWER: Final = "EUR"


def play(stage: Stage, screen: Screen) -> None:
    """Play the whole demo.

    Raises:
        CheckFailed: a step did not end as it should.
    """
    _Story(stage, screen).play()


class _Story:
    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen

    def play(self) -> None:
        self._make_project()
        self._prepare()
        self._add_tasks()
        self._watch(split="review", prices="blocked", shares="pending")
        self._check_repair()
        self._review()
        self._answer()
        self._watch(split="done", prices="review", shares="review")
        self._type("gitcmat land prices --merge && gitcmat land shares --squash")
        self._states(split="done", prices="done", shares="done")
        self._look_back()

    def _make_project(self) -> None:
        stage = self._stage
        stage.build()
        stage.run("git", "init", "-q", "-b", "main")
        for key, value in _PERSON.items():
            stage.run("git", "config", key, value)
        stage.run("git", "add", "--all")
        stage.run("git", "commit", "-q", "-m", "A shop, with a test that fails")
        printed = stage.run(*_UNITTEST, good=(1,))
        _expect("FAILED (failures=1)" in printed, f"one test fails at first:\n{printed}")
        self._screen.say(
            "A small project in Python: a split bill loses cents, 1 of its 4 tests fails."
        )

    def _prepare(self) -> None:
        stage, screen = self._stage, self._screen
        screen.command("gitcmat init && $EDITOR .cmat/config.yaml .cmat/agents/*.md")
        printed = stage.gitcmat("init")
        _expect("unittest" in printed, f"init finds the tests:\n{printed}")
        self._edit_config()
        stage.copy_agents()
        self._type('git add .cmat && git commit -m "Use gitcmat"')
        screen.command('gitcmat trust --digest "$(gitcmat trust --print-digest)"')
        stage.gitcmat("trust", "--digest", stage.gitcmat("trust", "--print-digest"))

    def _edit_config(self) -> None:
        file = self._stage.project / ".cmat/config.yaml"
        text = file.read_text(encoding="utf-8")
        data: Any = yamlio.load(text, name=file.name).data
        gates = {**data["gates"], "docs": {"run": list(_DOCTEST)}}
        changes = {"gates": gates, "defaults": {"backoff": "1s"}}
        file.write_text(yamlio.edit(text, changes), encoding="utf-8")

    def _add_tasks(self) -> None:
        self._type('gitcmat task add "Split a bill to the cent" --id split --agent fixer')
        self._type(
            'gitcmat task add "Show prices in the README" --id prices --agent asker --gate docs'
        )
        self._type(
            'gitcmat task add "Say what each one pays" --id shares --agent writer --needs split'
        )
        self._states(split="pending", prices="pending", shares="pending")

    def _watch(self, **states: str) -> None:
        self._screen.command("gitcmat watch --until-idle")
        for line in self._stage.follow("watch", "--until-idle"):
            if _MOVE.match(line):
                self._screen.line(line)
        self._states(**states)

    def _check_repair(self) -> None:
        """The gate was red at first, and the second attempt put that right."""
        runs = self._stage.ask("run", "list", "--task", "split")["runs"]
        seen = [[gate["outcome"] for gate in run["gates"]] for run in reversed(runs)]
        red, green = seen if len(seen) == 2 else ([], [])  # noqa: PLR2004 - the two attempts
        good = "failed" in red and green and {*green} == {"passed"}
        _expect(bool(good), f"the second attempt passes the gates: {seen}")

    def _review(self) -> None:
        diff, _ = self._type("gitcmat review diff split && gitcmat land split")
        changed = [line for line in diff.splitlines() if re.match(r"[-+](?![-+])", line)]
        _expect(len(changed) > 1, f"the diff shows the repair:\n{diff}")
        for line in changed:
            self._screen.line(line)
        self._states(split="done", prices="blocked", shares="pending")

    def _answer(self) -> None:
        (blocker,) = self._stage.ask("blocker", "list")["blockers"]
        name = f".cmat/blockers/{blocker['id']}.yaml"
        file = self._stage.project / name
        text = file.read_text(encoding="utf-8")
        _expect(_NO_ANSWER in text, f"{name} has room for an answer:\n{text}")
        asked = blocker["question"]
        self._screen.command(f"$EDITOR {name}   # {asked}  answer: {_ANSWER}")
        answered = f"{text.partition(_NO_ANSWER)[0]}{_NO_ANSWER}  {_ANSWER}\n"
        file.write_text(answered, encoding="utf-8")

    def _look_back(self) -> None:
        stage = self._stage
        (log,) = self._type("git log --graph --oneline -4")
        for line in log.splitlines():
            self._screen.line(line)
        printed = stage.run(*_UNITTEST)
        _expect(printed.endswith("OK"), f"all tests pass:\n{printed}")
        stage.run(*_DOCTEST)
        left = stage.run("git", "status", "--porcelain", "--untracked-files=all")
        _expect(not left, f"nothing is left over in the work tree:\n{left}")

    def _type(self, text: str) -> list[str]:
        """Show a line of commands as it is typed, run it, and return what each one printed."""
        self._screen.command(text)
        printed = []
        for command in text.split(" && "):
            program, *args = shlex.split(command)
            run = self._stage.gitcmat if program == "gitcmat" else partial(self._stage.run, program)
            printed.append(run(*args))
        return printed

    def _states(self, **wanted: str) -> None:
        entries = self._stage.ask("queue", "list", "all")["entries"]
        found = {entry["id"]: entry["state"] for entry in entries}
        seen = {task: found.get(task) for task in wanted}
        _expect(seen == wanted, f"the tasks are {_states(wanted)}, and not {_states(seen)}")


def _states(states: dict[str, Any]) -> str:
    return ", ".join(f"{task} {state}" for task, state in states.items())


def _expect(good: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not good:
        raise CheckFailed(f"The demo went wrong. It should be that {what}.")
