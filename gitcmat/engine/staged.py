"""What a commit that is about to be made would bring in that is wrong."""

from collections.abc import Collection
from pathlib import Path

from gitcmat.engine.lint import lint_files
from gitcmat.model.problem import Problem
from gitcmat.store import snapshot
from gitcmat.store.git import Git, Repository


def lint_staged(
    repo: Repository, *, known: Collection[str] = (), index: Path | None = None
) -> list[Problem]:
    """Return the problems of the index that HEAD does not have; what was wrong before is no reason
    to hold up a commit.

    `index` is the file that git is about to commit, which is another one than usual for ``git
    commit -a`` and ``git commit PATH``. `known` are ids of tasks that exist without a file.
    """
    env = {"GIT_INDEX_FILE": str(index)} if index else None
    git = Git(repo.git_dir, work_tree=repo.work_tree, env=env)
    found = lint_files(snapshot.of_index(git), known=known)
    head = git.rev("HEAD")
    before = lint_files(snapshot.of_commit(git, head), known=known) if found and head else []
    old = {(problem.path, problem.text) for problem in before}
    return [problem for problem in found if (problem.path, problem.text) not in old]
