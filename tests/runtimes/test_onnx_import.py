"""The importer: files of graphc's own exporter, ONNX's own node tests, and files that must be refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import guide_models
import numpy as np
import onnx
import pytest
from cases import CASES
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from op_cases.case import Array, Case
from op_cases.harness import assert_close, build, each_case, each_dtype

from graphc import compiler
from graphc.errors import GraphcError, ModelFileError
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph
from graphc.ir.types import TensorType
from graphc.ir.verify import verify
from graphc.ops.registry import OPS
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.numpy_runtime import prepare
from graphc.runtimes.onnx_export import save_onnx, to_onnx
from graphc.runtimes.onnx_import import from_onnx
from graphc.runtimes.onnx_import_ops import IMPORT_ROWS
from graphc.runtimes.onnx_opsets import IR_VERSION

WITH_KERNEL = [case for case in CASES if case.op in KERNELS]
FIRST_OF_OP = list({case.op: case for case in reversed(WITH_KERNEL)}.values())[::-1]
NOT_IMPORTABLE = dict.fromkeys(
    ("MaxPoolGrad", "MaxPoolSelect"), "its ONNX form needs MaxPool's result 'Indices', which no IR op gives"
)
SLACK = 2.0  # an expanded op rounds more than once


def imported(source: Any) -> Graph:
    graph = from_onnx(source)
    verify(graph, OPS)
    return graph


# -- what the exporter wrote ------------------------------------------------------------------------------------------


def assert_same_after_a_round_trip(case: Case, dtype: str, opset: int = 21, symbolic: bool = False) -> None:
    if case.op in NOT_IMPORTABLE:
        pytest.skip(NOT_IMPORTABLE[case.op])
    try:
        built = build(case, dtype, symbolic)
    except GraphcError as error:
        if not symbolic:
            raise
        pytest.skip(f"the type rule needs this length: {error}")
    wanted = prepare(built.graph).run(built.feeds)
    graph = imported(to_onnx(built.graph, opset=opset))
    assert [v.producer.name for v in graph.inputs] == [v.producer.name for v in built.graph.inputs]
    assert [v.type for v in graph.inputs] == [v.type for v in built.graph.inputs]
    found = prepare(graph).run(built.feeds)
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert_close(case, found[name], array, SLACK)


@pytest.mark.parametrize(("case", "dtype"), each_dtype(WITH_KERNEL))
def test_every_op_survives_a_round_trip(case: Case, dtype: str) -> None:
    assert_same_after_a_round_trip(case, dtype)


@pytest.mark.parametrize("case", each_case(WITH_KERNEL))
def test_every_op_survives_with_a_named_first_dim(case: Case) -> None:
    assert_same_after_a_round_trip(case, case.dtypes[0], symbolic=True)


@pytest.mark.parametrize("opset", [min(IR_VERSION), max(IR_VERSION)])
@pytest.mark.parametrize("case", each_case(FIRST_OF_OP))
def test_every_op_survives_at_the_first_and_last_opset(case: Case, opset: int) -> None:
    assert_same_after_a_round_trip(case, case.dtypes[0], opset)


@pytest.mark.parametrize("name", guide_models.NAMES)
@pytest.mark.parametrize("pipeline", ["O0", "O2"])
def test_models_of_the_models_folder(name: str, pipeline: str, tmp_path: Path) -> None:
    model = guide_models.small(name)
    lowered = compiler.frozen(model.lower(training=False))
    graph, _ = compiler.optimize(lowered, pipeline)
    for threshold in (10**9, 0):  # with weights inside the file, and beside it
        path = tmp_path / f"{threshold}.onnx"
        save_onnx(graph, path, external_threshold=threshold)
        back = imported(path)
        runs = prepare(lowered), prepare(back)
        for batch in (1, 3, 8):
            x, _ = guide_models.samples(name, model, batch)
            wanted, found = (run.run(guide_models.as_feeds(model, x)) for run in runs)
            assert list(wanted) == list(found)
            for key, array in wanted.items():
                np.testing.assert_allclose(found[key], array, rtol=1e-5, atol=1e-6)


def test_weights_are_not_copied(tmp_path: Path) -> None:
    graph = Graph("g")
    b = Builder(graph, OPS)
    x = b.input("x", TensorType.of("float32", ("batch", 64)))
    graph.outputs["y"] = b.emit("MatMul", x, b.constant(np.ones((64, 32), np.float32)))
    save_onnx(graph, tmp_path / "m.onnx", external_threshold=0)
    (constant,) = from_onnx(tmp_path / "m.onnx").nodes_of("Constant")
    base: Any = constant.attributes["value"]
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert base is not None


def test_lengths_become_attributes_again() -> None:
    graph = Graph("g")
    b = Builder(graph, OPS)
    x = b.input("x", TensorType.of("float32", ("batch", "height", "width", 3)))
    batch, height, width, _ = x.type.shape
    y = b.emit("Slice", x, starts=(0,), ends=((height - 1) // 2 * 2,), axes=(1,))
    y = b.emit("Reshape", y, shape=(batch * ((height - 1) // 2 * 2), width * 3))
    graph.outputs["y"] = y
    back = imported(to_onnx(graph))
    assert back.outputs["y"].type == y.type
    assert [n.op for n in back] == ["Input", "Slice", "Reshape"]
    data = np.random.default_rng(0).random((2, 5, 4, 3), dtype="float32")
    np.testing.assert_array_equal(prepare(back).run({"x": data})["y"], prepare(graph).run({"x": data})["y"])


# -- files of other programs ------------------------------------------------------------------------------------------


def info(name: str, shape: Any, dtype: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(
    nodes: list[NodeProto], inputs: Any = (), outputs: Any = (), initializers: Any = (), opset: int = 21, **more: Any
) -> ModelProto:
    graph = helper.make_graph(nodes, "g", list(inputs), list(outputs), list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **more)


def test_dims_that_are_no_names() -> None:
    shapes = {"a": ("batch-size", "class"), "b": ("batch_size", None), "c": ("n", "2*n + 1"), "d": ("batch-size", "3")}
    nodes = [helper.make_node("Identity", [name], [f"{name}:0"]) for name in shapes]
    outputs = [info(f"{name}:0", (None, None)) for name in shapes]
    graph = imported(model_of(nodes, [info(n, s) for n, s in shapes.items()], outputs))
    found = {v.producer.name: tuple(map(str, v.type.shape)) for v in graph.inputs}
    assert found == {
        "a": ("batch_size_1", "dim_class"),
        "b": ("batch_size", "b_dim1"),
        "c": ("n", "2*n + 1"),
        "d": ("batch_size_1", "dim_3"),
    }
    assert list(graph.outputs) == ["a:0", "b:0", "c:0", "d:0"]
    lengths = {"a": (2, 3), "b": (5, 4), "c": (2, 5), "d": (2, 9)}
    feeds = {name: np.ones(shape, np.float32) for name, shape in lengths.items()}
    assert {k: v.shape for k, v in prepare(graph).run(feeds).items()} == {f"{k}:0": v for k, v in lengths.items()}


def test_input_names_that_cannot_name_a_node() -> None:
    nodes = [helper.make_node("Relu", ["input:0"], ["y"])]
    graph = imported(model_of(nodes, [info("input:0", (2,))], [info("y", (2,))]))
    assert [v.producer.name for v in graph.inputs] == ["input_0"]


def test_an_input_with_a_default_is_a_constant() -> None:
    weight = numpy_helper.from_array(np.array([1, 2], np.float32), "w")
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    graph = imported(model_of(nodes, [info("x", (2,)), info("w", (2,))], [info("y", (2,))], [weight]))
    np.testing.assert_array_equal(prepare(graph).run({"x": np.zeros(2, np.float32)})["y"], [1, 2])


def test_a_long_chain() -> None:
    nodes = [helper.make_node("Neg", [f"t{i}"], [f"t{i + 1}"]) for i in range(5000)]
    graph = from_onnx(model_of(nodes, [info("t0", (2,))], [info("t5000", (2,))]))
    assert len(graph) == 5001


def test_expand_as_torch_writes_it() -> None:
    """A -1 of ``expand`` becomes ``Where(shape == -1, 1, shape)`` on a vector computed from a shape."""
    make = helper.make_node
    ints = {"zero": [0], "minus": [-1, -1, -1]}
    nodes = [
        make("Shape", ["x"], ["s"]),
        make("Gather", ["s", "zero"], ["n"], axis=0),
        make("Concat", ["n", "minus2"], ["wanted"], axis=0),
        make("ConstantOfShape", ["three"], ["ones"], value=helper.make_tensor("v", TensorProto.INT64, [1], [1])),
        make("Equal", ["wanted", "minus"], ["open"]),
        make("Where", ["open", "ones", "wanted"], ["shape"]),
        make("Expand", ["one_row", "shape"], ["y"]),
    ]
    initializers = [
        *(numpy_helper.from_array(np.array(v, np.int64), k) for k, v in ints.items()),
        numpy_helper.from_array(np.array([-1, -1], np.int64), "minus2"),
        numpy_helper.from_array(np.array([3], np.int64), "three"),
        numpy_helper.from_array(np.ones((1, 4, 5), np.float32), "one_row"),
    ]
    graph = imported(model_of(nodes, [info("x", ("batch", 2))], [info("y", (None, None, None))], initializers))
    assert [str(d) for d in graph.outputs["y"].type.shape] == ["batch", "4", "5"]
    assert prepare(graph).run({"x": np.ones((7, 2), np.float32)})["y"].shape == (7, 4, 5)


@pytest.mark.parametrize("how", ["raw", "fields", "value_floats", "value_ints"])
def test_constants_in_all_forms(how: str) -> None:
    array = np.array([1, 2, 3], np.int64 if how == "value_ints" else np.float32)
    if how == "raw":
        node = helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(array))
    elif how == "fields":
        node = helper.make_node("Constant", [], ["y"], value=helper.make_tensor("v", TensorProto.FLOAT, [3], [1, 2, 3]))
    else:
        node = helper.make_node("Constant", [], ["y"], **{how: array.tolist()})
    kind = TensorProto.INT64 if how == "value_ints" else TensorProto.FLOAT
    np.testing.assert_array_equal(prepare(imported(model_of([node], [], [info("y", (3,), kind)]))).run({})["y"], array)


# -- ONNX's own tests of single operators -----------------------------------------------------------------------------

EXCLUDED = {
    r"FLOAT8|FLOAT4|INT4|INT2|BFLOAT16|bfloat16|_bf16|e8m0|E8M0": "a dtype that graphc does not have",
    r"string|sequence|optional|identity_opt": "not tensors of numbers",
    r"dropout.*training|training_dropout": "training",
    r"argmax_2d_precomputed": "MaxPool's indices",
    r"maxpool_2d_uint8": "pooling of integers",
    r"averagepool.*dilations": "a mean over a dilated window",
    r"averagepool.*ceil_last_window|count_include_pad_is_1_ceil": "ceil_mode together with count_include_pad",
    r"wrap_pad": "Pad's mode 'wrap'",
    r"scatter_elements": "scattering that does not add",
    r"batchnorm.*training": "training",
    r"attention.*fp16_expanded": "the wanted numbers were computed with another rounding of float16",
    r"peepholes": "peepholes, which the IR does not have",
    r"layer_normalization_(?!.*expanded)": "further results that the IR does not have",
    r"_resize_(?!upsample_scales_(linear|cubic_A_n0p5_exclude_outside)$)": "positions that graphc's Resize does not have",
}


def array_of(x: Any) -> Array:
    return numpy_helper.to_array(x) if isinstance(x, TensorProto) else np.asarray(x)


def with_an_opset_that_is_read(model: ModelProto) -> bool:
    """Set an opset from 18 to 26 at which every operator is what it is in the model; False where there is none."""
    (entry,) = [o for o in model.opset_import if o.domain == ""]
    target = min(max(entry.version, min(IR_VERSION)), max(IR_VERSION))
    for op in {node.op_type for node in model.graph.node}:
        versions = {onnx.defs.get_schema(op, v, "").since_version for v in (entry.version, target)}
        if len(versions) > 1:
            return False
    entry.version = target
    return True


def fix_shape_inputs(model: ModelProto, inputs: list[Array]) -> set[int]:
    """Make initializers of the inputs that say axes, shapes and the like; gives their places."""
    ops = [node.op_type for node in model.graph.node]
    if len(ops) == 1 and ops[0] in ("Where", "Gather", "And", "Or", "Xor", "BitShift"):
        return set()
    makes = ops == ["ConstantOfShape"] or ("Range" in ops and all(x.ndim == 0 for x in inputs))
    fixed = {
        i
        for i, x in enumerate(inputs)
        if makes
        or (i and (x.ndim == 0 or (x.ndim == 1 and x.dtype in (np.int64, np.bool_))))
        or (i and ops == ["Resize"])
    }
    for i in fixed:
        model.graph.initializer.append(numpy_helper.from_array(inputs[i], model.graph.input[i].name))
    return fixed


def standard_cases() -> list[Any]:
    return [
        case
        for case in collect_testcases(None)
        if case.model is not None
        and all(n.op_type in IMPORT_ROWS and n.domain == "" for n in case.model.graph.node)
        and all(o.domain == "" for o in case.model.opset_import)
    ]


def test_onnx_node_tests(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()
    problems = []
    for case in standard_cases():
        model = ModelProto()
        model.CopyFrom(case.model)
        reason = next((why for pattern, why in EXCLUDED.items() if re.search(pattern, case.name)), "")
        if reason or not with_an_opset_that_is_read(model):
            counts[reason or "an operator that changed after opset 26 or before 18"] += 1
            continue
        for inputs, outputs in case.data_sets:
            arrays = [array_of(x) for x in inputs]
            fixed = fix_shape_inputs(model, arrays)
            try:
                graph = imported(model)
                names = [v.producer.name for v in graph.inputs]
                found = prepare(graph).run(
                    dict(zip(names, [x for i, x in enumerate(arrays) if i not in fixed], strict=True))
                )
                for got, want in zip(found.values(), map(array_of, outputs), strict=True):
                    assert (got.dtype, got.shape) == (want.dtype, want.shape)
                    np.testing.assert_allclose(got, want, rtol=case.rtol, atol=case.atol)
            except (GraphcError, AssertionError) as error:
                problems.append(f"{case.name}: {' '.join(str(error).split())[:200]}")
        counts["passed"] += 1
    with capsys.disabled():
        print(f"\nONNX node tests: {dict(counts)}")
    assert not problems, "\n".join(problems)
    assert set(EXCLUDED.values()) <= counts.keys()
    assert counts["passed"] > 600


# -- what is refused --------------------------------------------------------------------------------------------------


def relu(**changes: Any) -> ModelProto:
    node = helper.make_node("Relu", ["x"], ["y"], name="act", **changes)
    return model_of([node], [info("x", (2,))], [info("y", (2,))])


def with_initializer(**fields: Any) -> ModelProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2])
    for key, value in fields.items():
        if key == "dims":
            tensor.dims[:] = value
        elif key == "external":
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=value)
        else:
            setattr(tensor, key, value)
    node = helper.make_node("Add", ["x", "w"], ["y"])
    return model_of([node], [info("x", (2,))], [info("y", (2,))], [tensor])


def a_cycle() -> ModelProto:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    return model_of(nodes, [info("x", (2,))], [info("b", (2,))])


def an_if() -> ModelProto:
    branch = helper.make_graph([helper.make_node("Constant", [], ["z"], value_float=1.0)], "b", [], [info("z", ())])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    return model_of([node], [info("c", (), TensorProto.BOOL)], [info("y", ())])


def a_function() -> ModelProto:
    body = helper.make_function(
        "f", "F", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [helper.make_opsetid("", 21)]
    )
    return model_of([helper.make_node("Relu", ["x"], ["y"])], [info("x", (2,))], [info("y", (2,))], functions=[body])


def another_domain() -> ModelProto:
    model = relu()
    model.graph.node[0].domain = "com.example"
    model.opset_import.add(domain="com.example", version=1)
    return model


def twice(field: str) -> ModelProto:
    model = with_initializer(raw_data=bytes(8))
    values = getattr(model.graph, field)
    values.add().CopyFrom(values[0])
    return model


def a_wrong_attribute() -> ModelProto:
    model = relu()
    model.graph.node[0].op_type = "LeakyRelu"
    model.graph.node[0].attribute.append(helper.make_attribute("alpha", "high"))
    return model


def shape_from_data() -> ModelProto:
    node = helper.make_node("Reshape", ["x", "s"], ["y"], name="view")
    return model_of([node], [info("x", (4,)), info("s", (2,), TensorProto.INT64)], [info("y", (None, None))])


def sparse() -> ModelProto:
    model = relu()
    model.graph.sparse_initializer.add()
    return model


REFUSED: dict[str, tuple[Callable[[], ModelProto], str]] = {
    "cycle": (a_cycle, "topologically sorted"),
    "if": (an_if, "graph of its own"),
    "function": (a_function, "functions"),
    "domain": (another_domain, "'com.example'"),
    "impossible_constant": (
        lambda: model_of(
            [helper.make_node("Pow", ["two", "minus"], ["n"], name="p"),
             helper.make_node("ConstantOfShape", ["n"], ["y"])],
            [], [info("y", (None,))],
            [numpy_helper.from_array(np.array([v], np.int64), k) for k, v in (("two", 2), ("minus", -1))],
        ), "powers"
    ),
    "too_many_results": (
        lambda: model_of(
            [helper.make_node("Split", ["x"], ["y"], num_outputs=2**40)], [info("x", (4,))], [info("y", (4,))]
        ), "has 1 results"
    ),
    "too_many_elements": (
        lambda: model_of(
            [helper.make_node("ConstantOfShape", ["n"], ["y"])], [], [info("y", (None, None))],
            [numpy_helper.from_array(np.array([2**40, 2**40], np.int64), "n")],
        ), "elements"
    ),
    "sparse": (sparse, "sparse"),
    "opset_too_old": (lambda: model_of([], opset=11), "opsets 18 to 26"),
    "opset_too_new": (lambda: model_of([], opset=99), "opsets 18 to 26"),
    "no_opset": (ModelProto, "none"),
    "unknown_op": (
        lambda: model_of([helper.make_node("Det", ["x"], ["y"])], [info("x", (2, 2))], [info("y", ())]),
        "(Det): this operator has no form",
    ),
    "twice_made": (lambda: twice("node"), "'y' is made twice"),
    "two_inputs": (lambda: twice("input"), "'x' is made twice"),
    "two_initializers": (lambda: twice("initializer"), "'w' is made twice"),
    "wrong_attribute": (a_wrong_attribute, "alpha"),
    "shape_from_data": (shape_from_data, "node 'view' (Reshape): input 1 (shape) must be a constant"),
    "data_missing": (with_initializer, "w"),
    "data_too_short": (lambda: with_initializer(raw_data=bytes(7)), "w"),
    "data_too_long": (lambda: with_initializer(raw_data=bytes(12)), "w"),
    "negative_length": (lambda: with_initializer(dims=[-2], raw_data=bytes(8)), "w"),
    "huge": (lambda: with_initializer(dims=[2**40, 2**40], raw_data=bytes(8)), "w"),
    "no_dtype": (lambda: with_initializer(data_type=0, raw_data=bytes(8)), "w"),
    "bfloat16": (lambda: with_initializer(data_type=TensorProto.BFLOAT16, raw_data=bytes(4)), ""),
    "external_without_folder": (lambda: with_initializer(external="w.bin"), "'w'"),
    "negative_dim": (
        lambda: model_of([helper.make_node("Relu", ["x"], ["y"])], [info("x", (-3,))], [info("y", (-3,))]), "negative"
    ),
    "no_rank": (
        lambda: model_of([helper.make_node("Relu", ["x"], ["y"])], [info("x", None)], [info("y", None)]), "'shape'"
    ),
    "string": (
        lambda: model_of(
            [helper.make_node("Identity", ["x"], ["y"])],
            [info("x", (1,), TensorProto.STRING)],
            [info("y", (1,), TensorProto.STRING)],
        ),
        "no dtype STRING",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, words = REFUSED[name]
    for source in (make(), make().SerializeToString()):
        with pytest.raises(ModelFileError) as caught:
            from_onnx(source)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
    (tmp_path / "m.onnx").write_bytes(make().SerializeToString())
    with pytest.raises(ModelFileError) as caught:
        from_onnx(tmp_path / "m.onnx")
    assert str(caught.value).startswith(str(tmp_path / "m.onnx"))


@pytest.mark.parametrize(
    "location", ["../w.bin", "/etc/hostname", "sub/w.bin", "..", "", "a\\b", "none.bin", "link.bin"]
)
def test_external_data_stay_in_the_folder(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    for path in (tmp_path / "w.bin", folder / "sub" / "w.bin"):
        path.write_bytes(bytes(8))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "m.onnx").write_bytes(with_initializer(external=location).SerializeToString())
    with pytest.raises(ModelFileError, match="tensor 'w'"):
        from_onnx(folder / "m.onnx")


@pytest.mark.parametrize(("key", "value"), [("length", "4"), ("length", "-8"), ("offset", "4"), ("offset", "1e3")])
def test_external_data_of_a_wrong_size(key: str, value: str, tmp_path: Path) -> None:
    model = with_initializer(external="w.bin")
    model.graph.initializer[0].external_data.add(key=key, value=value)
    (tmp_path / "w.bin").write_bytes(bytes(8))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="tensor 'w'"):
        from_onnx(tmp_path / "m.onnx")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        from_onnx(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match="not a regular file"):
        from_onnx(tmp_path)


def test_damaged_bytes_are_refused_or_run() -> None:
    """Whatever a byte does to a file, the importer gives a graph or a `ModelFileError` of one line."""
    graph = Graph("g")
    b = Builder(graph, OPS)
    x = b.input("x", TensorType.of("float32", ("batch", 6)))
    y = b.emit("Reshape", x, shape=(x.type.shape[0] * 2, 3))
    graph.outputs["y"] = b.emit("Add", b.emit("Relu", y), b.constant(np.arange(3, dtype=np.float32)))
    content = to_onnx(graph).SerializeToString()
    rng = np.random.default_rng(0)
    damaged = [content[: int(cut)] for cut in rng.integers(0, len(content), 40)]
    for _ in range(260):
        changed = bytearray(content)
        changed[int(rng.integers(len(content)))] = int(rng.integers(256))
        damaged.append(bytes(changed))
    messages = []
    for each in damaged:
        try:
            imported(each)
        except ModelFileError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not [message for message in messages if "\n" in message]
