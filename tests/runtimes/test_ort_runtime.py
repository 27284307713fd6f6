"""The ONNX Runtime runtime: running, states, what it refuses, and what is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from graphc.errors import (
    ArgumentError,
    DTypeError,
    ExecutionError,
    GraphError,
    MissingDependencyError,
    ModelFileError,
    ShapeError,
)
from graphc.ir.builder import Builder
from graphc.ir.graph import Graph, Origin
from graphc.ir.types import TensorType
from graphc.ops.registry import OPS
from graphc.runtimes import ort_runtime
from graphc.runtimes.base import Executable, Runtime
from graphc.runtimes.onnx_export import save_onnx, to_onnx
from graphc.runtimes.ort_runtime import OrtExecutable, describe, prepare, providers, release_sessions

ort = pytest.importorskip("onnxruntime")

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def _no_sessions_left() -> Iterator[None]:
    release_sessions()
    yield
    release_sessions()


def f32(*shape: object) -> TensorType:
    return TensorType.of("float32", shape)


def new_graph() -> tuple[Graph, Builder]:
    graph = Graph("net")
    return graph, Builder(graph, OPS)


def linear() -> tuple[Graph, dict[str, Array]]:
    """``y = x @ kernel + bias``; the kernel is large enough to be handed over from memory."""
    graph, b = new_graph()
    x = b.input("x", f32("batch", 300))
    with b.origin(Origin("dense")):
        graph.outputs = {
            "y": b.emit(
                "Add",
                b.emit("MatMul", x, b.state("dense/kernel", f32(300, 7))),
                b.state("dense/bias", f32(7)),
            )
        }
    rng = np.random.default_rng(1)
    return graph, {n: rng.normal(size=v.type.shape).astype(np.float32) for n, v in graph.states().items()}


def counter() -> Graph:
    """A step that counts by ``x``; ``seen`` is written only, ``fixed`` is read only."""
    graph, b = new_graph()
    x = b.input("x", f32(2))
    total, fixed = b.state("total", f32(2)), b.state("fixed", f32(2))
    new = b.emit("Add", total, b.emit("Mul", x, fixed))
    graph.outputs = {"before": total, "after": new}
    graph.updates = {"total": new, "seen": x}
    return graph


COUNTER_STATE: dict[str, Array] = {"total": np.float32([0, 0]), "fixed": np.float32([1, 10])}


# --- running ----------------------------------------------------------------------------------------------------------


def test_it_is_a_runtime() -> None:
    runtime: Runtime = ort_runtime  # mypy checks the protocols
    graph, state = linear()
    executable: Executable = runtime.prepare(graph, state)
    assert isinstance(executable, OrtExecutable)


@pytest.mark.parametrize("optimization", ["all", "basic", "off"])
def test_a_graph_runs(optimization: str) -> None:
    graph, state = linear()
    executable = prepare(graph, state, optimization=optimization, threads=1)
    assert executable.outputs == ("y",)
    assert str(executable.inputs["x"]) == "float32[batch, 300]"
    x = np.random.default_rng(2).normal(size=(5, 300)).astype(np.float32)
    result = executable.run({"x": x})
    assert list(result) == ["y"]
    expected = x @ state["dense/kernel"] + state["dense/bias"]
    np.testing.assert_allclose(result["y"], expected, rtol=1e-5, atol=1e-4)
    assert executable.run({"x": x[:0]})["y"].shape == (0, 7)


def test_states_of_a_session_are_a_snapshot() -> None:
    graph, state = linear()
    executable = prepare(graph, state)
    x = np.ones((1, 300), np.float32)
    before = executable.run({"x": x})["y"]
    state["dense/kernel"][:] = 0
    np.testing.assert_array_equal(executable.run({"x": x})["y"], before)
    assert executable.state == {}


def test_feeds_of_any_layout() -> None:
    graph, state = linear()
    executable = prepare(graph, state)
    x = np.asfortranarray(np.random.default_rng(2).normal(size=(6, 600)).astype(np.float32))[::2, ::2]
    expected = executable.run({"x": np.ascontiguousarray(x)})["y"]
    np.testing.assert_array_equal(executable.run({"x": x})["y"], expected)
    np.testing.assert_array_equal(executable.run({"x": x.astype(">f4")})["y"], expected)


def test_a_scalar_goes_in_and_comes_out() -> None:
    graph, b = new_graph()
    graph.outputs = {"y": b.emit("Add", b.input("x", f32()), b.constant(np.float32(1)))}
    result = prepare(graph).run({"x": np.float32(2)})["y"]
    assert isinstance(result, np.ndarray)
    assert (result.shape, result.item()) == ((), 3)


def test_wrong_feeds_are_refused_before_they_reach_onnx_runtime() -> None:
    graph, state = linear()
    executable = prepare(graph, state)
    with pytest.raises(ArgumentError, match=r"No value was given for input 'x' \(float32\[batch, 300\]\)"):
        executable.run({})
    with pytest.raises(ArgumentError, match="There is no input 'X'"):
        executable.run({"X": 1})
    with pytest.raises(DTypeError, match=r"got float64\[1, 300\]; convert it with .astype\('float32'\)"):
        executable.run({"x": np.zeros((1, 300))})
    with pytest.raises(ShapeError, match="axis 1 must be 300, not 299"):
        executable.run({"x": np.zeros((1, 299), np.float32)})


def test_a_failing_node_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    graph, b = new_graph()
    x, y = b.input("x", f32("n")), b.input("y", f32("m"))
    with b.origin(Origin("sum/layer")):
        graph.outputs = {"z": b.emit("Add", x, y)}
    with pytest.raises(ExecutionError, match=r"ONNX Runtime failed in node 'sum/layer/Add': Attempting to broadcast"):
        prepare(graph).run({"x": np.zeros(2, np.float32), "y": np.zeros(3, np.float32)})
    assert capfd.readouterr() == ("", ""), "ONNX Runtime keeps quiet"


def test_a_graph_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, b = new_graph()
    x = b.input("x", TensorType("int16", (2,)))
    graph.outputs = {"y": b.emit("Max", x, x)}
    row = {"Max": lambda low: low.emit("Max", low.inputs, low.outputs)}  # ONNX Runtime has no such kernel for int16
    from graphc.runtimes import onnx_export

    monkeypatch.setattr(onnx_export, "ROWS", row)
    with pytest.raises(ExecutionError, match=r"cannot load graph 'net': Could not find an implementation for Max"):
        prepare(graph)


# --- states -----------------------------------------------------------------------------------------------------------


def test_states_are_carried_from_run_to_run() -> None:
    given = {name: a.copy() for name, a in COUNTER_STATE.items()}
    executable = prepare(counter(), given)
    assert executable.inputs.keys() == {"x"}
    assert executable.outputs == ("before", "after")
    total = np.zeros(2, np.float32)
    for step in range(20):
        x = np.float32([step, 1])
        result = executable.run({"x": x})
        np.testing.assert_array_equal(result["before"], total)
        total = total + x * np.float32([1, 10])
        np.testing.assert_array_equal(result["after"], total)
        np.testing.assert_array_equal(executable.state["total"], total)
        np.testing.assert_array_equal(executable.state["seen"], x)
        result["after"][:] = -1  # the caller's own: no state lives there
        executable.state["total"][:] = -1
    np.testing.assert_array_equal(executable.state["fixed"], [1, 10])
    np.testing.assert_array_equal(given["total"], COUNTER_STATE["total"])
    given["total"][:] = 99
    np.testing.assert_array_equal(executable.state["total"], total)


def test_an_update_that_is_the_state_of_another() -> None:
    graph, b = new_graph()
    one, other = b.state("one", f32(3)), b.state("other", f32(3))
    graph.outputs = {"sum": b.emit("Add", one, other)}
    graph.updates = {"one": other, "other": one}  # they change places
    executable = prepare(graph, {"one": np.float32([1, 2, 3]), "other": np.float32([4, 5, 6])})
    for _ in range(3):
        assert executable.run({})["sum"].tolist() == [5, 7, 9]
    assert {k: v.tolist() for k, v in executable.state.items()} == {"one": [4, 5, 6], "other": [1, 2, 3]}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint32", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,)], ids=str)
def test_states_of_many_dtypes_and_shapes(dtype: str, shape: tuple[int, ...]) -> None:
    graph, b = new_graph()
    type_ = TensorType(dtype, shape)
    state = b.state("s", type_)
    graph.outputs = {"y": b.emit("Identity", state)}
    graph.updates = {"s": b.input("x", type_)}
    ones, zeros = np.ones(shape, dtype), np.zeros(shape, dtype)
    executable = prepare(graph, {"s": zeros})
    for fed, expected in ((ones, zeros), (zeros, ones), (ones, zeros)):
        result = executable.run({"x": fed})["y"]
        assert (result.dtype, result.shape) == (ones.dtype, shape)
        np.testing.assert_array_equal(result, expected)


def test_states_are_checked() -> None:
    with pytest.raises(GraphError, match="State 'total' of graph 'net' has no array; pass it in `state`"):
        prepare(counter(), {"fixed": COUNTER_STATE["fixed"]})
    for wrong in (np.float32([1, 2, 3]), np.float64([1, 2])):
        with pytest.raises(GraphError, match=r"State 'total' must be float32\[2\]; its array is float"):
            prepare(counter(), COUNTER_STATE | {"total": wrong})
    graph, state = linear()
    with pytest.raises(GraphError, match=r"State 'dense/bias' .* has no array"):
        prepare(graph, {"dense/kernel": state["dense/kernel"]})


# --- models and files -------------------------------------------------------------------------------------------------


def test_the_same_from_a_graph_a_model_bytes_and_a_file(tmp_path: Path) -> None:
    graph, state = linear()
    model = to_onnx(graph, state)
    path = tmp_path / "m.onnx"
    (tmp_path / "apart").mkdir()
    save_onnx(graph, path, state)
    save_onnx(graph, tmp_path / "apart" / "m.onnx", state, external_threshold=0)
    x = np.random.default_rng(2).normal(size=(5, 300)).astype(np.float32)
    sources: list[Any] = [model, model.SerializeToString(), path, str(path), tmp_path / "apart" / "m.onnx"]
    results = [prepare(graph, state).run({"x": x})] + [prepare(source).run({"x": x}) for source in sources]
    for result in results:
        np.testing.assert_array_equal(result["y"], results[0]["y"])
    assert prepare(path).state == {}


def test_the_same_content_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    make = ort_runtime._make_session

    def counting(*arguments: Any) -> Any:
        made.append(arguments[0])
        return make(*arguments)

    monkeypatch.setattr(ort_runtime, "_make_session", counting)
    graph, state = linear()
    path, twin = tmp_path / "m.onnx", tmp_path / "twin.onnx"
    save_onnx(graph, path, state)
    save_onnx(graph, twin, state)
    x = np.ones((1, 300), np.float32)
    first = prepare(path).run({"x": x})["y"]
    prepare(path)
    prepare(twin)
    prepare(path.read_bytes())
    assert len(made) == 1
    prepare(path, threads=1)
    assert len(made) == 2, "other options are another session"
    save_onnx(graph, path, {name: 2 * a for name, a in state.items()})
    np.testing.assert_allclose(prepare(path).run({"x": x})["y"], 2 * first, rtol=1e-5)
    assert len(made) == 3, "a changed file is loaded anew"
    for threads in range(2, 8):
        prepare(path, threads=threads)
    assert len(ort_runtime._sessions) == ort_runtime.MAX_SESSIONS
    release_sessions()
    assert not ort_runtime._sessions


def test_a_changed_data_file_is_loaded_anew(tmp_path: Path) -> None:
    graph, state = linear()
    path, data = save_onnx(graph, tmp_path / "m.onnx", state, external_threshold=0)
    x = np.ones((1, 300), np.float32)
    before = prepare(path).run({"x": x})["y"]
    data.write_bytes(bytes(data.stat().st_size + 1))  # as another program may do
    after = prepare(path).run({"x": x})["y"]
    assert not np.allclose(before, after)
    data.unlink()
    with pytest.raises(ModelFileError, match=r"m.onnx' keeps weights in a file that cannot be read: .*No such file"):
        prepare(path)


def test_the_states_of_a_file() -> None:
    model = to_onnx(counter(), COUNTER_STATE)
    x = np.float32([1, 2])
    plain = prepare(model)
    assert plain.inputs.keys() == {"x", "total", "fixed"}
    assert not plain.inputs["total"].required, "it has a default"
    result = plain.run({"x": x})
    assert {k: v.tolist() for k, v in result.items()} == {
        "before": [0, 0],
        "after": [1, 20],
        "total:new": [1, 20],
        "seen:new": [1, 2],
    }
    assert plain.run({"x": x, "total": x})["after"].tolist() == [2, 22]
    carried = prepare(model, {"total": np.float32([5, 5])})
    assert carried.inputs.keys() == {"x", "fixed"}
    assert [carried.run({"x": x})["after"].tolist() for _ in range(2)] == [[6, 25], [7, 45]]
    assert carried.outputs == ("before", "after", "seen:new")
    for name in ("fixed", "nothing"):
        with pytest.raises(ArgumentError, match=f"'{name}' is not a state of the model: .* an output '{name}:new'"):
            prepare(model, {name: x})


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x0a", bytes(1000)])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"bad.onnx' cannot be loaded by ONNX Runtime: [A-Z]"):
        prepare(path)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_file(tmp_path: Path) -> None:
    graph, state = linear()
    path = tmp_path / "m.onnx"
    save_onnx(graph, path, state, external_threshold=0)
    whole = path.read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            prepare(path)


@pytest.mark.parametrize("name", ["nowhere.onnx", ".", "/dev/zero"])
def test_what_is_not_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match=r"Cannot read '.*': (it is not a file|No such file or directory)"):
        prepare(tmp_path / name)


def test_models_of_newer_versions_are_refused_with_the_reason() -> None:
    graph, state = linear()
    model = to_onnx(graph, state)
    model.ir_version = 99
    with pytest.raises(ModelFileError, match="Unsupported model IR version: 99"):
        prepare(model)
    model.ir_version, model.opset_import[0].version = 10, 99
    with pytest.raises(ModelFileError, match="till opset"):
        prepare(model)


def test_options_are_checked() -> None:
    graph, state = linear()
    for options, complaint in [
        ({"provider": "tpu"}, r"provider must be one of \['cpu', 'cuda'\]; got 'tpu'"),
        ({"threads": 0}, "threads must be None or a positive integer; got 0"),
        ({"optimization": "max"}, "optimization must be one of"),
        ({"provder": "cpu"}, "There is no option 'provder'. Did you mean \"provider\"?"),
    ]:
        with pytest.raises(ArgumentError, match=complaint):
            prepare(graph, state, **options)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="can be prepared; got int"):
        prepare(3)


# --- providers and packages -------------------------------------------------------------------------------------------


def fake_onnxruntime(
    available: list[str], used: list[str], version: str = "1.31.1", **more: Any
) -> tuple[SimpleNamespace, list[Any]]:
    """A stand-in for the package that says it can use ``available`` and whose sessions use ``used``."""
    calls: list[Any] = []

    class Session:
        def __init__(self, _model: Any, settings: Any, **options: Any) -> None:
            calls.append((settings, options))

        get_providers = staticmethod(lambda: used)
        get_inputs = get_outputs = get_overridable_initializers = staticmethod(list)

    fake = SimpleNamespace(
        __version__=version,
        __file__="/nowhere/onnxruntime/__init__.py",
        capi=ort.capi,
        InferenceSession=Session,
        SessionOptions=SimpleNamespace,
        GraphOptimizationLevel=ort.GraphOptimizationLevel,
        get_available_providers=lambda: available,
        set_default_logger_severity=calls.append,
        **more,
    )
    return fake, calls


CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@pytest.mark.skipif(CUDA in ort.get_available_providers(), reason="has CUDA")
def test_cuda_without_the_package_is_refused() -> None:
    graph, state = linear()
    with pytest.raises(
        MissingDependencyError,
        match=rf"is here without {CUDA} \(it has .*{CPU}\); install it with: .*pip install \"graphc\[gpu\]\"$",
    ):
        prepare(graph, state, provider="cuda")


def test_cuda_that_falls_back_to_the_cpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = fake_onnxruntime([CUDA, CPU], used=[CPU])
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    with pytest.raises(
        MissingDependencyError, match=rf"{CUDA} of ONNX Runtime 1.31.1 did not start: it needs an NVIDIA"
    ):
        prepare(b"model", provider="cuda")
    assert not ort_runtime._sessions


@pytest.mark.parametrize("tf32", [False, True])
def test_cuda_is_asked_for_by_name_and_without_tf32(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tf32: bool
) -> None:
    noisy = {"preload_dlls": lambda: print("Failed to load libcudnn")}
    fake, calls = fake_onnxruntime([CUDA, CPU], used=[CUDA, CPU], **noisy)
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    assert prepare(b"model", provider="cuda", device=1, tf32=tf32).provider == "cuda"
    quiet, (settings, options), loud = calls
    assert (quiet, loud) == (4, 2)
    assert options == {
        "providers": [(CUDA, {"device_id": "1", "use_tf32": str(int(tf32))}), CPU],
        "enable_fallback": 0,
    }
    assert settings.use_deterministic_compute is True
    assert capfd.readouterr() == ("", "")


def cuda_starts() -> bool:
    graph, state = linear()
    try:
        prepare(graph, state, provider="cuda")
    except MissingDependencyError:
        return False
    return True


@pytest.mark.skipif(CUDA not in ort.get_available_providers(), reason="needs onnxruntime-gpu")
@pytest.mark.skipif(CUDA in ort.get_available_providers() and cuda_starts(), reason="has a GPU")
def test_cuda_without_a_gpu_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    graph, state = linear()
    with pytest.raises(MissingDependencyError, match=r"did not start( \(lib\S+ is missing\))?: it needs"):
        prepare(graph, state, provider="cuda")
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not cuda_starts(), reason="needs a GPU")
def test_on_cuda() -> None:
    graph, state = linear()
    x = np.random.default_rng(2).normal(size=(5, 300)).astype(np.float32)
    expected = x @ state["dense/kernel"] + state["dense/bias"]
    result = prepare(graph, state, provider="cuda").run({"x": x})["y"]
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-4)
    steps = prepare(counter(), COUNTER_STATE, provider="cuda")
    assert [steps.run({"x": np.float32([1, 1])})["after"].tolist() for _ in range(3)] == [[1, 10], [2, 20], [3, 30]]
    assert steps.state["total"].tolist() == [3, 30]


def hide(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Finder:
        @staticmethod
        def find_spec(name: str, *_: Any) -> None:
            if name == "onnxruntime":
                raise error

    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime"),
            'ONNX Runtime is not installed; install it with: pip install "graphc[cpu]"',
        ),
        (
            ModuleNotFoundError("No module named 'flatbuffers'", name="flatbuffers"),
            "ONNX Runtime is installed but needs 'flatbuffers', which is not.",
        ),
        (
            ImportError("DLL load failed"),
            "ONNX Runtime is installed but does not load (DLL load failed); install it again with: "
            'pip install --force-reinstall "graphc[cpu]"',
        ),
    ],
)
def test_a_missing_package_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, error: ImportError, message: str) -> None:
    hide(monkeypatch, error)
    graph, state = linear()
    calls: list[tuple[Any, Mapping[str, Array]]] = [(graph, state), (b"model", {})]
    for source, values in calls:
        with pytest.raises(MissingDependencyError) as caught:
            prepare(source, values)
        assert str(caught.value) == message
    assert (describe().version, describe().providers, describe().problem) == ("", (), message)
    assert providers() == ()


@pytest.mark.parametrize(("version", "complaint"), [("1.19.2", "1.19.2 is too old, 1.20 or later"), ("", "is damaged")])
def test_a_package_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, version: str, complaint: str) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", fake_onnxruntime([CPU], [CPU], version)[0])
    with pytest.raises(MissingDependencyError, match=complaint):
        prepare(b"model")


def test_what_is_installed_is_described() -> None:
    found = describe()
    assert found.version == ort.__version__
    assert found.problem == ""
    assert CPU in found.providers
    assert any(name.startswith("onnxruntime") for name in found.packages)
    assert "cpu" in providers()


@pytest.mark.parametrize("rows", ["batch", 3])
def test_a_transposed_matrix_times_a_vector(rows: str | int) -> None:
    # ONNX Runtime 1.31 gets the plain form of this product wrong at full optimisation.
    b = Builder(Graph("g"), OPS)
    x, v = b.input("x", TensorType.of("float32", (4, rows))), b.input("v", TensorType.of("float32", (4,)))
    b.graph.outputs["y"] = b.emit("MatMul", b.emit("Transpose", x, perm=(1, 0)), v)
    rng = np.random.default_rng(0)
    feeds = {"x": rng.random((4, 3), dtype="float32"), "v": rng.random(4, dtype="float32")}
    np.testing.assert_allclose(prepare(b.graph).run(feeds)["y"], feeds["x"].T @ feeds["v"], rtol=1e-6)
