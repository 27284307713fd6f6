"""Files with LSTM, GRU and RNN: how their lists of numbers are read, and what is refused.

ONNX's own node tests of these operators, batch-first ones too, run in `test_onnx_import`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper

from graphc.errors import ModelFileError
from graphc.runtimes.numpy_runtime import prepare
from graphc.runtimes.onnx_import import from_onnx

INPUTS, HIDDEN = 3, 2
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def model(op: str, directions: int = 1, more: tuple[str, ...] = (), **attributes: Any) -> ModelProto:
    """One operator; ``more`` names further inputs, all of them of P's shape."""
    gates = GATES[op] * HIDDEN
    shapes: dict[str, tuple[Any, ...]] = {
        "X": ("time", "batch", INPUTS),
        "W": (directions, gates, INPUTS),
        "R": (directions, gates, HIDDEN),
        **{name: (directions, 3 * HIDDEN) for name in more if name},
    }
    node = helper.make_node(op, ["X", "W", "R", *more], ["Y", "last"], **attributes)
    graph = helper.make_graph(
        [node],
        "recurrent",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            helper.make_tensor_value_info("Y", TensorProto.FLOAT, ("time", directions, "batch", HIDDEN)),
            helper.make_tensor_value_info("last", TensorProto.FLOAT, (directions, "batch", HIDDEN)),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


MIXED = [
    ("LSTM", ["HardSigmoid", "Tanh", "LeakyRelu"], [0.3, 0.2], [0.4]),
    ("LSTM", ["Sigmoid", "ScaledTanh", "Elu"] + ["HardSigmoid", "Softsign", "Affine"], [1.2, 0.6, 0.3, 0.9],
     [0.7, 0.45, 0.1]),
    ("GRU", ["HardSigmoid", "ThresholdedRelu"], [0.25, 0.05], [0.5]),
    ("GRU", ["hardsigmoid", "RELU"], None, None),
    ("RNN", ["LeakyRelu"], None, None),
]  # fmt: skip


@pytest.mark.parametrize(("op", "names", "alpha", "beta"), MIXED)
def test_numbers_go_to_the_activations_that_onnx_runtime_gives_them(
    op: str, names: list[str], alpha: list[float] | None, beta: list[float] | None
) -> None:
    each = {"LSTM": 3, "GRU": 2, "RNN": 1}[op]
    directions = len(names) // each
    attributes: dict[str, Any] = {"hidden_size": HIDDEN, "activations": names}
    attributes |= {"direction": "bidirectional"} if directions == 2 else {}
    attributes |= {"activation_alpha": alpha} if alpha else {}
    attributes |= {"activation_beta": beta} if beta else {}
    proto = model(op, directions, **attributes)
    random = np.random.default_rng(0)
    gates = GATES[op] * HIDDEN
    shapes = {"X": (5, 4, INPUTS), "W": (directions, gates, INPUTS), "R": (directions, gates, HIDDEN)}
    feeds = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    found = prepare(from_onnx(proto)).run(feeds)
    for got, want in zip(found.values(), session.run(None, feeds), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("LSTM", {"clip": 1.0}, "clip is not read"),
    ("LSTM", {"input_forget": 1}, "input_forget is not read"),
    ("LSTM", {"layout": 2}, "layout must be 0 or 1; got 2"),
    ("LSTM", {"more": ("", "", "", "", "P")}, r"peepholes \(its input P\) are not read"),
    ("LSTM", {"activations": ["Sigmoid", "Tanh"]}, "activations must hold 3 names; it holds 2"),
    ("GRU", {"activations": ["Sigmoid", "Gelu"]}, "'Gelu'"),
    ("RNN", {"direction": "sideways"}, "'sideways'"),
]


@pytest.mark.parametrize(("op", "changes", "words"), REFUSED, ids=[f"{row[0]}-{i}" for i, row in enumerate(REFUSED)])
def test_what_the_ir_lacks_is_refused(op: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        from_onnx(model(op, **{"hidden_size": HIDDEN, **changes}))


def test_the_hidden_size_may_be_left_to_the_weights() -> None:
    (y, last) = from_onnx(model("GRU")).outputs.values()
    assert (y.type.shape[-1], last.type.shape[-1]) == (HIDDEN, HIDDEN)
