"""A reader of pickles that runs none of them: what a pickle names becomes an inert object, whatever it is.

A pickle is a program for a machine with a stack. Python's own readers import what it names and call it. This one takes
the instructions from `pickletools`, which only lists them, and calls nothing but `MAKERS`, which make plain data and
tensors. So the weights of a checkpoint can be read, whatever stands beside them.
"""

import collections
import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any, Final

import torch
from torch import Tensor


class Inert(dict[object, object]):
    """What stands for a name in a pickle, and for what the pickle makes with it: it does nothing.

    What the object has as a mapping are its items, so that state dicts in a mapping of any class can be read.
    """

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.origin = origin
        """Module and name of the class or function that the pickle means."""
        self.state: object = None
        """What the pickle gives the object for a state: mostly its attributes."""

    def __hash__(self) -> int:  # type: ignore[override]  # it may be a key of another dictionary
        return id(self)

    @property
    def is_module(self) -> bool:
        """Whether the object is a network or a layer, pickled as a whole."""
        return isinstance(self.state, Mapping) and "_modules" in self.state and "_parameters" in self.state


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_rest: object) -> Tensor:
    """Return a tensor on a storage; `as_strided` checks that it lies within."""
    return storage.as_strided(size, stride, offset)


def _tensor_of_type(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *rest: Any) -> Tensor:
    """Return a tensor of a newer type, such as fp8, on a storage of bytes."""
    return storage.view(DTYPES[rest[2].origin]).as_strided(size, stride, offset)


def _data(data: object, *_rest: object) -> object:
    """Return the tensor of a parameter."""
    return data


def _typed(make: Inert, _kind: object, arguments: tuple[object, ...], *_rest: object) -> object:
    """Return the tensor of a class derived from `Tensor`, or with attributes, as a plain tensor."""
    return _call(make, arguments)


DTYPES: Final = {str(kind): kind for kind in vars(torch).values() if isinstance(kind, torch.dtype)}
"""torch's types of numbers by their names in pickles."""
MAKERS: Final[dict[str, Callable[..., object]]] = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_type,
    "torch._utils._rebuild_parameter": _data,
    "torch._utils._rebuild_parameter_with_state": _data,
    "torch._tensor._rebuild_from_type_v2": _typed,
    "torch.nn.parameter.Parameter": _data,
}
"""What is made where a pickle calls one of these names; a call of any other makes an `Inert`."""


def _call(function: object, arguments: tuple[object, ...]) -> object:
    """Return what a call makes; `function` is the stand-in of a name."""
    if not isinstance(function, Inert):
        raise TypeError(f"a call of {type(function).__name__}")
    maker = MAKERS.get(function.origin)
    return Inert(function.origin) if maker is None else maker(*arguments)


class Machine:
    """The stack of a pickle, and its instructions by their names in `pickletools`.

    Args:
        storage: Returns what an identifier stands for, which in files of torch is a storage.
    """

    def __init__(self, storage: Callable[[Any], object]) -> None:
        self.storage = storage
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def read(self, file: IO[bytes]) -> Any:
        """Return the object of the pickle at the position of a file, which stands behind it afterwards."""
        for instruction, argument, _ in pickletools.genops(file):
            name = instruction.name
            if name in ARGUMENTS:
                self.push(argument)
            elif name in CONSTANTS:
                self.push(CONSTANTS[name]())
            elif name in REST:
                REST[name](self, argument)
            elif name != "STOP":
                raise ValueError(f"a pickle with the instruction {name}")
        return self.stack.pop()

    def push(self, thing: object) -> None:
        """Put an object on the stack that there is now: `items` changes it."""
        self.stack.append(thing)

    def items(self) -> list[Any]:
        """Take what lies above the last mark."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def mark(self, _argument: object) -> None:
        """Set a mark."""
        self.marks.append(self.stack)
        self.stack = []

    def pop(self, _argument: object) -> None:
        """Drop an object, or a mark with nothing above it."""
        if self.stack:
            self.stack.pop()
        else:
            self.items()

    def last(self, count: int) -> tuple[Any, ...]:
        """Take the last objects of the stack."""
        items = [self.stack.pop() for _ in range(count)]
        return tuple(reversed(items))

    def call(self, keywords: int = 0) -> None:
        """Replace a name and its arguments with what the call makes."""
        function, arguments, *_ = self.last(2 + keywords)
        self.push(_call(function, tuple(arguments)))

    def extend(self, items: list[Any]) -> None:
        """Add items to the list or set on top; those of an inert object are dropped."""
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)
        elif isinstance(self.stack[-1], set):
            self.stack[-1].update(items)

    def update(self, items: list[Any] | tuple[Any, ...]) -> None:
        """Set items of the mapping on top."""
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.stack[-1][key] = value

    def build(self, _argument: object) -> None:
        """Give an inert object its state; other objects stay as they are."""
        target, state = self.stack[-2], self.stack.pop()
        if isinstance(target, Inert):
            target.state = state

    def name(self, argument: str) -> None:
        """Put what stands for a name on the stack; `pickletools` has a space between module and name."""
        self.push(Inert(argument.replace(" ", ".", 1)))

    def instance(self, argument: str | None) -> None:
        """Make an object of a class, which is named or the first above the mark, with the arguments above it."""
        items = self.items()
        if argument is not None:
            self.name(argument)
            items.insert(0, self.stack.pop())
        self.push(_call(items[0], tuple(items[1:])))

    def mapping(self, _argument: object) -> None:
        """Make a dictionary of the keys and values above the mark."""
        items = self.items()
        self.push({})
        self.update(items)

    def get(self, index: int) -> None:
        """Put an object on the stack that was remembered."""
        self.push(self.memo[index])

    def put(self, index: int | None) -> None:
        """Remember the object on top."""
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]


ARGUMENTS: Final = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
"""Instructions that put their argument on the stack."""
CONSTANTS: Final[dict[str, Callable[[], object]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
"""Instructions that put a new object on the stack."""
REST: Final[dict[str, Callable[[Machine, Any], object]]] = {
    "PROTO": lambda *_: None,
    "FRAME": lambda *_: None,
    "MARK": Machine.mark,
    "POP": Machine.pop,
    "POP_MARK": lambda machine, _: machine.items(),
    "DUP": lambda machine, _: machine.push(machine.stack[-1]),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.items())),
    "TUPLE1": lambda machine, _: machine.push(machine.last(1)),
    "TUPLE2": lambda machine, _: machine.push(machine.last(2)),
    "TUPLE3": lambda machine, _: machine.push(machine.last(3)),
    "LIST": lambda machine, _: machine.push(machine.items()),
    "FROZENSET": lambda machine, _: machine.push(frozenset(machine.items())),
    "DICT": Machine.mapping,
    "APPEND": lambda machine, _: machine.extend(list(machine.last(1))),
    "APPENDS": lambda machine, _: machine.extend(machine.items()),
    "ADDITEMS": lambda machine, _: machine.extend(machine.items()),
    "SETITEM": lambda machine, _: machine.update(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.update(machine.items()),
    "GLOBAL": Machine.name,
    "STACK_GLOBAL": lambda machine, _: machine.name(" ".join(machine.last(2))),
    "INST": Machine.instance,
    "OBJ": Machine.instance,
    "REDUCE": lambda machine, _: machine.call(),
    "NEWOBJ": lambda machine, _: machine.call(),
    "NEWOBJ_EX": lambda machine, _: machine.call(keywords=1),
    "BUILD": Machine.build,
    "BINPERSID": lambda machine, _: machine.push(machine.storage(machine.stack.pop())),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine.put),
}
"""All other instructions but STOP, and those of copyreg's extensions and of buffers outside the file."""
