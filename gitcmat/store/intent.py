"""Read what people want from git objects, never from the work tree.

Only the folder of a tip is listed; a task file is parsed when somebody asks for it, which is once
for each blob. Wrong settings keep the last good ones: these are remembered whole, per source, in
``.git/cmat/good.json``, so that they outlive a restart, a force-push and a gc, and so that
unchanged settings need no parsing either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.intent import Agent, Intent, TaskFile
from gitcmat.model.names import short, task_id
from gitcmat.model.problem import Problem
from gitcmat.model.settings import Config
from gitcmat.model.task import Task
from gitcmat.store import documents, layout, profiles, snapshot
from gitcmat.store.git import Git, Repository
from gitcmat.store.good import GoodSettings, Settings
from gitcmat.store.snapshot import LINK, MODULE, OTHER, UNMERGED, File, Snapshot

_REMEMBERED: Final = 64
_KEPT_FILES: Final = frozenset({".gitkeep", ".gitignore", "README.md"})


class IntentReader:
    """Reads intents of one repository and remembers them by the object of ``.cmat``."""

    def __init__(self, repo: Repository, git: Git, *, remember: bool = True) -> None:
        """`remember` is False for those who only read: good settings are not noted for later."""
        self._git = git
        self._remember = remember
        self._good = GoodSettings(repo.cmat / "good.json")
        self._known: dict[str, Intent] = {}

    def read(self, ref: str, commit: str) -> Intent:
        """Return the intent of `ref` as it is at `commit`; one process when it was seen before.

        Raises `GitError` when the commit is not there. What is wrong inside is in
        `Intent.problems`.
        """
        tree = snapshot.tree_of(self._git, commit)
        key = snapshot.key_of(self._git, commit)
        known = self._known.get(key)
        if known is None or (known.problems and known.ref != ref):
            known = self._read(ref, commit, tree)
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = known
        settings_from = commit if known.settings_from == known.commit else known.settings_from
        return replace(known, ref=ref, commit=commit, settings_from=settings_from)

    def task(self, file: TaskFile) -> Task | Problem:
        """Read one task file."""
        return self.tasks([file])[file.id]

    def tasks(self, files: Iterable[TaskFile]) -> dict[str, Task | Problem]:
        """Read task files, all contents by one process; a wrong one stops only itself."""
        asked = list(files)
        blobs = self._git.blobs(dict.fromkeys(file.blob for file in asked))
        return {file.id: _task(file, blobs.get(file.blob)) for file in asked}

    def _read(self, ref: str, commit: str, tree: str) -> Intent:
        if not tree:
            return Intent(ref=ref, commit=commit, tree="", settings_from=commit)
        found = snapshot.of_commit(self._git, commit)
        tasks, problems = list_tasks(found.files)
        plain = Intent(
            ref=ref,
            commit=commit,
            tree=tree,
            settings_from=commit,
            tasks=tasks,
            files=_objects(found.files),
            guests=_objects(found.guests),
        )
        good = self._good.get(ref)
        said_by = _objects(f for f in found.files if _is_settings(f.path, links=True))
        said_by |= _objects(f for f in found.guests if profiles.is_claude(f.path))
        said_by |= _objects(f for f in (*found.files, *found.guests) if profiles.is_skill(f.path))
        if good is not None and good.files == said_by:
            return _with(plain, good.settings, problems)
        settings, wrong = read_settings(found)
        if not wrong:
            if self._remember:
                self._good.put(ref, commit, said_by, settings)
            return _with(plain, settings, problems)
        if good is None:
            wrong = [
                _add(p, f"no good settings are known for {_branch(ref)}: nothing starts")
                for p in wrong
            ]
            return replace(plain, settings_from=None, problems=(*wrong, *problems))
        wrong = [_add(p, f"using the settings of {short(good.commit)}") for p in wrong]
        kept = _with(plain, good.settings, [*wrong, *problems])
        return replace(kept, settings_from=good.commit)


def read_settings(found: Snapshot) -> tuple[Settings, list[Problem]]:
    """Read config and agents, all that are right, and say what is wrong with the others."""
    config = Config()
    agents: dict[str, Agent] = {}
    wrong: list[Problem] = []
    wanted = [f for f in found.files if f.regular and _is_settings(f.path)]
    wrong += [odd(f) for f in found.files if not f.regular and _is_settings(f.path, links=True)]
    contents = found.read(wanted)
    for file in wanted:
        try:
            content = _content(contents, file.path)
            if file.path == layout.CONFIG:
                config, _ = documents.config(content, name=file.path)
            else:
                agent = profiles.own(file, content)
                agents[agent.profile.name] = agent
        except InvalidData as error:
            wrong += Problem.all_of(error, file.path)
    stems = {PurePosixPath(f.path).stem for f in found.files if _is_settings(f.path)}
    every = agents | profiles.claude(found, stems)[0]
    named = {name for agent in every.values() for name in agent.profile.skills}
    known = profiles.skills(found, named) if named else {}
    pointed = {agent.profile.name: agent for agent in profiles.pointed(every, known)}
    return Settings(config, pointed), wrong


def list_tasks(files: Iterable[File]) -> tuple[dict[str, TaskFile], list[Problem]]:
    """Sort the files below ``.cmat/tasks/`` into task files and what is none."""
    tasks: dict[str, TaskFile] = {}
    wrong: list[Problem] = []
    every = list(files)
    paths = {file.path for file in every}
    for file in every:
        name = file.path.removeprefix(f"{layout.TASKS}/")
        if file.path == layout.TASKS and not file.regular:
            wrong.append(odd(file))
        elif name == file.path or name in _KEPT_FILES:
            continue
        elif problem := _not_a_task(file, name, paths):
            wrong.append(problem)
        else:
            stem = name.removesuffix(".yaml")
            tasks[stem] = TaskFile(id=stem, path=file.path, blob=file.blob)
    return tasks, wrong


def odd(file: File) -> Problem:
    """What is wrong with something that is not a plain file."""
    what, hint = {
        LINK: ("is a symbolic link", "put the file itself there"),
        MODULE: ("is a submodule", "put the files themselves there"),
        UNMERGED: ("is not merged", "resolve the merge, then git add it"),
        OTHER: ("is not a file", "put a plain file there"),
    }.get(file.mode, (f"has the mode {file.mode}", "put a plain file there"))
    return Problem(file.path, 1, what, hint)


def _not_a_task(file: File, name: str, paths: set[str]) -> Problem | None:
    if not file.regular:
        return odd(file)
    if "/" in name:
        up = f"{layout.TASKS}/{PurePosixPath(name).name}"
        return Problem(
            file.path, 1, "is in a sub-folder, where tasks are not read", f"git mv it to {up}"
        )
    if not name.endswith(".yaml"):
        hint = f"name it {name[:-4]}.yaml" if name.endswith(".yml") else "tasks are named <id>.yaml"
        return Problem(file.path, 1, "is not a task file", hint)
    stem = name.removesuffix(".yaml")
    twin = f"{layout.TASKS}/{stem.lower()}.yaml"
    if twin != file.path and twin in paths:
        return Problem(
            file.path,
            1,
            f"differs from {stem.lower()}.yaml only by upper and lower case",
            "delete one of them",
        )
    try:
        task_id(stem)
    except InvalidData as error:
        return Problem(file.path, 1, error.message, error.hint)
    return None


def _is_settings(path: str, *, links: bool = False) -> bool:
    if path == layout.CONFIG:
        return True
    folder, _, name = path.rpartition("/")
    if folder == layout.AGENTS:
        return name.endswith(".md") and name != "README.md"
    return links and path in (layout.CMAT, layout.AGENTS)


def _objects(files: Iterable[File]) -> dict[str, str]:
    """Path → object, with a word before it for a link."""
    return {f.path: f"link {f.blob}" if f.mode == LINK else f.blob for f in files}


def _content(contents: Mapping[str, Any], path: str) -> bytes:
    content: bytes | InvalidData = contents[path]
    if isinstance(content, InvalidData):
        raise InvalidData(f"{path}:1: {content.message}", hint=content.hint)
    return content


def _task(file: TaskFile, content: bytes | None) -> Task | Problem:
    if content is None:
        return Problem(file.path, 1, "is not in this repository", "git fetch, or git fsck")
    try:
        return documents.task(content, name=file.path)[0]
    except InvalidData as error:
        return Problem.of(error, file.path)


def _with(intent: Intent, settings: Settings, problems: Iterable[Problem]) -> Intent:
    return replace(intent, config=settings.config, agents=settings.agents, problems=tuple(problems))


def _add(problem: Problem, consequence: str) -> Problem:
    return replace(problem, text=f"{problem.text}; {consequence}")


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
