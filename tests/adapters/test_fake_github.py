"""The fake GitHub notices what is not as GitHub's own description says, and really merges."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitcmat.model.forge import MergeMethod
from tests.support.fakegithub.openapi import description
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import GitHubStage


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


@pytest.fixture
def stage(hub: FakeGitHub, tmp_path: Path) -> GitHubStage:
    return GitHubStage(hub, tmp_path)


def _ask(
    hub: FakeGitHub, token: str, path: str, verb: str = "GET", body: object = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{hub.url}{path}",
        data,
        {"authorization": f"Bearer {token}", **headers},
        method=verb,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, dict(answer.headers), json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, dict(error.headers), json.loads(text) if text else None


def test_every_wrong_part_of_an_answer_is_noticed() -> None:
    pull = description().blank("pull-request")
    pull["number"] = "one"
    del pull["head"]["sha"]

    assert description().answer("GET", "/repos/a/b/pulls/1", 200, pull) == [
        "GET /repos/a/b/pulls/1 answered 200: $.number: 'one' is not of type 'integer'",
        "GET /repos/a/b/pulls/1 answered 200: $.head: 'sha' is a required property",
    ]
    assert description().answer("GET", "/repos/a/b/pulls/1", 201, pull) == [
        "GET /repos/a/b/pulls/1 answered 201, which GitHub never does"
    ]
    assert description().answer("GET", "/repos/a/b/pals", 200, []) == [
        "GET /repos/a/b/pals is nothing that GitHub has"
    ]
    assert description().answer("GET", "/repos/a/b/pulls", 500, "no") == [
        "GET /repos/a/b/pulls answered 500: $: 'no' is not of type 'object'"
    ]


def test_a_wrong_request_fails_the_test(tmp_path: Path) -> None:
    root = "/repos/pat/project/issues/1"

    def ask_wrongly() -> None:
        with FakeGitHub() as hub:
            stage = GitHubStage(hub, tmp_path)
            stage.open_issue("rob", "It breaks")
            token = stage.token("pat")
            _ask(hub, token, f"{root}/comments", "POST", {"body": "Yes.", "text": "No."})
            _ask(hub, token, f"{root}?states=open")

    with pytest.raises(AssertionError) as caught:
        ask_wrongly()

    assert str(caught.value).splitlines() == [
        f"POST {root}/comments was asked wrongly: no field is called 'text'",
        f"GET {root} was asked wrongly: no parameter is called 'states'",
    ]


def test_lists_come_in_pages_with_links(stage: GitHubStage) -> None:
    hub, token = stage.hub, stage.token("pat")
    for number in range(65):
        stage.open_issue("rob", f"{number}")
    root = "/repos/pat/project/issues"

    status, headers, page = _ask(hub, token, f"{root}?per_page=30&page=2&direction=asc")

    assert (status, [issue["number"] for issue in page]) == (200, [*range(31, 61)])
    found = f"<{hub.url}{root}?per_page=30&direction=asc&page="
    links = {part.split("; ")[1]: part.split("; ")[0] for part in headers["link"].split(", ")}
    assert {name: link.replace(f"{hub.url}{root}", "") for name, link in links.items()} == {
        'rel="next"': "<?per_page=30&page=3&direction=asc>",
        'rel="last"': "<?per_page=30&page=3&direction=asc>",
        'rel="prev"': "<?per_page=30&page=1&direction=asc>",
        'rel="first"': "<?per_page=30&page=1&direction=asc>",
    }
    assert found.startswith("<http://127.0.0.1:")


def test_what_has_not_changed_is_not_sent_and_not_counted(stage: GitHubStage) -> None:
    hub, token = stage.hub, stage.token("pat")
    path = "/repos/pat/project"
    _, headers, _ = _ask(hub, token, path)

    status, again, body = _ask(hub, token, path, **{"if-none-match": headers["etag"]})

    assert (status, body) == (304, None)
    assert again["x-ratelimit-remaining"] == headers["x-ratelimit-remaining"] == "4999"


def test_strangers_are_told_nothing(stage: GitHubStage) -> None:
    assert _ask(stage.hub, "honey_wrong", "/user")[0] == 401
    assert _ask(stage.hub, stage.token("pat"), "/repos/pat/other")[0] == 404
    assert _ask(stage.hub, stage.token("pat"), "/user")[2]["login"] == "pat"
    assert _ask(stage.hub, stage.token("robot[bot]"), "/user")[0] == 403


@pytest.mark.parametrize(
    ("method", "subjects", "parents"),
    [
        (MergeMethod.MERGE, ["Do x", "Change y.py", "Change x.py", "Change README.md"], 2),
        (MergeMethod.SQUASH, ["Do x", "Change README.md", "Change README.md"], 1),
        (
            MergeMethod.REBASE,
            ["Change y.py", "Change x.py", "Change README.md", "Change README.md"],
            1,
        ),
    ],
)
def test_a_merge_is_a_merge_in_the_repository(
    stage: GitHubStage, method: MergeMethod, subjects: list[str], parents: int
) -> None:
    forge, git = stage.forge(), stage.git
    stage.push("cmat/x", "x.py", "one = 1\n")
    head = stage.push("cmat/x", "y.py", "two = 2\n")
    base = stage.push("main", "README.md", "# The project\n")
    pull = forge.pulls.create(title="x", body="", head="cmat/x", base="main", draft=False)

    commit = forge.pulls.merge(
        pull.number, method=method, head_sha=head, title="Do x", message="Cmat-Task: x"
    )

    assert git.branches()["main"] == commit
    assert git.contains(commit, base)
    assert git.git("ls-tree", "--name-only", commit).split() == ["README.md", "x.py", "y.py"]
    assert git.git("log", "--format=%s", "--topo-order", commit).splitlines()[: len(subjects)] == (
        subjects
    )
    assert len(git.git("show", "-s", "--format=%P", commit).split()) == parents
    if method is not MergeMethod.REBASE:
        assert git.git("show", "-s", "--format=%(trailers)", commit).strip() == "Cmat-Task: x"
    assert git.git("rev-parse", f"refs/pull/{pull.number}/head") == head
