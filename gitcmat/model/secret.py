"""A value that must not be seen."""

from typing import Final, NoReturn, final

_SHOWN: Final = "Secret(…)"


@final
class Secret:
    """Text that shows itself only to who asks by `reveal`: not in messages, logs or tracebacks."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the text, to be handed on at once and kept nowhere."""
        return self.__value

    def __repr__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash(self.__value)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: that would write it down."""
        raise TypeError("a secret cannot be pickled")
