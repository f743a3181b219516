"""A program in the place of Claude Code: it says what a file tells it to, a line for each start.

``python spender.py FILE …``, a line of which is a JSON object:

- ``usd``, ``in``, ``out``: what its session has cost and used since its start; default 0
- ``limit``: what it says when the provider serves the account no more, instead of working
- ``write``: a file of the work tree that it writes; default ``work.txt``
- ``model``: one without a price, for which it makes a cost up
- ``over``: it stops by itself at its budget
- ``messages``: tokens that each of its messages read, which it tells as it works
- ``hangs``: after them it works on and never ends
- ``killed``: it ends in the middle of its turn, without a word of what it has used

Each start is noted in FILE.seen, with its arguments.
"""

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

MODEL = "claude-opus-5-5"


def agent_file(script: Path, name: str = "spender", **fields: Any) -> dict[str, str]:
    """The file of an agent that `claude` drives and that says what `script` tells it to."""
    command = [sys.executable, str(Path(__file__).resolve()), str(script)]
    given = {"sandbox": "off", **fields}  # it writes beside its script
    head = json.dumps({"name": name, "runs": "claude", "command": command, **given})
    return {f".cmat/agents/{name}.md": f"---\n{head}\n---\n"}


def write_script(script: Path, *starts: dict[str, Any]) -> None:
    """Say what it does at each start."""
    script.write_text("".join(json.dumps(start) + "\n" for start in starts), encoding="utf-8")


def starts(script: Path) -> list[list[str]]:
    """The arguments of each start so far."""
    seen = script.with_suffix(".seen")
    lines = seen.read_text(encoding="utf-8").splitlines() if seen.exists() else []
    return [json.loads(line) for line in lines]


def main() -> None:
    """Be started once."""
    script, *args = Path(sys.argv[1]), *sys.argv[2:]
    sys.stdin.read()
    step = json.loads(script.read_text(encoding="utf-8").splitlines()[len(starts(script))])
    with script.with_suffix(".seen").open("a", encoding="utf-8") as seen:
        seen.write(json.dumps(args) + "\n")
    resumed = args[args.index("--resume") + 1] if "--resume" in args else ""
    session = resumed or str(uuid.uuid4())
    say(type="system", subtype="init", session_id=session, model=step.get("model", MODEL))
    for number, tokens in enumerate(step.get("messages", ())):
        used = {"input_tokens": tokens, "output_tokens": 1}
        for part in ("Look.", "Do."):  # each is told with what the whole message used
            message = {"id": f"msg_{number}", "model": step.get("model", MODEL), "usage": used}
            say(type="assistant", message=message | {"content": [{"type": "text", "text": part}]})
    if "hangs" in step:
        time.sleep(600)
    if "killed" in step:
        sys.exit(143)
    if "limit" in step:
        result = {"is_error": True, "api_error_status": 429, "result": step["limit"]}
    elif step.get("over"):
        result = {"is_error": True, "subtype": "error_max_budget_usd", "errors": ["budget"]}
    else:
        Path(step.get("write", "work.txt")).write_text(f"{session}\n{len(starts(script))}\n")
        result = {"is_error": False, "result": "Done."}
    used = {"inputTokens": step.get("in", 0), "outputTokens": step.get("out", 0)}
    used |= {"costBasis": "unknown" if "model" in step else "list"}
    model = step.get("model", MODEL)
    cost = {"total_cost_usd": step.get("usd", 0), "modelUsage": {model: used}}
    say(**{"type": "result", "subtype": "success", "session_id": session, **cost, **result})
    sys.exit(1 if result["is_error"] else 0)


def say(**about: Any) -> None:
    """Print a line of its stream."""
    print(json.dumps(about), flush=True)  # noqa: T201 - it is its stream


if __name__ == "__main__":
    main()
