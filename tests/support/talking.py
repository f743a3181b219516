"""What people say about a pull request on a fake GitHub, and what was said to them."""

from gitcmat.model.forge import Comment, Thread
from tests.support.on_github import OnGitHub

MARK = "<!-- gitcmat "


def review(
    there: OnGitHub, login: str, state: str, body: str = "", *threads: tuple[str, int, str]
) -> list[int]:
    """Have somebody submit a review with threads: path, line, text; return the threads' ids."""
    hub, repo = there.hub, there.stage.repo
    made = hub.review(repo, 1, login, state, body)
    return [hub.remark(repo, 1, login, (p, n), text, made).id for p, n, text in threads]


def says(there: OnGitHub, login: str, body: str, number: int = 1) -> int:
    """Have somebody comment; return the comment's id."""
    return there.hub.comment(there.stage.repo, number, login, body).id


def comments(there: OnGitHub, number: int = 1) -> list[str]:
    """What gitcmat said below it, without marks."""
    return [_said(c) for c in there.stage.forge().comments.list(number) if c.body.startswith(MARK)]


def threads(there: OnGitHub) -> dict[int, Thread]:
    """The threads by their ids."""
    return {thread.id: thread for thread in there.stage.forge().reviews.threads(1)}


def replies(there: OnGitHub, thread: int) -> list[str]:
    """What gitcmat said in a thread."""
    return [_said(c) for c in threads(there)[thread].comments if c.body.startswith(MARK)]


def prompt(there: OnGitHub, task: str = "a") -> str:
    """What the agent was told last."""
    return there.project.folder(task).prompt.read_text("utf-8")


def _said(comment: Comment) -> str:
    return comment.body.partition("\n")[2].strip()
