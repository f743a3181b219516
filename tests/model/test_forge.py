"""Marks are found again, and hold nothing that could end them."""

import pytest

from gitcmat.errors import InvalidData
from gitcmat.model.forge import Annotation, Permission, mark, marks


def test_marks_are_read_as_they_were_written() -> None:
    text = f"Hello.\n{mark('task', 'parse-dates')}\n{mark('run', 'r-abcd2345')}{mark('task', 'b')}"

    assert marks(text) == {"task": "parse-dates", "run": "r-abcd2345"}
    assert marks("<!-- gitcmat task=UPPER --> <!--gitcmat a=b-->") == {}


@pytest.mark.parametrize("value", ["", "a b", "x-->", "A", "-x", "a\n", "é", "x" * 129])
def test_a_mark_takes_only_plain_values(value: str) -> None:
    with pytest.raises(InvalidData):
        mark("task", value)


def test_only_who_may_push_may_write() -> None:
    assert [permission for permission in Permission if permission.may_write] == [
        Permission.WRITE,
        Permission.MAINTAIN,
        Permission.ADMIN,
    ]


def test_an_annotation_of_one_line_ends_where_it_begins() -> None:
    assert Annotation(path="x", line=3, message="").last_line == 3
    assert Annotation(path="x", line=3, end_line=5, message="").last_line == 5
