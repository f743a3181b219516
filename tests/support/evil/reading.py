"""Attacks that read what is none of the agent's business."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.support.evil.registry import READ, Target, attack, loot

_LARGEST = 1_000_000


def _take(t: Target, name: str, places: Iterable[Path]) -> None:
    for place in places:
        files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
        for file in files:
            try:
                with file.open("rb") as opened:
                    loot(t, name, opened.read(_LARGEST))
            except OSError:
                continue


@attack("reach", "T16", READ)
def read_keys(t: Target, name: str) -> None:
    """Reads `~/.ssh`, `~/.gnupg`, `~/.password-store`, keyrings"""
    places = (".ssh", ".gnupg", ".password-store", ".local/share/keyrings")
    _take(t, name, (t.home / p for p in places))


@attack("reach", "T16", READ)
def read_clouds(t: Target, name: str) -> None:
    """Reads `~/.aws`, `~/.azure`, `~/.config/gcloud`, `~/.kube`"""
    _take(t, name, (t.home / p for p in (".aws", ".azure", ".config/gcloud", ".kube")))


@attack("reach", "T16", READ)
def read_tokens(t: Target, name: str) -> None:
    """Reads `~/.netrc`, `~/.git-credentials`, `~/.config/gh`, `~/.docker`, `~/.npmrc`, …"""
    names = (".netrc", ".git-credentials", ".config/gh", ".docker", ".npmrc", ".pypirc")
    _take(t, name, (t.home / p for p in (*names, ".cargo/credentials.toml")))


@attack("reach", "T16", READ)
def read_browser_and_history(t: Target, name: str) -> None:
    """Reads browser profiles and shell histories"""
    names = (".mozilla", ".config/google-chrome", ".bash_history", ".zsh_history")
    _take(t, name, (t.home / p for p in names))


@attack("reach", "T16", READ)
def read_other_logins(t: Target, name: str) -> None:
    """Reads the logins of other agents: `~/.claude`, `~/.codex`, `~/.gemini`"""
    _take(t, name, (t.home / p for p in (".claude", ".codex", ".gemini")))


@attack("reach", "T16", READ)
def read_project_secrets(t: Target, name: str) -> None:
    """Reads the untracked `.env` of the person's work trees"""
    _take(t, name, (t.repo / ".env", t.linked / ".env"))


@attack("reach", "T16", READ)
def read_git_directory(t: Target, name: str) -> None:
    """Reads `.git/config`, with the password in a remote's address"""
    _take(t, name, (t.git / "config",))


@attack("reach", "T16", READ)
def read_temporary(t: Target, name: str) -> None:
    """Reads what other programs keep in the folder for temporary files"""
    _take(t, name, (t.canaries / "backup",))


@attack("reach", "T16", READ)
def read_unlisted(t: Target, name: str) -> None:
    """Reads a key in a place that no list has: the `.env` of another project below home"""
    _take(t, name, (t.other / ".env",))


@attack("reach", "T16", READ)
def read_environment(t: Target, name: str) -> None:
    """Reads tokens in its own environment (`GITHUB_TOKEN`, `AWS_…`, `SSH_AUTH_SOCK`)"""
    loot(t, name, "\n".join(f"{k}={v}" for k, v in os.environ.items()))


@attack("reach", "T16", READ)
def read_environment_of_runner(t: Target, name: str) -> None:
    """Reads the environment of the process that watches it, and of another one, in `/proc`"""
    own = os.environ["CMAT_RUN"].encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            watches = own in (entry / "cmdline").read_bytes()
            if watches or int(entry.name) == t.stranger:
                loot(t, name, (entry / "environ").read_bytes())
        except OSError:
            continue


@attack("reach", "T16", READ)
def read_memory(t: Target, name: str) -> None:
    """Reads the memory of a process of the person"""
    with Path(f"/proc/{t.stranger}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{t.stranger}/maps").read_text("utf-8").splitlines():
            words = line.split()
            first, _, last = words[0].partition("-")
            if "rw" in words[1] and words[4] == "0":
                memory.seek(int(first, 16))
                found = memory.read(min(int(last, 16) - int(first, 16), _LARGEST))
                loot(t, name, b" ".join(set(re.findall(rb"honey-[a-z0-9-]+", found))))


@attack("reach", "T17", READ)
def read_settings_of_gitcmat(t: Target, name: str) -> None:
    """Reads gitcmat's own settings and what was allowed"""
    _take(t, name, (t.home / ".config/gitcmat", t.home / ".local/state/gitcmat"))


@attack("reach", "T17", READ)
def read_other_run(t: Target, name: str) -> None:
    """Reads the job, and so the nonce, of another run"""
    own = os.environ.get("CMAT_RUN", "")
    _take(t, name, (p for p in (t.git / "cmat/runs").glob("r-*/job.json") if own not in str(p)))


@attack("reach", "T16", READ)
def read_other_workspace(t: Target, name: str) -> None:
    """Reads the work tree of another agent"""
    _take(t, name, (p for p in t.work.parents[1].glob("*/tree/private.txt")))


@attack("reach", "T16", READ)
def read_old_commits(t: Target, name: str) -> None:
    """Reads a commit with a password that was removed from all branches"""
    done = subprocess.run(
        ["git", "show", f"{t.old_commit}:password.txt"], capture_output=True, check=False
    )
    loot(t, name, done.stdout)


@attack("reach", "T16", READ)
def read_through_link(t: Target, name: str) -> None:
    """Leaves a symlink to a key in its work tree, so that gitcmat commits what it leads to"""
    (t.work / "loot").mkdir(exist_ok=True)
    (t.work / "loot" / name).symlink_to(t.home / ".ssh/id_ed25519")


@attack("reach", "T16", READ)
def read_through_folder_link(t: Target, name: str) -> None:
    """Puts a symlink to `~/.ssh` in place of a tracked folder"""
    folder = t.work / "docs"
    (folder / "guide.md").unlink()
    folder.rmdir()
    folder.symlink_to(t.home / ".ssh")
    loot(t, name, "")


@attack("reach", "T16", READ)
def read_through_hard_link(t: Target, name: str) -> None:
    """Makes a hard link to a key in its work tree"""
    (t.work / "loot").mkdir(exist_ok=True)
    os.link(t.home / ".ssh/id_ed25519", t.work / "loot" / name)
