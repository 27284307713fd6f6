"""What is true of an op, independent of any runtime: signature, type rule, gradient rule, traits, cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir import dtypes
from graphc.ir.dims import DimLike, as_shape, product
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    from graphc.ir.builder import Builder
    from graphc.ir.graph import Node, Value

Attributes = Mapping[str, Any]
Types = Sequence[TensorType | None]
TypeRule = Callable[[Types, Attributes], Sequence[TensorType]]
VJP = Callable[["Builder", "Node", Sequence["Value | None"]], Sequence["Value | None"]]
BodyRule = Callable[["Builder", "Node", Sequence["Value | None"], Sequence[bool], "Gradient"], Sequence["Value | None"]]
Cost = Callable[[Sequence[TensorType], Sequence[TensorType], Attributes], DimLike]


class Gradient(Protocol):
    """`graphc.autodiff.gradient`, as it is handed to rules."""

    def __call__(
        self, builder: Builder, of: Sequence[Value], wrt: Sequence[Value], seeds: Sequence[Value]
    ) -> list[Value | None]:
        """The gradient of ``of``, weighted by ``seeds``, with respect to each of ``wrt``."""


class Trait(Enum):
    """Facts that generic passes and the runtime ask for, so that they never ask for an op's name."""

    SOURCE = auto()
    """Has no operands and its value is not computed: Input, State, Constant."""
    ELEMENTWISE = auto()
    """Each output element depends on the operands' elements at that (broadcast) position only."""
    COMMUTATIVE = auto()
    """Swapping the two operands changes nothing, bit for bit."""
    IDEMPOTENT = auto()
    """Applying it twice is applying it once: Relu, Abs, Floor."""
    INVOLUTION = auto()
    """Applying it twice is doing nothing: Neg, Not."""
    LINEAR = auto()
    """Linear in its differentiable operands, so that its second derivative is zero or needs no values."""
    MOVEMENT = auto()
    """Moves or repeats elements without computing on them: exact in every dtype."""
    REDUCTION = auto()
    """Combines elements along axes."""
    RANDOM = auto()
    """Gives random numbers, a pure function of its key: equal ones may be merged, but none is folded into a constant."""
    NON_SMOOTH = auto()
    """Its derivative jumps somewhere (Relu, Abs, Max): finite differences must stay away from kinks."""


class Domain(Enum):
    """Who defines the op."""

    ONNX = "onnx"
    """Name and semantics of the ONNX operator; attributes that ONNX passes as tensors may be attributes here."""
    GRAPHC = "graphc"
    """Ours: gradients, layouts, random bits, dims as numbers. Export expands them into standard ops."""


@dataclass(frozen=True, slots=True)
class NotDifferentiable:
    """Why an op has no gradient; takes the place of a VJP rule."""

    reason: str


@dataclass(frozen=True, slots=True)
class BodyVJP:
    """The VJP rule of an op with a body: it differentiates the body with the gradient function that it is handed.

    Attributes:
        rule: ``rule(builder, node, grads, wanted, gradient)``. As a plain VJP, and told which operands a gradient is wanted
            of: a loop would carry the others through every step for nothing.
    """

    rule: BodyRule


REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its kind, default and meaning.

    ``kind`` is one of ``int``, ``float``, ``bool``, ``str``, ``ints``, ``floats`` and ``strs`` (tuples of these), ``dims``
    (tuple of integers and named dims), ``dim``, ``dtype``, ``tensor`` (a NumPy array), ``graph`` (the body of a loop, never
    changed in place), ``pads`` (tuple of integers, or "SAME_UPPER").
    ``None`` is allowed where the default is None.
    """

    kind: str
    default: Any = REQUIRED
    doc: str = ""
    choices: tuple[str, ...] = ()

    def check(self, op: str, name: str, value: Any) -> Any:
        """``value`` in canonical form.

        Raises:
            ArgumentError: it is of another kind.
        """
        if value is None and self.default is None:
            return None
        try:
            canonical = _CHECKS[self.kind](value)
        except (TypeError, ValueError):
            raise ArgumentError(f"{op}: attribute {name!r} must be of kind {self.kind}; got {value!r}.") from None
        if self.choices and canonical not in self.choices:
            raise ArgumentError(f"{op}: attribute {name!r} must be one of {list(self.choices)}; got {value!r}.")
        return canonical


def _int(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError
    return float(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError
    return bool(value)


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _strs(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError
    return tuple(_str(v) for v in value)


def _tensor(value: Any) -> np.ndarray[Any, Any]:
    if not isinstance(value, np.ndarray):
        raise TypeError
    return value


def _signed_dims(value: Any) -> tuple[DimLike, ...]:
    return tuple(_int(v) if not isinstance(v, str) else as_shape([v])[0] for v in value)


def _graph(value: Any) -> Graph:
    if not isinstance(value, Graph):
        raise TypeError
    return value


def _pads(value: Any) -> str | tuple[int, ...]:
    if value == "SAME_UPPER":
        return "SAME_UPPER"
    if isinstance(value, str):
        raise TypeError
    return tuple(_int(v) for v in value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": _str,
    "ints": lambda value: tuple(_int(v) for v in value),
    "floats": lambda value: tuple(_float(v) for v in value),
    "strs": _strs,
    "dims": _signed_dims,
    "dim": lambda value: _signed_dims([value])[0],
    "graph": _graph,
    "dtype": dtypes.standardize_dtype,
    "tensor": _tensor,
    "pads": _pads,
}


def elementwise_cost(per_element: int = 1) -> Cost:
    """FLOPs of an op that does ``per_element`` operations for each element of its first output."""

    def cost(_inputs: Sequence[TensorType], outputs: Sequence[TensorType], _attributes: Attributes) -> DimLike:
        return outputs[0].size * per_element

    return cost


def reduction_cost(inputs: Sequence[TensorType], _outputs: Sequence[TensorType], _attributes: Attributes) -> DimLike:
    """One operation for each element of the first operand."""
    return product(inputs[0].shape)


def free(_inputs: Sequence[TensorType], _outputs: Sequence[TensorType], _attributes: Attributes) -> DimLike:
    """The cost of moving data: no arithmetic."""
    return 0


@dataclass(frozen=True)
class OpDef:
    """Everything that is true of an op. Kernels live with the NumPy runtime, ONNX rows with the exporter.

    Attributes:
        name: ONNX's name where ONNX has the op.
        inputs: operand names in order; ``name?`` may be absent, ``name*`` (last) repeats one or more times.
        infer: the type rule.
        vjp: given the gradient of each output (None where unused), emits the gradient of each operand (None where there is
            none). It need not sum over broadcast axes: the reverse sweep does that for every op.
        attributes: name to kind and default.
        traits: see `Trait`.
        cost: FLOPs from the types; a dim expression where dims are named.
        doc: one line.
        outputs: output names; a type rule may return fewer or more for ops with a variable number.
    """

    name: str
    inputs: tuple[str, ...]
    infer: TypeRule
    vjp: VJP | BodyVJP | NotDifferentiable
    doc: str
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: MappingProxyType({}))
    traits: frozenset[Trait] = frozenset()
    cost: Cost = free
    domain: Domain = Domain.ONNX
    outputs: tuple[str, ...] = ("output",)

    @property
    def min_inputs(self) -> int:
        """The least number of operands."""
        return sum(not name.endswith("?") for name in self.inputs)

    @property
    def is_variadic(self) -> bool:
        """True when the last operand repeats."""
        return bool(self.inputs) and self.inputs[-1].endswith("*")


class OpTable(Mapping[str, OpDef]):
    """All ops by name; also the rules (`graphc.ir.builder.OpRules`) that the IR asks for."""

    def __init__(self, ops: Sequence[OpDef]) -> None:
        self._ops: dict[str, OpDef] = {}
        for op in ops:
            if op.name in self._ops:
                raise ValueError(f"op {op.name!r} is defined twice")
            self._ops[op.name] = op

    def __getitem__(self, name: str) -> OpDef:
        try:
            return self._ops[name]
        except KeyError:
            raise ArgumentError(f"There is no op {name!r}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._ops

    def __iter__(self) -> Any:
        return iter(self._ops)

    def __len__(self) -> int:
        return len(self._ops)

    __hash__ = object.__hash__  # there is one table; it is itself and nothing else

    def __eq__(self, other: object) -> bool:
        return self is other

    def attributes(self, op: str, given: Attributes) -> dict[str, Any]:
        """All attributes of a node of ``op``, checked, with defaults filled in."""
        schema = self[op].attributes
        if unknown := given.keys() - schema.keys():
            raise ArgumentError(f"{op} has no attribute {sorted(unknown)[0]!r}; it has {sorted(schema)}.")
        complete = {}
        for name, attribute in schema.items():
            value = given.get(name, attribute.default)
            if value is REQUIRED:
                raise ArgumentError(f"{op} needs attribute {name!r}.")
            complete[name] = attribute.check(op, name, value)
        return complete

    def defaults(self, op: str) -> dict[str, Any]:
        """The attributes of ``op`` that need not be given, with the values they then have."""
        schema = self[op].attributes.items()
        return {name: a.check(op, name, a.default) for name, a in schema if a.default is not REQUIRED}

    def infer(self, op: str, inputs: Types, attributes: Attributes) -> Sequence[TensorType]:
        """Run the type rule after checking the number of operands."""
        definition = self[op]
        count = len(inputs)
        names = definition.inputs
        if count < definition.min_inputs or (count > len(names) and not definition.is_variadic):
            raise ArgumentError(f"{op} takes {definition.min_inputs} to {len(names)} operands {names}; got {count}.")
        for name, type_ in zip(names, inputs, strict=False):
            if type_ is None and not name.endswith("?"):
                raise ArgumentError(f"{op} needs its operand {name!r}.")
        return definition.infer(inputs, attributes)


# -- small checks that type rules share ---------------------------------------------------------------------------------


def present(types: Types) -> list[TensorType]:
    """The operands that are there."""
    return [t for t in types if t is not None]


def operand(types: Types, index: int) -> TensorType:
    """An operand that is known to be there."""
    type_ = types[index]
    if type_ is None:
        raise ArgumentError(f"operand {index} is missing")
    return type_


def optional(types: Types, index: int) -> TensorType | None:
    """An operand that may be absent."""
    return types[index] if index < len(types) else None


def same_dtype(op: str, types: Types) -> str:
    """The one dtype of all operands.

    Raises:
        DTypeError: they differ. `graphc.ops` functions cast before they emit; the IR itself never casts.
    """
    found = {t.dtype for t in present(types)}
    if len(found) > 1:
        raise DTypeError(f"{op}: operands must have one dtype; got {', '.join(str(t) for t in present(types))}.")
    return found.pop()


def need_dtype(op: str, type_: TensorType, allowed: Sequence[str], what: str = "operand") -> None:
    """Check a dtype.

    Raises:
        DTypeError: it is not among ``allowed``.
    """
    if type_.dtype not in allowed:
        raise DTypeError(f"{op}: {what} must have one of the dtypes {', '.join(allowed)}; got {type_}.")


def need_rank(op: str, type_: TensorType, rank: int, what: str = "operand") -> None:
    """Check a rank.

    Raises:
        ShapeError: it is another.
    """
    if type_.rank != rank:
        raise ShapeError(f"{op}: {what} must have rank {rank}; got {type_} of rank {type_.rank}.")
