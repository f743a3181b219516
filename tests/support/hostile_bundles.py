"""Results that no job may publish: commits, and the bundles that hold them."""

from typing import Final

import pytest
from _pytest.mark import ParameterSet

from tests.support import hostile_makers as makers
from tests.support.ci_parcel import WHEN, Make, Parcel


def _case(name: str, make: Make, words: str) -> ParameterSet:
    return pytest.param(make, words, id=name)


def _file(name: str, path: bytes, words: str) -> ParameterSet:
    """A commit that adds a file of that name."""
    return _case(name, lambda p: p.honest(p.file(path)), words)


def _holds(name: str, data: bytes, words: str) -> ParameterSet:
    """A commit that adds a source of that content."""
    return _case(name, lambda p: p.honest(p.file(b"src/new.py", data)), words)


def _says(name: str, message: bytes, words: str) -> ParameterSet:
    """A commit of that message."""
    return _case(name, lambda p: p.honest(p.commit(message=message)), words)


def _mode(name: str, mode: bytes, oid: str, words: str) -> ParameterSet:
    """A commit that adds something of that mode."""

    def make(p: Parcel) -> object:
        what = oid or p.blob(b"../../etc/passwd")
        return p.honest(p.commit(p.tree({b"src/odd": (mode, what)})))

    return _case(name, make, words)


def _named(name: str, inner: bytes, words: str) -> ParameterSet:
    """A commit with a file of that name, which no git would write."""

    def make(p: Parcel) -> object:
        return p.honest(p.commit(p.beside((b"100644", inner, p.blob(b"x\n")))))

    return _case(name, make, words)


_TOKEN: Final = b"ghp_" + b"a1B2" * 9

BUNDLES: Final = [
    _case("truncated", makers.truncated, "git refuses the bundle: *"),
    _case("corrupt", makers.corrupt, "git refuses the bundle: *"),
    _case("rubbish-after", makers.after, "The bundle has more in it than its pack."),
    _case(
        "no-head",
        makers.replace(b"# v2 git bundle", b"# v9 git bundle"),
        "The bundle is none: its head is damaged.",
    ),
    _case(
        "odd-head",
        makers.replace(b"\n\nPACK", b"\n@filter=blob:none\n\nPACK"),
        "The bundle says '@filter=blob:none', which means nothing.",
    ),
    _case("no-bundle", makers.no_bundle, "There is no result.bundle."),
    _case(
        "symlink-for-a-file",
        makers.linked,
        "OUT/result.bundle is a symbolic link, not a regular file.",
    ),
    _case("folder-for-a-file", makers.folder, "OUT/result.bundle is a folder, not a regular file."),
    _case("pipe-for-a-file", makers.pipe, "OUT/result.bundle is a pipe, not a regular file."),
    _case(
        "huge-bundle",
        makers.huge,
        "OUT/result.bundle is larger than the 100000000 bytes allowed here.",
    ),
    _case(
        "two-refs",
        makers.two_refs,
        "The bundle holds refs/cmat/result, refs/heads/main2 and not refs/cmat/result alone.",
    ),
    _case(
        "other-ref",
        makers.other_ref,
        "The bundle holds refs/heads/evil and not refs/cmat/result alone.",
    ),
    _case("other-head", makers.other_head, "The bundle holds another commit than the report says."),
    _case("tag", makers.tag, "The bundle holds something that is no commit."),
    _case(
        "nothing-changed",
        makers.nothing_changed,
        "There is a bundle, and the report says no change.",
    ),
    _case("orphan", makers.orphan, "The result is refused: ID does not go on from ID."),
    _case(
        "unknown-base",
        makers.unknown_base,
        "git refuses the bundle: *lacks these prerequisite commits*",
    ),
    _case("thin", makers.thin, "git refuses the bundle: *lacks these prerequisite commits*"),
    _case(
        "before-the-start",
        makers.before_the_start,
        "The result is refused: ID does not go on from ID.",
    ),
    _case(
        "many-commits",
        makers.many_commits,
        "The result is refused: there are 501 commits; 500 are taken.",
    ),
    _case(
        "merge",
        makers.merge,
        "The result is refused: the commit ID says that its author is Eve <eve@example.org>.",
    ),
    _case(
        "moved-into-github",
        makers.moved_into_github,
        "The result is refused: .github/workflows/b.yml belongs to the repository's workflows.",
    ),
    _case(
        "merge-of-strangers",
        makers.merge_of_strangers,
        "The result is refused: .cmat/* belongs to gitcmat: what runs and what judges is for "
        "people to change.",
    ),
    _case(
        "deep-folders",
        makers.deep_folders,
        "The result is refused: * has a name of more than 1000 characters.",
    ),
    _case(
        "secret-taken-back",
        makers.taken_back(b"src/key.txt", _TOKEN + b"\n"),
        "The result is refused: src/key.txt holds a secret.",
    ),
    _case(
        "workflow-taken-back",
        makers.taken_back(b".github/workflows/x.yml", b"on: push\n"),
        "The result is refused: .github/workflows/x.yml belongs to the repository's workflows.",
    ),
    _case(
        "zero-padded-mode",
        makers.zero_padded,
        "git refuses the bundle: error: object ID: zeroPaddedFilemode: *",
    ),
    _case(
        "name-twice", makers.twice, "git refuses the bundle: error: object ID: duplicateEntries: *"
    ),
    _case(
        "unsorted-tree",
        makers.unsorted,
        "git refuses the bundle: error: object ID: treeNotSorted: *",
    ),
    _case(
        "bad-date", makers.bad_date, "git refuses the bundle: error: object ID: badDateOverflow: *"
    ),
    _case("bad-zone", makers.bad_zone, "git refuses the bundle: error: object ID: badTimezone: *"),
    _case("no-mail", makers.no_mail, "git refuses the bundle: error: object ID: missingEmail: *"),
    _case("missing-blob", makers.missing_blob, "git refuses the bundle: *"),
    _case("blob-as-tree", makers.blob_as_tree, "git refuses the bundle: *"),
    _named(
        "full-path-as-name", b"a/b", "git refuses the bundle: error: object ID: fullPathname: *"
    ),
    _case("empty-name", makers.empty_name, "git refuses the bundle: *badTree*"),
    _named("dot", b".", "git refuses the bundle: error: object ID: hasDot: *"),
    _named("dotdot", b"..", "git refuses the bundle: error: object ID: hasDotdot: *"),
    _named("dotgit", b".git", "git refuses the bundle: error: object ID: hasDotgit: *"),
    _mode("symlink", b"120000", "", "The result is refused: src/odd is a symbolic link."),
    _mode("submodule", b"160000", "1" * 40, "The result is refused: src/odd is a submodule."),
    _mode(
        "group-writable", b"100664", "", "git refuses the bundle: error: object ID: badFilemode: *"
    ),
    _mode("setuid", b"104755", "", "git refuses the bundle: error: object ID: badFilemode: *"),
    _file(
        "dotgit-capitals",
        b"src/.GIT/config",
        "git refuses the bundle: error: object ID: hasDotgit: *",
    ),
    _file(
        "dotgit-hfs",
        ".g\u200cit/config".encode(),
        "git refuses the bundle: error: object ID: hasDotgit: *",
    ),
    _file(
        "dotgit-hfs-first",
        "\u200d.git/config".encode(),
        "git refuses the bundle: error: object ID: hasDotgit: *",
    ),
    _file(
        "dotgit-ntfs-short",
        b"GIT~1/config",
        "git refuses the bundle: error: object ID: hasDotgit: *",
    ),
    _file(
        "dotgit-ntfs-stream",
        b".git::$INDEX_ALLOCATION/config",
        "git refuses the bundle: error: object ID: hasDotgit: *",
    ),
    _file(
        "dotgit-ntfs-space",
        b".git /config",
        "git refuses the bundle: error: object ID: hasDotgit: *",
    ),
    _file(
        "dotgit-ntfs-dot", b".git./config", "git refuses the bundle: error: object ID: hasDotgit: *"
    ),
    _file(
        "dotgit-wide",
        "\uff0egit/config".encode(),
        "The result is refused: \uff0egit/config is git's own on some file system.",
    ),
    _file("gitmodules", b".gitmodules", "The result is refused: .gitmodules sets up submodules."),
    _file(
        "gitmodules-short",
        b"GITMOD~1",
        "The result is refused: GITMOD~1 is git's own on some file system.",
    ),
    _file(
        "backslash",
        b"src\\..\\..\\evil.py",
        "The result is refused: src\\..\\..\\evil.py has a backslash in its name.",
    ),
    _file("drive", b"C:/evil.py", "The result is refused: C:/evil.py is an absolute path."),
    _file(
        "stream",
        b"src/a.py:evil",
        "The result is refused: src/a.py:evil has a colon in its name: a stream of another "
        "file, to some.",
    ),
    _file(
        "device",
        b"src/NUL.txt",
        "The result is refused: src/NUL.txt is the name of a device, to some.",
    ),
    _file(
        "trailing-dot",
        b"src/a.py.",
        "The result is refused: src/a.py. has a name that ends in a dot or a space, which "
        "some file systems leave out.",
    ),
    _file(
        "line-end",
        b"src/a\nb.py",
        "The result is refused: src/a\\nb.py has a character in its name that nobody sees.",
    ),
    _file(
        "escape",
        b"src/\x1b[2Ja.py",
        "The result is refused: src/\\x1b[2Ja.py has a character in its name that nobody sees.",
    ),
    _file(
        "bidirectional-name",
        "src/\u202egpj.py".encode(),
        "The result is refused: src/\\u202egpj.py has a character in its name that nobody sees.",
    ),
    _file(
        "no-utf8-name",
        b"src/\xff.py",
        "The result is refused: src/\\xff.py has a name that is no UTF-8.",
    ),
    _file(
        "long-name",
        b"src/" + b"n" * 256,
        "The result is refused: src/* has a name of more than 255 bytes in it.",
    ),
    _file(
        "long-path",
        b"/".join([b"d" * 100] * 11),
        "The result is refused: * has a name of more than 1000 characters.",
    ),
    _file(
        "github",
        b".github/workflows/evil.yml",
        "The result is refused: .github/workflows/evil.yml belongs to the repository's workflows.",
    ),
    _file(
        "github-capitals",
        b".GitHub/workflows/evil.yml",
        "The result is refused: .GitHub/workflows/evil.yml belongs to the repository's workflows.",
    ),
    _file(
        "github-codeowners",
        b".github/CODEOWNERS",
        "The result is refused: .github/CODEOWNERS belongs to the repository's workflows.",
    ),
    _file(
        "cmat",
        b".cmat/config.yaml",
        "The result is refused: .cmat/config.yaml belongs to gitcmat: what runs and what "
        "judges is for people to change.",
    ),
    _file(
        "cmat-hfs",
        ".c\u200dmat/agents/evil.md".encode(),
        "The result is refused: .c\u200dmat/agents/evil.md belongs to gitcmat: what runs "
        "and what judges is for people to change.",
    ),
    _case(
        "twins",
        makers.twins,
        "The result is refused: readme.MD is the same file as README.md, to some.",
    ),
    _case(
        "large-file",
        makers.large_file,
        "The result is refused: src/big.bin has 10000001 bytes; 10000000 are taken.",
    ),
    _case(
        "large-together",
        makers.large_together,
        "The result is refused: it has 54000638 bytes; 50000000 are taken.",
    ),
    _case(
        "many-files",
        makers.many_files,
        "The result is refused: it changes 2001 files; 2000 are taken.",
    ),
    _holds(
        "token", b"key = '" + _TOKEN + b"'\n", "The result is refused: src/new.py holds a secret."
    ),
    _holds(
        "private-key",
        b"-----BEGIN RSA PRIVATE KEY-----\n" + b"MII" * 20 + b"\n",
        "The result is refused: src/new.py holds a secret.",
    ),
    _holds(
        "known-key",
        b"key = 'key-of-the-model'\n",
        "The result is refused: src/new.py holds a secret.",
    ),
    _holds(
        "known-key-in-base64",
        b"key = 'a2V5LW9mLXRoZS1tb2RlbA=='\n",
        "The result is refused: src/new.py holds a secret.",
    ),
    _holds(
        "bidirectional-source",
        "if a: # \u202e }\u2066\n".encode(),
        "The result is refused: src/new.py has characters that make it look other than it is.",
    ),
    _holds(
        "tags",
        "x = '\U000e0041\U000e0042'\n".encode(),
        "The result is refused: src/new.py has characters that make it look other than it is.",
    ),
    _case(
        "token-as-name",
        lambda p: p.honest(p.file(b"src/" + _TOKEN)),
        "The result is refused: src/[secret] holds a secret.",
    ),
    _says(
        "mention",
        b"Do x\n\nThanks @pat\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "closes",
        b"Do x\n\nFixes #1\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "closes-elsewhere",
        b"Do x\n\nresolves pat/project#12\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "skips-checks",
        b"Do x [skip ci]\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "skips-checks-at-the-end",
        b"Do x\n\n\nskip-checks: true\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "nul-in-words",
        b"Do x\0\n\nhidden\n",
        "git refuses the bundle: error: object ID: nulInCommit: *",
    ),
    _says(
        "megabyte-of-words",
        b"Do x\n\n" + b"word " * 210_000 + b"\n",
        "The result is refused: ID has * bytes; 1000000 are taken.",
    ),
    _says(
        "hidden-comment",
        b"Do x\n\n<!-- cmat task=y -->\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "trailer-of-another-task",
        b"Do x\n\nCmat-Task: y\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "trailer-of-another-run",
        b"Do x\n\nCmat-Run: r-zzzzzzzz\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "other-trailer",
        b"Do x\n\ncmat-approved : yes\n",
        "The result is refused: the message of the commit ID calls somebody, closes an "
        "issue, skips checks or speaks for gitcmat.",
    ),
    _says(
        "command",
        b"Do x\n\n::add-mask::x\n",
        "The result is refused: the message of the commit ID hides something, or commands "
        "a workflow.",
    ),
    _says(
        "old-command",
        b"Do x\n\n see ##[set-env name=A;]b\n",
        "The result is refused: the message of the commit ID hides something, or commands "
        "a workflow.",
    ),
    _says(
        "escape-in-words",
        b"Do x\n\n\x1b[2J\n",
        "The result is refused: the message of the commit ID hides something, or commands "
        "a workflow.",
    ),
    _says(
        "carriage-return",
        b"Do x\r\n",
        "The result is refused: the message of the commit ID hides something, or commands "
        "a workflow.",
    ),
    _says(
        "no-utf8-words",
        b"Do x\n\n\xff\xfe\n",
        "The result is refused: the message of the commit ID is no UTF-8.",
    ),
    _says(
        "secret-in-words",
        b"Do x\n\n" + _TOKEN + b"\n",
        "The result is refused: the message of the commit ID holds a secret.",
    ),
    _says(
        "long-words",
        b"Do x\n\n" + b"word " * 30_000 + b"\n",
        "The result is refused: the message of the commit ID is longer than 100000 bytes.",
    ),
    _case(
        "author",
        lambda p: p.honest(p.commit(author=f"Pat <pat@example.org> {WHEN}")),
        "The result is refused: the commit ID says that its author is Pat <pat@example.org>.",
    ),
    _case(
        "committer",
        lambda p: p.honest(p.commit(committer=f"Pat <p@example.org> {WHEN}")),
        "The result is refused: the commit ID says that its committer is Pat <p@example.org>.",
    ),
    _case(
        "other-mail",
        lambda p: p.honest(p.commit(author=f"github-actions[bot] <e@e.org> {WHEN}")),
        "The result is refused: the commit ID says that its author is github-actions[bot] "
        "<e@e.org>.",
    ),
    _case(
        "encoding",
        lambda p: p.honest(p.commit(more=b"encoding UTF-7\n")),
        "The result is refused: the commit ID has the header 'encoding'.",
    ),
    _case(
        "signature",
        lambda p: p.honest(p.commit(more=b"gpgsig -----BEGIN\n x\n")),
        "The result is refused: the commit ID has the header 'gpgsig'.",
    ),
    _case(
        "odd-header",
        lambda p: p.honest(p.commit(more=b"evil yes\n")),
        "The result is refused: the commit ID has the header 'evil'.",
    ),
]
