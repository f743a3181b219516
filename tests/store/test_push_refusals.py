"""What GitHub prints when it refuses a push is told in words, with what to do."""

from typing import Final

import pytest

from gitcmat.store.push_refusals import refusal

_URL: Final = "https://github.com/acme/app.git/"
_TO: Final = "To https://github.com/acme/app.git\n"
_FORBIDDEN: Final = f"fatal: unable to access '{_URL}': The requested URL returned error: 403\n"
_SIGN_ON: Final = "https://github.com/enterprises/acme/sso?authorization_request=A5"

SAID: Final = {
    "the branch is protected": (
        "remote: error: GH006: Protected branch update failed for refs/heads/cmat/x.        \n"
        "remote: error: Changes must be made through a pull request.        \n"
        f"{_TO} ! [remote rejected] cmat/x -> cmat/x (protected branch hook declined)\n"
    ),
    "a rule of the repository forbids it": (
        "remote: error: GH013: Repository rule violations found for refs/heads/cmat/x.        \n"
        "remote: - Commits must have verified signatures.        \n"
        f"{_TO} ! [remote rejected] cmat/x -> cmat/x (push declined due to repository rule "
        "violations)\n"
    ),
    "it holds a secret that the forge knows by its looks": (
        "remote: error: GH013: Repository rule violations found for refs/heads/cmat/x.        \n"
        "remote: - GITHUB PUSH PROTECTION        \n"
        "remote:     - Push cannot contain secrets        \n"
    ),
    "it changes a workflow below .github/workflows, and the token may not": (
        f"{_TO} ! [remote rejected] cmat/x -> cmat/x (refusing to allow a Personal Access Token to "
        "create or update workflow `.github/workflows/ci.yml` without `workflow` scope)\n"
    ),
    "the organisation wants single sign-on for this token": (
        "remote: The 'acme' organization has enabled or enforced SAML SSO.        \n"
        f"remote: To access this repository, visit {_SIGN_ON} and try your request again.        \n"
        + _FORBIDDEN
    ),
    "the token may not push there": (
        f"remote: Permission to acme/app.git denied to rob.        \n{_FORBIDDEN}"
    ),
    "the token is not accepted: it is wrong, expired or revoked": (
        "remote: Invalid username or token. Password authentication is not supported for Git "
        f"operations.        \nfatal: Authentication failed for '{_URL}'\n"
    ),
    "the repository is not there, or the token may not see it": (
        f"remote: Repository not found.        \nfatal: repository '{_URL}' not found\n"
    ),
    "a file is larger than the forge takes": (
        "remote: error: GH001: Large files detected.        \n"
        "remote: error: File a.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB"
    ),
    "its commits would show an email address that you keep private there": (
        "remote: error: GH007: Your push would publish a private email address.        \n"
    ),
    "the repository is archived": (
        f"remote: This repository was archived so it is read-only.        \n{_FORBIDDEN}"
    ),
    "its host cannot be reached": (
        f"fatal: unable to access '{_URL}': Could not resolve host: github.com\n"
    ),
    "somebody else moved the branch": (f"{_TO} ! [rejected] cmat/x -> cmat/x (stale info)\n"),
}


@pytest.mark.parametrize("why", SAID)
def test_a_refusal_that_is_known_says_why_and_what_to_do(why: str) -> None:
    found = refusal(SAID[why])

    assert found.why == why
    assert found.how.endswith(")")


def test_a_workflow_of_an_app_is_the_same_refusal() -> None:
    for who, what in (("an OAuth App", "`workflow` scope"), ("a GitHub App", "`workflows` perm")):
        said = (
            f" ! [remote rejected] x -> x (refusing to allow {who} to create or update workflow "
            f"`.github/workflows/ci.yml` without {what}ission)\n"
        )
        assert "workflow" in refusal(said).why


def test_single_sign_on_comes_with_its_address() -> None:
    assert f"authorise the token for it: {_SIGN_ON} (" in (
        refusal(SAID["the organisation wants single sign-on for this token"]).how
    )


def test_what_is_not_known_is_told_as_git_said_it() -> None:
    found = refusal(
        "warning: x\nremote: a hook of ours says no        \n! [remote rejected] a -> b"
    )

    assert (found.why, found.how) == ("", "a hook of ours says no; ! [remote rejected] a -> b")


def test_what_a_remote_says_is_one_line_and_has_an_end() -> None:
    how = refusal("".join(f"remote: line {number}\n" for number in range(1000))).how

    assert "\n" not in how
    assert len(how) == 300
