"""Attacks that change what is the person's."""

import os
import subprocess

from tests.support.evil.registry import WROTE, Target, attack, put


def host_git(t: Target, *args: str) -> None:
    """Run git on the person's repository, as the agent."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    who = ("-c", "user.name=Evil", "-c", "user.email=evil@example.org")
    git = ("git", *who, f"--git-dir={t.git}", f"--work-tree={t.repo}")
    subprocess.run((*git, *args), env=env, check=True)


@attack("reach", "T14", WROTE)
def write_work_tree(t: Target, name: str) -> None:
    """Writes a file into the person's work tree"""
    put(t.repo / "planted.txt", t.token(name))


@attack("reach", "T14", WROTE)
def write_linked_work_tree(t: Target, name: str) -> None:
    """Writes into another work tree of the repository"""
    put(t.linked / "planted.txt", t.token(name))


@attack("reach", "T14", WROTE)
def write_through_link(t: Target, name: str) -> None:
    """Makes `planted` in its tree a link to the person's repository and writes through it"""
    (t.work / "planted").symlink_to(t.repo)
    put(t.work / "planted/through-a-link.txt", t.token(name))


@attack("reach", "T14", WROTE)
def write_hook(t: Target, name: str) -> None:
    """Plants a hook in the person's `.git/hooks`"""
    path = t.git / "hooks/post-checkout"
    put(path, f"#!/bin/sh\n: {t.token(name)}\n")
    path.chmod(0o755)


@attack("reach", "T14", WROTE)
def write_config(t: Target, name: str) -> None:
    """Sets `core.fsmonitor` in the person's `.git/config`"""
    put(t.git / "config", f'[core]\n\tfsmonitor = "{t.canaries}/x #{t.token(name)}"\n')


@attack("reach", "T14", WROTE)
def write_attributes(t: Target, name: str) -> None:
    """Writes `.git/info/attributes`"""
    put(t.git / "info/attributes", f"# {t.token(name)}\n*.md filter=evil\n")


@attack("reach", "T14", WROTE)
def write_alternates(t: Target, name: str) -> None:
    """Lets the person's repository borrow objects of another one"""
    put(t.git / "objects/info/alternates", f"# {t.token(name)}\n{t.other}/.git/objects\n")


@attack("reach", "T15")
def write_index(t: Target, name: str) -> None:
    """Stages a file in the person's index"""
    blob = (
        subprocess.run(
            ["git", f"--git-dir={t.git}", "hash-object", "-w", "--stdin"],
            input=t.token(name).encode(),
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )
    host_git(t, "update-index", "--add", "--cacheinfo", f"100644,{blob},staged-by-the-agent")


@attack("reach", "T15")
def move_head(t: Target, name: str) -> None:
    """Lets the person's `HEAD` name another branch"""
    del name
    (t.git / "HEAD").write_text("ref: refs/heads/victim-head\n", encoding="utf-8")


@attack("reach", "T15")
def delete_branch(t: Target, name: str) -> None:
    """Deletes a branch of the person"""
    del name
    host_git(t, "update-ref", "-d", "refs/heads/victim-deleted")


@attack("reach", "T15")
def rewind_branch(t: Target, name: str) -> None:
    """Rewinds a branch of the person"""
    del name
    host_git(t, "update-ref", "refs/heads/victim-rewound", "refs/heads/victim-rewound~1")


@attack("reach", "T15")
def delete_tag(t: Target, name: str) -> None:
    """Deletes a tag"""
    del name
    host_git(t, "update-ref", "-d", "refs/tags/victim")


@attack("reach", "T15")
def drop_stash(t: Target, name: str) -> None:
    """Drops the person's stash"""
    del name
    host_git(t, "stash", "drop", "-q")


@attack("reach", "T15")
def push_branch(t: Target, name: str) -> None:
    """Pushes a branch of its own into the person's repository"""
    del name
    subprocess.run(["git", "push", "-q", str(t.repo), "HEAD:refs/heads/pushed"], check=True)


@attack("reach", "T15")
def replace_object(t: Target, name: str) -> None:
    """Plants a replace ref, so that git shows the person another commit than there is"""
    del name
    host_git(t, "update-ref", f"refs/replace/{t.old_commit}", "refs/heads/victim-head")


@attack("reach", "T15")
def delete_objects(t: Target, name: str) -> None:
    """Deletes an object of the person's repository"""
    del name
    (t.git / "objects" / t.old_commit[:2] / t.old_commit[2:]).unlink()


@attack("reach", "T18", WROTE)
def write_shell_start(t: Target, name: str) -> None:
    """Writes into `~/.bashrc` and `~/.profile`"""
    for file in (".bashrc", ".profile"):
        put(t.home / file, f"# {t.token(name)}\n")


@attack("reach", "T18", WROTE)
def write_autostart(t: Target, name: str) -> None:
    """Plants a user service and an autostart entry"""
    for file in (".config/systemd/user/evil.service", ".config/autostart/evil.desktop"):
        put(t.home / file, f"# {t.token(name)}\n")


@attack("reach", "T16", WROTE)
def write_authorized_keys(t: Target, name: str) -> None:
    """Adds a key to `~/.ssh/authorized_keys`"""
    put(t.home / ".ssh/authorized_keys", t.token(name))


@attack("reach", "T14", WROTE)
def write_git_settings(t: Target, name: str) -> None:
    """Writes `~/.gitconfig`"""
    put(t.home / ".gitconfig", f"# {t.token(name)}\n")


@attack("reach", "T14", WROTE)
def write_other_repository(t: Target, name: str) -> None:
    """Plants a hook in another repository of the person"""
    put(t.other / ".git/hooks/pre-commit", f"#!/bin/sh\n: {t.token(name)}\n")


@attack("reach", "T26", WROTE)
def write_program(t: Target, name: str) -> None:
    """Plants a `git` in a folder of the person's PATH"""
    put(t.home / "bin/git", f"#!/bin/sh\n# {t.token(name)}\n")


@attack("reach", "T17", WROTE)
def write_settings_of_gitcmat(t: Target, name: str) -> None:
    """Writes gitcmat's settings, and allows a plan of its own"""
    put(t.home / ".config/gitcmat/evil.yaml", f"# {t.token(name)}\n")
    put(t.home / ".local/state/gitcmat/evil.json", t.token(name))


@attack("reach", "T17", WROTE)
def write_cache_of_gitcmat(t: Target, name: str) -> None:
    """Writes into gitcmat's cache of what the records say"""
    put(t.git / "cmat/evil-cache", t.token(name))


@attack("reach", "T17", WROTE)
def write_other_workspace(t: Target, name: str) -> None:
    """Writes into the work tree of another agent"""
    for other in t.work.parents[1].glob("*/tree/private.txt"):
        put(other.with_name("planted-by-another.txt"), t.token(name))


@attack("plant", "T14")
def write_own_vault(t: Target, name: str) -> None:
    """Plants hooks in the git directory with which gitcmat collects its work"""
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        path = t.work.parent / "vault/hooks" / hook
        put(path, f"#!/bin/sh\ntouch {t.canaries}/{name}\n")
        path.chmod(0o755)


@attack("reach", "T17")
def move_state(t: Target, name: str) -> None:
    """Moves the ref of gitcmat's records to a commit of its own"""
    git = ("git", f"--git-dir={t.git}", "-c", "user.name=Evil", "-c", "user.email=e@example.org")
    rows = subprocess.run(
        (*git, "for-each-ref", "--format=%(refname) %(objectname)", "refs/cmat/state"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    ref, oid = rows[0].split()
    forged = subprocess.run(
        (*git, "commit-tree", "-p", oid, "-m", t.token(name), f"{oid}^{{tree}}"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run((*git, "update-ref", ref, forged), check=True)
