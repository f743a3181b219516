"""The plan: everything that gitcmat may start for a repository, as one text with a digest.

A person trusts plans, not repositories: what a pull brings changes the plan, and an unknown plan
starts nothing. Comments, prompts and limits are not in it, because they start nothing; the blobs of
files that a command names are, because their content is what runs. Task files are not in it: they
need a provenance of their own.
"""

import hashlib
import json
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitcmat.model.agent import AgentProfile
from gitcmat.model.intent import Agent
from gitcmat.model.job import Permissions
from gitcmat.model.names import short
from gitcmat.model.sandbox import SandboxMode, SandboxWish
from gitcmat.model.settings import Config

PLAN_SCHEMA: Final = 1

_READ: Final = re.compile(
    r"\.cmat/(?: config\.yaml | \.gitignore | agents/[^/]+\.md | (?:tasks|schemas|prds)/.* )",
    re.VERBOSE,
)
"""Not in the plan as files: their meaning is there already, or they start nothing."""

_BETWEEN: Final = re.compile(r"[\s;&|<>()'\"`=,:$]+")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan in its canonical form: JSON with sorted keys and nothing between them."""

    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def data(self) -> dict[str, Any]:
        """The plan as plain data."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def starts_nothing(self) -> bool:
        """Whether there is no command in it at all."""
        data = self.data
        return not (data["agents"] or data["gates"] or data["setup"])


def plan_of(
    config: Config,
    agents: Mapping[str, Agent],
    *,
    files: Mapping[str, str],
    named: Mapping[str, str],
) -> Plan:
    """Put together the plan.

    `files` are all files below ``.cmat/`` and `named` those that `named_paths` found in the
    repository; both map paths to blobs.
    """
    data = {
        "schema": PLAN_SCHEMA,
        "agents": {
            name: {
                "runs": agent.profile.runs,
                "argv": list(agent.profile.argv),
                "env": dict(agent.profile.env),
                "pass_env": sorted(agent.profile.pass_env),
                **_rights(agent.profile),
                **_sandbox(agent.profile),
            }
            for name, agent in agents.items()
        },
        "gates": {
            name: {"argv": list(gate.run), "env": dict(gate.env), "protect": sorted(gate.protect)}
            for name, gate in config.gates.items()
        },
        "setup": [list(argv) for argv in config.setup.run],
        "copy": sorted(config.copy),
        "files": {
            **{path: blob for path, blob in files.items() if not _READ.fullmatch(path)},
            **named,
        },
    }
    return Plan(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


def _rights(profile: AgentProfile) -> dict[str, Any]:
    """What it may do unasked beyond changing files; one that says nothing of it adds nothing."""
    usual = profile.permissions is Permissions.EDIT
    found: dict[str, Any] = {} if usual else {"permissions": profile.permissions.value}
    return found | ({"tools": sorted(profile.tools)} if profile.tools else {})


def _sandbox(profile: AgentProfile) -> dict[str, Any]:
    """What the profile says of a sandbox; one that says nothing leaves it to the person."""
    wish = SandboxWish.of(profile.sandbox)
    return {} if wish is None else {"sandbox": wish.plain}


def named_paths(config: Config, agents: Mapping[str, Agent]) -> tuple[str, ...]:
    """Return every text in a command or a variable that could be a path in the repository.

    Also looks inside of arguments (``--config=tools/x.toml``, ``sh -c "tools/x.sh | tee log"``):
    one too many costs nothing, as only those that exist count.
    """
    texts: list[str] = []
    for agent in agents.values():
        texts += [*agent.profile.argv, *agent.profile.env.values()]
    for gate in config.gates.values():
        texts += [*gate.run, *gate.env.values()]
    for argv in config.setup.run:
        texts += argv
    found = {path for text in texts for path in _paths_in(text)}
    return tuple(sorted(found))


def _paths_in(text: str) -> Iterator[str]:
    for part in (text, *_BETWEEN.split(text)):
        path = posixpath.normpath(part) if part and "\0" not in part and "\n" not in part else "."
        if path != "." and not path.startswith(("/", "../")) and path != "..":
            yield path


def describe(plan: Plan, programs: Mapping[str, str | None] | None = None) -> list[str]:
    """Return the lines that show a plan to the person who decides on it.

    `programs` maps the first words of commands to where they are on this machine, None for missing
    ones.
    """
    data = plan.data
    where = programs or {}
    lines: list[str] = []
    for kind in ("agents", "gates"):
        if data[kind]:
            lines.append(f"{kind}:")
        for name, command in data[kind].items():
            lines.append(f"  {name}: {_command(command['argv']) or 'runs ' + command['runs']}")
            lines += [f"      {detail}" for detail in _details(command, where)]
    if data["setup"]:
        lines.append("setup:")
        lines += [f"  {_command(argv)}" for argv in data["setup"]]
    if data["copy"]:
        lines += ["copied into each workspace:", *(f"  {shown(path)}" for path in data["copy"])]
    if data["files"]:
        lines.append("files that may run, with their content as it is now:")
        lines += [f"  {shown(path)}  {_blob(blob)}" for path, blob in data["files"].items()]
    if plan.starts_nothing:
        lines.append("nothing is started: no agents, no gates, no setup")
    else:
        lines.append("All of it runs with your rights, and gates run what the agent wrote.")
    return lines


def programs_of(plan: Plan) -> tuple[str, ...]:
    """Return the first words of all commands, sorted."""
    data = plan.data
    argvs = [*data["setup"], *(c["argv"] for k in ("agents", "gates") for c in data[k].values())]
    return tuple(sorted({argv[0] for argv in argvs if argv}))


def difference(old: Plan, new: Plan) -> list[str]:
    """Return one line per thing that came (+), went (-) or changed (~)."""
    before, after = (dict(_facts(plan.data)) for plan in (old, new))
    lines = []
    for key in [*after, *(k for k in before if k not in after)]:
        if key not in before:
            lines.append(f"+ {key}: {after[key]}")
        elif key not in after:
            lines.append(f"- {key}: {before[key]}")
        elif before[key] != after[key]:
            lines.append(f"~ {key}: {before[key]} -> {after[key]}")
    return lines


def _facts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Take a plan apart into named one-line texts."""
    for kind, one in (("agents", "agent"), ("gates", "gate")):
        for name, command in data[kind].items():
            yield f"{one} {name}", _command(command["argv"]) or "runs " + command["runs"]
            yield from ((f"{one} {name}, {key}", text) for key, text in _extras(command))
    yield from ((f"setup {n}", _command(argv)) for n, argv in enumerate(data["setup"], start=1))
    yield from ((f"copy {shown(path)}", "into each workspace") for path in data["copy"])
    yield from ((f"file {shown(path)}", _blob(blob)) for path, blob in data["files"].items())


def _extras(command: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if command.get("runs", "command") != "command" and command["argv"]:
        yield "runs", command["runs"]
    yield from ((f"env {shown(k)}", shown(v)) for k, v in command["env"].items())
    yield from (
        (f"pass_env {shown(name)}", "from your environment") for name in command.get("pass_env", ())
    )
    yield from ((f"protect {shown(glob)}", "as in the base") for glob in command.get("protect", ()))
    if "permissions" in command:
        yield "permissions", command["permissions"]
    yield from ((f"tool {shown(tool)}", "unasked") for tool in command.get("tools", ()))
    if "sandbox" in command:
        yield "sandbox", _sandboxed(command["sandbox"])


def _details(command: Mapping[str, Any], where: Mapping[str, str | None]) -> Iterator[str]:
    program = command["argv"][0] if command["argv"] else ""
    if program in where:
        place = where[program]
        yield f"program: {shown(place)}" if place else f"program: {shown(program)} is not on PATH"
    for word, names in (("passes", command.get("pass_env")), ("protects", command.get("protect"))):
        if names:
            yield f"{word}: {_joined(names)}"
    if command["env"]:
        yield f"sets: {_joined(f'{k}={v}' for k, v in command['env'].items())}"
    if "permissions" in command:
        yield f"permissions: {command['permissions']}"
    if command.get("tools"):
        yield f"tools: {_joined(command['tools'])}"
    if "sandbox" in command:
        yield f"sandbox: {_sandboxed(command['sandbox'])}"


def _sandboxed(wish: Mapping[str, Any]) -> str:
    if wish["mode"] == SandboxMode.OFF:
        return "off"
    named = (("hosts", "hosts"), ("reads", "read"), ("writes", "write"))
    more = [f"{word} {_joined(wish[key])}" for word, key in named if wish[key]]
    return "; ".join((f"{wish['mode']}, network {wish['network']}", *more))


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(shown(text) for text in texts)


def _command(argv: Iterable[str]) -> str:
    return " ".join(shown(word) for word in argv)


def _blob(value: str) -> str:
    return " ".join(short(word) if len(word) >= 40 else shown(word) for word in value.split(" "))  # noqa: PLR2004 - an object id


def shown(word: str) -> str:
    """Quote a word as for a shell; control and bidirectional characters become escapes."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = "".join(c if c.isprintable() and c not in "'\\" else _escape(c) for c in word)
    return f"$'{escaped}'"


def _escape(char: str) -> str:
    if char in "'\\":
        return "\\" + char
    return char.encode("unicode_escape").decode()
