"""The functions of `graphc.ops`: on arrays against NumPy, traced against eager, with named dims, and against Keras."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from function_cases import elementwise, networks, reductions, shapes
from function_cases.case import BATCH, TIME, Array, FunctionCase, arrays_in, map_arrays

from graphc import ops
from graphc.autodiff.reverse import gradient
from graphc.errors import ArgumentError, DataError, DTypeError, ShapeError
from graphc.ir.dims import Dim
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ops.functional import FUNCTIONS, dispatch
from graphc.ops.functional.tracing import TracedTensor, Tracer
from graphc.ops.functional.variable import Variable
from graphc.runtimes.numpy_runtime import evaluate_op, prepare

CASES = [*elementwise.CASES, *reductions.CASES, *shapes.CASES, *networks.CASES]
PLAIN = {"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size"}
"""Functions that say something about a tensor: they are not recorded in a functional model."""


@pytest.fixture(autouse=True, scope="module")
def _evaluator() -> None:
    dispatch.use_evaluator(evaluate_op)


def each(cases: Iterable[FunctionCase]) -> list[Any]:
    found, seen = [], dict[str, int]()
    for case in cases:
        name = f"{case.name}-{case.id}" if case.id else case.name
        seen[name] = seen.get(name, 0) + 1
        found.append(pytest.param(case, id=name if seen[name] == 1 else f"{name}-{seen[name]}"))
    return found


def call(case: FunctionCase, args: Any = None) -> Any:
    return FUNCTIONS[case.name](*(case.args if args is None else args), **case.kwargs)


def flat(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def trace(case: FunctionCase, named: Mapping[int, str]) -> tuple[Graph, Callable[[list[Array]], list[Array]]]:
    """The case as a graph whose inputs are its arrays, axes of the lengths in ``named`` with a name; and how to run it."""
    graph = Graph("case")
    tracer = Tracer(graph)
    count = iter(range(99))

    def as_input(array: Array) -> TracedTensor:
        dims = [Dim(named[n]) if n in named else n for n in array.shape]
        return tracer.wrap(tracer.builder.input(f"x{next(count)}", TensorType.of(array.dtype, dims)))

    with tracer.active():
        results = flat(call(case, map_arrays(as_input, case.args)))
        graph.outputs = {f"y{i}": tracer.value_of(y) for i, y in enumerate(results)}
    executable = prepare(graph)

    def run(arrays: list[Array]) -> list[Array]:
        return list(executable.run({f"x{i}": a for i, a in enumerate(arrays)}).values())

    return graph, run


def assert_same(results: list[Any], answers: list[Any]) -> None:
    """Equal up to the order in which floats are summed."""
    assert len(results) == len(answers)
    for result, answer in zip(results, map(np.asarray, answers), strict=True):
        assert result.dtype == answer.dtype
        if answer.dtype.kind != "f":
            np.testing.assert_array_equal(result, answer)
        else:
            near = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}[answer.dtype.name]
            np.testing.assert_allclose(result, answer, near, near)


# -- numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", each(CASES))
def test_arrays_give_what_numpy_gives(case: FunctionCase) -> None:
    before = [a.copy() for a in arrays_in(case.args)]
    results, answers = flat(call(case)), flat(case.answer())
    assert len(results) == len(answers)
    for result, answer in zip(results, answers, strict=True):
        assert isinstance(result, np.ndarray | np.generic)
        assert result.dtype == case.dtype
        assert result.shape == np.shape(answer)
        np.testing.assert_allclose(np.asarray(result, float), np.asarray(answer, float), case.rtol, case.atol)
    for array, copy in zip(arrays_in(case.args), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("case", each(case for case in CASES if not case.traced))
def test_traced_gives_what_arrays_give(case: FunctionCase) -> None:
    _, run = trace(case, {})
    assert_same(run(arrays_in(case.args)), flat(call(case)))


SYMBOLIC = [
    case
    for case in CASES
    if not case.traced and not case.symbolic and any({BATCH, TIME} & set(a.shape) for a in arrays_in(case.args))
]


@pytest.mark.parametrize("case", each(SYMBOLIC))
def test_named_dims_give_what_arrays_give(case: FunctionCase) -> None:
    _, run = trace(case, {BATCH: "batch", TIME: "time"})
    assert_same(run(arrays_in(case.args)), flat(call(case)))


def shortened(array: Array) -> Array:
    """The first elements of the axes that have names: the same call on other data."""
    keep = {BATCH: 4, TIME: 6}
    return array[tuple(slice(keep.get(n)) for n in array.shape)].copy()


@pytest.mark.parametrize(
    "case", each(SYMBOLIC)
)
def test_no_length_is_frozen(case: FunctionCase) -> None:
    _, run = trace(case, {BATCH: "batch", TIME: "time"})
    other = map_arrays(shortened, case.args)
    assert_same(run(arrays_in(other)), flat(call(case, other)))


# -- the graph ----------------------------------------------------------------------------------------------------------


def traced_ops(function: Callable[..., Any], *shapes: tuple[Any, ...], dtype: str = "float32") -> list[str]:
    """The ops that a function of traced tensors emits, in order, without inputs and constants."""
    graph = Graph("ops")
    tracer = Tracer(graph)
    inputs = [tracer.wrap(tracer.builder.input(f"x{i}", TensorType.of(dtype, shape))) for i, shape in enumerate(shapes)]
    with tracer.active():
        function(*inputs)
    return [node.op for node in graph.nodes() if node.op not in ("Input", "Constant")]


X = ("batch", 7, 6)
NATURAL: dict[str, tuple[Callable[..., Any], tuple[tuple[Any, ...], ...], list[str]]] = {
    "add": (lambda x: x + 1, (X,), ["Add"]),
    "subtract": (lambda x: 1 - x, (X,), ["Sub"]),
    "divide": (lambda x: x / 2, (X,), ["Div"]),
    "square": (ops.square, (X,), ["Mul"]),
    "power-2": (lambda x: x**2, (X,), ["Mul"]),
    "power-half": (lambda x: x**0.5, (X,), ["Sqrt"]),
    "rsqrt": (ops.rsqrt, (X,), ["Sqrt", "Reciprocal"]),
    "negative": (lambda x: -x, (X,), ["Neg"]),
    "compare": (lambda x: x > 0, (X,), ["Greater"]),
    "float64-array": (lambda x: x * np.ones(6), (X,), ["Mul"]),
    "clip": (lambda x: ops.clip(x, 0, 1), (X,), ["Clip"]),
    "relu": (ops.relu, (X,), ["Relu"]),
    "gelu": (ops.gelu, (X,), ["Gelu"]),
    "sum-all": (ops.sum, (X,), ["ReduceSum"]),
    "mean": (lambda x: ops.mean(x, axis=(1, 2)), (X,), ["ReduceMean"]),
    "argmax": (lambda x: ops.argmax(x, axis=-1), (X,), ["ArgMax", "Cast"]),
    "any": (lambda x: ops.any(x > 0, axis=-1), (X,), ["Greater", "ReduceMax"]),
    "softmax": (ops.softmax, (X,), ["Softmax"]),
    "softmax-two-last-axes": (lambda x: ops.softmax(x, (1, 2)), (X,), ["Reshape", "Softmax", "Reshape"]),
    "reshape": (lambda x: ops.reshape(x, (-1, 42)), (X,), ["Reshape"]),
    "reshape-same": (lambda x: ops.reshape(x, ops.shape(x)), (X,), []),
    "transpose-same": (lambda x: ops.transpose(x, (0, 1, 2)), (X,), []),
    "cast-same": (lambda x: ops.cast(x, "float32"), (X,), []),
    "concatenate": (lambda x, y: ops.concatenate([x, y], -1), (X, X), ["Concat"]),
    "concatenate-one": (lambda x: ops.concatenate([x]), (X,), []),
    "item": (lambda x: x[:, 0], (X,), ["Slice", "Squeeze"]),
    "item-everything": (lambda x: x[..., :], (X,), []),
    "items-of-two-axes": (lambda x: x[:, 0, 1:3], (X,), ["Slice", "Squeeze"]),
    "item-of-named-axis": (lambda x: x[0], (X,), ["Gather"]),
    "take": (lambda x: ops.take(x, np.int32([0, 2]), axis=1), (X,), ["Gather"]),
    "zeros-like": (lambda x: x + ops.zeros_like(x), (X,), ["Expand", "Add"]),
    "dense": (lambda x, w: ops.einsum("bti,io->bto", x, w), (X, (6, 4)), ["MatMul"]),
    "matmul": (lambda x, w: x @ w, (X, (6, 4)), ["MatMul"]),
    "dot": (ops.dot, (X, (6, 4)), ["MatMul"]),
    "tensordot": (lambda x, w: ops.tensordot(x, w, 1), (X, (6, 4)), ["MatMul"]),
    "scores": (lambda q, k: ops.einsum("btd,bsd->bts", q, k), (X, X), ["Transpose", "MatMul"]),
    "conv": (ops.conv, (("batch", 8, 8, 3), (3, 3, 3, 4)), ["Conv"]),
    "depthwise": (ops.depthwise_conv, (("batch", 8, 8, 3), (3, 3, 3, 2)), ["Reshape", "Conv"]),
    "max-pool": (lambda x: ops.max_pool(x, 2), (("batch", 8, 8, 3),), ["MaxPool"]),
    "layer-normalization": (ops.layer_normalization, (X, (6,), (6,)), ["LayerNormalization"]),
    "sparse-crossentropy": (
        lambda x: ops.sparse_categorical_crossentropy(np.int32([0, 1]), x, from_logits=True),
        ((2, 3),),
        ["SparseSoftmaxCrossEntropy"],
    ),
    "stop-gradient": (ops.stop_gradient, (X,), ["StopGradient"]),
}


@pytest.mark.parametrize("name", NATURAL)
def test_emits_few_and_natural_ops(name: str) -> None:
    function, shapes_, expected = NATURAL[name]
    assert traced_ops(function, *shapes_) == expected


def run_named(function: Callable[..., Any], *arrays: Array) -> Array:
    """A function of arrays run as a graph whose inputs have all axes named after their letter: a0, a1, b0 ..."""
    graph = Graph("named")
    tracer = Tracer(graph)
    inputs = []
    for letter, array in zip("abc", arrays, strict=False):
        shape = [Dim(f"{letter}{i}") for i in range(array.ndim)]
        inputs.append(tracer.wrap(tracer.builder.input(letter, TensorType.of(array.dtype, shape))))
    with tracer.active():
        graph.outputs["y"] = tracer.value_of(function(*inputs))
    return prepare(graph).run(dict(zip("abc", arrays, strict=False)))["y"]


ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
WITH_DIMS: dict[str, tuple[Callable[..., Any], Any]] = {
    "as-number": (lambda x: ops.sum(x) / ops.shape(x)[0], ROWS.sum() / 3),
    "size-as-number": (lambda x: ops.sum(x) / ops.size(x), ROWS.mean()),
    "reshape": (lambda x: ops.reshape(x, (ops.shape(x)[1], -1)), ROWS.reshape(4, 3)),
    "reshape-product": (lambda x: ops.reshape(x, (ops.shape(x)[0] * ops.shape(x)[1],)), ROWS.ravel()),
    "broadcast-to": (lambda x: ops.broadcast_to(x[:1], ops.shape(x)), np.broadcast_to(ROWS[:1], (3, 4))),
    "zeros": (lambda x: ops.zeros((ops.shape(x)[0], 2)), np.zeros((3, 2))),
    "full": (lambda x: ops.full(ops.shape(x), 1.5), np.full((3, 4), 1.5)),
    "full-traced": (lambda x: ops.full(ops.shape(x), ops.max(x)), np.full((3, 4), 11.0)),
    "ones-like": (ops.ones_like, np.ones((3, 4))),
    "arange": (lambda x: ops.arange(ops.shape(x)[1]), np.arange(4)),
    "arange-bounds": (lambda x: ops.arange(1, ops.shape(x)[1], 2), np.arange(1, 4, 2)),
    "arange-float": (lambda x: ops.arange(ops.shape(x)[1], dtype="float32"), np.arange(4)),
    "eye": (lambda x: ops.eye(ops.shape(x)[0], ops.shape(x)[1], 1), np.eye(3, 4, 1)),
    "tri": (lambda x: ops.tri(ops.shape(x)[1], k=-1), np.tri(4, k=-1)),
    "slice": (lambda x: x[:, ops.shape(x)[1] // 2 :], ROWS[:, 2:]),
    "item": (lambda x: x[:, ops.shape(x)[1] - 2], ROWS[:, 2]),
    "last": (lambda x: x[:, -1], ROWS[:, -1]),
    "tile": (lambda x: ops.tile(x, (1, ops.shape(x)[0])), np.tile(ROWS, (1, 3))),
    "split-half": (lambda x: ops.split(x, 2, axis=1)[1], ROWS[:, 2:]),
    "computed-slice": (lambda x: ops.slice(x, (ops.argmax(x[:, 0]), 0), (1, ops.shape(x)[1])), ROWS[2:]),
    "repeat": (lambda x: ops.repeat(x, 2, axis=1), ROWS.repeat(2, 1)),
    "causal-mask": (
        lambda x: ops.arange(ops.shape(x)[0])[:, None] >= ops.arange(ops.shape(x)[1]),
        np.arange(3)[:, None] >= np.arange(4),
    ),
}


@pytest.mark.parametrize("name", WITH_DIMS)
def test_dims_are_lengths_and_numbers(name: str) -> None:
    function, answer = WITH_DIMS[name]
    result = run_named(function, ROWS)
    assert result.shape == np.shape(answer)
    np.testing.assert_allclose(np.asarray(result, float), np.asarray(answer, float), 1e-6)


def test_shape_names_what_is_not_known() -> None:
    x = Tracer(Graph("shape")).wrap(Graph("x").add_node("x", (), {}, [TensorType.of("float32", ("batch", 3))]).output)
    assert (ops.shape(x), ops.ndim(x), ops.size(x), ops.dtype(x)) == (("batch", 3), 2, Dim("3*batch"), "float32")
    assert (ops.shape(ROWS), ops.ndim(ROWS), ops.size(ROWS), ops.dtype(ROWS)) == ((3, 4), 2, 12, "float32")
    assert (ops.shape(1.5), ops.dtype(1.5), ops.dtype([1, 2])) == ((), "float32", "int32")


def test_variables_are_operands() -> None:
    weight = Variable(np.float32([2, 3]), name="w")
    np.testing.assert_array_equal(ops.multiply(weight, 2), [4, 6])
    copy = ops.convert_to_tensor(weight)
    weight.assign([5, 6])
    np.testing.assert_array_equal(copy, [2, 3])
    graph = Graph("variables")
    tracer = Tracer(graph)
    with tracer.active():
        doubled = ops.multiply(weight, 2)
        also = ops.full((3, 2), weight)
    assert isinstance(doubled, TracedTensor)
    assert isinstance(also, TracedTensor)
    assert [node.op for node in graph.nodes()] == ["State", "Constant", "Mul", "Expand"]


def test_what_is_a_tensor() -> None:
    assert ops.is_tensor(np.ones(2))
    assert not ops.is_tensor([1, 2])
    assert not ops.is_tensor(Variable(1.0))
    assert type(ops.convert_to_numpy([1, 2])) is np.ndarray


# -- gradients ----------------------------------------------------------------------------------------------------------


def gradient_of(function: Callable[..., Any], arrays: Sequence[Array]) -> tuple[Callable[..., Any], list[Array | None]]:
    """In float64: a weighted sum of the results as a function of the arrays, and its gradient by each."""
    graph = Graph("gradient")
    tracer = Tracer(graph)
    inputs = [tracer.wrap(tracer.builder.input(f"x{i}", TensorType.of(a.dtype, a.shape))) for i, a in enumerate(arrays)]
    with tracer.active():
        results = [y for y in flat(function(*inputs)) if isinstance(y, TracedTensor) and y.dtype == "float64"]
        weights = np.random.default_rng(7)
        total: Any = np.float64(0)
        for y in results:
            total = ops.add(total, ops.sum(ops.multiply(y, weights.uniform(0.5, 1.5, tuple(y.type.shape)))))
    floats = [x for x in inputs if x.dtype == "float64"]
    grads = gradient(tracer.builder, tracer.value_of(total), [x.value for x in floats])
    graph.outputs = {"total": tracer.value_of(total), **{f"g{i}": g for i, g in enumerate(grads) if g is not None}}
    executable = prepare(graph)

    def run(*values: Array) -> dict[str, Array]:
        return executable.run({f"x{i}": v for i, v in enumerate(values)})

    found = run(*arrays)
    return lambda *values: float(run(*values)["total"]), [found.get(f"g{i}") for i in range(len(floats))]


def differentiable() -> list[Any]:
    """The first case of each function whose float operands and results a derivative can be taken of."""
    found: dict[str, FunctionCase] = {}
    for case in CASES:
        floats = [a for a in arrays_in(case.args) if a.dtype == np.float32]
        fits = case.dtype == "float32" and floats and all(np.isfinite(a).all() for a in floats)
        if fits and not case.traced and case.name not in found:
            found[case.name] = case
    return each(found.values())


# At these the first case is not smooth, or the sum of the results is constant.
NOT_SMOOTH = ("binary_crossentropy", "normalize", "floor_divide", "mod", "fmod", "heaviside", "hard_sigmoid")


@pytest.mark.parametrize("case", differentiable())
def test_gradient_is_the_directional_derivative(case: FunctionCase) -> None:
    def wide(array: Array) -> Array:
        return array.astype(np.float64) if array.dtype == np.float32 else array

    arrays = [wide(a) for a in arrays_in(case.args)]

    def function(*inputs: TracedTensor) -> Any:
        rest = iter(inputs)
        return call(case, map_arrays(lambda _: next(rest), case.args))

    total, grads = gradient_of(function, arrays)
    random, step = np.random.default_rng(3), 1e-6
    floats = [i for i, a in enumerate(arrays) if a.dtype == np.float64]
    for i, grad in zip(floats, grads, strict=True):
        direction = random.uniform(-1, 1, arrays[i].shape)
        ahead, behind = ([*arrays[:i], arrays[i] + sign * step * direction, *arrays[i + 1 :]] for sign in (1, -1))
        slope = (total(*ahead) - total(*behind)) / (2 * step)
        found = 0.0 if grad is None else float(np.sum(grad * direction))
        np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-7 * max(1, abs(total(*arrays))))


AWKWARD: dict[str, tuple[Callable[..., Any], list[float], list[float]]] = {
    "divide_no_nan": (ops.divide_no_nan, [2, 0], [0, 0]),
    "arctan2-x-axis": (ops.arctan2, [0, -2], [-0.5, 0]),
    "arctan2-y-axis": (ops.arctan2, [2, 0], [0, -0.5]),
    "sinc": (ops.sinc, [0], [0]),
    "logaddexp": (ops.logaddexp, [1, 1], [0.5, 0.5]),
    "logaddexp-far": (ops.logaddexp, [800, -800], [1, 0]),
    "softplus": (ops.softplus, [-800], [0]),
    "log_sigmoid": (ops.log_sigmoid, [0], [0.5]),
    "sparse_plus": (ops.sparse_plus, [1e200], [1]),
    "binary_crossentropy": (lambda x: ops.binary_crossentropy(np.float64(1), x, from_logits=True), [0], [-0.5]),
    "normalize": (lambda x, y: ops.normalize(ops.stack([x, y]), epsilon=1e-3), [0, 0], [1e3, 1e3]),
    "where": (lambda x: ops.where(x > 0, ops.sqrt(ops.maximum(x, 1e-9)), 0.0), [-1], [0]),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_gradients_at_awkward_points(name: str) -> None:
    function, point, expected = AWKWARD[name]
    graph = Graph("awkward")
    tracer = Tracer(graph)
    inputs = [tracer.wrap(tracer.builder.input(f"x{i}", TensorType("float64", ()))) for i in range(len(point))]
    with tracer.active():
        total = ops.sum(function(*inputs))
    grads = gradient(tracer.builder, tracer.value_of(total), [x.value for x in inputs])
    graph.outputs = {f"g{i}": g for i, g in enumerate(grads) if g is not None}
    found = prepare(graph).run({f"x{i}": np.float64(v) for i, v in enumerate(point)})
    np.testing.assert_allclose([found.get(f"g{i}", 0.0) for i in range(len(point))], expected, rtol=1e-9, atol=1e-12)


# -- recording ----------------------------------------------------------------------------------------------------------


class Symbolic:
    """What a functional model's tensors look like to the functions."""

    is_symbolic = True
    dtype = "float32"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []

    def record(self, function: Any, args: Any, kwargs: Any) -> str:
        self.calls.append((function, args, kwargs))
        return "recorded"


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - PLAIN))
def test_calls_with_symbolic_tensors_are_recorded(name: str) -> None:
    symbol = Symbolic()
    nested = {"axis": [{"deep": symbol}]}
    assert FUNCTIONS[name](symbol) == FUNCTIONS[name](1, x=2, **nested) == "recorded"
    assert symbol.calls == [(FUNCTIONS[name], (symbol,), {}), (FUNCTIONS[name], (1,), {"x": 2, **nested})]
    assert FUNCTIONS[FUNCTIONS[name].__name__] is FUNCTIONS[name]  # how a saved model finds it again


def test_the_table_is_what_ops_exports() -> None:
    assert sorted(FUNCTIONS) == sorted(ops.__all__)
    for name, function in FUNCTIONS.items():
        assert getattr(ops, name) is function
        assert function.__doc__, name


# -- errors -------------------------------------------------------------------------------------------------------------

A, B, C = ROWS, np.ones((2, 3), np.float32), np.ones((1, 8, 8, 3), np.float32)
ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "broadcast": (lambda: ops.add(A, B), ShapeError, r"Add: Shapes \[3, 4\] and \[2, 3\] do not broadcast"),
    "matmul": (lambda: ops.matmul(A, B), ShapeError, "4 is not 2"),
    "axis-range": (lambda: ops.sum(A, axis=2), ShapeError, "sum: axis 2 is out of range for a tensor of rank 2"),
    "axis-twice": (lambda: ops.mean(A, axis=(0, -2)), ShapeError, "mean: axis .* names an axis twice"),
    "axis-kind": (lambda: ops.max(A, axis=1.0), ArgumentError, "max: axis must be None, an integer or a tuple"),
    "axis-bool": (lambda: ops.argmax(A, axis=True), ArgumentError, "argmax: axis must be an integer; got True"),
    "reshape": (lambda: ops.reshape(A, (5, -1)), ShapeError, "12 elements"),
    "reshape-none": (lambda: ops.reshape(A, (None, 4)), ShapeError, r"holds None. Take lengths .* graphc.ops.shape\(x\)"),
    "reshape-kind": (lambda: ops.reshape(A, (3, 4.0)), ShapeError, "reshape: a shape holds integers and dims; got 4.0"),
    "transpose": (lambda: ops.transpose(A, (0,)), ShapeError, "each of the 2 axes of .* once"),
    "moveaxis": (lambda: ops.moveaxis(A, (0, 1), 0), ArgumentError, "must name as many axes"),
    "squeeze": (lambda: ops.squeeze(A, 0), ShapeError, "must have length 1; it has 3"),
    "broadcast-to": (lambda: ops.broadcast_to(A, (3, 5)), ShapeError, r"\(3, 4\) does not broadcast to \(3, 5\)"),
    "concatenate-empty": (lambda: ops.concatenate([]), ArgumentError, "at least one tensor"),
    "concatenate-tensor": (lambda: ops.concatenate(A), ArgumentError, "expected a list"),
    "concatenate-ranks": (lambda: ops.concatenate([A, A[0]]), ShapeError, "must have one rank"),
    "concatenate-shapes": (lambda: ops.concatenate([A, B]), ShapeError, "one shape except along axis 0"),
    "split": (lambda: ops.split(A, 3, axis=1), ShapeError, "cannot be cut into 3 equal parts"),
    "split-order": (lambda: ops.split(A, [2, 1], axis=1), ArgumentError, "must ascend"),
    "split-zero": (lambda: ops.split(A, 0), ArgumentError, "must be positive"),
    "unstack": (lambda: ops.unstack(A, num=4), ArgumentError, "has length 3, not num=4"),
    "repeat": (lambda: ops.repeat(A, [1, 2], axis=0), ArgumentError, "2 repeats were given for axis 0 of length 3"),
    "repeat-negative": (lambda: ops.repeat(A, -1), ArgumentError, "integers from 0 on"),
    "roll": (lambda: ops.roll(A, (1, 2), 0), ArgumentError, "one length"),
    "rot90": (lambda: ops.rot90(A, axes=(0, 0)), (ArgumentError, ShapeError), "axes"),
    "pad-mode": (lambda: ops.pad(A, 1, mode="mirror"), ArgumentError, "mode must be one of constant, edge"),
    "pad-value": (lambda: ops.pad(A, 1, "edge", 2), ArgumentError, "constant_values goes with"),
    "pad-width": (lambda: ops.pad(A, (1, 2, 3)), ArgumentError, "pad_width must be"),
    "index-range": (lambda: ops.get_item(A, 3), ShapeError, "index 3 is out of range for axis 0 of length 3"),
    "index-many": (lambda: ops.get_item(A, (0, 0, 0)), ShapeError, r"3 indices were given for a tensor of shape \(3, 4\)"),
    "index-float": (lambda: ops.get_item(A, 0.5), ArgumentError, "an index must be an integer"),
    "index-float-array": (lambda: ops.get_item(A, np.ones(2)), DTypeError, "indices must be integers; got dtype float64"),
    "index-bool": (lambda: ops.get_item(A, True), ArgumentError, "True and False are no indices"),
    "index-ellipses": (lambda: ops.get_item(A, (..., ...)), ArgumentError, "only one"),
    "index-step": (lambda: ops.get_item(A, slice(None, None, 0)), ArgumentError, "not zero"),
    "slice": (lambda: ops.slice(A, (0, 0), (4, 1)), ShapeError, "a block of length 4 does not fit axis 0"),
    "slice-starts": (lambda: ops.slice(A, (0,), (2, 2)), ShapeError, "one position for each of the 2 axes"),
    "take": (lambda: ops.take(A, [0.5]), DTypeError, "take: indices must be integers"),
    "take-along": (lambda: ops.take_along_axis(A, [0], 1), ShapeError, "must have one rank"),
    "segment-sum": (lambda: ops.segment_sum(A, [0, 0, 1]), ArgumentError, "num_segments must be given"),
    "scatter": (lambda: ops.scatter([0, 1], [1.0, 2.0], (3,)), ShapeError, r"indices must have shape \(n, k\)"),
    "scatter-update": (lambda: ops.scatter_update(A, [[0]], A[:1], "max"), ArgumentError, "reduction must be one of"),
    "diag": (lambda: ops.diag(C), ShapeError, "a vector or a matrix"),
    "one-hot": (lambda: ops.one_hot([1], 2.5), ArgumentError, "num_classes must be an integer"),
    "one-hot-sparse": (lambda: ops.one_hot([1], 2, sparse=True), ArgumentError, "no sparse tensors"),
    "multi-hot": (lambda: ops.multi_hot([1]), ArgumentError, "num_classes must be given"),
    "power": (lambda: ops.power(np.int32([2]), -1), ArgumentError, "cast them to float32 first"),
    "where": (lambda: ops.where(A > 0, A), ArgumentError, "both x1 and x2"),
    "select": (lambda: ops.select([], []), ArgumentError, "condlist and choicelist"),
    "dtype": (lambda: ops.cast(A, "float31"), DTypeError, 'Did you mean "float32"'),
    "sparse": (lambda: ops.convert_to_tensor(A, sparse=True), ArgumentError, "no sparse"),
    "strings": (lambda: ops.add(["a"], 1), DataError, "Expected numbers or booleans"),
    "objects": (lambda: ops.exp(np.array([None])), (DataError, DTypeError), "object"),
    "einsum-operands": (lambda: ops.einsum("ij,jk", A), ArgumentError, "describes 2 operands; 1 were given"),
    "einsum-rank": (lambda: ops.einsum("ijk->i", A), ShapeError, "does not fit an operand of rank 2"),
    "einsum-lengths": (lambda: ops.einsum("ij,ij->i", A, B), ShapeError, "has lengths 3 and 2"),
    "einsum-letters": (lambda: ops.einsum("i1->i", A), ArgumentError, "must consist of letters"),
    "einsum-output": (lambda: ops.einsum("ij->ik", A), ArgumentError, "must name letters of the operands"),
    "tensordot": (lambda: ops.tensordot(A, B, 1), ShapeError, "axis 1 of .* and axis 0 of .* must have one length"),
    "tensordot-axes": (lambda: ops.tensordot(A, B, 3), ArgumentError, "axes=3 is more than the axes"),
    "cross": (lambda: ops.cross(A, A), ShapeError, "length 2 or 3"),
    "norm-order": (lambda: ops.norm(A, "nuc"), ArgumentError, "singular values"),
    "norm-axes": (lambda: ops.norm(C, 1), ShapeError, "one axis or two"),
    "softmax": (lambda: ops.softmax(A, 5), ShapeError, "softmax: axis 5 is out of range"),
    "glu": (lambda: ops.glu(B), ShapeError, "even length"),
    "conv-rank": (lambda: ops.conv(A, A), ShapeError, "conv: the input must have rank 3 to 5"),
    "conv-kernel": (lambda: ops.conv(C, A), ShapeError, "the kernel must have the rank of the input"),
    "conv-channels": (lambda: ops.conv(C, np.ones((3, 3, 2, 4))), ShapeError, "divisible by those of the kernel"),
    "conv-small": (lambda: ops.conv(C, np.ones((9, 9, 3, 4))), ShapeError, "output would have no elements"),
    "conv-padding": (lambda: ops.conv(C, np.ones((3, 3, 3, 4)), padding="sme"), ArgumentError, '"valid" or "same"'),
    "conv-strides": (lambda: ops.conv(C, np.ones((3, 3, 3, 4)), (1, 2, 3)), ArgumentError, "strides must be"),
    "conv-format": (lambda: ops.conv(C, C, data_format="NHWC"), ArgumentError, "data_format must be"),
    "depthwise": (lambda: ops.depthwise_conv(C, np.ones((3, 3, 2, 1))), ShapeError, "is for 2 channels"),
    "pool": (lambda: ops.max_pool(C, 0), ArgumentError, "pool_size must be a positive integer"),
    "moments": (lambda: ops.moments(A, [0], synchronized=True), ArgumentError, "one device"),
    "layer-normalization": (lambda: ops.layer_normalization(A, np.ones(3)), ShapeError, "gamma must have shape"),
    "layer-normalization-keyword": (lambda: ops.layer_normalization(A, eps=1), ArgumentError, "eps"),
    "normalize": (lambda: ops.normalize(A, order=0), ArgumentError, "order must be an integer from 1 on"),
    "crossentropy": (lambda: ops.binary_crossentropy(A, B), ShapeError, "target and output must have the same shape"),
    "categorical": (lambda: ops.categorical_crossentropy(A, B), ShapeError, r"target \(3, 4\) and output \(2, 3\)"),
    "sparse-crossentropy": (lambda: ops.sparse_categorical_crossentropy([0], A), ShapeError, r"without axis -1, \(3,\)"),
    "average": (lambda: ops.average(C, weights=A), ArgumentError, "weights must have the shape of x"),
    "average-axis": (lambda: ops.average(A, weights=[1, 2]), ArgumentError, "need the axis"),
    "linspace": (lambda: ops.linspace(0, 1, -1), ArgumentError, "num must be an integer from 0 on"),
    "meshgrid": (lambda: ops.meshgrid(A[0], indexing="yx"), ArgumentError, "indexing must be"),
    "window": (lambda: ops.hamming(2.5), ArgumentError, "must be an integer"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_wrong_arguments_are_explained(name: str) -> None:
    function, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        function()


TRACED_ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "mask": (lambda x: x[x > 0], "how many elements a mask keeps depends on the data"),
    "where": (lambda x: ops.where(x > 0), "depends on the data"),
    "slice-bound": (lambda x: x[: ops.argmax(x)], "a slice bound must be known when the model is built"),
    "arange": (lambda x: ops.arange(ops.max(x)), "must be known when a model is built"),
    "numpy": (lambda x: np.sin(ops.convert_to_numpy(x)), "has no numbers yet"),
    "if": (lambda x: 1 if ops.any(x > 0) else 2, "has no truth value"),
    "diagonal": (lambda x: ops.diagonal(x), "must have a length known when the model is built; it is 'a0'"),
}


@pytest.mark.parametrize("name", TRACED_ERRORS)
def test_what_needs_data_is_explained(name: str) -> None:
    function, message = TRACED_ERRORS[name]
    with pytest.raises((ArgumentError, ShapeError, TypeError), match=message):
        run_named(function, ROWS)


def test_softmax_over_one_element_warns() -> None:
    with pytest.warns(UserWarning, match="always gives 1"):
        ops.softmax(ROWS[:, :1])


# -- Keras --------------------------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("case", each(case for case in CASES if not case.keras))
def test_numbers_and_dtypes_are_keras_s(case: FunctionCase) -> None:
    import keras

    if keras.backend.backend() != "jax":
        pytest.skip("the dtypes of results are those of Keras on JAX")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensors = map_arrays(keras.ops.convert_to_tensor, case.args)
        answers = flat(getattr(keras.ops, case.name)(*tensors, **case.kwargs))
    results = flat(call(case))
    assert len(results) == len(answers)
    for result, answer in zip(results, answers, strict=True):
        assert result.dtype == keras.backend.standardize_dtype(answer.dtype)
        expected = keras.ops.convert_to_numpy(answer)
        assert result.shape == expected.shape
        near = 5 * case.rtol if result.dtype.kind == "f" else 0
        np.testing.assert_allclose(np.asarray(result, float), np.asarray(expected, float), near, near)


# What graphc leaves out of Keras's signatures, and why.
OTHER_ARGUMENTS = {
    "einsum": "Keras passes any keyword on to its backend",
    "mish": "Keras has it in activations only",
    "multi_hot": "num_tokens is an old name of num_classes",
}


@pytest.mark.peer
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_arguments_and_defaults_are_keras_s(name: str) -> None:
    if name in OTHER_ARGUMENTS:
        pytest.skip(OTHER_ARGUMENTS[name])
    import keras

    def arguments(function: Callable[..., Any]) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    assert arguments(FUNCTIONS[name]) == arguments(getattr(keras.ops, name))
