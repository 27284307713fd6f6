"""Reading an ONNX file that may come from anybody: what is refused before a node is looked at, and its arrays.

No part of a file is ever run. Data outside the model file are read only from a plain file name in the model's own
folder, and only as many bytes as the tensor's type says.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper
from onnx import shape_inference as inference

from graphc.errors import DTypeError, ModelFileError
from graphc.ir.dtypes import numpy_dtype, standardize_dtype
from graphc.ir.traversal import MAX_BODY_DEPTH
from graphc.runtimes.feeds import native
from graphc.runtimes.kernel import Array

MAX_FILE_BYTES = 2**31 - 1
"""The largest model file, which is what one protobuf message can hold; more weights go to an external file."""
OPSETS = range(18, 27)
"""The opsets that are read; graphc writes the same ones."""
STANDARD_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A checked model and where it comes from.

    Attributes:
        model: the message.
        name: for messages to the user.
        folder: where external data may lie; None for a model from memory, which may have none.
        path: the model file; None for a model from memory.
    """

    model: ModelProto
    name: str
    folder: str | None = None
    path: str | None = None


def read_model(source: ModelProto | bytes | str | os.PathLike[str]) -> ModelFile:
    """Read and check a model.

    Raises:
        ModelFileError: it is not an ONNX model, breaks ONNX's rules, or holds what graphc does not read.
    """
    file = _parsed(source)
    try:
        _refuse_what_is_not_read(file.model)
        _check(file)
    except ModelFileError as error:
        raise ModelFileError(f"{file.name}: {error}") from None
    return file


def _parsed(source: ModelProto | bytes | str | os.PathLike[str]) -> ModelFile:
    if isinstance(source, ModelProto):
        return ModelFile(source, "the ONNX model")
    if isinstance(source, bytes):
        return ModelFile(_message(source, "the ONNX model"), "the ONNX model")
    path = os.fspath(source)
    if not os.path.exists(path):
        raise ModelFileError(f"{path}: no such file.")
    if not os.path.isfile(path):
        raise ModelFileError(f"{path}: not a regular file.")
    size = os.path.getsize(path)
    if size > MAX_FILE_BYTES:
        raise ModelFileError(f"{path}: the file has {size:,} bytes; an ONNX model has at most {MAX_FILE_BYTES:,}.")
    message = _message(Path(path).read_bytes(), path)
    return ModelFile(message, path, os.path.dirname(os.path.realpath(path)), path)


def _message(content: bytes, name: str) -> ModelProto:
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's own classes differ from release to release
        raise ModelFileError(f"{name}: not an ONNX model, or a truncated one: {_one_line(error)}.") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def opset_of(model: ModelProto) -> int:
    """The version of the standard operators."""
    versions = [entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS]
    if len(versions) != 1 or versions[0] not in OPSETS:
        raise ModelFileError(
            f"opsets {OPSETS[0]} to {OPSETS[-1]} are read; the model declares {versions or 'none'}. Convert it with "
            "onnx.version_converter, or run it with --runtime ort."
        )
    return int(versions[0])


def _refuse_what_is_not_read(model: ModelProto) -> None:
    if not all(isinstance(text, str) for text in _names(model)):  # protobuf gives text that is not UTF-8 as bytes
        raise ModelFileError("a name in the model is not UTF-8 text.")
    opset_of(model)
    if model.functions:
        raise ModelFileError(f"the model defines functions ({model.functions[0].name!r} ...), which are not read.")
    for graph in graphs_of(model):
        _refuse_in_graph(graph)


def graphs_of(model: ModelProto) -> Iterator[GraphProto]:
    """The model's graph and the bodies of its loops, each before those inside it.

    Raises:
        ModelFileError: a node that is no loop holds a graph, or loops stand inside each other too deep.
    """
    level, depth = [model.graph], 0
    while level:
        yield from level
        level = [attribute.g for graph in level for node in graph.node for attribute in _graphs_in(node)]
        depth += 1
        if level and depth > MAX_BODY_DEPTH:
            raise ModelFileError(f"loops stand inside each other more than {MAX_BODY_DEPTH} deep.")


def _graphs_in(node: NodeProto) -> list[AttributeProto]:
    """The attributes that hold a graph: the body of a Scan."""
    found = []
    for attribute in node.attribute:
        kinds = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
        if attribute.type in kinds or attribute.HasField("g") or attribute.graphs:
            is_body = (node.op_type, attribute.name) == ("Scan", "body") and attribute.type == AttributeProto.GRAPH
            if not is_body or attribute.graphs:
                raise ModelFileError(f"{described(node)} holds a graph of its own; only that of a Scan is read.")
            found.append(attribute)
    return found


def _refuse_in_graph(graph: GraphProto) -> None:
    if graph.sparse_initializer:
        raise ModelFileError("the model has sparse initializers, which are not read.")
    _refuse_duplicates(graph)
    for node in graph.node:
        if node.domain not in STANDARD_DOMAINS:
            raise ModelFileError(f"{described(node)} is of domain {node.domain!r}; only standard operators are read.")
        for attribute in node.attribute:
            if (node.op_type, attribute.name) == ("Split", "num_outputs") and attribute.i != len(node.output):
                # Said before ONNX's type inference makes room for as many types as the number says.
                raise ModelFileError(f"{described(node)} has {len(node.output)} results, not {attribute.i}.")
            if attribute.ref_attr_name:
                raise ModelFileError(f"{described(node)} refers to an attribute of a function, which is not read.")


def _names(model: ModelProto) -> Iterator[object]:
    """The texts of a model that are looked at."""
    yield from (entry.domain for entry in model.opset_import)
    yield from (function.name for function in model.functions)
    for graph in graphs_of(model):
        yield from _names_in(graph)


def _names_in(graph: GraphProto) -> Iterator[object]:
    yield graph.name
    for info in (*graph.input, *graph.output):
        yield info.name
        yield from (dim.dim_param for dim in info.type.tensor_type.shape.dim)
    for tensor in graph.initializer:
        yield tensor.name
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (text for attribute in node.attribute for text in (attribute.name, attribute.ref_attr_name))


def _refuse_duplicates(graph: GraphProto) -> None:
    """One name, one tensor; an initializer may give an input's default."""
    made = [name for node in graph.node for name in node.output if name]
    for what, names in (
        ("inputs", [i.name for i in graph.input] + made),
        ("initializers", [t.name for t in graph.initializer] + made),
        ("outputs", [o.name for o in graph.output]),
    ):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise ModelFileError(f"the tensor {repeated[0]!r} is made twice ({what} and nodes); names must be unique.")


def described(node: NodeProto) -> str:
    """A node as it is called in messages."""
    name = node.name or (f"that makes {node.output[0]!r}" if node.output else "without a name")
    return f"node {name!r} ({node.op_type})" if node.name else f"the node {name} ({node.op_type})"


def _check(file: ModelFile) -> None:
    """ONNX's own checker: structure, order of nodes (and so cycles), attributes and types."""
    for graph in graphs_of(file.model):  # before the checker, which looks for the files
        for tensor in graph.initializer:
            if tensor.data_location == TensorProto.EXTERNAL:
                _external_place(tensor, file)
    try:
        checker.check_model(file.path or file.model, full_check=True)
    except (checker.ValidationError, inference.InferenceError, ValueError, RuntimeError, MemoryError) as error:
        raise ModelFileError(f"ONNX's checker refuses the model: {_one_line(error)}.") from None


# -- arrays -----------------------------------------------------------------------------------------------------------


def dtype_of(elem_type: int) -> str:
    """The IR dtype of ONNX's number of one.

    Raises:
        DTypeError: graphc has no such dtype.
    """
    names = {number: name for name, number in TensorProto.DataType.items()}
    if elem_type not in names:
        raise DTypeError(f"{elem_type} is no dtype of ONNX")
    try:
        return standardize_dtype(helper.tensor_dtype_to_np_dtype(elem_type))
    except (DTypeError, KeyError):
        raise DTypeError(f"graphc has no dtype {names[elem_type]}") from None


def array_of(tensor: TensorProto, file: ModelFile) -> Array:
    """A tensor's content, not copied where it lies in the file as the machine needs it.

    Raises:
        ModelFileError: its data are missing or of another size than its type says, or lie where they may not.
    """
    what = f"tensor {tensor.name!r}"
    try:
        dtype = numpy_dtype(dtype_of(tensor.data_type))
    except DTypeError as error:
        raise ModelFileError(f"{what}: {error}") from None
    shape = tuple(tensor.dims)
    if any(d < 0 for d in shape):
        raise ModelFileError(f"{what} has a negative length: {list(shape)}")
    stored = dtype.newbyteorder("<")
    count = math.prod(shape)
    if tensor.data_location == TensorProto.EXTERNAL:
        path, offset, length = _external_place(tensor, file)
        if length != count * dtype.itemsize:
            raise _wrong_size(what, length, count * dtype.itemsize)
        array = np.asarray(np.memmap(path, stored, "r", offset, shape)) if count else np.empty(shape, dtype)
    elif tensor.HasField("raw_data"):
        data = tensor.raw_data
        if len(data) != count * dtype.itemsize:
            raise _wrong_size(what, len(data), count * dtype.itemsize)
        array = np.frombuffer(data, stored).reshape(shape) if count else np.empty(shape, dtype)
    else:
        array = _from_fields(tensor, count, what)
    if dtype.kind == "b" and count:
        array = np.asarray(array.view(np.uint8) != 0)  # a byte may hold anything
    array = native(array)
    return array if array.flags.aligned else array.copy()


def _wrong_size(what: str, got: int, wanted: int) -> ModelFileError:
    return ModelFileError(f"{what} must hold {wanted:,} bytes for its type; it holds {got:,}")


def _from_fields(tensor: TensorProto, count: int, what: str) -> Array:
    """Data in one of the typed fields."""
    field = helper.tensor_dtype_to_field(tensor.data_type)
    held = len(getattr(tensor, field))
    if held != count:
        raise ModelFileError(f"{what} must hold {count:,} numbers for its type; it holds {held:,}")
    return numpy_helper.to_array(tensor)


def _external_place(tensor: TensorProto, file: ModelFile) -> tuple[str, int, int]:
    """The path, offset and length of external data: a plain file in the model's own folder."""
    what = f"tensor {tensor.name!r}"
    if file.folder is None:
        raise ModelFileError(f"{what} lies in a file of its own; give the model's path instead of its content")
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if location in ("", ".", "..") or any(c in location for c in "/\\\0:") or not location.isprintable():
        raise ModelFileError(f"{what}: external data must be a plain file name beside the model; got {location!r}")
    path = os.path.join(file.folder, location)
    if not os.path.isfile(path):
        raise ModelFileError(f"{what}: there is no data file {location!r} beside the model")
    if os.path.dirname(os.path.realpath(path)) != file.folder:
        raise ModelFileError(f"{what}: the data file {location!r} is a link that leaves the model's folder")
    size = os.path.getsize(path)
    offset = _whole_number(entries, "offset", 0, what)
    length = _whole_number(entries, "length", size - offset, what)
    if offset + length > size:
        raise ModelFileError(f"{what}: the data file {location!r} has {size:,} bytes; {offset + length:,} are needed")
    return path, offset, length


def _whole_number(entries: Mapping[str, str], key: str, default: int, what: str) -> int:
    text = entries.get(key)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ModelFileError(f"{what}: the {key} of its external data must be a number; got {text!r}")
    return int(text)


# -- attributes -------------------------------------------------------------------------------------------------------


def attributes_of(node: NodeProto, file: ModelFile) -> dict[str, Any]:
    """A node's attributes as Python numbers, strings, tuples and arrays.

    Raises:
        ModelFileError: one is given twice, or is of a kind that is not read.
    """
    found: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.name in found:
            raise ModelFileError(f"attribute {attribute.name!r} is given twice")
        found[attribute.name] = _attribute(node, attribute, file)
    return found


def _attribute(node: NodeProto, attribute: AttributeProto, file: ModelFile) -> Any:
    match attribute.type:
        case AttributeProto.INT:
            return dtype_of(attribute.i) if (node.op_type, attribute.name) == ("Cast", "to") else int(attribute.i)
        case AttributeProto.FLOAT:
            return float(attribute.f)
        case AttributeProto.STRING:
            return _text(attribute, attribute.s)
        case AttributeProto.STRINGS:
            return tuple(_text(attribute, one) for one in attribute.strings)
        case AttributeProto.INTS:
            return tuple(attribute.ints)
        case AttributeProto.FLOATS:
            return tuple(attribute.floats)
        case AttributeProto.TENSOR:
            return array_of(attribute.t, file)
        case AttributeProto.GRAPH:
            return attribute.g
    raise ModelFileError(f"attribute {attribute.name!r} is of a kind that graphc's IR does not have")


def _text(attribute: AttributeProto, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ModelFileError(f"attribute {attribute.name!r} is not UTF-8 text") from None
