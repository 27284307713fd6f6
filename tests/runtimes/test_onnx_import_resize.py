"""Resize nodes made by hand, as other exporters write them: read and run as ONNX Runtime runs them, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphc.errors import ModelFileError
from graphc.runtimes.numpy_runtime import prepare
from graphc.runtimes.onnx_import import from_onnx

onnx = pytest.importorskip("onnx")

Array = np.ndarray[Any, Any]
HALF_PIXEL = {"coordinate_transformation_mode": "half_pixel"}
REPEATED = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
CUBIC = {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1}


def resize_model(
    shape: tuple[Any, ...], scales: list[float] | None = None, sizes: list[int] | None = None, **attributes: Any
) -> Any:
    """A model of one Resize of ``x``."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    operands, names = [], ["x", "", ""]
    if scales is not None:
        operands.append(onnx.numpy_helper.from_array(np.asarray(scales, np.float32), "scales"))
        names[2] = "scales"
    if sizes is not None:
        operands.append(onnx.numpy_helper.from_array(np.asarray(sizes, np.int64), "sizes"))
        names.append("sizes")
    x = helper.make_tensor_value_info("x", floats, shape)
    y = helper.make_tensor_value_info("y", floats, [None] * len(shape))
    graph = helper.make_graph([helper.make_node("Resize", names, ["y"], **attributes)], "g", [x], [y], operands)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


READ: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("n", 3, 4, 5), {"scales": [1, 1, 2, 3], **REPEATED}),
    (("n", 3, "h", "w"), {"scales": [1, 1, 2, 2], **REPEATED}),
    (("n", 3, 4, 5), {"sizes": [2, 3, 8, 5], **REPEATED}),
    (("n", 4, 5), {"scales": [3, 2], "axes": [1, -1], **REPEATED}),
    (("n", 3, 4, 5), {"sizes": [3, 9], "axes": [2, 3], "nearest_mode": "round_prefer_ceil", **HALF_PIXEL}),
    (("n", 3, 4, 5), {"sizes": [3, 9], "axes": [2, 3], "mode": "linear"}),
    (("n", 3, 6, 5), {"scales": [1, 1, 2 / 3, 2], "mode": "linear", **HALF_PIXEL}),
    (("n", 3, "h", "w"), {"scales": [1, 1, 2, 3], "mode": "linear", **HALF_PIXEL}),
    (("n", 3, 4, 5), {"sizes": [8, 3], "axes": [2, 3], "mode": "linear",
                      "coordinate_transformation_mode": "pytorch_half_pixel"}),
    (("n", 3, 4, 5), {"scales": [1, 1, 2, 3], **CUBIC}),
    (("n", 3, 4, 5), {"sizes": [4, 5], "axes": [2, 3], **CUBIC}),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "options"), READ)
def test_is_read_as_onnx_runtime_runs_it(shape: tuple[Any, ...], options: dict[str, Any]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "sizes" in options and "axes" not in options:
        shape = (2, *shape[1:])  # sizes name every length
    model = resize_model(shape, **options)
    x = np.random.default_rng(0).standard_normal([{"n": 2, "h": 6, "w": 3}.get(d, d) for d in shape]).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = prepare(from_onnx(model)).run({"x": x})["y"]
    np.testing.assert_allclose(found, session.run(None, {"x": x})[0], rtol=1e-5, atol=1e-5)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"scales": [1, 1, 2, 2]}, "'nearest' with coordinate_transformation_mode 'half_pixel'"),
    ({"scales": [1, 1, 1.5, 2], **REPEATED}, "'nearest'"),
    ({"scales": [1, 1, 1.3, 2], "mode": "linear"}, "4 times the scale 1.29.* is no whole number"),
    ({"scales": [1, 1, 2, 2], "mode": "linear", "coordinate_transformation_mode": "align_corners"}, "'align_corners'"),
    ({"scales": [1, 1, 2, 2], "mode": "linear", "antialias": 1}, "'linear'"),
    ({"scales": [1, 1, 2, 2], "mode": "cubic"}, "'cubic'"),
    ({"scales": [2, 2], "mode": "linear"}, "rank of input"),
    ({"sizes": [2, 3, 4, 0], "mode": "linear"}, "positive length"),
    ({"sizes": [8, 8], "axes": [2, 3], "mode": "linear", "keep_aspect_ratio_policy": "not_larger"}, "aspect_ratio"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_other_forms_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        from_onnx(resize_model((2, 3, 4, 5), **options))


def test_an_empty_axis_cannot_be_resized() -> None:
    with pytest.raises(ModelFileError, match="Resize"):
        from_onnx(resize_model((2, 3, 0, 5), sizes=[2, 3, 4, 5], **REPEATED))
