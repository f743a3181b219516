"""The unit of systemd names everything by absolute paths and quotes it."""

from pathlib import Path

import pytest

from gitcmat.engine.unit import unit_text
from gitcmat.errors import Usage

PROGRAM = ["/usr/bin/python3", "-m", "gitcmat"]


def test_the_whole_unit() -> None:
    environ = {"PATH": "/usr/bin:.:/bin:/usr/bin", "LANG": "C.UTF-8", "GITHUB_TOKEN": "secret"}
    assert unit_text(PROGRAM, Path("/home/pat/my project"), environ) == (
        "# Save it as ~/.config/systemd/user/gitcmat-my-project.service, then:\n"
        "#   systemctl --user enable --now gitcmat-my-project.service\n"
        "[Unit]\n"
        "Description=gitcmat watches /home/pat/my project\n"
        "\n"
        "[Service]\n"
        "Type=exec\n"
        'ExecStart="/usr/bin/python3" "-m" "gitcmat" "-C" "/home/pat/my project" "watch"\n'
        'Environment="PATH=/usr/bin:/bin"\n'
        'Environment="LANG=C.UTF-8"\n'
        "# Runs outlive the daemon: only it is ended, they go on.\n"
        "KillMode=process\n"
        "Restart=on-failure\n"
        "RestartSec=5\n"
        "# Another daemon is at work, or the settings are wrong: trying again changes nothing.\n"
        "RestartPreventExitStatus=2 3 4 5\n"
        "\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )


def test_what_systemd_would_expand_is_escaped() -> None:
    text = unit_text(PROGRAM, Path('/a/100%/$x"y\\z'), {})
    assert '"/a/100%%/$$x\\"y\\\\z"' in text


def test_a_line_break_in_a_path_is_refused() -> None:
    with pytest.raises(Usage, match="A path with a line break cannot stand in a unit of systemd"):
        unit_text(PROGRAM, Path("/a\nb"), {})
