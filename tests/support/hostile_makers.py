"""What a job hands on when it is up to no good: bundles, built by plumbing that checks nothing."""

import os

from tests.support.ci_parcel import BOT, WHEN, Make, Parcel

# --- the file itself ----------------------------------------------------------------------------


def truncated(p: Parcel) -> None:
    p.honest(p.file(b"src/big.bin", os.urandom(50_000)))
    path = p.out / "result.bundle"
    path.write_bytes(path.read_bytes()[:-20_000])


def corrupt(p: Parcel) -> None:
    p.honest(p.file(b"src/big.bin", os.urandom(50_000)))
    path = p.out / "result.bundle"
    data = bytearray(path.read_bytes())
    data[-9_000] ^= 0xFF
    path.write_bytes(bytes(data))


def after(p: Parcel) -> None:
    p.honest()
    path = p.out / "result.bundle"
    path.write_bytes(path.read_bytes() + b"more" * 50)


def replace(name: bytes, other: bytes) -> Make:
    def make(p: Parcel) -> None:
        p.honest()
        path = p.out / "result.bundle"
        path.write_bytes(path.read_bytes().replace(name, other, 1))

    return make


def no_bundle(p: Parcel) -> None:
    p.say(p.report(p.commit()))


def linked(p: Parcel) -> None:
    p.honest()
    path = p.out / "result.bundle"
    path.rename(p.folder / "elsewhere.bundle")
    path.symlink_to(p.folder / "elsewhere.bundle")


def folder(p: Parcel) -> None:
    p.say(p.report(p.commit()))
    (p.out / "result.bundle").mkdir()


def pipe(p: Parcel) -> None:
    p.say(p.report(p.commit()))
    os.mkfifo(p.out / "result.bundle")


def huge(p: Parcel) -> None:
    p.honest()
    with (p.out / "result.bundle").open("r+b") as file:
        file.truncate(200_000_000)


def two_refs(p: Parcel) -> None:
    head = p.commit()
    p.bundle(head, refs=("refs/cmat/result", "refs/heads/main2"))
    p.say(p.report(head))


def other_ref(p: Parcel) -> None:
    head = p.commit()
    p.bundle(head, refs=("refs/heads/evil",))
    p.say(p.report(head))


def other_head(p: Parcel) -> None:
    p.bundle(p.commit(message=b"Another\n"))
    p.say(p.report(p.commit()))


def tag(p: Parcel) -> None:
    head = p.commit()
    lines = f"object {head}\ntype commit\ntag t\ntagger {BOT} {WHEN}\n\nA tag\n"
    tag = p.git("hash-object", "-t", "tag", "-w", "--stdin", data=lines.encode())
    p.bundle(tag)
    p.say(p.report(tag))


def nothing_changed(p: Parcel) -> None:
    p.bundle(p.commit())
    p.say(p.report(p.start))


# --- history ------------------------------------------------------------------------------------


def orphan(p: Parcel) -> None:
    lines = f"tree {p.tree({})}\nauthor {BOT} {WHEN}\ncommitter {BOT} {WHEN}\n\nAlone\n"
    p.honest(p.git("hash-object", "-t", "commit", "-w", "--stdin", data=lines.encode()))


def unknown_base(p: Parcel) -> None:
    base = p.commit(message=b"Nobody has this\n")
    head = p.commit(p.tree({}, base), parents=(base,))
    p.bundle(head, base)
    p.say(p.report(head))


def thin(p: Parcel) -> None:
    """A pack that stands on objects which only the sender has."""
    big = os.urandom(20_000)
    base = p.commit(p.tree({b"src/big.bin": (b"100644", p.blob(big))}))
    changed = p.blob(big + b"more")
    head = p.commit(p.tree({b"src/big.bin": (b"100644", changed)}), parents=(base,))
    p.bundle(head, base)
    p.say(p.report(head))


def before_the_start(p: Parcel) -> None:
    first = p.git("rev-list", "--max-parents=0", p.start)
    head = p.commit(parents=(first,))
    p.bundle(head, first)
    p.say(p.report(head))


def many_commits(p: Parcel) -> None:
    at = p.start
    lines = []
    for n in range(501):
        message = f"commit refs/heads/many\nauthor {BOT} {WHEN}\ncommitter {BOT} {WHEN}\n"
        text = f"Step {n}\n"
        lines.append(f"{message}data {len(text)}\n{text}")
        lines.append(f"from {at}\n" if n == 0 else "")
        lines.append(f"M 100644 inline src/b.py\ndata 4\n{n:03}\n\n")
    p.git("fast-import", "--quiet", "--force", data="".join(lines).encode())
    head = p.git("rev-parse", "refs/heads/many")
    p.git("update-ref", "-d", "refs/heads/many")
    p.honest(head)


def merge(p: Parcel) -> None:
    """A merge with a parent that is nobody's work."""
    other = p.commit(author=f"Eve <eve@example.org> {WHEN}")
    p.honest(p.commit(p.tree({}, other), parents=(p.start, other)))


def taken_back(path: bytes, data: bytes) -> Make:
    """Something that a later commit removes."""

    def make(p: Parcel) -> None:
        first = p.commit(p.tree({path: (b"100644", p.blob(data))}))
        tree = p.tree({b"src/b.py": (b"100644", p.blob(b"2\n"))})
        p.honest(p.commit(tree, parents=(first,)))

    return make


# --- objects ------------------------------------------------------------------------------------


def zero_padded(p: Parcel) -> None:
    folder = p.raw_tree((b"100644", b"a.py", p.blob(b"x\n")))
    p.honest(p.commit(p.top((b"040000", b"src", folder))))


def twice(p: Parcel) -> None:
    blob = p.blob(b"x\n")
    p.honest(p.commit(p.beside((b"100644", b"a.py", blob), (b"100644", b"a.py", blob))))


def unsorted(p: Parcel) -> None:
    blob = p.blob(b"x\n")
    p.honest(p.commit(p.beside((b"100644", b"b.py", blob), (b"100644", b"a.py", blob))))


def bad_date(p: Parcel) -> None:
    p.honest(p.commit(author=f"{BOT} 18446744073709551616 +0000"))


def bad_zone(p: Parcel) -> None:
    p.honest(p.commit(author=f"{BOT} 1700000000 +0"))


def no_mail(p: Parcel) -> None:
    p.honest(p.commit(author=f"Eve {WHEN}"))


def missing_blob(p: Parcel) -> None:
    """A bundle that lacks an object of its commit."""
    blob = p.blob(b"soon gone\n")
    head = p.commit(p.tree({b"src/gone.py": (b"100644", blob)}))
    tree = p.git("rev-parse", f"{head}^{{tree}}")
    p.packed(head, tree, p.git("rev-parse", f"{tree}:src"))
    p.say(p.report(head))


def blob_as_tree(p: Parcel) -> None:
    blob = p.blob(b"no tree\n")
    head = p.commit(blob)
    p.packed(head, blob)
    p.say(p.report(head))


def empty_name(p: Parcel) -> None:
    blob = p.blob(b"x\n")
    src = p.raw_tree((b"100644", b"", blob))
    tree = p.top((b"40000", b"src", src))
    head = p.commit(tree)
    p.packed(head, tree, src, blob)
    p.say(p.report(head))


# --- sizes --------------------------------------------------------------------------------------


def large_file(p: Parcel) -> None:
    p.honest(p.file(b"src/big.bin", b"\0" * 10_000_001))


def large_together(p: Parcel) -> None:
    files = {
        b"src/%d.bin" % n: (b"100644", p.blob(b"%d" % n + b"\0" * 9_000_000)) for n in range(6)
    }
    p.honest(p.commit(p.tree(files)))


def many_files(p: Parcel) -> None:
    blob = p.blob(b"x\n")
    p.honest(p.commit(p.tree({b"src/f%d" % n: (b"100644", blob) for n in range(2_001)})))


def twins(p: Parcel) -> None:
    p.honest(p.file(b"readme.MD"))


def moved_into_github(p: Parcel) -> None:
    """A workflow that is written where it is none, and then moved: only the move makes it one."""
    held = (b"100644", p.blob(b"on: push\n"))
    first = p.commit(p.tree({b"src/b.yml": held}))
    moved = {b"src/b.yml": None, b".github/workflows/b.yml": held}
    p.honest(p.commit(p.tree(moved, first), parents=(first,)))


def merge_of_strangers(p: Parcel) -> None:
    """Another project's history, in the right name, as the second parent of a merge."""
    stranger = p.git("hash-object", "-w", "-t", "commit", "--stdin", data=_root(p))
    p.honest(p.commit(parents=(p.start, stranger)))


def _root(p: Parcel) -> bytes:
    tree = p.raw_tree((b"100644", b"theirs.txt", p.blob(b"theirs\n")))
    return f"tree {tree}\nauthor {BOT} {WHEN}\ncommitter {BOT} {WHEN}\n\nTheirs\n".encode()


def deep_folders(p: Parcel) -> None:
    """Folders in folders: a path that nothing can be asked for."""
    tree = p.raw_tree((b"100644", b"x", p.blob(b"x\n")))
    for _ in range(600):
        tree = p.raw_tree((b"40000", b"d", tree))
    p.honest(p.commit(p.top((b"40000", b"src", tree))))
