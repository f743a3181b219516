"""What a job may start: exactly the plan whose digest the workflow names, and nothing else."""

from gitcmat.engine import trust
from gitcmat.engine.ci_node import Node
from gitcmat.errors import NotTrusted


def allow(node: Node, digest: str) -> None:
    """Allow the plan at the tip of the branch that tasks come from, if it is the one that is meant.

    A plan that starts nothing needs no digest.

    Raises:
        NotTrusted: no digest was given, or that of another plan.
        InvalidData: the settings there are wrong.
    """
    found = trust.look(node.deps)
    if found.allowed:
        return
    if digest != found.plan.digest:
        what = f"trusts {digest}" if digest else "names no plan that it trusts"
        raise NotTrusted(
            f"The workflow {what}; what {found.branch} would start has the digest "
            f"{found.plan.digest}.",
            hint="look at it: gitcmat trust. Then put its digest into the workflow: trust-digest",
        )
    trust.allow(node.deps, found, digest)
