"""Prepare a repository: write ``.cmat/``, hide the folders of records, and trust what was written.

The only files of the person's that it makes are below ``.cmat/`` of the work tree it is typed in;
it commits them when asked to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.engine import hooks
from gitcmat.engine.deps import Deps
from gitcmat.engine.detect import detect
from gitcmat.engine.hooks import Hooks
from gitcmat.engine.scaffold import scaffold
from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.model.intent import Intent
from gitcmat.model.settings import Branch
from gitcmat.model.stack import Proposal
from gitcmat.model.state import State
from gitcmat.store import documents, layout, snapshot
from gitcmat.store.exclude import ensure_excluded
from gitcmat.store.git import Git, Repository
from gitcmat.store.sources import saved_not_committed
from gitcmat.store.trust import read_plan
from gitcmat.store.typed_commit import commit_paths
from gitcmat.store.view_home import Home, settle_home
from gitcmat.system.files import inside, write_atomic

MESSAGE: Final = "Use gitcmat"
"""The subject of the commit."""

_PREFIXES: Final = (Branch().prefix, "gitcmat", "cmat-review", "cmat-tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was done."""

    root: Path
    proposal: Proposal
    written: tuple[str, ...]
    kept: tuple[str, ...]
    """Files that were there and stay as they are."""
    excluded: bool
    """Whether ``.git/info/exclude`` was changed."""
    prefix: str
    hooks: Hooks
    trusted: bool
    commit: str | None
    born: bool
    """Whether the branch has a commit: without one no task can start."""
    ignored: bool
    """Whether git ignores ``.cmat/``, so that only ``git add --force`` adds it."""
    main: Path | None
    """The main work tree, whose branch tasks come from, if this is another one."""


def prepare(deps: Deps, *, force: bool, look: bool, commit: bool) -> Prepared:
    """Prepare the repository. `look`: see what the project is built with; `commit`: commit it.

    Raises:
        NotFound: the repository is bare.
        Conflict: it is prepared already (unless `force`), something is active, saved changes would
            be lost, or git is in the middle of something.
        InvalidData: ``.cmat`` is no folder.
    """
    repo = deps.repo
    root = _check_place(repo)
    _check_idle(deps)
    git = Git(repo.git_dir, work_tree=root)
    head = git.rev("HEAD")
    fresh = not (root / layout.CMAT).exists() and not (head and snapshot.tree_of(git, head))
    proposal = detect(repo) if look else Proposal()
    prefix = _prefix(git)
    files = scaffold(proposal, prefix=prefix)
    wanted = _wanted(repo, root, files, force=force, commit=commit)
    for path, content in wanted.items():
        write_atomic(inside(root, path), content)
    settle_home(repo, Home(root, repo.git_dir))
    excluded = ensure_excluded(repo)
    found = hooks.look(repo)
    if found.free:
        found = hooks.install(repo)
    trusted = fresh and _trust(deps, git, head or git.null, files[layout.CONFIG])
    made = commit_paths(repo, [*files], MESSAGE) if commit and _unsaved(repo, files) else None
    return Prepared(
        root=root,
        proposal=proposal,
        written=tuple(wanted),
        kept=tuple(path for path in files if path not in wanted),
        excluded=excluded,
        prefix=prefix,
        hooks=found,
        trusted=trusted,
        commit=made,
        born=head is not None or made is not None,
        ignored=made is None and git.ok("check-ignore", "--quiet", "--", layout.CONFIG),
        main=repo.main_work_tree if repo.git_dir != repo.common_dir else None,
    )


def _check_place(repo: Repository) -> Path:
    if repo.work_tree is None:
        raise NotFound(
            f"{repo.root} is a bare repository, and .cmat/ is made in a work tree.",
            hint="gitcmat init in a clone of it, or in one of its work trees (git worktree add)",
        )
    folder = repo.work_tree / layout.CMAT
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        what = "a symbolic link" if folder.is_symlink() else "a file"
        raise InvalidData(f"{folder} is {what}, not a folder.", hint="move it away")
    return repo.work_tree


def _check_idle(deps: Deps) -> None:
    active = deps.store.read().counts().get(State.ACTIVE, 0)
    if active:
        tasks = "a task is" if active == 1 else f"{active} tasks are"
        raise Conflict(
            f"Nothing was written: {tasks} active.", hint="gitcmat run stop --all, or wait for them"
        )


def _prefix(git: Git) -> str:
    """The first prefix that is no branch: ``cmat`` and ``cmat/x`` cannot both be."""
    return next((p for p in _PREFIXES if git.ref(f"refs/heads/{p}") is None), _PREFIXES[0])


def _wanted(
    repo: Repository, root: Path, files: Mapping[str, bytes], *, force: bool, commit: bool
) -> dict[str, bytes]:
    """Choose what is to be written; refuse where that would lose something."""
    if not force:
        if (root / layout.CONFIG).exists() and not commit:
            raise Conflict(
                f"This repository is prepared already: {root / layout.CONFIG} is there.",
                hint="gitcmat init --force, to write it anew",
            )
        return {p: text for p, text in files.items() if not inside(root, p).exists()}
    wanted = {p: text for p, text in files.items() if not _is(inside(root, p), text)}
    for one in saved_not_committed(repo):
        if one.path in wanted and (root / one.path).exists():
            raise Conflict(
                f"Nothing was written: {one.path} is saved but not committed, and would be lost.",
                hint="commit it, or move it away",
            )
    return wanted


def _unsaved(repo: Repository, files: Mapping[str, bytes]) -> bool:
    """Whether any of our files is not committed as it is saved."""
    return any(one.path in files for one in saved_not_committed(repo))


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _trust(deps: Deps, git: Git, head: str, config: bytes) -> bool:
    """Allow the plan that a commit of what was written has on top of `head`; say if it starts
    anything.
    """
    settings, _ = documents.config(config, name=layout.CONFIG)
    intent = Intent(ref="", commit=head, tree="", settings_from=head, config=settings)
    plan = read_plan(git, intent)
    if not plan.starts_nothing:
        deps.trust.remember(plan, deps.clock.now())
    return not plan.starts_nothing
