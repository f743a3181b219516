"""The JSON that GitHub answers with. What is not modelled here is the least that is right."""

from datetime import datetime
from typing import Any

from tests.support.fakegithub.openapi import description
from tests.support.fakegithub.world import (
    CheckRun,
    Comment,
    Issue,
    Pull,
    Remark,
    Repo,
    Review,
    Status,
    World,
)

_RIGHTS = ("pull", "triage", "push", "maintain", "admin")
ROLES = ("read", "triage", "write", "maintain", "admin")


def when(moment: datetime | None) -> str | None:
    """Write a time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


class Shapes:
    """Makes answers of a world; `url` is where its API is, without a slash at its end."""

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._url = url

    def _made(self, schema: str, **values: object) -> dict[str, Any]:
        return description().blank(schema) | values

    def user(self, login: str) -> dict[str, Any]:
        """An account."""
        user = self._world.users[login]
        return self._made(
            "simple-user",
            login=login,
            id=user.id,
            node_id=f"U_{user.id}",
            type=user.kind,
            url=f"{self._url}/users/{login}",
            html_url=f"{self._url}/{login}",
        )

    def author(self, login: str) -> dict[str, Any] | None:
        """Whoever wrote something, if their account is still there."""
        return self.user(login) if login in self._world.users else None

    def repo(self, repo: Repo, schema: str = "full-repository", viewer: str = "") -> dict[str, Any]:
        """A repository, as `viewer` sees it."""
        role = repo.roles.get(viewer, "")
        rank = ROLES.index(role) if role else -1
        methods = {
            f"allow_{name}": word in repo.methods
            for name, word in (
                ("merge_commit", "merge"),
                ("squash_merge", "squash"),
                ("rebase_merge", "rebase"),
            )
        }
        return self._made(
            schema,
            id=repo.id,
            node_id=f"R_{repo.id}",
            name=repo.name,
            full_name=repo.slug,
            owner=self.user(repo.owner),
            private=repo.private,
            fork=bool(repo.fork_of),
            default_branch=repo.default,
            url=f"{self._url}/repos/{repo.slug}",
            html_url=f"{self._url}/{repo.slug}",
            permissions={right: number <= rank for number, right in enumerate(_RIGHTS)},
            **methods,
        )

    def label(self, repo: Repo, name: str) -> dict[str, Any]:
        """A label."""
        return self._made("label", id=repo.labels[name], name=name, color="ededed")

    def pull(self, repo: Repo, issue: Issue, *, whole: bool) -> dict[str, Any]:
        """A pull request, whole or as it is in a list."""
        pull = issue.pull
        assert pull is not None
        url = f"{self._url}/repos/{repo.slug}"
        shape = self._made(
            "pull-request" if whole else "pull-request-simple",
            id=issue.id,
            node_id=f"PR_{issue.id}",
            number=issue.number,
            url=f"{url}/pulls/{issue.number}",
            html_url=f"{self._url}/{repo.slug}/pull/{issue.number}",
            issue_url=f"{url}/issues/{issue.number}",
            state=issue.state,
            title=issue.title,
            body=issue.body,
            user=self.author(issue.user),
            labels=[self.label(repo, name) for name in issue.labels],
            draft=pull.draft,
            created_at=when(issue.created),
            updated_at=when(issue.updated),
            closed_at=when(issue.closed),
            merged_at=when(pull.merged_at),
            merge_commit_sha=pull.merge_sha or "0" * 40,
            requested_reviewers=[self.user(login) for login in pull.asked],
            head=self._end(pull.head_repo, pull.head, pull.head_sha),
            base=self._end(repo.slug, pull.base, pull.base_sha),
        )
        return shape | self._more(repo, issue, pull) if whole else shape

    def _more(self, repo: Repo, issue: Issue, pull: Pull) -> dict[str, Any]:
        is_open = issue.state == "open"
        base = repo.git.branches().get(pull.base, pull.base_sha)
        return {
            "merged": pull.merged_at is not None,
            "merged_by": self.author(pull.merged_by),
            "mergeable": repo.git.mergeable(base, pull.head_sha) if is_open else None,
            "mergeable_state": "clean" if is_open else "unknown",
            "comments": sum(c.number == issue.number for c in repo.comments.values()),
            "review_comments": sum(r.number == issue.number for r in repo.remarks.values()),
        }

    def _end(self, slug: str | None, ref: str, sha: str) -> dict[str, Any]:
        repo = self._world.repos.get(slug or "")
        owner = (slug or "").partition("/")[0]
        return {
            "label": f"{owner}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.author(owner),
            "repo": self.repo(repo, "repository") if repo else None,
        }

    def issue(self, repo: Repo, issue: Issue) -> dict[str, Any]:
        """An issue; a pull request is one too."""
        url = f"{self._url}/repos/{repo.slug}"
        kind = "pull" if issue.pull else "issues"
        shape = self._made(
            "issue",
            id=issue.id,
            node_id=f"I_{issue.id}",
            number=issue.number,
            url=f"{url}/issues/{issue.number}",
            repository_url=url,
            html_url=f"{self._url}/{repo.slug}/{kind}/{issue.number}",
            title=issue.title,
            body=issue.body,
            user=self.author(issue.user),
            labels=[self.label(repo, name) for name in issue.labels],
            state=issue.state,
            state_reason=issue.reason,
            comments=sum(c.number == issue.number for c in repo.comments.values()),
            created_at=when(issue.created),
            updated_at=when(issue.updated),
            closed_at=when(issue.closed),
        )
        if issue.pull:
            links = dict.fromkeys(("diff_url", "html_url", "patch_url"), shape["html_url"])
            merged = {"merged_at": when(issue.pull.merged_at)}
            shape["pull_request"] = {"url": f"{url}/pulls/{issue.number}", **links, **merged}
            shape["draft"] = issue.pull.draft
        return shape

    def comment(self, repo: Repo, comment: Comment) -> dict[str, Any]:
        """A comment."""
        url = f"{self._url}/repos/{repo.slug}/issues"
        kind = "pull" if repo.issues[comment.number].pull else "issues"
        page = f"{self._url}/{repo.slug}/{kind}/{comment.number}"
        return self._made(
            "issue-comment",
            id=comment.id,
            node_id=f"IC_{comment.id}",
            url=f"{url}/comments/{comment.id}",
            issue_url=f"{url}/{comment.number}",
            html_url=f"{page}#issuecomment-{comment.id}",
            body=comment.body,
            user=self.author(comment.user),
            created_at=when(comment.created),
            updated_at=when(comment.updated),
        )

    def review(self, repo: Repo, number: int, review: Review) -> dict[str, Any]:
        """A review."""
        page = f"{self._url}/{repo.slug}/pull/{number}#pullrequestreview-{review.id}"
        url = f"{self._url}/repos/{repo.slug}/pulls/{number}"
        return self._made(
            "pull-request-review",
            id=review.id,
            node_id=f"PRR_{review.id}",
            user=self.author(review.user),
            body=review.body,
            state=review.state,
            commit_id=review.commit,
            submitted_at=when(review.submitted),
            html_url=page,
            pull_request_url=url,
            _links={"html": {"href": page}, "pull_request": {"href": url}},
        )

    def remark(self, repo: Repo, remark: Remark) -> dict[str, Any]:
        """A comment in a thread."""
        url = f"{self._url}/repos/{repo.slug}/pulls"
        page = f"{self._url}/{repo.slug}/pull/{remark.number}#discussion_r{remark.id}"
        shape = self._made(
            "pull-request-review-comment",
            id=remark.id,
            node_id=f"PRRC_{remark.id}",
            url=f"{url}/comments/{remark.id}",
            pull_request_url=f"{url}/{remark.number}",
            html_url=page,
            pull_request_review_id=remark.review,
            diff_hunk=remark.hunk,
            path=remark.path,
            commit_id=remark.commit,
            original_commit_id=remark.commit,
            line=None if self.outdated(repo, remark) else remark.line,
            original_line=remark.line,
            start_line=None,
            side="RIGHT",
            subject_type="line",
            user=self.author(remark.user),
            body=remark.body,
            created_at=when(remark.created),
            updated_at=when(remark.updated),
        )
        return shape | ({"in_reply_to_id": remark.reply_to} if remark.reply_to else {})

    def outdated(self, repo: Repo, remark: Remark) -> bool:
        """Whether the file has changed since a thread began in it."""
        pull = repo.issues[remark.number].pull
        assert pull is not None
        git = repo.git
        return git.blob(pull.head_sha, remark.path) != git.blob(remark.commit, remark.path)

    def run(self, repo: Repo, run: CheckRun) -> dict[str, Any]:
        """A check run."""
        url = f"{self._url}/repos/{repo.slug}/check-runs/{run.id}"
        app = description().blank("integration") | {
            "id": 1,
            "slug": run.app,
            "name": run.app,
            "owner": self.user(repo.owner),
        }
        output = {
            **dict.fromkeys(("title", "summary", "text")),
            **run.output,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        }
        return self._made(
            "check-run",
            id=run.id,
            node_id=f"CR_{run.id}",
            name=run.name,
            head_sha=run.sha,
            url=url,
            html_url=f"{self._url}/{repo.slug}/runs/{run.id}",
            details_url=run.url,
            status=run.status,
            conclusion=run.conclusion,
            external_id=run.external_id,
            started_at=when(run.created),
            completed_at=when(run.completed),
            output=output,
            app=app,
        )

    def status(self, repo: Repo, status: Status, schema: str = "status") -> dict[str, Any]:
        """A commit status."""
        values = {
            "id": status.id,
            "node_id": f"SC_{status.id}",
            "url": f"{self._url}/repos/{repo.slug}/statuses/{status.sha}",
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.url,
            "created_at": when(status.created),
            "updated_at": when(status.created),
        }
        if schema == "status":
            values["creator"] = self.author(status.user)
        return self._made(schema, **values)
