"""The recorded transcripts are whole, and tell nothing of the machine that they were made on."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

STREAMS: Final = Path(__file__).parents[1] / "fixtures/streams"
INDEX: Final[dict[str, Any]] = json.loads((STREAMS / "recordings.json").read_text(encoding="utf-8"))

_HERE: Final = re.compile(r"(?<![\w.-])/(?:work|tmp|var|root|opt/(?!agents/))[/\"\\]")


def test_each_transcript_is_in_the_index() -> None:
    beside = {"recordings.json", "README.md"}
    assert sorted(path.stem for path in STREAMS.iterdir() if path.name not in beside) == (
        sorted(INDEX)
    )


@pytest.mark.parametrize("name", sorted(INDEX))
def test_a_transcript_can_be_read_and_names_no_folder_of_a_machine(name: str) -> None:
    (path,) = STREAMS.glob(f"{name}.*")
    text = path.read_text(encoding="utf-8")
    objects = {".jsonl": text.splitlines(), ".json": [text], ".txt": ()}
    for line in objects[path.suffix]:
        assert isinstance(json.loads(line), dict)
    assert _HERE.findall(text + INDEX[name]["stderr"]) == []
