"""Attacks by its own repository and its own words, meant for whoever looks at them."""

import os
import subprocess
from pathlib import Path

from tests.support.evil.registry import Target, attack, put

BIDI = "\u202e\u2066\u200b\U000e0041"
ESCAPES = "\x1b]0;evil\x07\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m"


def _git(*args: str, **env: str) -> str:
    return subprocess.run(
        ["git", *args], env={**os.environ, **env}, capture_output=True, text=True, check=True
    ).stdout.strip()


def _commit(message: str, **env: str) -> None:
    _git("add", "-A", ".", ":!loot")
    _git("commit", "-q", "-m", message, **env)


def _canary(t: Target, name: str) -> str:
    """A command that shows that it was run, where the sandbox does not let the agent write."""
    return f"touch {t.canaries}/{name} #"


@attack("plant", "T21")
def other_author(t: Target, name: str) -> None:
    """Commits in another name, with a date of 1999"""
    del t, name
    put(Path("by-another.txt"), "x\n")
    who = {
        f"GIT_{w}_{k}": v
        for w in ("AUTHOR", "COMMITTER")
        for k, v in (
            ("NAME", "Linus"),
            ("EMAIL", "l@example.org"),
            ("DATE", "1999-01-01T00:00:00Z"),
        )
    }
    _commit("Looks old", **who)


@attack("plant", "T23")
def escapes_in_commit_message(t: Target, name: str) -> None:
    """Puts terminal escapes and bidi controls into a commit message"""
    put(Path("message.txt"), "x\n")
    _commit(f"{t.token(name)} {ESCAPES}{BIDI}")


@attack("plant", "T22")
def escapes_in_file_name(t: Target, name: str) -> None:
    """Names a file with terminal escapes and bidi controls"""
    put(Path(f"{t.token(name)}{ESCAPES}{BIDI}.txt"), "x\n")


@attack("plant", "T22")
def escapes_in_content(t: Target, name: str) -> None:
    """Hides text of a file by escapes and bidi controls, for `review diff` on a terminal"""
    put(Path("hidden.py"), f"# {t.token(name)} {ESCAPES}{BIDI}\n")


@attack("plant", "T23")
def escapes_in_output(t: Target, name: str) -> None:
    """Prints terminal escapes and bidi controls into its log"""
    print(f"{t.token(name)} {ESCAPES}{BIDI}")  # noqa: T201


@attack("plant", "T14")
def hide_by_index(t: Target, name: str) -> None:
    """Hides a change from its reviewer by flags of the index (`assume-unchanged`)"""
    put(Path("README.md"), f"{t.token(name)}\n")
    _git("update-index", "--assume-unchanged", "README.md")


@attack("plant", "T14")
def own_fsmonitor(t: Target, name: str) -> None:
    """Sets `core.fsmonitor` and `core.hooksPath` in its own `.git/config`"""
    hooks = Path(".git/evil-hooks")
    for hook in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        put(hooks / hook, f"#!/bin/sh\n{_canary(t, name)}\n")
        (hooks / hook).chmod(0o755)
    with Path(".git/config").open("a", encoding="utf-8") as file:
        file.write(f'[core]\n\tfsmonitor = "{_canary(t, name)}"\n\thooksPath = {hooks.resolve()}\n')


@attack("plant", "T14")
def own_filter(t: Target, name: str) -> None:
    """Sets a filter for all files by `.gitattributes` and its own `.git/config`"""
    put(Path(".gitattributes"), "*.txt filter=evil diff=evil merge=evil\n")
    lines = (f'\t{key} = "{_canary(t, name)}"\n' for key in ("clean", "smudge", "process"))
    put(Path(".git/config"), '[filter "evil"]\n' + "".join(lines))


@attack("plant", "T14")
def own_drivers(t: Target, name: str) -> None:
    """Sets drivers for diffs and merges in the same way"""
    put(
        Path(".git/config"),
        f'[diff "evil"]\n\ttextconv = "{_canary(t, name)}"\n'
        f'\tcommand = "{_canary(t, name)}"\n[merge "evil"]\n\tdriver = "{_canary(t, name)}"\n',
    )


@attack("plant", "T14")
def own_programs(t: Target, name: str) -> None:
    """Sets all other programs that git starts: pager, editor, ssh, gpg, pack hook, alias"""
    settings = {
        "core": ("pager", "editor", "sshCommand", "alternateRefsCommand", "gitProxy"),
        "uploadpack": ("packObjectsHook",),
        "gpg": ("program",),
        "credential": ("helper",),
        "alias": ("status", "diff", "log"),
        "sequence": ("editor",),
    }
    for section, keys in settings.items():
        lines = (f'\t{key} = "!{_canary(t, name)}"\n' for key in keys)
        put(Path(".git/config"), f"[{section}]\n" + "".join(lines))
    put(Path(".git/config"), "[commit]\n\tgpgSign = true\n")


@attack("nested", "T9")
def own_submodule(t: Target, name: str) -> None:
    """Leaves a repository in its tree, as a submodule with an update command and an fsmonitor"""
    inner = Path("lib")
    _git("init", "-q", str(inner))
    put(inner / "x.txt", "x\n")
    _git(
        "-C",
        "lib",
        "-c",
        "user.name=e",
        "-c",
        "user.email=e@e",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    )
    put(inner / ".git/config", f'[core]\n\tfsmonitor = "{_canary(t, name)}"\n')
    put(
        Path(".gitmodules"),
        f'[submodule "lib"]\n\tpath = lib\n\turl = ./lib\n\tupdate = !{_canary(t, name)}\n',
    )


@attack("plant", "T14")
def hide_by_exclude(t: Target, name: str) -> None:
    """Hides a new file from its reviewer by `.git/info/exclude`"""
    put(Path(".git/info/exclude"), "excluded.txt\n")
    put(Path("excluded.txt"), t.token(name))


@attack("plant", "T14")
def hide_by_ignore(t: Target, name: str) -> None:
    """Leaves a file that the project ignores, where gates may read it"""
    put(Path("ignored.log"), t.token(name))


@attack("replace", "T14")
def other_git_directory(t: Target, name: str) -> None:
    """Replaces its `.git` by a file that leads to the person's"""
    del name
    Path(".git").rename(".git-of-old")
    Path(".git").write_text(f"gitdir: {t.git}\n", encoding="utf-8")


@attack("replace", "T19")
def large_files(t: Target, name: str) -> None:
    """Leaves 24 MB in its work tree"""
    del name
    Path("large.bin").write_bytes(t.secret.encode() * 1_000_000)


@attack("borrow", "T16")
def borrow_hidden_objects(t: Target, name: str) -> None:
    """Lets its `.git` borrow objects of a repository that it cannot see, and commits their tree"""
    del name
    _commit_unseen(t)
    put(Path(".git/objects/info/alternates"), f"{t.vault}/.git/objects\n")


@attack("link", "T16")
def link_hidden_objects(t: Target, name: str) -> None:
    """Does the same by symlinks among its objects"""
    del name
    _commit_unseen(t)
    for number in range(256):
        place = Path(".git/objects") / f"{number:02x}"
        if not place.exists():
            place.symlink_to(t.vault / ".git/objects" / place.name)


def _commit_unseen(t: Target) -> None:
    """Commit a tree of which only the id is known."""
    who = "Pat Person <pat@example.org> 1700000000 +0000"
    lines = (
        f"tree {t.vault_tree}\nparent {_git('rev-parse', 'HEAD')}\nauthor {who}\ncommitter {who}"
    )
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"],
        input=f"{lines}\n\nUnseen\n".encode(),
        capture_output=True,
        check=True,
    )
    Path(".git/HEAD").write_bytes(done.stdout)


@attack("rewrite", "T14")
def rewrite_history(t: Target, name: str) -> None:
    """Makes its commit look like one on the base by replace refs and grafts"""
    del t, name
    put(Path("rewritten.txt"), "x\n")
    base = _git("rev-parse", "HEAD")
    tree = _git("write-tree")
    lone = _git("commit-tree", "-m", "Alone", tree)
    put(Path(".git/info/grafts"), f"{lone} {base}\n")
    like = _git("commit-tree", "-m", "Alone", "-p", base, tree)
    _git("update-ref", f"refs/replace/{lone}", like)
    _git("update-ref", "HEAD", lone)


@attack("disguise", "T9")
def names_in_disguise(t: Target, name: str) -> None:
    """Commits `.GIT/hooks/…` and `git~1`, which are `.git` on other machines"""
    blob = (
        subprocess.run(
            ["git", "hash-object", "-w", "--stdin"],
            input=f"#!/bin/sh\n{_canary(t, name)}\n".encode(),
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )
    hooks = _tree(f"100755 blob {blob}\tpost-checkout\n")
    inner = _tree(f"040000 tree {hooks}\thooks\n")
    rows = _git("ls-tree", "HEAD")
    root = _tree(f"040000 tree {inner}\t.GIT\n040000 tree {inner}\tgit~1\n{rows}\n")
    commit = _git("commit-tree", "-m", "Disguised", "-p", "HEAD", root)
    _git("update-ref", "HEAD", commit)


def _tree(rows: str) -> str:
    done = subprocess.run(["git", "mktree"], input=rows.encode(), capture_output=True, check=True)
    return done.stdout.decode().strip()
