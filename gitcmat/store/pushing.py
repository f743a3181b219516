"""A branch on a remote: moved only from where we saw it, and looked at before anybody is told.

A token goes to git by its environment and from there to the host that it is for, and to no other:
it is in no argument, no file and no address.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from gitcmat.errors import Conflict, UserError
from gitcmat.model.secret import Secret
from gitcmat.store.git import Git, GitError
from gitcmat.store.push_refusals import refusal
from gitcmat.system import proc

_SECONDS: Final = 300.0
_LENT: Final = "CMAT_LENT_TOKEN"
_HELPER: Final = (
    '!f() { test "$1" = get && printf "username=x-access-token\\npassword=%s\\n" '
    f'"${_LENT}"; }}; f'
)
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?")


class NotPushed(UserError):
    """The branch on the remote is where it was."""


class PushUnknown(UserError):
    """The remote could not be asked where its branch is by now."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A remote by its address, which has no login in it, and what signs git in there."""

    url: str
    settings: tuple[tuple[str, str], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


def signed_in(url: str, token: Secret) -> Upstream:
    """Return an ``https://`` remote that git signs in to by `token`, and by nothing else."""
    address = _ADDRESS.match(url)
    if address is None:
        raise ValueError("only an http address can be signed in to by a token")
    scope = f"credential.{address[0]}"
    settings = (
        (f"{scope}.helper", ""),  # forgets the person's own, which would store our token
        (f"{scope}.helper", _HELPER),
        (f"{scope}.useHttpPath", "false"),
        ("core.askPass", ""),
        ("http.followRedirects", "false"),
    )
    return Upstream(url, settings, {_LENT: token.reveal(), "GIT_ASKPASS": ""})


def remote_tip(git: Git, upstream: Upstream, ref: str) -> str | None:
    """Return the commit of a full ref on the remote, None where it is not there.

    Raises:
        PushUnknown: the remote would not say.
    """
    return remote_tips(git, upstream, [ref]).get(ref)


def remote_tips(git: Git, upstream: Upstream, wanted: Collection[str]) -> dict[str, str]:
    """Return the commits of those of the full refs `wanted` that are on the remote.

    Raises:
        PushUnknown: the remote would not say.
    """
    if not wanted:
        return {}
    try:
        asked = ("ls-remote", "--refs", "--end-of-options", upstream.url, *wanted)
        done = at_remote(git, upstream, *asked)
    except (GitError, proc.Timeout) as error:
        where = f"where {next(iter(wanted))} is" if len(wanted) == 1 else "where its branches are"
        raise in_words(PushUnknown, f"{upstream.url} does not say {where}", error) from error
    pairs = (line.partition("\t") for line in done.splitlines())
    return {name: commit for commit, _, name in pairs if name in wanted}


def push(git: Git, upstream: Upstream, ref: str, commit: str | None, *, was: str | None) -> None:
    """Move a full ref on the remote from `was` to `commit`; None is for a ref that is not there.

    When it returns the remote has said, asked anew, that it is so. No hook is run. It may
    be repeated after any of its errors.

    Raises:
        Conflict: somebody else moved it.
        NotPushed: the remote would not, and it is where it was.
        PushUnknown: nobody knows; ask with `remote_tip`.
    """
    failed: UserError | None = None
    try:
        at_remote(
            git,
            upstream,
            *("push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"),
            *(f"--force-with-lease={ref}:{was or ''}", "--end-of-options"),
            *(upstream.url, f"{commit or ''}:{ref}"),
        )
    except (GitError, proc.Timeout) as error:
        failed = error
    now = remote_tip(git, upstream, ref)
    if now == commit:
        return
    if now != was:
        raise Conflict(
            f"{ref} is at {now or 'nothing'} on {upstream.url}, and not where gitcmat left it.",
            hint="look at what is new there",
        )
    said = f"{ref} could not be pushed to {upstream.url}"
    if failed is None:
        raise NotPushed(f"{said}.", hint="the remote said yes and did nothing; try again")
    raise in_words(NotPushed, said, failed)


def at_remote(git: Git, upstream: Upstream, *args: str) -> str:
    """Run git where it may sign in to `upstream`; return what it printed.

    Raises `GitError`, or `Timeout` after some minutes.
    """
    there = Git(git.git_dir, env=upstream.env, settings=upstream.settings)
    return there.run(*args, timeout=_SECONDS).text


def in_words(kind: type[UserError], said: str, error: UserError) -> UserError:
    """Return an error that says why git failed, and what to do: `said` is what did not happen."""
    if not isinstance(error, GitError):
        return kind(f"{said}.", hint=error.message)
    found = refusal(error.done.err.decode("utf-8", "replace"))
    return kind(f"{said}: {found.why}." if found.why else f"{said}.", hint=found.how)
