"""What LSTM, GRU and RNN have in common: attributes, activations and the checks of their operands.

Letters of shapes, here and in the kernels: T steps, B batch, I inputs, H hidden units, D directions (1 or 2), and G for
all gates of all units (4H in LSTM, 3H in GRU, H in RNN). Time leads (ONNX's ``layout=0``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.dims import DimLike, Shape
from graphc.ir.dtypes import FLOAT_DTYPES
from graphc.ir.types import TensorType
from graphc.ops.opdef import Attribute, Attributes, Types, need_dtype, operand
from graphc.ops.shape_checks import agree

FORWARD, REVERSE, BIDIRECTIONAL = "forward", "reverse", "bidirectional"
DIRECTIONS = (FORWARD, REVERSE, BIDIRECTIONAL)


# -- activations ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation of ONNX's recurrent operators; ``alpha`` and ``beta`` are 0 where it has none."""

    name: str
    alpha: float = 0.0
    beta: float = 0.0


PARAMETERS: dict[str, tuple[float, ...]] = {
    "Tanh": (),
    "Sigmoid": (),
    "Relu": (),
    "Softsign": (),
    "Softplus": (),
    "LeakyRelu": (0.01,),
    "ThresholdedRelu": (1.0,),
    "Elu": (1.0,),
    "HardSigmoid": (0.2, 0.5),
    "ScaledTanh": (1.0, 1.0),
    "Affine": (1.0, 0.0),
}
"""Activation to the defaults of its parameters: alpha, or alpha and beta, or none."""

# Gradients are computed from an activation's value alone, and with other numbers the value does not tell the slope.
_NOT_NEGATIVE = frozenset({"LeakyRelu", "Elu"})


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One of the three ops.

    Attributes:
        op: its name.
        gates: blocks of H rows in the weights, in ONNX's order.
        activations: ONNX's default activations, for one direction.
        states: how many states it has: hidden, and cell.
        kept: outputs that ONNX does not have, name to blocks of H: what the gradient needs, ``[D, T, B, blocks * H]``.
    """

    op: str
    gates: int
    activations: tuple[str, ...]
    states: int
    kept: Mapping[str, int]

    def activations_of(self, attributes: Attributes) -> tuple[tuple[Activation, ...], ...]:
        """The activations of each direction.

        Raises:
            ArgumentError: their number, a name or a parameter is wrong.
        """
        names, directions = attributes["activations"] or self.activations, count_directions(attributes)
        each = len(self.activations)
        if len(names) not in (each, each * directions):
            raise ArgumentError(
                f"{self.op}: activations must hold {each} names, for all directions or for each of the {directions}; "
                f"got {list(names)}."
            )
        numbers = []
        for what in ("alpha", "beta"):
            values = attributes[f"activation_{what}"] or (None,) * len(names)
            if len(values) != len(names):
                raise ArgumentError(
                    f"{self.op}: activation_{what} must be empty or hold one number for each of the {len(names)} "
                    f"activations (any number where it has none); got {list(values)}."
                )
            numbers.append(values)
        found = [_activation(self.op, *one) for one in zip(names, *numbers, strict=True)]
        found *= directions * each // len(names)
        return tuple(tuple(found[d * each : (d + 1) * each]) for d in range(directions))


def _activation(op: str, name: str, alpha: float | None, beta: float | None) -> Activation:
    if name not in PARAMETERS:
        raise ArgumentError(f"{op}: activations must be among {list(PARAMETERS)}; got {name!r}.")
    pairs = zip((alpha, beta), PARAMETERS[name], strict=False)
    found = Activation(name, *(default if given is None else given for given, default in pairs))
    if name in _NOT_NEGATIVE and found.alpha < 0:
        raise ArgumentError(f"{op}: alpha of {name} must not be negative; got {found.alpha}.")
    if name == "ScaledTanh" and found.alpha == 0:
        raise ArgumentError(f"{op}: alpha of ScaledTanh must not be 0.")
    return found


LSTM = Recurrence("LSTM", 4, ("Sigmoid", "Tanh", "Tanh"), 2, {"gates": 4, "cells": 1})
GRU = Recurrence("GRU", 3, ("Sigmoid", "Tanh"), 1, {"gates": 3, "inner": 1})
RNN = Recurrence("RNN", 1, ("Tanh",), 1, {})


# -- operands and results, with their axes ----------------------------------------------------------------------------

Axes = Mapping[str, tuple[str, ...]]
"""Names, ``name?`` for operands that may be absent, to the letters of their axes; ``4H`` is four blocks of H."""

LENGTHS = "sequence_lens?"
_STATE = ("D", "B", "H")
_SEQUENCE = ("T", "D", "B", "H")


def state_names(recurrence: Recurrence) -> tuple[str, ...]:
    """The states' letters: h, and c for LSTM."""
    return ("h", "c")[: recurrence.states]


def _blocks(count: int) -> str:
    return "H" if count == 1 else f"{count}H"


def operand_axes(recurrence: Recurrence) -> Axes:
    """The operands of an op."""
    gates = _blocks(recurrence.gates)
    return {
        "x": ("T", "B", "I"),
        "w": ("D", gates, "I"),
        "r": ("D", gates, "H"),
        "b?": ("D", _blocks(2 * recurrence.gates)),
        LENGTHS: ("B",),
        **{f"initial_{state}?": _STATE for state in state_names(recurrence)},
    }


def result_axes(recurrence: Recurrence) -> Axes:
    """The results of an op: ONNX's, then what is kept."""
    return {
        "y": _SEQUENCE,
        **{f"y_{state}": _STATE for state in state_names(recurrence)},
        **{name: ("D", "T", "B", _blocks(blocks)) for name, blocks in recurrence.kept.items()},
    }


def grad_operand_axes(recurrence: Recurrence) -> Axes:
    """The operands of a gradient op: what it needs of the forward op, then the gradient of each of its results."""
    results = result_axes(recurrence)
    return {
        "r": ("D", _blocks(recurrence.gates), "H"),
        LENGTHS: ("B",),
        **{f"initial_{state}?": _STATE for state in state_names(recurrence)},
        "y": _SEQUENCE,
        **{name: results[name] for name in recurrence.kept},
        **{f"by_{name}?": axes for name, axes in results.items()},
    }


def grad_result_axes(recurrence: Recurrence) -> Axes:
    """The results of a gradient op."""
    gates = _blocks(recurrence.gates)
    return {
        "by_z": ("D", "T", "B", gates),
        "by_r": ("D", gates, "H"),
        "by_b": ("D", _blocks(2 * recurrence.gates)),
        **{f"by_initial_{state}": _STATE for state in state_names(recurrence)},
    }


# -- attributes -------------------------------------------------------------------------------------------------------

ATTRIBUTES: dict[str, Attribute] = {
    "hidden_size": Attribute("int", doc="H, the number of hidden units."),
    "direction": Attribute("str", FORWARD, "Which way time runs.", DIRECTIONS),
    "activations": Attribute("strs", (), "Names, for all directions or for each; ONNX's defaults when empty."),
    "activation_alpha": Attribute("floats", (), "One number for each activation; ONNX's defaults when empty."),
    "activation_beta": Attribute("floats", (), "One number for each activation; ONNX's defaults when empty."),
}


def count_directions(attributes: Attributes) -> int:
    """D."""
    return 2 if attributes["direction"] == BIDIRECTIONAL else 1


def runs_backwards(attributes: Attributes, direction: int) -> bool:
    """True when time runs from the end in one of the directions."""
    return bool(attributes["direction"] == REVERSE or direction == 1)


# -- checks of operands -----------------------------------------------------------------------------------------------


class Checker:
    """Checks operands against axes whose letters must have one length everywhere.

    Args:
        recurrence: the op, or whose gradient it is.
        op: its name, for messages.
        axes: its operands.
        types: their types.
        attributes: its attributes.

    Raises:
        ArgumentError: attributes are wrong.
        DTypeError: an operand is not of the first one's float dtype, or lengths are not int32.
        ShapeError: a rank is wrong or lengths disagree.
    """

    def __init__(self, recurrence: Recurrence, op: str, axes: Axes, types: Types, attributes: Attributes) -> None:
        self._op = op
        hidden = attributes["hidden_size"]
        if hidden < 1:
            raise ShapeError(f"{op}: hidden_size must be at least 1; got {hidden}.")
        recurrence.activations_of(attributes)
        multiples = {f"{n}H": n * hidden for n in (2, 3, 4, 6, 8)}
        self._lengths: dict[str, DimLike] = {"D": count_directions(attributes), "H": hidden, **multiples}
        self._said_by = dict.fromkeys(self._lengths, "the attributes")
        dtype = operand(types, 0).dtype
        for (name, letters), type_ in zip(axes.items(), types, strict=False):
            if type_ is not None:
                allowed = ("int32",) if name == LENGTHS else (dtype,) if dtype in FLOAT_DTYPES else FLOAT_DTYPES
                need_dtype(op, type_, allowed, name.rstrip("?"))
                self._check(name.rstrip("?"), type_, letters)

    def _check(self, name: str, type_: TensorType, letters: Sequence[str]) -> None:
        wanted = f"[{', '.join(letters)}]"
        if type_.rank != len(letters):
            raise ShapeError(f"{self._op}: {name} must have the axes {wanted}; got {type_}.")
        for axis, (letter, length) in enumerate(zip(letters, type_.shape, strict=True)):
            known = self._lengths.setdefault(letter, length)
            source = self._said_by.setdefault(letter, name)
            both = agree(known, length)
            if both is None:
                raise ShapeError(
                    f"{self._op}: {name} has the axes {wanted}, and {letter} is {known} by {source}; "
                    f"got {type_}, whose axis {axis} has length {length}."
                )
            self._lengths[letter] = both

    def shape(self, letters: Sequence[str]) -> Shape:
        """A shape in letters that are known by now: integers where some operand, or an attribute, has one."""
        return tuple(self._lengths[letter] for letter in letters)
