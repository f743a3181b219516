"""Where the program starts: what is asked often is answered before anything heavy is imported.

`run exec` is started once per attempt, `--version` is asked by hooks, `status` and `queue list` by
people and their prompts; none of them may pay for click or GitPython.
"""

import sys

from gitcmat import __version__


def main() -> int:
    """Run the command line in `sys.argv` and return its exit code."""
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


if __name__ == "__main__":
    sys.exit(main())
