"""What the user can put right: every such error has a sentence, a hint and an exit code.

Anything else that is raised is a bug. Only `gitcmat.cli.boundary` catches these.
"""


class UserError(Exception):
    """Something the user can put right; shown without a traceback.

    `message` says what is wrong and where (`file:line` when there is one); `hint` says what to
    do next, or is empty.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CheckFailed(UserError):
    """A check said no: a gate is red, lint or doctor found something."""

    exit_code = 1


class Usage(UserError):
    """The command line does not make sense."""

    exit_code = 2


class InvalidData(UserError):
    """A file or value is not what it must be."""

    exit_code = 3


class NotFound(UserError):
    """What was named does not exist."""

    exit_code = 4


class Conflict(UserError):
    """Someone else changed it, holds the lock, or git is in the middle of something."""

    exit_code = 5


class NotTrusted(UserError):
    """The plan or the task has not been allowed on this machine."""

    exit_code = 5


class NoWork(UserError):
    """Work was asked for and there is none."""

    exit_code = 6
