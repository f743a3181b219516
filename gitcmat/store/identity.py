"""Who the person is, as git knows them in a repository."""

import re

from gitcmat.errors import InvalidData
from gitcmat.model.job import Identity
from gitcmat.store.git import Git, Repository


def identity(repo: Repository) -> Identity:
    """Return the name and e-mail that the person's own commits carry here.

    Raises `InvalidData` when git does not know them.
    """
    done = Git(repo.git_dir).asked("var", "GIT_AUTHOR_IDENT")
    found = re.fullmatch(r"(.*) <(.*)> \d+ [+-]\d{4}", done.text) if done.code == 0 else None
    if found is None:
        raise InvalidData(
            "git does not know who you are.",
            hint='git config --global user.name "Your Name" and user.email you@example.org',
        )
    return Identity(name=found[1], email=found[2])
