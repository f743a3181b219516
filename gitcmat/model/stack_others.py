"""npm (with yarn and pnpm), Go and Rust: setup and gates by what their manifests say."""

import json
from typing import Any, Final

from gitcmat.model.gate import Gate
from gitcmat.model.stack import Project, Proposal, not_on_path

_NPM_GATES: Final = {
    "test": "tests",
    "lint": "lint",
    "typecheck": "types",
    "type-check": "types",
    "build": "build",
}
_NO_TEST: Final = "no test specified"
_LOCKS: Final = (
    ("pnpm-lock.yaml", "pnpm", ("install", "--frozen-lockfile")),
    ("yarn.lock", "yarn", ("install", "--frozen-lockfile")),
    ("package-lock.json", "npm", ("ci",)),
    ("npm-shrinkwrap.json", "npm", ("ci",)),
)
_CI: Final = {"CI": "true"}
"""Tells test runners that nobody watches, so that they end."""


def npm(project: Project) -> Proposal | None:
    """Propose for a ``package.json``."""
    if not project.has("package.json"):
        return None
    stack = (("npm", "package.json"),)
    try:
        manifest = json.loads(project.texts.get("package.json", ""))
    except ValueError as error:
        return Proposal(stacks=stack, missing=(f"package.json: cannot be read: {error}",))
    data: dict[str, Any] = manifest if isinstance(manifest, dict) else {}
    lock, program, install = next(
        (one for one in _LOCKS if project.has(one[0])),
        ("", "npm", ("install", "--no-package-lock")),
    )
    if program not in project.programs:
        return Proposal(
            stacks=stack, missing=(not_on_path(program, f"{lock or 'package.json'} needs it"),)
        )
    scripts = data.get("scripts")
    gates: dict[str, Gate] = {}
    for script, name in _NPM_GATES.items():
        text = scripts.get(script) if isinstance(scripts, dict) else None
        if isinstance(text, str) and _NO_TEST not in text and name not in gates:
            run = (program, "run", script)
            gates[name] = Gate(run=run, env=dict(_CI) if name == "tests" else {})
    needs = lock or data.get("dependencies") or data.get("devDependencies")
    missing = () if "tests" in gates else ("tests: package.json has no script `test`",)
    return Proposal(
        stacks=stack,
        setup=((program, *install),) if needs else (),
        when=project.has("package.json", lock) if needs else (),
        gates=gates,
        keep=("node_modules",) if needs else (),
        missing=missing,
    )


def go(project: Project) -> Proposal | None:
    """Propose for a ``go.mod``."""
    if not project.has("go.mod"):
        return None
    stack = (("Go", "go.mod"),)
    if "go" not in project.programs:
        return Proposal(stacks=stack, missing=(not_on_path("go", "go.mod needs it"),))
    gates = {"tests": Gate(run=("go", "test", "./...")), "lint": Gate(run=("go", "vet", "./..."))}
    return Proposal(stacks=stack, gates=gates)


def cargo(project: Project) -> Proposal | None:
    """Propose for a ``Cargo.toml``."""
    if not project.has("Cargo.toml"):
        return None
    stack = (("Rust", "Cargo.toml"),)
    if "cargo" not in project.programs:
        return Proposal(stacks=stack, missing=(not_on_path("cargo", "Cargo.toml needs it"),))
    gates = {"tests": Gate(run=("cargo", "test"))}
    missing = []
    if "cargo-clippy" in project.programs:
        gates["lint"] = Gate(run=("cargo", "clippy", "--all-targets"))
    else:
        missing.append(not_on_path("cargo-clippy", "it would be a gate for Cargo.toml"))
    if style := project.has("rustfmt.toml", ".rustfmt.toml"):
        if "cargo-fmt" in project.programs:
            gates["format"] = Gate(run=("cargo", "fmt", "--check"), protect=style)
        else:
            missing.append(not_on_path("cargo-fmt", f"{style[0]} configures it"))
    return Proposal(stacks=stack, gates=gates, keep=("target",), missing=tuple(missing))
