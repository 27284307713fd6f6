from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.autodiff.reverse import gradient
from graphc.errors import GraphcError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Value
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.passes.base import run_passes
from graphc.passes.layout import layout
from graphc.passes.pipelines import PIPELINES
from graphc.passes.simplify import simplify

from .harness import OPTIONS, check, graph_of, rewrite

RTOL = 1e-5


def inner_transposes(graph: Graph) -> list[str]:
    """Transposes that convert neither an input nor an output of the graph."""
    return [
        node.name
        for node in graph.nodes_of("Transpose")
        if node.inputs[0].producer.op != "Input" and graph.uses(node.output)  # type: ignore[union-attr]
    ]


class Net:
    """A graph of convolutions under construction, with seeded weights."""

    def __init__(self, *shape: int | str, dtype: str = "float32") -> None:
        self.graph = Graph("net")
        self.build = Builder(self.graph, OPS)
        self.rng = np.random.default_rng(1)
        self.x = self.build.input("x", TensorType.of(dtype, shape))

    def weights(self, *shape: int) -> Value:
        return self.build.constant(self.rng.standard_normal(shape).astype(self.x.type.dtype))

    def conv(self, x: Value, filters: int, kernel: int = 3, **attributes: object) -> Value:
        channels, rank = int(x.type.shape[-1]), x.type.rank - 2
        w = self.weights(*(kernel,) * rank, channels // int(str(attributes.get("group", 1))), filters)
        return self.build.emit("Conv", x, w, self.weights(filters), layout="NHWC", **attributes)

    def dense(self, x: Value, units: int) -> Value:
        product = self.build.emit("MatMul", x, self.weights(int(x.type.shape[-1]), units))
        return self.build.emit("Add", product, self.weights(units))

    def emit(self, op: str, *operands: Value, **attributes: object) -> Value:
        return self.build.emit(op, *operands, **attributes)


def test_a_convolution() -> None:
    notes = check(
        layout,
        """
        %x: float32[n, 3, 2, 2] = Input()
        %k: float32[1, 2, 2, 1] = Constant() {value = [[[[1.0], [2.0]], [[3.0], [4.0]]]]}
        %b: float32[1] = Constant() {value = [0.5]}
        %c: float32[n, 3, 1, 1] = Conv(%x, %k, %b) {layout = "NHWC"}
        %y: float32[n, 3, 1, 1] = Relu(%c)
        output y = %y
        """,
        """
        %x: float32[n, 3, 2, 2] = Input()
        %x/Transpose: float32[n, 2, 3, 2] = Transpose(%x) {perm = (0, 3, 1, 2)}
        %k: float32[1, 2, 1, 2] = Constant() {value = [[[[1.0, 3.0]], [[2.0, 4.0]]]]}
        %b: float32[1] = Constant() {value = [0.5]}
        %c: float32[n, 1, 3, 1] = Conv(%x/Transpose, %k, %b) {layout = "NCHW"}
        %y: float32[n, 1, 3, 1] = Relu(%c)
        %y/Reshape: float32[n, 3, 1, 1] = Reshape(%y) {shape = (-1, 3, 1, 1)}
        output y = %y/Reshape
        """,
        rtol=RTOL,
    )
    assert notes == ("stored %c channels first", "%x/Transpose converts the graph's own input")


def test_flattening_permutes_the_rows_of_the_next_product() -> None:
    check(
        layout,
        """
        %x: float32[n, 2, 1, 2] = Input()
        %p: float32[n, 2, 1, 2] = MaxPool(%x) {kernel_shape = (1, 1), layout = "NHWC"}
        %f: float32[n, 4] = Reshape(%p) {shape = (-1, 4)}
        %r: float32[n, 4] = Relu(%f)
        %w: float32[4, 1] = Constant() {value = [[1.0], [2.0], [3.0], [4.0]]}
        %y: float32[n, 1] = MatMul(%r, %w)
        output y = %y
        """,
        """
        %x: float32[n, 2, 1, 2] = Input()
        %x/Transpose: float32[n, 2, 2, 1] = Transpose(%x) {perm = (0, 3, 1, 2)}
        %p: float32[n, 2, 2, 1] = MaxPool(%x/Transpose) {kernel_shape = (1, 1), layout = "NCHW"}
        %f: float32[n, 4] = Reshape(%p) {shape = (-1, 4)}
        %r: float32[n, 4] = Relu(%f)
        %w: float32[4, 1] = Constant() {value = [[1.0], [3.0], [2.0], [4.0]]}
        %y: float32[n, 1] = MatMul(%r, %w)
        output y = %y
        """,
        rtol=RTOL,
    )


def test_a_constant_with_other_users_stays_beside_its_copy() -> None:
    check(
        layout,
        """
        %x: float32[n, 1, 2, 2] = Input()
        %c: float32[1, 1, 2, 2] = Constant() {value = [[[[1.0, 2.0], [3.0, 4.0]]]]}
        %p: float32[n, 1, 2, 2] = MaxPool(%x) {kernel_shape = (1, 1), layout = "NHWC"}
        %y: float32[n, 1, 2, 2] = Mul(%p, %c)
        output y = %y
        output c = %c
        """,
        """
        %x: float32[n, 1, 2, 2] = Input()
        %x/Transpose: float32[n, 2, 1, 2] = Transpose(%x) {perm = (0, 3, 1, 2)}
        %c: float32[1, 1, 2, 2] = Constant() {value = [[[[1.0, 2.0], [3.0, 4.0]]]]}
        %c_1: float32[1, 2, 1, 2] = Constant() {value = [[[[1.0, 3.0]], [[2.0, 4.0]]]]}
        %p: float32[n, 2, 1, 2] = MaxPool(%x/Transpose) {kernel_shape = (1, 1), layout = "NCHW"}
        %y: float32[n, 2, 1, 2] = Mul(%p, %c_1)
        %y/Transpose: float32[n, 1, 2, 2] = Transpose(%y) {perm = (0, 2, 3, 1)}
        output y = %y/Transpose
        output c = %c
        """,
    )


@pytest.mark.parametrize(
    "text",
    [
        '%y: float32[n, 2, 6, 7] = MaxPool(%x) {kernel_shape = (3, 1), layout = "NCHW"}',
        "%y: float32[7, 8, 2, n] = Transpose(%x)",
    ],
)
def test_nothing_to_do(text: str) -> None:
    assert check(layout, f"%x: float32[n, 2, 8, 7] = Input()\n{text}\noutput y = %y", None) == ()


def test_exact_only_moves_nothing() -> None:
    text = """
        %x: float32[n, 4, 4, 2] = Input()
        %y: float32[n, 4, 4, 2] = MaxPool(%x) {kernel_shape = (1, 1), layout = "NHWC"}
        output y = %y
        """
    (note,) = check(layout, text, None, exact_only=True)
    assert note == "nothing is moved: a convolution sums in another order, which is not exact"


# What may follow a convolution of shape (n, 5, 4, 6): lines that make %y of %h.
FOLLOWERS = [
    "%y: float32[n, 5, 4, 6] = Tanh(%h)",
    "%c: float32[6] = Constant() {value = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]} %y: float32[n, 5, 4, 6] = Mul(%h, %c)",
    "%c: float32[] = Constant() {value = 2.0} %y: float32[n, 5, 4, 6] = Sub(%c, %h)",
    "%c: float32[1, 1] = Constant() {value = [[2.0]]} %y: float32[n, 5, 4, 6] = Div(%h, %c)",
    "%c: float32[4, 1] = Constant() {value = [[1.0], [2.0], [3.0], [4.0]]} %y: float32[n, 5, 4, 6] = Add(%h, %c)",
    "%c: float32[5, 1, 1] = Constant() {value = [[[1.0]], [[2.0]], [[3.0]], [[4.0]], [[5.0]]]} "
    "%y: float32[n, 5, 4, 6] = PRelu(%h, %c)",
    "%c: float32[] = Constant() {value = 0.5} %y: float32[n, 5, 4, 6] = Clip(%h, _, %c)",
    "%c: float32[6] = Constant() {value = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]} "
    "%y: float32[n, 5, 4, 6] = BatchNormalization(%h, %c, %c, %c, %c) {axis = -1}",
    "%c: float32[4] = Constant() {value = [1.0, 2.0, 3.0, 4.0]} "
    "%y: float32[n, 5, 4, 6] = BatchNormalization(%h, %c, %c, %c, %c) {axis = 2}",
    "%y: float32[n, 5, 4, 12] = Concat(%h, %h) {axis = -1}",
    "%y: float32[n, 10, 4, 6] = Concat(%h, %h) {axis = 1}",
    "%y: float32[n, 5, 4, 6] = Softmax(%h)",
    "%y: float32[n, 5, 4, 6] = LogSoftmax(%h) {axis = 1}",
    "%y: float32[n, 5, 4, 6] = CumSum(%h) {axis = 3, reverse = true}",
    "%p: (float32[n, 5, 4, 2], float32[n, 5, 4, 4]) = Split(%h) {sizes = (2, 4), axis = 3} %y: float32[n, 5, 4, 4] = Neg(%p:1)",
    "%y: float32[n, 7, 4, 9] = Pad(%h) {pads = (0, 2, 0, 1, 0, 0, 0, 2), value = 1.5}",
    '%y: float32[n, 7, 5, 6] = Pad(%h) {pads = (0, 2, 0, 0, 0, 0, 1, 0), mode = "reflect"}',
    "%y: float32[n, 2, 4, 3] = Slice(%h) {starts = (1, 6), ends = (3, -9), axes = (1, -1), steps = (1, -2)}",
    "%y: float32[min(2, n), 5, 4, 6] = Slice(%h) {starts = (0,), ends = (2,)}",
    "%y: float32[n, 10, 4, 18] = Tile(%h) {repeats = (1, 2, 1, 3)}",
    "%s: float32[n, 5, 1, 6] = ReduceMax(%h) {axes = (2,)} %y: float32[n, 5, 3, 6] = Expand(%s) {shape = (5, 3, 1)}",
    "%y: float32[n, 6] = ReduceMean(%h) {axes = (1, 2), keepdims = false}",
    "%y: float32[n, 1, 1, 6] = ReduceMax(%h) {axes = (-3, -2)}",
    "%y: float32[n, 5, 4] = ReduceSum(%h) {axes = (3,), keepdims = false}",
    "%s: float32[n, 4, 6] = ReduceSum(%h) {axes = (1,), keepdims = false} %y: float32[n, 4, 6] = Relu(%s)",
    "%y: float32[] = ReduceL2(%h) {keepdims = false}",
    "%y: int64[n, 5, 4] = ArgMax(%h) {axis = -1, keepdims = false}",
    "%y: int64[n, 1, 4, 6] = ArgMin(%h) {axis = 1}",
    "%t: float32[n, 6, 5, 4] = Transpose(%h) {perm = (0, 3, 1, 2)} %y: float32[n, 5, 4, 6] = Transpose(%t) "
    "{perm = (0, 2, 3, 1)}",
    "%s: float32[n, 1, 1, 6] = ReduceMean(%h) {axes = (1, 2)} %y: float32[n, 6] = Squeeze(%s) {axes = (1, 2)}",
    "%s: float32[n, 1, 1, 6] = ReduceMean(%h) {axes = (1, 2)} %y: float32[n, 6] = Reshape(%s) {shape = (-1, 6)}",
    "%y: float32[n, 20, 6] = Reshape(%h) {shape = (-1, 20, 6)}",
    "%y: float32[n, 5, 1, 4, 6] = Unsqueeze(%h) {axes = (2,)}",
    '%b: bool[n, 5, 4, 6] = Greater(%h, %h) %y: float32[n, 5, 4, 6] = Cast(%b) {to = "float32"}',
    "%b: bool[n, 5, 4, 6] = Greater(%h, %g) %y: float32[n, 5, 4, 6] = Where(%b, %h, %g)",
    "%s: float32[n, 1, 1, 6] = ReduceMean(%h) {axes = (1, 2)} %t: float32[n, 1, 1, 6] = Sigmoid(%s) "
    "%y: float32[n, 5, 4, 6] = Mul(%h, %t)",
    "%s: float32[n, 6] = ReduceMean(%h) {axes = (1, 2), keepdims = false} %r: float32[n, 1, 1, 6] = Reshape(%s) "
    "{shape = (-1, 1, 1, 6)} %y: float32[n, 5, 4, 6] = Mul(%r, %h)",
    '%y: float32[n, 2, 4, 6] = MaxPool(%h) {kernel_shape = (2, 1), strides = (2, 1), layout = "NHWC"}',
    '%y: float32[n, 5, 4, 6] = AveragePool(%h) {kernel_shape = (3, 3), pads = "SAME_UPPER", layout = "NHWC"}',
]


@pytest.mark.parametrize("follower", FOLLOWERS)
@pytest.mark.parametrize("last", [True, False], ids=["output", "inside"])
def test_followers_of_a_convolution(follower: str, last: bool) -> None:
    """Nothing inside is transposed, neither when the follower is an output nor when more convolutions come."""
    head = """
        %x: float32[n, 5, 5, 6] = Input()
        %g0: float32[n, 5, 4, 6] = Input()
        %g: float32[n, 5, 4, 6] = Neg(%g0)
        %h: float32[n, 5, 4, 6] = AveragePool(%x) {kernel_shape = (1, 2), layout = "NHWC"}
        """
    graph = graph_of(f"{head} {follower} output y = %y")
    if not last:
        y = graph.outputs.pop("y")
        if y.type.rank != 4 or y.type.dtype != "float32":
            pytest.skip("no convolution can follow")
        graph.outputs["y"] = Builder(graph, OPS).emit("MaxPool", y, kernel_shape=(1, 1), layout="NHWC")
    result, _ = rewrite(layout, graph, rtol=RTOL)
    result, _ = run_passes(result, [simplify], OPTIONS)
    assert inner_transposes(result) == []


def test_what_cannot_follow_is_noted() -> None:
    net = Net("n", 5, 5, 3)
    h = net.conv(net.x, 4)
    ones = net.weights(4)
    h = net.emit("LayerNormalization", h, ones, ones)
    net.graph.outputs["y"] = net.conv(h, 2)
    result, (report,) = rewrite(layout, net.graph, rtol=RTOL)
    assert inner_transposes(result) == ["Conv/Transpose", "LayerNormalization/Transpose"]
    assert "%Conv/Transpose stays inside the graph, for %LayerNormalization (LayerNormalization)" in report.notes


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_number_of_spatial_axes(rank: int) -> None:
    net = Net("n", *(7, 6, 5)[:rank], 4)
    h = net.conv(net.x, 6, kernel=2, group=2)
    h = net.emit("Relu", h)
    h = net.emit("MaxPool", h, kernel_shape=(2,) * rank, layout="NHWC", pads="SAME_UPPER", strides=(2,) * rank)
    h = net.emit("ConvTranspose", h, net.weights(*(2,) * rank, 3, 6), layout="NHWC")
    h = net.emit("Reshape", h, shape=(-1, int(np.prod(h.type.shape[1:]))))
    net.graph.outputs["y"] = net.dense(h, 5)
    result, _ = rewrite(layout, net.graph, rtol=RTOL)
    assert inner_transposes(result) == []
    assert len(result.nodes_of("Transpose")) == 1


def test_work_before_the_first_convolution_moves_to_the_input() -> None:
    net = Net("n", 6, 5, 3)
    h = net.emit("Mul", net.x, net.weights(3))
    h = net.emit("Pad", h, pads=(0, 1, 0, 0, 0, 1, 0, 0))
    net.graph.outputs["y"] = net.conv(h, 2)
    result, _ = rewrite(layout, net.graph, rtol=RTOL)
    assert inner_transposes(result) == []
    assert result.node("Mul").output.type.shape == ("n", 3, 6, 5)


def test_an_input_of_one_channel_is_reshaped() -> None:
    net = Net("n", 784)
    h = net.emit("Reshape", net.x, shape=(-1, 28, 28, 1))
    net.graph.outputs["y"] = net.conv(h, 2)
    result, _ = rewrite([layout, simplify], net.graph, rtol=RTOL)
    assert [n.op for n in result.nodes() if n.op not in ("Input", "Constant")] == ["Reshape", "Conv", "Transpose"]


def test_a_sequence_of_images() -> None:
    """What TimeDistributed makes: the batch and the time are one axis around each convolution."""
    net = Net("n", 4, 6, 5, 3)
    h = net.emit("Reshape", net.x, shape=(-1, 6, 5, 3))
    h = net.conv(h, 2)
    h = net.emit("Reshape", h, shape=(-1, 4, 4, 3, 2))
    h = net.emit("Relu", h)
    h = net.emit("Reshape", h, shape=(-1, 4, 3, 2))
    h = net.conv(h, 5, kernel=2)
    h = net.emit("ReduceMean", h, axes=(1, 2), keepdims=False)
    net.graph.outputs["y"] = net.emit("Reshape", h, shape=(-1, 4, 5))
    result, _ = rewrite(layout, net.graph, rtol=RTOL)
    assert inner_transposes(result) == []


def test_from_features_to_an_image() -> None:
    """A generator: the columns of the product, its bias and the normalisation are permuted."""
    net = Net("n", 7)
    h = net.dense(net.x, 24)
    scale = net.weights(24)
    h = net.emit("BatchNormalization", h, scale, scale, scale, net.emit("Abs", scale), axis=-1)
    h = net.emit("LeakyRelu", h)
    h = net.emit("Reshape", h, shape=(-1, 2, 3, 4))
    net.graph.outputs["y"] = net.emit("ConvTranspose", h, net.weights(3, 3, 2, 4), layout="NHWC", strides=(2, 2))
    result, _ = rewrite([PIPELINES["O2"][1], layout], net.graph, rtol=RTOL)
    assert inner_transposes(result) == []


def test_an_autoencoder_permutes_rows_and_columns_of_one_matrix() -> None:
    net = Net("n", 6, 5, 3)
    h = net.conv(net.x, 4)
    h = net.emit("Reshape", h, shape=(-1, 48))
    h = net.emit("Gemm", h, net.weights(24, 48), net.weights(24), trans_b=1)
    h = net.emit("Reshape", h, shape=(-1, 2, 3, 4))
    net.graph.outputs["y"] = net.conv(h, 2, kernel=2)
    result, _ = rewrite(layout, net.graph, rtol=RTOL)
    assert inner_transposes(result) == []


def test_features_beside_a_flattened_image() -> None:
    net = Net("n", 6, 5, 3)
    more = net.build.input("more", TensorType.of("float32", ("n", 2)))
    h = net.emit("Reshape", net.conv(net.x, 4), shape=(-1, 48))
    h = net.emit("Concat", more, h, net.emit("Tanh", h), axis=1)
    net.graph.outputs["y"] = net.dense(h, 3)
    net.graph.outputs["z"] = net.dense(h, 2)
    result, _ = rewrite(layout, net.graph, rtol=RTOL)
    assert inner_transposes(result) == []


@pytest.mark.parametrize("how", ["state", "output", "softmax", "bias", "two users"])
def test_flattened_images_that_somebody_takes_as_they_are_meant(how: str) -> None:
    net = Net("n", 6, 5, 3)
    flat = net.emit("Reshape", net.conv(net.x, 4), shape=(-1, 48))
    if how == "state":
        net.graph.outputs["y"] = net.emit("MatMul", flat, net.build.state("w", TensorType.of("float32", (48, 2))))
    elif how == "output":
        net.graph.outputs["y"] = flat
    elif how == "softmax":
        net.graph.outputs["y"] = net.dense(net.emit("Softmax", flat), 2)
    elif how == "bias":
        bias = net.build.state("b", TensorType.of("float32", (48,)))
        net.graph.outputs["y"] = net.dense(net.emit("Add", flat, bias), 2)
    else:
        net.graph.outputs["y"] = net.dense(flat, 2)
        net.graph.outputs["z"] = net.emit("ReduceMax", flat, axes=(0,))
    result, (report,) = rewrite(layout, net.graph, rtol=RTOL)
    assert result.node("Conv").attributes["layout"] == "NCHW"
    (transpose,) = (node for node in result.nodes_of("Transpose") if node.inputs[0].producer.op == "Conv")  # type: ignore[union-attr]
    assert [use.node.name for use in result.uses(transpose.output)] == ["Reshape"]
    assert any(note.startswith("%Reshape (Reshape) has its image stored as it is meant: ") for note in report.notes)


def test_kernels_that_are_states_are_transposed_when_they_are_used() -> None:
    net = Net("n", 6, 5, 3)
    kernel = net.build.state("k", TensorType.of("float32", (3, 3, 3, 4)))
    net.graph.outputs["y"] = net.emit("Conv", net.x, kernel, layout="NHWC")
    result, (report,) = rewrite(layout, net.graph, rtol=RTOL)
    assert "%k/Transpose stays inside the graph, for %Conv (Conv)" in report.notes
    assert result.states()["k"].type.shape == (3, 3, 3, 4)


def test_a_train_step() -> None:
    """Gradients of convolutions and pools are window ops, too; the new kernels are stored as they were."""
    net = Net("n", 8, 7, 2, dtype="float64")
    states = {
        "k": TensorType.of("float64", (3, 3, 2, 4)),
        "scale": TensorType.of("float64", (4,)),
        "w": TensorType.of("float64", (36, 2)),
    }
    k, scale, w = (net.build.state(name, type_) for name, type_ in states.items())
    h = net.emit("Conv", net.x, k, layout="NHWC")
    h = net.build.emit_node("BatchNormTraining", [h, scale, scale], axis=-1).outputs[0]
    h = net.emit("Relu", h)
    h = net.emit("MaxPool", h, kernel_shape=(2, 1), strides=(2, 1), layout="NHWC")
    h = net.emit("AveragePool", h, kernel_shape=(1, 3), pads="SAME_UPPER", layout="NHWC")
    h = net.emit("Slice", h, starts=(1,), ends=(4,), axes=(2,))
    h = net.emit("MatMul", net.emit("Reshape", h, shape=(-1, 36)), w)
    loss = net.emit("ReduceMean", net.emit("Mul", h, h), keepdims=False)
    rate = net.build.constant(0.1, "float64")
    for name, value, grad in zip(states, (k, scale, w), gradient(net.build, loss, [k, scale, w]), strict=True):
        assert grad is not None
        net.graph.updates[name] = net.emit("Sub", value, net.emit("Mul", grad, rate))
    net.graph.outputs["loss"] = loss
    result, _ = rewrite(layout, net.graph, rtol=1e-12)
    windows = {node.op: node.attributes["layout"] for node in result.nodes() if "layout" in node.attributes}
    assert set(windows.values()) == {"NCHW"}
    assert windows.keys() > {"Conv", "ConvGradWeight", "MaxPool", "MaxPoolGrad", "AveragePool", "AveragePoolGrad"}


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Channels-last networks of every op that the pass has a rule for, and some that it has none for."""
    net = Net("n", draw(st.integers(4, 6)), draw(st.integers(4, 6)), draw(st.integers(1, 3)), dtype="float64")
    pool: list[Value] = [net.x]

    def pick() -> Value:
        return pool[draw(st.integers(max(0, len(pool) - 4), len(pool) - 1))]

    def one_of(*choices: str) -> str:
        return draw(st.sampled_from(choices))

    for _ in range(draw(st.integers(3, 14))):
        x = pick()
        rank, shape = x.type.rank, x.type.shape
        kind = one_of(
            "conv", "conv", "pool", "unary", "binary", "constant", "move", "reduce", "norm", "reshape", "dense"
        )
        try:
            if kind == "conv":
                pads = draw(st.sampled_from(["SAME_UPPER", ()]))
                y = net.conv(x, draw(st.integers(1, 3)), kernel=draw(st.integers(1, 3)), pads=pads)
            elif kind == "pool":
                y = net.emit(one_of("MaxPool", "AveragePool"), x, kernel_shape=(2, 2), layout="NHWC", strides=(1, 2))
            elif kind == "unary":
                y = net.emit(one_of("Relu", "Tanh", "Neg", "StopGradient"), x)
            elif kind == "binary":
                other = pick()
                if other.type.rank != rank:
                    continue  # the batch would meet another axis
                y = net.emit(one_of("Add", "Mul", "Max"), x, other)
            elif kind == "constant":
                lengths = [int(d) if isinstance(d, int) and draw(st.booleans()) else 1 for d in shape]
                y = net.emit("Add", x, net.weights(*lengths[draw(st.integers(0, rank)) :]))
            elif kind == "move":
                axis = draw(st.integers(1, rank - 1))
                op = one_of("Concat", "Slice", "Pad", "Tile", "Transpose", "Softmax", "CumSum")
                if op == "Concat":
                    y = net.emit("Concat", x, pick(), axis=axis)
                elif op == "Slice":
                    y = net.emit("Slice", x, starts=(-1,), ends=(-9,), axes=(axis,), steps=(-1,))
                elif op == "Pad":
                    y = net.emit("Pad", x, pads=[int(i == axis) for i in range(2 * rank)])
                elif op == "Tile":
                    y = net.emit("Tile", x, repeats=[1 + int(i == axis) for i in range(rank)])
                elif op == "Transpose":
                    y = net.emit("Transpose", x, perm=[0, *draw(st.permutations(range(1, rank)))])
                else:
                    y = net.emit(op, x, axis=axis)
            elif kind == "reduce":
                axes = sorted(draw(st.sets(st.integers(1, rank - 1), min_size=1)))
                y = net.emit(one_of("ReduceMean", "ReduceMax"), x, axes=axes, keepdims=draw(st.booleans()))
            elif kind == "norm":
                axis = draw(st.integers(1, rank - 1))
                vectors = [net.emit("Abs", net.weights(int(shape[axis]))) for _ in range(4)]
                y = net.emit("BatchNormalization", x, *vectors, axis=axis)
            elif kind == "reshape":
                lengths = [int(d) for d in shape[1:]]
                new = draw(st.sampled_from([[int(np.prod(lengths))], [*lengths, 1], [1, *lengths], lengths[::-1]]))
                y = net.emit("Reshape", x, shape=(-1, *new))
            else:
                y = net.dense(x, draw(st.integers(1, 12)))
        except (GraphcError, ValueError, TypeError, IndexError):
            continue  # these operands do not fit
        if all(isinstance(d, int) and d < 40 for d in y.type.shape[1:]):
            pool.append(y)
    for i, value in enumerate(pool[-2:]):
        net.graph.outputs[f"y{i}"] = value
    return net.graph


@settings(max_examples=150)
@given(networks())
def test_generated_networks(graph: Graph) -> None:
    rewrite(layout, graph, rtol=1e-9)
    rewrite(PIPELINES["O2"], graph, rtol=1e-9)
