"""Which agents' programs the tests use: the very versions, and where their programs lie."""

import platform
import sys
from dataclasses import dataclass
from typing import Final

_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}

_PLATFORM: Final = f"{sys.platform}-{_MACHINES.get(platform.machine().lower(), 'unknown')}"
"""As npm's packages with native programs name it: linux-x64, darwin-arm64."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One program in one version."""

    name: str
    registry: str
    """`npm` or `pip`."""
    package: str
    version: str
    program: str
    """A pattern that finds the program below the folder of the installation."""
    beside: tuple[str, ...] = ()
    """What else has to be installed, pinned too."""

    @property
    def folder(self) -> str:
        """The name of the installation's folder in the cache: another for each version."""
        return f"{self.name}-{self.version}-{_PLATFORM}"

    @property
    def wanted(self) -> tuple[str, ...]:
        """What the registry's client is asked for."""
        sign = "@" if self.registry == "npm" else "=="
        return (f"{self.package}{sign}{self.version}", *self.beside)


_PINS: Final = (
    Pin(
        "claude",
        "npm",
        "@anthropic-ai/claude-code",
        "2.1.329",
        f"node_modules/@anthropic-ai/claude-code-{_PLATFORM}/claude",
    ),
    Pin(
        "codex",
        "npm",
        "@openai/codex",
        "0.169.0",
        f"node_modules/@openai/codex-{_PLATFORM}/vendor/*/bin/codex",
    ),
    Pin("gemini", "npm", "@google/gemini-cli", "0.61.0", "node_modules/.bin/gemini"),
    Pin(
        "opencode",
        "npm",
        "opencode-ai",
        "1.18.33",
        f"node_modules/opencode-{_PLATFORM}/bin/opencode",
    ),
    Pin("aider", "pip", "aider-chat", "0.86.2", "bin/aider"),
    Pin("mini", "pip", "mini-swe-agent", "2.4.6", "bin/mini", ("mcp==2.3.0", "litellm==1.106.2")),
)

PINS: Final = {pin.name: pin for pin in _PINS}
"""By the name of the program."""
