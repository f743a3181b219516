"""Fills the templates that come with the program: sandboxed, and a missing value is an error.

Text of tasks, people and agents is a value in a template, never a template itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gitcmat.system.assets import templates_dir


def render(name: str, values: Mapping[str, Any], **filters: Callable[..., str]) -> str:
    """Return the template `name` of ``templates/`` filled with `values`."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_dir()),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name).render(values)
