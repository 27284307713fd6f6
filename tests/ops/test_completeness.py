"""Every op has all its faces, and every kernel, ONNX row and case belongs to an op."""

from __future__ import annotations

from collections import Counter
from importlib import import_module

import pytest
from cases import CASES

from graphc.ops.opdef import NotDifferentiable, OpDef, Trait
from graphc.ops.registry import OPS
from graphc.runtimes.np_kernels import KERNELS
from graphc.runtimes.onnx_rows import ROWS

FAMILIES = (
    "activation",
    "bitwise",
    "comparison",
    "convolution",
    "elementwise",
    "linalg",
    "movement",
    "normalization",
    "pooling",
    "random",
    "recurrent",
    "reduction",
    "resize",
    "scan",
    "select",
    "softmax",
    "source",
)
# By name, because `graphc.ops.softmax` is both a family and, as in Keras, a function.
FAMILY_OF = {op.name: family for family in FAMILIES for op in import_module(f"graphc.ops.{family}").OPS}
COUNT = Counter(case.op for case in CASES)
ENOUGH = 5  # cases of an op with a gradient


def missing_faces(op: OpDef) -> list[str]:
    """What an op lacks, each with the file to add it to."""
    family = FAMILY_OF[op.name]
    reason = op.vjp.reason if isinstance(op.vjp, NotDifferentiable) else None
    faces = {
        f"a one-line doc in graphc/ops/{family}.py": bool(op.doc.strip()) and "\n" not in op.doc,
        f"a VJP, or the reason why there is none, in graphc/ops/{family}.py": reason != "",
    }
    # The plan and the exporter place leaves themselves.
    if Trait.SOURCE not in op.traits:
        needed = ENOUGH if reason is None else 1
        faces[f"a kernel in runtimes/np_{family}.py"] = op.name in KERNELS
        faces[f"a row in runtimes/onnx_{family}.py"] = op.name in ROWS
        faces[f"{needed} case(s) in tests/op_cases/{family}.py (it has {COUNT[op.name]})"] = COUNT[op.name] >= needed
    return [face for face, present in faces.items() if not present]


@pytest.mark.parametrize("name", sorted(OPS))
def test_op_has_every_face(name: str) -> None:
    missing = missing_faces(OPS[name])
    assert not missing, f"op {name} lacks " + "; ".join(missing)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("a kernel in graphc.runtimes.np_kernels.KERNELS", set(KERNELS)),
        ("a row in graphc.runtimes.onnx_rows.ROWS", set(ROWS)),
        ("a case in tests/cases.py", set(COUNT)),
    ],
)
def test_face_belongs_to_an_op(where: str, names: set[str]) -> None:
    unknown = sorted(names - set(OPS))
    assert not unknown, f"{where} names ops that do not exist: {', '.join(unknown)}"


def test_families_are_the_whole_table() -> None:
    assert set(FAMILY_OF) == set(OPS)


def test_a_missing_face_is_named_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(KERNELS, "Relu")
    assert missing_faces(OPS["Relu"]) == ["a kernel in runtimes/np_activation.py"]
