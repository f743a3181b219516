"""Whether an agent works in a sandbox: decided at the claim, from its profile and the machine."""

from pathlib import Path

from gitcmat.engine.deps import Deps
from gitcmat.model.agent import AgentProfile
from gitcmat.model.sandbox import Box, SandboxMode, SandboxWish, decide
from gitcmat.system import bwrap


def box_for(deps: Deps, profile: AgentProfile) -> Box:
    """Decide for the next run of an agent. The machine is asked only where it matters.

    Raises:
        NotFound: its profile or the person insists on a sandbox that this machine does not have.
    """
    usual = deps.settings.sandbox
    wish = SandboxWish.of(profile.sandbox)
    mode = wish.meant if wish is not None else usual
    why_not = "" if mode is SandboxMode.OFF else bwrap.why_not(forbidden(deps))
    return decide(wish, usual=usual, why_not=why_not)


def forbidden(deps: Deps) -> list[Path]:
    """Where nothing lies that may be started around an agent."""
    tree = deps.repo.main_work_tree
    return [deps.repo.common_dir, *([tree] if tree is not None else [])]
