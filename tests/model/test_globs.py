"""Patterns of paths, and that git understands them in the same way."""

from pathlib import Path

import pytest

from gitcmat.model.globs import matches, pathspecs
from tests.support.repo import TestRepo

PATHS = (
    "README.md",
    "conftest.py",
    "docs/a b.md",
    "docs/deep/er/x.md",
    "src/cli/main.py",
    "src/cli/sub/x.py",
    "src/client.py",
    "tests/conftest.py",
    "tests/test_a.py",
    "x1.txt",
    "x2.txt",
    "xa.txt",
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("conftest.py", ["conftest.py", "tests/conftest.py"]),
        ("/conftest.py", ["conftest.py"]),
        ("./tests/conftest.py", ["tests/conftest.py"]),
        ("tests/", ["tests/conftest.py", "tests/test_a.py"]),
        ("tests", ["tests/conftest.py", "tests/test_a.py"]),
        ("tests/**", ["tests/conftest.py", "tests/test_a.py"]),
        ("src/cli/**", ["src/cli/main.py", "src/cli/sub/x.py"]),
        ("src/cli", ["src/cli/main.py", "src/cli/sub/x.py"]),
        ("src/*.py", ["src/client.py"]),
        ("src/**/*.py", ["src/cli/main.py", "src/cli/sub/x.py", "src/client.py"]),
        ("**/x.*", ["docs/deep/er/x.md", "src/cli/sub/x.py"]),
        ("*.md", ["README.md", "docs/a b.md", "docs/deep/er/x.md"]),
        ("x?.txt", ["x1.txt", "x2.txt", "xa.txt"]),
        ("x[0-9].txt", ["x1.txt", "x2.txt"]),
        ("x[!0-9].txt", ["xa.txt"]),
        ("cli", ["src/cli/main.py", "src/cli/sub/x.py"]),
        ("none/such", []),
        (":(exclude)x", []),
    ],
)
def test_a_pattern_means_the_same_here_and_to_git(
    tmp_path: Path, pattern: str, expected: list[str]
) -> None:
    assert [path for path in PATHS if matches(path, [pattern])] == expected
    repo = TestRepo(tmp_path / "repo")
    repo.commit("All", dict.fromkeys(PATHS, ""))
    assert repo.git("ls-files", "--", *pathspecs([pattern])).splitlines() == expected


def test_any_of_several_patterns_is_enough() -> None:
    assert matches("a.py", ["b.py", "*.py"])
    assert not matches("a.py", [])
    assert matches("odd[name", ["odd[name"])
