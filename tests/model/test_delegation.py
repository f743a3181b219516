"""What an agent may delegate, and what a request to do so may say."""

from dataclasses import replace
from typing import Any

import pytest

from gitcmat.model.delegation import DEEPEST, Request, refusal
from gitcmat.model.job import Identity, Job, JobKind
from gitcmat.model.message import Delegate
from gitcmat.model.sandbox import Box, Network, SandboxMode

JOB = Job(
    kind=JobKind.WORK,
    run="r-parentaa",
    task="a",
    title="A",
    attempt=1,
    git_dir="/x/.git",
    work_tree=None,
    object_format="sha1",
    workspace="/w/1",
    base="1" * 40,
    start="1" * 40,
    run_ref="refs/cmat/runs/r-parentaa",
    agent=None,
    gates=(),
    setup=(),
    setup_when=(),
    setup_timeout=1,
    keep=(),
    copy=(),
    paths=(),
    allow_env=(),
    agents=("helper", "second"),
    identity=Identity(name="Pat", email="pat@example.com"),
)
MESSAGE = Delegate(agent="helper", prompt="Do it.", id="abcdefgh")
ASKED = Request(
    id="abcdefgh", run="r-abcdefgh", agent="a", prompt="Do\nit.", group="", start="1" * 40
)
OPEN = Box()
CLOSED = Box(mode=SandboxMode.BWRAP)
MODEL = replace(CLOSED, network=Network.MODEL, hosts=("a.example",))


def test_an_agent_delegates_so_often_so_deep_and_to_whom_there_is() -> None:
    assert refusal(JOB, MESSAGE, 19) == ""
    assert refusal(JOB, MESSAGE, 20) == ("this run has delegated 20 times, and may not more often")
    assert refusal(replace(JOB, depth=DEEPEST), MESSAGE, 0) == (
        "3 runs stand above this one: it may not delegate"
    )
    assert refusal(JOB, replace(MESSAGE, agent="helpr"), 0) == (
        "there is no agent 'helpr'; there is: helper, second"
    )
    assert refusal(replace(JOB, agents=()), MESSAGE, 0) == (
        "there is no agent 'helper'; there is: none"
    )


def test_a_request_has_names_that_may_be_paths_and_something_to_do() -> None:
    assert ASKED.title == "Do"
    some: tuple[dict[str, Any], ...] = (
        {"id": "../../x"},
        {"run": "r-../x"},
        {"start": "--all"},
        {"start": "HEAD"},
        {"prompt": " \n"},
    )
    for wrong in some:
        with pytest.raises(ValueError, match=r"is no name of a reply|there is no prompt"):
            replace(ASKED, **wrong)


@pytest.mark.parametrize(
    ("outer", "inner", "holds"),
    [
        (OPEN, OPEN, True),
        (OPEN, MODEL, True),
        (CLOSED, OPEN, False),
        (CLOSED, CLOSED, True),
        (CLOSED, MODEL, True),
        (MODEL, CLOSED, False),
        (MODEL, replace(MODEL, hosts=()), True),
        (MODEL, replace(MODEL, hosts=("b.example",)), False),
        (MODEL, replace(MODEL, network=Network.NONE, hosts=()), True),
        (CLOSED, replace(CLOSED, read=("~/x",)), False),
        (replace(CLOSED, write=("~/x",)), replace(CLOSED, read=("~/x",)), True),
        (replace(CLOSED, read=("~/x",)), replace(CLOSED, write=("~/x",)), False),
        (replace(CLOSED, write=("~/x",)), replace(CLOSED, write=("~/x",)), True),
    ],
)
def test_a_sandbox_holds_what_reaches_nothing_else(outer: Box, inner: Box, holds: bool) -> None:  # noqa: FBT001
    assert outer.holds(inner) is holds
