"""The one runner for git: every git process of gitcmat is started here.

The git directory is always named; nothing depends on the current folder. Variable arguments go
after ``--end-of-options`` or ``--`` at the call. What every process is told is in `git_rules`.

GitPython costs ten times the start of Python itself, so it is imported only by the functions that
read history for people (`history`), never on the way of a run, a hook or a list.
"""

import functools
import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gitcmat.errors import Conflict, NotFound, UserError
from gitcmat.store.git_rules import environment, program, program_at
from gitcmat.store.loose_refs import head_branch, loose_ref
from gitcmat.system import proc
from gitcmat.system.proc import Done
from gitcmat.system.refusals import refusal_in

if TYPE_CHECKING:
    import git


class GitError(UserError):
    """A git command failed in a way its caller did not expect; carries what git said."""

    def __init__(self, done: Done) -> None:
        said = _complaint(done)
        super().__init__(f"git failed: {' '.join(done.argv[:6])}\n{said}", hint="gitcmat doctor")
        self.done = done
        self.refused = done.code < 0
        """Whether the machine is to blame: what was asked for may be fine."""
        self.passing = False
        """Whether it may well work in a while."""
        if known := refusal_in(said, what=_place(done.argv)):
            self.refused, self.passing = True, known.passing
            self.message, self.hint = known.message, known.hint
        elif _NOT_WRITTEN.search(said):
            self.message = f"Cannot write {_place(done.argv)}: {said.removeprefix('fatal: ')}"
            self.hint = "see whether the disk is full or read-only (df, mount), then do it again"


def raise_passing(done: Done) -> None:
    """Raise `GitError` when git was killed or found no space: that is not what it was asked."""
    error = GitError(done) if done.code != 0 else None
    if error is not None and (done.code < 0 or error.passing):
        raise error


def _complaint(done: Done) -> str:
    """What a git that failed says about it, without warnings about other things."""
    ended = f"exit code {done.code}" if done.code >= 0 else f"killed by signal {-done.code}"
    said = done.err.decode("utf-8", "replace").strip()
    lines = [line for line in said.splitlines() if not line.startswith("warning: ")]
    return "\n".join(lines) or said or ended


_NO: Final = 1
"""The exit code of git's questions that are answered by no."""

_NOT_WRITTEN: Final = re.compile(r"couldn't (?:write|set)|unable to (?:write|create)|write error")
"""What git says of a disk that refuses where it does not say why."""


def _place(argv: Sequence[str]) -> str:
    """Which repository a git worked in, and at what."""
    place = next((a.removeprefix("--git-dir=") for a in argv if a.startswith("--git-dir=")), "")
    verb = next((a for a in argv[1:] if not a.startswith("-")), "")
    return f"{place} (git {verb})".strip()


class Repository(NamedTuple):
    """Where a repository's parts are. All paths are absolute and resolved."""

    git_dir: Path
    """The git directory of this work tree (of a linked one: its own)."""
    common_dir: Path
    """The git directory that all work trees share; ``cmat/`` of this machine lies in it."""
    work_tree: Path | None
    """None for a bare repository."""
    object_format: str
    """``sha1`` or ``sha256``."""

    @property
    def cmat(self) -> Path:
        """The folder of this machine's own files, never committed."""
        return self.common_dir / "cmat"

    @property
    def root(self) -> Path:
        """What a person calls the repository: the work tree, or the bare folder."""
        return self.work_tree or self.common_dir

    @property
    def main_work_tree(self) -> Path | None:
        """The work tree beside the common git directory, if there is one."""
        if self.work_tree is not None and self.git_dir == self.common_dir:
            return self.work_tree
        return self.common_dir.parent if self.common_dir.name == ".git" else None


class Git:
    """git in one repository.

    Thread-safe: it holds no process. No path is taken from the current folder.
    """

    def __init__(
        self,
        git_dir: Path,
        *,
        work_tree: Path | None = None,
        env: Mapping[str, str] | None = None,
        silent: bool = True,
        shown: bool = False,
        settings: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.git_dir = git_dir
        self.work_tree = work_tree
        self._env = environment(env, silent=silent, shown=shown, settings=settings)
        self._head = [program(), f"--git-dir={git_dir}"]
        if work_tree is not None:
            self._head.append(f"--work-tree={work_tree}")

    def run(
        self,
        *args: str | Path,
        input: bytes | None = None,  # noqa: A002 - the word that subprocess uses
        env: Mapping[str, str] | None = None,
        ok: Iterable[int] = (0,),
        timeout: float | None = None,
    ) -> Done:
        """Run ``git ARGS`` and return what it printed.

        Raises `GitError` when the exit code is not in `ok`; an empty `ok` accepts every code.
        """
        done = proc.run(
            [*self._head, *map(str, args)],
            cwd=self.work_tree or self.git_dir,
            env={**self._env, **env} if env else self._env,
            input=input,
            timeout=timeout,
        )
        accepted = tuple(ok)
        if accepted and done.code not in accepted:
            raise GitError(done)
        return done

    def text(self, *args: str | Path, env: Mapping[str, str] | None = None) -> str:
        """Run git and return its output as text, without the last newline."""
        return self.run(*args, env=env).text

    def maybe(self, *args: str | Path) -> str | None:
        """Run git and return its output, or None when it says no.

        Raises `GitError` when it could not even look: it was killed, or the disk failed it.
        """
        done = self.asked(*args)
        return done.text if done.code == 0 else None

    def ok(self, *args: str | Path) -> bool:
        """Whether git says yes; raises `GitError` as `maybe` does."""
        return self.asked(*args).code == 0

    def asked(
        self,
        *args: str | Path,
        input: bytes | None = None,  # noqa: A002 - as in `run`
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run git to ask something and accept every answer; raises `GitError` as `maybe` does."""
        done = self.run(*args, input=input, env=env, ok=())
        if done.code < 0 or (done.code > _NO and refusal_in(_complaint(done))):
            raise GitError(done)  # to take that for a no would be to believe that all is gone
        return done

    def rev(self, name: str) -> str | None:
        """Return the object id that `name` means, peeled to a commit; None where there is none."""
        return self.maybe(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )

    def ref(self, name: str) -> str | None:
        """Return the value of a full ref name, None where it does not exist."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return loose_ref(self.git_dir, name) or self.maybe(*asked)

    def head(self) -> str | None:
        """Return the full name of the branch that HEAD is on (also an unborn one), None when
        detached.
        """
        return head_branch(self.git_dir) or self.maybe("symbolic-ref", "--quiet", "HEAD")

    def update_ref(self, ref: str, new: str, old: str | None, *, why: str = "") -> None:
        """Move `ref` from `old` to `new` in one step; `old` None means that it must not exist yet.

        Raises:
            Conflict: it is elsewhere by now, another git process holds its lock, or a ref is in
            its way.
            GitError: git refused for another reason (`new` is no object here, the disk is full).
        """
        parts = (f"update {ref}", new, old, "") if old else (f"create {ref}", new, "")
        if any("\0" in part for part in parts):
            raise ValueError(f"{ref!r} cannot be a ref")
        stdin = "\0".join(parts).encode()
        how = ("update-ref", "-m", why or "gitcmat", "--stdin", "-z")
        done = self.run(*how, input=stdin, ok=())
        if done.code == 0:
            return
        now = self.ref(ref)
        if now == new:
            return  # killed, but not before it was done
        if now != old:
            places = f"it is at {now or 'nothing'}, not at {old or 'nothing'}"
            raise Conflict(f"{ref} was moved by somebody else: {places}.", hint="try again")
        said = _complaint(done)
        if "cannot lock ref" not in said or refusal_in(said):
            raise GitError(done)
        from gitcmat.store import ref_lock

        if ref_lock.remove_left(self.git_dir, ref):
            self.update_ref(ref, new, old, why=why)
            return
        raise ref_lock.held(self.git_dir, ref) or Conflict(
            f"{ref} cannot be moved: {said}", hint="try again, then: gitcmat doctor"
        )

    def delete_ref(self, ref: str, old: str) -> bool:
        """Delete `ref` if it still is at `old`; say whether it was."""
        return self.run("update-ref", "--no-deref", "-d", ref, old, ok=()).code == 0

    @property
    def null(self) -> str:
        """The id that means "nothing", as long as this repository's ids."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    @functools.cached_property
    def object_format(self) -> str:
        """``sha1`` or ``sha256``."""
        return self.text("rev-parse", "--show-object-format")

    def blobs(self, names: Iterable[str], *, damaged: bool = False) -> dict[str, bytes]:
        """Return the contents of objects by name (``<oid>`` or ``<rev>:<path>``), in one process.

        Missing ones are left out; with `damaged` those too that git finds broken, at which it
        gives up: then a process is needed for each.
        """
        asked = list(names)
        try:
            out = self._cat_file("--batch", asked)
        except GitError as error:
            if not damaged or error.refused:
                raise
            told = ((name, self.asked("cat-file", "blob", name)) for name in asked)
            return {name: done.out for name, done in told if done.code == 0}
        found: dict[str, bytes] = {}
        at = 0
        for name in asked:
            end = out.index(b"\n", at)
            header = out[at:end]
            at = end + 1
            if _is_there(header):
                size = int(header.rsplit(b" ", 1)[1])
                found[name] = out[at : at + size]
                at += size + 1
        return found

    def require(self, oids: Collection[str]) -> None:
        """See that the repository has all these objects, in one process.

        Raises `NotFound` when it has not.
        """
        headers = self._cat_file("--batch-check", oids).splitlines()
        missing = [oid for oid, head in zip(oids, headers, strict=True) if not _is_there(head)]
        if missing:
            raise NotFound(
                f"{self.git_dir} lacks {len(missing)} of {len(oids)} objects, first {missing[0]}.",
                hint="git fsck",
            )

    def _cat_file(self, how: str, names: Iterable[str]) -> bytes:
        asked = [os.fsencode(name) for name in names]
        if any(b"\n" in name for name in asked):
            raise ValueError("the name of an object cannot hold a line end")
        if not asked:
            return b""
        return self.run("cat-file", how, "--buffer", input=b"\n".join(asked) + b"\n").out

    def blob(self, name: str) -> bytes | None:
        """Return the contents of one object, None where it is missing."""
        return self.blobs([name]).get(name)

    def tree(self, treeish: str, *paths: str, recurse: bool = True) -> Iterator["TreeEntry"]:
        """List the entries of a tree; an absent tree or path lists nothing.

        Raises `GitError` when the tree is there but cannot be read: damage must not look like
        emptiness.
        """
        flags = ["-r"] if recurse else []
        # No "--" here: after --end-of-options it would be one more path.
        asked = ("--end-of-options", treeish, *paths)
        done = self.run("ls-tree", *flags, "-z", "--full-tree", *asked, ok=())
        if done.code != 0 and self.ref(treeish) is not None:
            raise GitError(done)
        for line in done.out.split(b"\0"):
            if line:
                meta, path = line.split(b"\t", 1)
                mode, kind, oid = meta.split()
                yield TreeEntry(mode.decode(), kind.decode(), oid.decode(), os.fsdecode(path))


def _is_there(header: bytes) -> bool:
    """Whether a header of ``cat-file`` ends with a size and not with what is wrong."""
    return header[-1:].isdigit()


class TreeEntry(NamedTuple):
    """One line of ``git ls-tree``."""

    mode: str
    kind: str
    oid: str
    path: str


def discover(start: Path) -> Repository:
    """Find the repository that `start` lies in.

    Raises `NotFound` outside of a repository, `Conflict` where git refuses it (another user's).
    """
    questions = (
        "--absolute-git-dir",
        "--git-common-dir",
        "--is-bare-repository",
        "--show-object-format",
        "--show-toplevel",  # last: it has no answer in a bare repository or inside .git
    )
    done = proc.run(
        [program_at(start), "rev-parse", "--path-format=absolute", *questions],
        cwd=start,
        env=environment(settings=[("safe.bareRepository", "all")]),
    )
    answer = _ANSWERS.fullmatch(done.out)
    if answer is None:
        said = done.err.decode("utf-8", "replace").strip()
        if owned := re.search(_DUBIOUS, said, re.DOTALL):
            allow = f"git config --global --add safe.directory {shlex.quote(owned[1])}"
            raise Conflict(
                f"{owned[1]} belongs to another user; git and gitcmat do not work in it.",
                hint=f"if you trust its owner: {allow}",
            )
        # Hooks and aliases of git set it, for their own repository; so nothing of ours reads it.
        how = "gitcmat -C DIR; GIT_DIR is not read" if "GIT_DIR" in os.environ else "git init"
        raise NotFound(f"{start.absolute()} is not in a git repository.", hint=how)
    git_dir, common = (Path(os.fsdecode(p)).resolve() for p in answer.group(1, 2))
    top: Path | None = None
    if done.code == 0:
        top = Path(os.fsdecode(answer[5])).resolve()
    elif answer[3] != b"true":
        # Inside .git itself there is no work tree to show, though the repository has one.
        top = _work_tree_of(git_dir, common)
    return Repository(
        git_dir=git_dir,
        common_dir=common,
        work_tree=top,
        object_format=answer[4].decode(),
    )


_DUBIOUS: Final = r"dubious ownership in repository at '(.*?)'\n"

# A path may hold line ends: what follows it tells where it is over.
_ANSWERS: Final = re.compile(
    rb"(/.*?)\n(/.*?)\n(true|false)\n(sha1|sha256)\n(?:(/.*)\n)?", re.DOTALL
)


def _work_tree_of(git_dir: Path, common_dir: Path) -> Path:
    if git_dir == common_dir:
        return git_dir.parent
    return Path((git_dir / "gitdir").read_text(encoding="utf-8").rstrip("\n")).resolve().parent


@contextmanager
def history(git_dir: Path) -> Iterator["git.Repo"]:
    """Open the repository with GitPython, to read commits as objects.

    It is closed at the end, so no child process stays.
    """
    import git  # costs 150 ms: only those who read history pay

    with git.Repo(git_dir) as repo:
        repo.git.update_environment(**environment())
        yield repo
