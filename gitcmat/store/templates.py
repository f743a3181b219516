"""Fills the templates that come with the program: sandboxed, and a missing value is an error.

Text of tasks, people and agents is a value in a template, never a template itself.
"""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gitcmat.system.assets import templates_dir

if TYPE_CHECKING:
    from jinja2 import Template


def render(name: str, values: Mapping[str, Any], **filters: Callable[..., str]) -> str:
    """Return the template `name` of ``templates/`` filled with `values`."""
    return _template(name, tuple(filters.items())).render(values)


@functools.cache
def _template(name: str, filters: tuple[tuple[str, Callable[..., str]], ...]) -> "Template":
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
    environment.filters |= dict(filters)
    return environment.get_template(name)
