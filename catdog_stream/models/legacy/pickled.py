"""Reader of a pickle that never executes the pickle.

A pickle is a program: Python's ``pickle`` calls any function that the pickle names. This reader
decodes the steps with ``pickletools`` of the standard library, which only decodes. It supports the
few steps that the pickle of a classifier needs, and they create plain values only. A call is
recorded as an ``Unmade`` and never made. So the pickle cannot import, call, allocate or hash
anything.
"""

import pickletools
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdog_stream.errors import InputError

__all__ = ["Global", "Unmade", "read_pickle"]

#: Python 3 writes protocol 3 or 4 by default; Python 2 can read protocol 2.
_PROTOCOLS = (2, 3, 4)
#: A step takes one byte or more of the file, and may take hundreds of bytes of memory. The pickle
#: of the first system has 2,232 steps.
_MOST_STEPS = 100_000
#: Bytes of the step FRAME: its code and the length of the frame behind it.
_FRAME_HEADER = 9
#: Characters of a refused name that are shown.
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Global:
    """The name of a class or function that a pickle refers to."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:_SHOWN]


@dataclass(slots=True, eq=False)
class Unmade:
    """Record of a call that was not made: of ``of``, with ``arguments``, then setting ``state``."""

    of: Global
    arguments: tuple[Any, ...]
    state: Any = None


def read_pickle(file: Path, data: bytes, known: Container[Global]) -> Any:
    """Return the value in ``data``, the content of ``file``: plain values, ``Global``, ``Unmade``.

    Raises ``InputError`` if the data is not a pickle of protocol 2 to 4, is truncated, names a
    global that is not in ``known``, or has a step that the pickle of a classifier does not need.
    """
    machine = _Machine(known)
    frames = _Frames(len(data))
    try:
        for step, argument, place in pickletools.genops(data):
            frames.check(step.name, argument, place or 0)
            if step.name == "STOP":
                return machine.pop()
            machine.take(step.name, argument)
    except _RefusedError as error:
        raise InputError(f"{file} is not read: {error}.") from error
    except (ValueError, IndexError, TypeError) as error:
        # ValueError: pickletools, for truncated data or an invalid step. The others: this module's
        # stack does not have the values that the step takes.
        raise InputError(f"{file} is damaged, or not a pickle.") from error
    raise InputError(f"{file} is damaged: it has no end.")


class _RefusedError(Exception):
    """Error for a step that is valid but refused."""


class _Frames:
    """Check of the lengths that a pickle of protocol 4 has in front of its parts, and of its end.

    Args:
        size: bytes of the pickle.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._end: int | None = None
        """End of the present frame."""

    def check(self, step: str, argument: Any, place: int) -> None:
        """Raise ``ValueError`` or ``_RefusedError`` if the step at ``place`` contradicts them."""
        end = place + 1 if step == "STOP" else place
        if self._end is not None and end >= self._end:
            if end != self._end:
                raise ValueError("a frame ends within a step")
            self._end = None  # large values follow a frame without one
        if step == "FRAME":
            self._end = place + _FRAME_HEADER + argument
        elif step == "STOP" and self._end is not None:
            raise ValueError("a frame is longer than the pickle")
        elif step == "STOP" and end != self._size:
            raise _RefusedError(f"{self._size - end} bytes follow its end")


class _Machine:
    """The stack and the memory on which the steps of a pickle operate."""

    def __init__(self, known: Container[Global]) -> None:
        self._known = known
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        """The stacks below each mark."""
        self._memory: dict[int, Any] = {}
        self._taken = 0

    def pop(self) -> Any:
        return self._stack.pop()

    def take(self, step: str, argument: Any) -> None:
        """Take a step, given by its name in ``pickletools``."""
        self._taken += 1
        if self._taken > _MOST_STEPS:
            raise _RefusedError(f"it has more than {_MOST_STEPS} steps")
        if step in _VALUES:
            self._stack.append(argument)
        elif step in _CONSTANTS:
            self._stack.append(_CONSTANTS[step]())
        elif step in _TUPLES:
            size = _TUPLES[step]
            items = [self.pop() for _ in range(size)]
            self._stack.append(tuple(reversed(items)))
        elif step in _STEPS:
            _STEPS[step](self, argument)
        elif step != "FRAME":
            raise _RefusedError(f"the step {step} is not one that the pickle of a classifier needs")

    def _protocol(self, number: int) -> None:
        if number not in _PROTOCOLS:
            raise _RefusedError(f"it is a pickle of protocol {number}, and 2 to 4 are understood")

    def _mark(self, _: None) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _tuple(self, _: None) -> None:
        items = tuple(self._since_mark())
        self._stack.append(items)

    def _appends(self, _: None) -> None:
        items = self._since_mark()
        _a(list, self._stack[-1]).extend(items)

    def _append(self, _: None) -> None:
        item = self.pop()
        _a(list, self._stack[-1]).append(item)

    def _set_items(self, _: None) -> None:
        items = self._since_mark()
        target = _a(dict, self._stack[-1])
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_a(str, key)] = value  # no other key: to hash a nested key may take forever

    def _set_item(self, _: None) -> None:
        value, key = self.pop(), _a(str, self.pop())
        _a(dict, self._stack[-1])[key] = value

    def _memoize(self, _: None) -> None:
        self._memory[len(self._memory)] = self._stack[-1]

    def _put(self, place: int) -> None:
        self._memory[place] = self._stack[-1]

    def _get(self, place: int) -> None:
        if place not in self._memory:
            raise IndexError(place)
        self._stack.append(self._memory[place])

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._refer(Global(module, name))

    def _stack_global(self, _: None) -> None:
        name, module = _a(str, self.pop()), _a(str, self.pop())
        self._refer(Global(module, name))

    def _refer(self, reference: Global) -> None:
        if reference not in self._known:
            raise _RefusedError(
                f"it refers to {reference}, which the pickle of a classifier does not need"
            )
        self._stack.append(reference)

    def _call(self, _: None) -> None:
        arguments, called = _a(tuple, self.pop()), _a(Global, self.pop())
        self._stack.append(Unmade(called, arguments))

    def _build(self, _: None) -> None:
        state = self.pop()
        _a(Unmade, self._stack[-1]).state = state


def _a(kind: type, value: Any) -> Any:
    """Return ``value`` if it is of the type ``kind``. Raises ``TypeError`` otherwise."""
    if not isinstance(value, kind):
        raise TypeError(f"a {kind.__name__} is missing")
    return value


_VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("SHORT_BINBYTES", "BINBYTES", "SHORT_BINUNICODE", "BINUNICODE"),
}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine._protocol,
    "MARK": _Machine._mark,
    "TUPLE": _Machine._tuple,
    "APPENDS": _Machine._appends,
    "APPEND": _Machine._append,
    "SETITEMS": _Machine._set_items,
    "SETITEM": _Machine._set_item,
    "MEMOIZE": _Machine._memoize,
    "BINPUT": _Machine._put,
    "LONG_BINPUT": _Machine._put,
    "BINGET": _Machine._get,
    "LONG_BINGET": _Machine._get,
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stack_global,
    "REDUCE": _Machine._call,
    "NEWOBJ": _Machine._call,
    "BUILD": _Machine._build,
}
