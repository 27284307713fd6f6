"""The protobuf messages of an ONNX graph, made from the IR's types and from what rows say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, defs, helper

from graphc.errors import ExportError
from graphc.ir import dtypes
from graphc.ir.types import TensorType


@cache
def attribute_kinds(op: str, opset: int) -> Mapping[str, str]:
    """The attributes of an operator at an opset, with their kinds ("INT", "FLOATS" ...).

    Raises:
        ExportError: the operator does not exist there.
    """
    try:
        schema = defs.get_schema(op, opset, "")
    except defs.SchemaError:
        since = _first_opset(op)
        if since is None:
            raise ExportError(f"ONNX has no operator {op!r}") from None
        raise ExportError(
            f"ONNX has {op!r} from opset {since} on; this export writes opset {opset}, so choose {since} or higher"
        ) from None
    if schema.deprecated:
        raise ExportError(f"ONNX deprecated {op!r} before opset {opset}")
    return {name: str(attribute.type).rpartition(".")[2] for name, attribute in schema.attributes.items()}


def _first_opset(op: str) -> int | None:
    every = defs.get_all_schemas_with_history()
    return min((schema.since_version for schema in every if schema.name == op and not schema.domain), default=None)


def make_node(
    op: str, inputs: Sequence[str], outputs: Sequence[str], name: str, attributes: Mapping[str, Any], opset: int
) -> NodeProto:
    """An ONNX node. Attributes that are None are left out; the others are written in order of their names.

    Raises:
        ExportError: the operator or one of the attributes does not exist at this opset.
    """
    kinds = attribute_kinds(op, opset)
    node = NodeProto(op_type=op, input=inputs, output=outputs, name=name)
    for key in sorted(attributes):
        value = attributes[key]
        if value is None:
            continue
        if key not in kinds:
            raise ExportError(f"ONNX's {op!r} has no attribute {key!r} at opset {opset}; it has {sorted(kinds)}")
        node.attribute.append(_attribute(key, kinds[key], value))
    return node


def _attribute(name: str, kind: str, value: Any) -> AttributeProto:
    attribute = AttributeProto(name=name, type=AttributeProto.AttributeType.Value(kind))
    match kind:
        case "INT":
            attribute.i = dtype_number(value) if isinstance(value, str) else int(value)
        case "FLOAT":
            attribute.f = float(value)
        case "STRING":
            attribute.s = value.encode()
        case "INTS":
            attribute.ints.extend(int(v) for v in value)
        case "FLOATS":
            attribute.floats.extend(float(v) for v in value)
        case "STRINGS":
            attribute.strings.extend(v.encode() for v in value)
        case "TENSOR":
            array = np.asarray(value)
            tensor = TensorProto(data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
            tensor.raw_data = array.astype(array.dtype.newbyteorder("<")).tobytes()
            attribute.t.CopyFrom(tensor)
        case "GRAPH" if isinstance(value, GraphProto):
            attribute.g.CopyFrom(value)
        case _:
            raise ExportError(f"attribute {name!r} is of ONNX's kind {kind}, which no row can write")
    return attribute


def dtype_number(dtype: str) -> int:
    """ONNX's number of an IR dtype."""
    return helper.np_dtype_to_tensor_dtype(dtypes.numpy_dtype(dtype))


def make_value_info(name: str, type_: TensorType) -> ValueInfoProto:
    """The name and type of a tensor: ``dim_value`` for integers, ``dim_param`` for names and expressions."""
    info = ValueInfoProto(name=name)
    tensor = info.type.tensor_type
    tensor.elem_type = dtype_number(type_.dtype)
    tensor.shape.SetInParent()  # a scalar has a shape without dims, which is not the same as no shape
    for dim in type_.shape:
        if isinstance(dim, str):
            tensor.shape.dim.add().dim_param = str(dim)
        else:
            tensor.shape.dim.add().dim_value = dim
    return info
