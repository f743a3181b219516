"""Commands as documents show them."""

import shlex

import click

from gitcmat.cli.main import cli


def takes_apart(typed: str, *, named: bool = False) -> None:
    """See that there is such a command with these options; nothing is run. With `named`, one that
    is only called by its name may lack its arguments.
    """
    command: click.Command = cli
    name, *words = shlex.split(typed)
    context = click.Context(cli, info_name=name)
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        assert found is not None, typed
        command, name, words = found, words[0], words[1:]
    if words or not isinstance(command, click.Group):
        try:
            command.make_context(name, words)
        except click.MissingParameter:
            if words or not named:
                raise
