"""Where the program starts: two answers before anything heavy is imported, all else to the CLI.

`run exec` is started once per attempt and `--version` is asked by hooks; neither may pay for click
or GitPython.
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
        case _:
            from gitcmat.cli.main import main as cli_main

            return cli_main()


if __name__ == "__main__":
    sys.exit(main())
