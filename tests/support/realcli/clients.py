"""How each real program is pointed at a fake model: a home of its own, a dummy key, few retries."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.fakemodel.model import KEY
from tests.support.realcli.cache import program
from tests.support.realcli.pins import PINS


@dataclass(frozen=True, slots=True, kw_only=True)
class RealCli:
    """A real program that knows no model but a fake one."""

    name: str
    program: Path
    home: Path
    """Holds its settings; it is to be started with HOME set to it."""
    env: dict[str, str] = field(default_factory=dict)
    """What a profile has to set for it, the key among it."""

    @property
    def version(self) -> str:
        """The pinned version."""
        return PINS[self.name].version

    @property
    def environ(self) -> dict[str, str]:
        """Its whole environment, where nobody else makes one."""
        path = os.environ.get("PATH", os.defpath)
        return {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "USER": "pat", **self.env}


def real(name: str, home: Path, url: str, account: str = "") -> RealCli:
    """Return the pinned program `name`, set up in `home` for the fake model at `url`.

    `account` chooses a dummy key of its own. Skips the test where the program is not installed.
    """
    path = program(name)
    home.mkdir(parents=True, exist_ok=True)
    key = f"{KEY}-{account}" if account else KEY
    return RealCli(name=name, program=path, home=home, env=_SETUPS[name](home, url, key))


def _claude(_home: Path, url: str, key: str) -> dict[str, str]:
    return {
        "ANTHROPIC_API_KEY": key,
        "ANTHROPIC_BASE_URL": url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
    }


def _codex(home: Path, url: str, key: str) -> dict[str, str]:
    settings = f"""\
model = "fake-model"
model_provider = "fake"
check_for_update_on_startup = false

[analytics]
enabled = false

[features]
apps = false
plugins = false
remote_plugin = false

[model_providers.fake]
name = "fake"
base_url = "{url}/v1"
env_key = "FAKE_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
supports_websockets = false
"""
    _write(home / ".codex/config.toml", settings)
    return {"CODEX_HOME": str(home / ".codex"), "FAKE_KEY": key}


def _gemini(home: Path, url: str, key: str) -> dict[str, str]:
    settings = {
        "general": {"enableAutoUpdate": False, "maxAttempts": 1},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
    }
    _write(home / ".gemini/settings.json", json.dumps(settings))
    return {
        "GEMINI_API_KEY": key,
        "GEMINI_CLI_NO_RELAUNCH": "true",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "GOOGLE_GEMINI_BASE_URL": url,
    }


def _opencode(home: Path, url: str, key: str) -> dict[str, str]:
    model = {
        "name": "Fake",
        "limit": {"context": 200_000, "output": 8_000},
        "cost": {"input": 1, "output": 2},
    }
    settings = {
        "model": "fake/fake-model",
        "small_model": "fake/fake-model",
        "enabled_providers": ["fake"],
        "autoupdate": False,
        "share": "disabled",
        "provider": {
            "fake": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{url}/v1", "apiKey": key},
                "models": {"fake-model": model},
            }
        },
    }
    _write(home / ".config/opencode/opencode.json", json.dumps(settings))
    switches = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS")
    return {f"OPENCODE_DISABLE_{switch}": "1" for switch in switches}


def _aider(_home: Path, url: str, key: str) -> dict[str, str]:
    return {
        "AIDER_MODEL": "openai/fake-model",
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": key,
    }


def _mini(home: Path, url: str, key: str) -> dict[str, str]:
    return {
        "MSWEA_GLOBAL_CONFIG_DIR": str(home / ".config/mini-swe-agent"),
        "MSWEA_MODEL_NAME": "openai/fake-model",
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": key,
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


_SETUPS: Final[dict[str, Callable[[Path, str, str], dict[str, str]]]] = {
    "aider": _aider,
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "mini": _mini,
    "opencode": _opencode,
}
