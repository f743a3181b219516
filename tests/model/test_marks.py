"""What a reviewer is shown first about changed paths."""

from gitcmat.model.marks import named, path_marks


def test_without_patterns_nothing_is_marked() -> None:
    assert path_marks(["a.py"], allowed=[], protected=[]) == ()


def test_what_is_outside_and_what_is_protected_is_named() -> None:
    changed = ["src/a.py", "tests/test_a.py", "docs/x.md"]
    assert path_marks(changed, allowed=["src/**"], protected=["tests/**"]) == (
        "outside paths: docs/x.md, tests/test_a.py",
        "changes protected: tests/test_a.py",
    )


def test_five_are_named_and_the_others_counted() -> None:
    assert named("gfedcba") == "a, b, c, d, e and 2 more"
    assert named("edcba") == "a, b, c, d, e"
