"""What git prints when a push or fetch is refused, in words for people.

GitHub speaks to people in the lines that begin with ``remote:``, and to git in the reason behind
``[remote rejected]``. Both are data: they go no further than into a message of one line.
"""

import re
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 300
_LINKS: Final = re.compile(r"https://github\.com/[A-Za-z0-9_./?=&%-]{1,200}")


@dataclass(frozen=True, slots=True)
class PushRefusal:
    """Why it was refused, and what to do next."""

    why: str
    how: str


@dataclass(frozen=True, slots=True)
class _Known:
    sign: re.Pattern[str]
    why: str
    how: str


def _known(sign: str, why: str, how: str) -> _Known:
    return _Known(re.compile(sign, re.IGNORECASE), why, how)


# The first that fits counts: the most telling sign comes first.
_ALL: Final = (
    _known(
        r"SAML SSO|single sign-on",
        "the organisation wants single sign-on for this token",
        "authorise the token for it",
    ),
    _known(
        r"refusing to allow .* to create or update workflow .* without `?workflows?`? "
        r"(?:scope|permission)",
        "it changes a workflow below .github/workflows, and the token may not",
        "keep the change out of the work, or push the branch yourself; a token that may change "
        "workflows (scope 'workflow', permission 'workflows: write') decides what runs there",
    ),
    _known(
        r"push cannot contain secrets|GITHUB PUSH PROTECTION",
        "it holds a secret that the forge knows by its looks",
        "take the secret out of all commits of the work, and have it replaced where it is valid",
    ),
    _known(
        r"GH013|repository rule violations",
        "a rule of the repository forbids it",
        "have the rule leave out these branches, or choose another prefix: branch: {prefix: …}",
    ),
    _known(
        r"GH006|protected branch",
        "the branch is protected",
        "have the protection leave out these branches, or choose another prefix: "
        "branch: {prefix: …}",
    ),
    _known(
        r"GH001|exceeds GitHub's file size limit",
        "a file is larger than the forge takes",
        "take it out of all commits of the work",
    ),
    _known(
        r"GH007|publish a private email",
        "its commits would show an email address that you keep private there",
        "git config user.email NUMBER+LOGIN@users.noreply.github.com, and have the work done anew",
    ),
    _known(
        r"archived so it is read-only",
        "the repository is archived",
        "unarchive it, or set forge: {pull: off} in your own settings",
    ),
    _known(
        r"Permission to .* denied|Write access to repository not granted|returned error: 403",
        "the token may not push there",
        "give the token 'contents: write' (a classic one the scope 'repo'), and its owner a role "
        "that may write; gitcmat auth status says more",
    ),
    _known(
        r"Authentication failed|Invalid username or|could not read (?:Username|Password)",
        "the token is not accepted: it is wrong, expired or revoked",
        "gitcmat auth status says where it comes from",
    ),
    _known(
        r"repository .*not found",
        "the repository is not there, or the token may not see it",
        "git remote -v, and gitcmat auth status",
    ),
    _known(
        r"Could not resolve host|unable to access|Connection refused|timed out",
        "its host cannot be reached",
        "nothing has changed; try again later",
    ),
    _known(
        r"\(stale info\)|fetch first|non-fast-forward",
        "somebody else moved the branch",
        "look at what is new there",
    ),
)


def refusal(said: str) -> PushRefusal:
    """Read what git printed on standard error.

    What is not known is told in git's own words, which are the hint then.
    """
    found = next((known for known in _ALL if known.sign.search(said)), None)
    own = _own_words(said)
    if found is None:
        return PushRefusal("", own)
    link = _LINKS.search(said)
    how = f"{found.how}: {link[0]}" if link and "sign-on" in found.why else found.how
    return PushRefusal(found.why, f"{how} ({own})" if own else how)


def _own_words(said: str) -> str:
    """Return what git and the forge said, in one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wanted = [line for line in lines if line.startswith(("remote:", "fatal:", "error:", "!"))]
    bare = [line.removeprefix("remote:").strip() for line in wanted or lines]
    return "; ".join(dict.fromkeys(line for line in bare if line))[:_LONGEST]
