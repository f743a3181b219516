"""What the files of a Python project declare: requirements by extra, group and file, and sections.

Read as data: ``setup.py`` too is parsed and not run.
"""

import ast
import configparser
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from gitcmat.model.stack import Project

_REQUIREMENT: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_REQUIREMENTS: Final = re.compile(
    r"(?:requirements/)?(?:(?:test|tests|dev|develop)[-_]?)?requirements"
    r"(?:[-_](?:test|tests|dev|develop))?\.txt"
    r"|requirements/(?:base|main|test|tests|dev|develop)\.txt"
)
_FOR_RUNNING: Final = frozenset({"requirements.txt", "base.txt", "main.txt"})


@dataclass(frozen=True, slots=True)
class Need:
    """A named set of requirements that can be installed."""

    kind: Literal["extra", "group", "file"]
    name: str
    names: frozenset[str]
    """The normalised names of what it holds."""
    always: bool = False
    """Installed whatever it is named."""

    def for_tests(self, words: tuple[str, ...]) -> bool:
        """Whether it is to be installed because of its name."""
        return self.always or bool(set(re.split(r"[-_./]", self.name.lower())) & set(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonProject:
    """What was found. `files` are those that declare something."""

    files: tuple[str, ...]
    installable: bool
    required: frozenset[str]
    """Normalised names of what the project itself needs."""
    needs: tuple[Need, ...]
    sections: Mapping[str, Any]
    """Settings of tools, by the tool's name."""
    packages: tuple[str, ...]
    """Folders of the code, as a type checker is told them."""
    problems: tuple[str, ...] = field(default=())

    def section(self, tool: str) -> dict[str, Any]:
        """The settings of a tool; empty when there are none."""
        found = self.sections.get(tool)
        return found if isinstance(found, dict) else {}

    def has_section(self, tool: str) -> bool:
        """Whether the project configures a tool."""
        return tool in self.sections

    @property
    def mypy_names_files(self) -> bool:
        """Whether mypy knows by its settings what to check."""
        return bool(self.section("mypy").keys() & {"files", "packages", "modules"})


def read_python(project: Project) -> PythonProject:
    """Read what is declared at the root."""
    problems: list[str] = []
    toml = _toml(project, problems)
    cfg = _ini(project, "setup.cfg", problems)
    script = _script(project, problems)
    table = _table(toml, "project")
    extras = {
        **_table(cfg, "options.extras_require"),
        **script,
        **_table(table, "optional-dependencies"),
    }
    own = str(table.get("name") or "")
    installable = (
        bool(table) or "build-system" in toml or bool(project.has("setup.py")) or "metadata" in cfg
    )
    files = project.has("pyproject.toml", "setup.py", "setup.cfg") if installable else ()
    required = {
        name
        for text in (
            *_lines(table.get("dependencies")),
            *_lines(_table(cfg, "options").get("install_requires")),
        )
        for name in _names(text)
    }
    needs = [Need("extra", name, _of_extra(extras, name, own)) for name in extras]
    groups = _table(toml, "dependency-groups")
    needs += [Need("group", name, _of_group(groups, name)) for name in groups]
    found = _requirement_files(project, installable=installable)
    needs += found
    return PythonProject(
        files=tuple(dict.fromkeys((*files, *(need.name for need in found)))),
        installable=installable,
        required=frozenset(required),
        needs=tuple(needs),
        sections=_sections(project, toml, cfg),
        packages=_packages(project),
        problems=tuple(problems),
    )


def _requirement_files(project: Project, *, installable: bool) -> list[Need]:
    found = []
    for path in project.paths:
        if _REQUIREMENTS.fullmatch(path):
            for_running = path.rpartition("/")[2] in _FOR_RUNNING
            if for_running and installable:
                continue  # the project says itself what it needs
            lines = project.texts.get(path, "").splitlines()
            names = frozenset(name for line in lines for name in _names(line))
            found.append(Need("file", path, names, always=for_running))
    return found


def _sections(project: Project, toml: Mapping[str, Any], cfg: Mapping[str, Any]) -> dict[str, Any]:
    tox = _ini(project, "tox.ini", [])
    mypy: dict[str, Any] = {}
    for name in ("mypy.ini", ".mypy.ini"):
        mypy |= _table(_ini(project, name, []), "mypy")
    found: dict[str, Any] = {
        tool: section
        for source, names in ((cfg, ("mypy", "tool:pytest")), (tox, ("pytest",)))
        for name in names
        if (section := source.get(name)) is not None
        for tool in (name.removeprefix("tool:"),)
    }
    if mypy:
        found["mypy"] = mypy
    return {**found, **_table(toml, "tool")}


def _packages(project: Project) -> tuple[str, ...]:
    if any(path.startswith("src/") and path.endswith(".py") for path in project.paths):
        return ("src",)
    tops = (p.partition("/")[0] for p in project.paths if p.count("/") == 1 and "/__init__.py" in p)
    return tuple(top for top in dict.fromkeys(tops) if top not in {"test", "tests", "docs"})


def _toml(project: Project, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(project.texts.get("pyproject.toml", ""))
    except tomllib.TOMLDecodeError as error:
        problems.append(f"pyproject.toml: cannot be read: {error}")
        return {}


def _ini(project: Project, name: str, problems: list[str]) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(project.texts.get(name, ""))
    except configparser.Error as error:
        problems.append(f"{name}: cannot be read: {error.message.splitlines()[0]}")
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def _script(project: Project, problems: list[str]) -> dict[str, list[str]]:
    """The extras of a ``setup.py``, where they are written out in it."""
    text = project.texts.get("setup.py", "")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        problems.append("setup.py: cannot be read as Python")
        return {}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "extras_require":
            try:
                found = ast.literal_eval(node.value)
            except (ValueError, TypeError):
                return {}
            return {str(k): _lines(v) for k, v in found.items()} if isinstance(found, dict) else {}
    return {}


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _lines(value: object) -> list[str]:
    """A list of texts, or the lines of one; whatever else it is, nothing."""
    if isinstance(value, str):
        return value.splitlines()
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _names(requirement: str) -> Iterator[str]:
    found = _REQUIREMENT.match(requirement.partition("#")[0])
    if found:
        yield _normal(found[1])


def _of_extra(extras: Mapping[str, Any], extra: str, own: str) -> frozenset[str]:
    """All that an extra holds, by way of others of the same project too."""
    names: set[str] = set()
    waiting, seen = [extra], {extra}
    while waiting:
        for text in _lines(extras.get(waiting.pop())):
            found = _REQUIREMENT.match(text)
            if found is None:
                continue
            names.add(_normal(found[1]))
            if own and _normal(found[1]) == _normal(own):
                more = {part.strip() for part in (found[2] or "").split(",")} - seen
                waiting += sorted(more)
                seen |= more
    return frozenset(names)


def _of_group(groups: Mapping[str, Any], group: str) -> frozenset[str]:
    names: set[str] = set()
    waiting, seen = [group], {group}
    while waiting:
        items = groups.get(waiting.pop())
        for item in items if isinstance(items, list) else ():
            if isinstance(item, str):
                names.update(_names(item))
            elif isinstance(item, dict) and str(item.get("include-group")) not in seen:
                seen.add(str(item.get("include-group")))
                waiting.append(str(item.get("include-group")))
    return frozenset(names)


@functools.cache
def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
