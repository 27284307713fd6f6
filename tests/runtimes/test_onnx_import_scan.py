"""Reading ONNX's ``Scan``: axes and directions of any kind, what bodies capture, and bodies that must be refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

from graphc.errors import ModelFileError
from graphc.ir.verify import verify
from graphc.ops.registry import OPS
from graphc.runtimes.numpy_runtime import prepare
from graphc.runtimes.onnx_export import to_onnx
from graphc.runtimes.onnx_import import from_onnx

RANDOM = np.random.default_rng(5)


def info(name: str, shape: Any = None, dtype: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(
    nodes: list[NodeProto], inputs: list[Any], outputs: list[Any], initializers: list[TensorProto] | None = None
) -> ModelProto:
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers or [])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def body_of(nodes: list[NodeProto], inputs: list[Any], outputs: list[Any], **more: Any) -> GraphProto:
    return helper.make_graph(nodes, "body", inputs, outputs, **more)


def assert_same_as_onnx_runtime(model: ModelProto, feeds: dict[str, Any]) -> None:
    """NumPy's numbers of the imported graph, and those of the graph exported again, are ONNX Runtime's."""
    wanted = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)
    graph = from_onnx(model)
    verify(graph, OPS)
    names = {info.name: value.producer.name for info, value in zip(model.graph.input, graph.inputs, strict=True)}
    given = {names[name]: array for name, array in feeds.items()}
    again = onnxruntime.InferenceSession(to_onnx(graph).SerializeToString()).run(None, given)
    for ours, other, answer in zip(prepare(graph).run(given).values(), again, wanted, strict=True):
        np.testing.assert_allclose(ours, answer, rtol=1e-6)
        np.testing.assert_allclose(other, answer, rtol=1e-6)


def running_sum(shape: tuple[Any, ...] = (2, 3)) -> GraphProto:
    """The state plus a product of the two slices; the sum and the first slice as results."""
    nodes = [
        helper.make_node("Mul", ["a", "b"], ["ab"]),
        helper.make_node("Add", ["s", "ab"], ["sum"]),
        helper.make_node("Identity", ["sum"], ["stacked"]),
        helper.make_node("Neg", ["a"], ["minus"]),
    ]
    return body_of(
        nodes, [info(n, shape) for n in "sab"], [info("sum", shape), info("stacked", shape), info("minus", shape)]
    )


@pytest.mark.parametrize("length", [1, 4])
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"scan_input_directions": [1, 1], "scan_output_directions": [1, 1]},
        {"scan_input_directions": [0, 1]},
        {"scan_input_directions": [1, 0], "scan_output_directions": [1, 0]},
        {"scan_output_directions": [0, 1]},
        {"scan_input_axes": [1, -1], "scan_output_axes": [0, 2]},
        {"scan_input_axes": [-2, 2], "scan_output_axes": [-1, 1], "scan_input_directions": [0, 1]},
    ],
    ids=["plain", "backwards", "against", "against_out", "out", "axes", "axes_against"],
)
def test_axes_and_directions(attributes: dict[str, Any], length: int) -> None:
    axes = [axis % 3 for axis in attributes.get("scan_input_axes", [0, 0])]
    out_axes = [axis % 3 for axis in attributes.get("scan_output_axes", [0, 0])]

    def shape(axis: int) -> tuple[Any, ...]:
        dims: list[Any] = [2, 3]
        dims.insert(axis, "time")
        return tuple(dims)

    node = helper.make_node(
        "Scan", ["s", "x", "y"], ["last", "sums", "rest"], body=running_sum(), num_scan_inputs=2, **attributes
    )
    model = model_of(
        [node],
        [info("s", (2, 3)), *(info(name, shape(axis)) for name, axis in zip("xy", axes, strict=True))],
        [info("last", (2, 3)), *(info(n, shape(a)) for n, a in zip(("sums", "rest"), out_axes, strict=True))],
    )
    lengths = [tuple(length if d == "time" else d for d in shape(axis)) for axis in axes]
    feeds = {n: RANDOM.random(s, dtype=np.float32) for n, s in zip("sxy", [(2, 3), *lengths], strict=True)}
    assert_same_as_onnx_runtime(model, feeds)


def test_bodies_capture_weights_lengths_and_results() -> None:
    """A small constant is one inside, a large one an invariant; a shape computed outside becomes an attribute."""
    large = numpy_helper.from_array(RANDOM.random((80, 80), dtype=np.float32), "large")
    minus = numpy_helper.from_array(np.array([-1], np.int64), "minus")
    own = numpy_helper.from_array(np.array([0.5], np.float32), "half")
    inner = body_of(
        [
            helper.make_node("Reshape", ["x", "flat"], ["rows"]),
            helper.make_node("MatMul", ["rows", "large"], ["product"]),
            helper.make_node("Mul", ["product", "half"], ["halved"]),
            helper.make_node("Add", ["halved", "bias"], ["y"]),
        ],
        [info("x", ("batch", 2, 40))],
        [info("y", ("batch", 80))],
        initializer=[own],
    )
    model = model_of(
        [
            helper.make_node("Shape", ["x"], ["batch"], start=1, end=2),
            helper.make_node("Concat", ["batch", "minus"], ["flat"], axis=0),
            helper.make_node("Neg", ["b"], ["bias"]),
            helper.make_node("Scan", ["x"], ["y"], body=inner, num_scan_inputs=1),
        ],
        [info("x", ("time", "batch", 2, 40)), info("b", (80,))],
        [info("y", ("time", "batch", 80))],
        [large, minus],
    )
    graph = from_onnx(model)
    (loop,) = graph.nodes_of("Scan")
    assert len(loop.inputs) == 3, "what is scanned, the large weights and the bias"
    for time, batch in ((3, 2), (1, 5)):
        x = RANDOM.random((time, batch, 2, 40), dtype=np.float32)
        assert_same_as_onnx_runtime(model, {"x": x, "b": RANDOM.random(80, dtype=np.float32)})


def nested(depth: int) -> ModelProto:
    """Loops inside each other over the axes of one tensor."""
    body = body_of([helper.make_node("Neg", ["x0"], ["y0"])], [info("x0", ())], [info("y0", ())])
    for level in range(1, depth):
        node = helper.make_node("Scan", [f"x{level}"], [f"y{level}"], body=body, num_scan_inputs=1)
        shape = (2,) * level
        body = body_of([node], [info(f"x{level}", shape)], [info(f"y{level}", shape)])
    node = helper.make_node("Scan", ["x"], ["y"], body=body, num_scan_inputs=1)
    return model_of([node], [info("x", (2,) * depth)], [info("y", (2,) * depth)])


def test_loops_inside_loops() -> None:
    assert_same_as_onnx_runtime(nested(3), {"x": RANDOM.random((2, 2, 2), dtype=np.float32)})
    with pytest.raises(ModelFileError, match="more than 16 deep"):
        from_onnx(nested(17))


def scan(body: GraphProto, inputs: int = 1, outputs: int = 1, **attributes: Any) -> ModelProto:
    names = [f"x{i}" for i in range(inputs)]
    made = [f"y{i}" for i in range(outputs)]
    node = helper.make_node("Scan", names, made, name="loop", body=body, **attributes)
    return model_of([node], [info(n, (3, 2)) for n in names], [info(n) for n in made])


NEG = body_of([helper.make_node("Neg", ["a"], ["b"])], [info("a", (2,))], [info("b", (2,))])
TWO = body_of(
    [helper.make_node("Neg", ["a"], ["b"])], [info("a", (2,)), info("c", (2,))], [info("b", (2,)), info("c", (2,))]
)


def with_function_reference() -> GraphProto:
    node = helper.make_node("Relu", ["a"], ["b"], domain="com.example")
    return body_of([node], [info("a", (2,))], [info("b", (2,))])


def with_external_weights() -> GraphProto:
    weights = numpy_helper.from_array(np.ones(2, np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../w.bin")
    node = helper.make_node("Add", ["a", "w"], ["b"])
    return body_of([node], [info("a", (2,))], [info("b", (2,))], initializer=[weights])


def with_sparse_weights() -> GraphProto:
    body = body_of([helper.make_node("Neg", ["a"], ["b"])], [info("a", (2,))], [info("b", (2,))])
    body.sparse_initializer.add()
    return body


@pytest.mark.parametrize(
    ("model", "words"),
    [
        pytest.param(scan(NEG, num_scan_inputs=0), "", id="no_scan_inputs"),
        pytest.param(scan(NEG, num_scan_inputs=2), "", id="too_many_scan_inputs"),
        pytest.param(scan(NEG, num_scan_inputs=-1), "", id="negative_scan_inputs"),
        pytest.param(scan(TWO, num_scan_inputs=1), "", id="too_many_body_inputs"),
        pytest.param(scan(NEG, num_scan_inputs=1, scan_input_axes=[7]), "", id="axis"),
        pytest.param(scan(NEG, num_scan_inputs=1, scan_input_axes=[0, 0]), "", id="axes"),
        pytest.param(scan(NEG, num_scan_inputs=1, scan_input_directions=[2]), "", id="direction"),
        pytest.param(scan(NEG, num_scan_inputs=1, scan_output_axes=[9]), "", id="output_axis"),
        pytest.param(scan(with_function_reference(), num_scan_inputs=1), "domain 'com.example'", id="domain"),
        pytest.param(scan(with_external_weights(), num_scan_inputs=1), "tensor 'w'", id="external"),
        pytest.param(scan(with_sparse_weights(), num_scan_inputs=1), "sparse", id="sparse"),
    ],
)
def test_refused_in_one_line(model: ModelProto, words: str) -> None:
    with pytest.raises(ModelFileError, match=words) as caught:
        from_onnx(model)
    assert "\n" not in str(caught.value)


def test_a_body_that_is_damaged_is_refused_or_runs() -> None:
    content = nested(2).SerializeToString()
    messages = []
    for _ in range(200):
        changed = bytearray(content)
        changed[int(RANDOM.integers(len(content)))] = int(RANDOM.integers(256))
        try:
            verify(from_onnx(bytes(changed)), OPS)
        except ModelFileError as error:
            messages.append(str(error))
    assert len(messages) > 50
    assert not [message for message in messages if "\n" in message]


def test_onnx_s_own_case() -> None:
    (case,) = [case for case in collect_testcases("Scan") if case.name == "test_scan9_sum"]
    inputs, outputs = case.data_sets[0]
    case.model.opset_import[0].version = 21
    graph = from_onnx(case.model)
    feeds = {value.producer.name: array for value, array in zip(graph.inputs, inputs, strict=True)}
    for ours, answer in zip(prepare(graph).run(feeds).values(), outputs, strict=True):
        np.testing.assert_array_equal(ours, answer)
