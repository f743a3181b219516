"""Where the program starts: what is asked often is answered before anything heavy is imported.

`run exec` is started once per attempt, `--version` is asked by hooks, `status` and `queue list` by
people and their prompts; none of them may pay for click or GitPython.
"""

import os
import sys

from gitcmat import __version__


def main() -> int:
    """Run the command line in `sys.argv` and return its exit code."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_what_is_closed()
    match sys.argv[1:]:
        case ["--version"]:
            sys.stdout.write(f"gitcmat {__version__}\n")
            return 0
        case ["run", "exec", folder] if not folder.startswith("-"):
            from gitcmat.app import run_exec

            return run_exec(folder)
        case ["run", "launch"]:
            from gitcmat.app import run_launch

            return run_launch()
        case ["status"] | ["status", "--json"] | ["queue", "list"] | ["queue", "list", "--json"]:
            from gitcmat.cli import quick

            return quick.run(sys.argv[1:])
        case _:
            from gitcmat.cli.main import main as cli_main

            return cli_main()


def _open_what_is_closed() -> None:
    """Read nothing, and print nowhere, where we were started with closed descriptors (``>&-``): the
    next files that we open, such as a lock or the cache, would be taken for the output.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - the lowest that is free
        os.set_inheritable(fd, True)  # noqa: FBT003 - takes no keywords
    os.close(fd)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    sys.exit(main())
