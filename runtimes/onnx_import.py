"""From ONNX to the IR: `from_onnx` reads a model for inference, so that it runs on the NumPy runtime.

Standard operators of opsets 18 to 26 are read. Weights become constants; inputs and outputs keep their names. Dims that
the file leaves open become named dims, and shapes that it computes from them become attributes again. What the exporter
wrote as several nodes comes back as the ops of those nodes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

from graphc.errors import GraphcError, ModelFileError, ShapeError
from graphc.ir.builder import Builder
from graphc.ir.dims import Dim, DimLike, free_names
from graphc.ir.graph import Graph, Origin, Value
from graphc.ir.types import MAX_RANK, TensorType
from graphc.ops.registry import OPS
from graphc.runtimes.onnx_import_file import ModelFile, array_of, attributes_of, described, dtype_of, read_model
from graphc.runtimes.onnx_import_lengths import MAX_ELEMENTS as MAX_KNOWN
from graphc.runtimes.onnx_import_lengths import Known
from graphc.runtimes.onnx_import_node import ImportedBody, OnnxNode, lengths_as_value
from graphc.runtimes.onnx_import_ops import IMPORT_ROWS

MAX_ELEMENTS = 1 << 40
"""A result of known lengths with more elements is refused."""


def from_onnx(source: ModelProto | bytes | str | os.PathLike[str]) -> Graph:
    """The graph of an ONNX model.

    Args:
        source: a model, its bytes, or the path of its file. External data are read only with a path.

    Returns:
        A graph without states. An input that has a default is a constant. Characters that cannot name a node (``:`` in
        ``input:0``) become ``_`` in the name of an input. Dims with a name keep it, as far as it can be one.

    Raises:
        ModelFileError: the file is damaged, hostile, or holds what graphc does not read (functions, subgraphs, other
            domains, an operator without an IR form, a shape that depends on data); names the file and the node.
    """
    file = read_model(source)
    try:
        return _Import(file, file.model.graph).run()
    except ModelFileError as error:
        raise ModelFileError(f"{file.name}: {str(error).rstrip('.')}.") from None


class _Import:
    """One model, or the body of a loop in it, on its way to the IR.

    Args:
        file: the model.
        proto: its graph, or the body.
        around: what imports the graph that a loop stands in.
    """

    def __init__(self, file: ModelFile, proto: GraphProto, around: _Import | None = None) -> None:
        self.file = file
        self.proto = proto
        self.around = around
        self.captured: dict[Value, Value] = {}
        self.graph = Graph(_plain_name(self.proto.name) or "graph")
        self.builder = Builder(self.graph, OPS)
        self.known = Known()
        self.values: dict[str, Value] = {}

    def run(self) -> Graph:
        self._add_inputs()
        self._add_nodes()
        for output in self.proto.output:
            self.graph.outputs[output.name] = self._result(output.name)
        _remove_unused(self.graph)
        return self.graph

    def run_body(self, types: Sequence[TensorType]) -> ImportedBody:
        """What `run` does, for a body whose inputs are of these types."""
        if len(types) != len(self.proto.input):
            raise ModelFileError(f"the body has {len(self.proto.input)} inputs; the loop gives it {len(types)}")
        for info, type_ in zip(self.proto.input, types, strict=True):
            name = self.graph.unique_name(_plain_name(info.name) or "input")
            self.values[info.name] = self.builder.input(name, type_)
        self._add_nodes()
        for i, output in enumerate(self.proto.output):
            self.graph.outputs[f"output_{i}"] = self._result(output.name)
        self.graph.inputs[len(types) :] = self.captured.values()
        _remove_unused(self.graph)
        return ImportedBody(self.graph, tuple(self.captured))

    def _result(self, name: str) -> Value:
        found = self.values.get(name) if self.around is None else self._operand(name)
        if found is None:
            raise ModelFileError(f"output {name!r} is not made by any node")
        return found

    def _add_nodes(self) -> None:
        for tensor in self.proto.initializer:
            name = self.graph.unique_name(_plain_name(tensor.name) or "Constant")
            self.values[tensor.name] = self.builder.own_constant(array_of(tensor, self.file), name)
        for node in self.proto.node:
            self._add(node)

    # -- inputs -------------------------------------------------------------------------------------------------------

    def _add_inputs(self) -> None:
        defaults = {tensor.name for tensor in self.proto.initializer}
        inputs = [info for info in self.proto.input if info.name not in defaults]
        dims = _dim_names(inputs)
        for info in inputs:
            try:
                type_ = _type_of(info, dims)
            except GraphcError as error:
                raise ModelFileError(f"input {info.name!r}: {str(error).rstrip('.')}") from None
            name = self.graph.unique_name(_plain_name(info.name) or "input")
            self.values[info.name] = self.builder.input(name, type_)

    # -- nodes --------------------------------------------------------------------------------------------------------

    def _add(self, proto: NodeProto) -> None:
        row = IMPORT_ROWS.get(proto.op_type)
        if row is None:
            raise ModelFileError(f"{described(proto)}: this operator has no form in graphc's IR; use --runtime ort")
        try:
            node = OnnxNode(
                proto.op_type,
                attributes_of(proto, self.file),
                [self._operand(name) for name in proto.input],
                list(proto.output),
                self.builder,
                self.known,
                lambda body, types: _Import(self.file, body, self).run_body(types),
            )
            with self.builder.origin(Origin(_layer_of(proto))):
                results = row(node)
        except (GraphcError, ValueError, ArithmeticError, LookupError) as error:
            # Constants of a file may ask NumPy for what it refuses: 2 ** -1 in integers, an element of nothing.
            raise ModelFileError(f"{described(proto)}: {' '.join(str(error).split()).rstrip('.')}") from None
        made = [results] if isinstance(results, Value) else list(results)
        for value in made:
            _refuse_huge(value.type, described(proto))
        for i, name in enumerate(proto.output):
            if name and i >= len(made):
                raise ModelFileError(f"{described(proto)}: its result {i} ({name!r}) has no form in graphc's IR")
            if name:
                self.values[name] = made[i]

    def _operand(self, name: str) -> Value | None:
        if not name:
            return None
        if name not in self.values and self.around is not None and (outer := self.around._operand(name)) is not None:
            self.values[name] = self._capture(outer)
        if name not in self.values:
            raise ModelFileError(f"tensor {name!r} is not an input, an initializer or the result of an earlier node")
        return self.values[name]

    def _capture(self, outer: Value) -> Value:
        """A value of the graph around a body: again what is known of it, else an input of the body."""
        assert self.around is not None
        if outer not in self.captured:
            name = self.graph.unique_name(outer.name.replace(":", "_"))
            known = self.around.known(outer)
            if known is not None and known.dtype == object:
                lengths = self.builder.emit(
                    "Reshape", lengths_as_value(self.builder, list(known.flat)), shape=known.shape
                )
                return self.builder.emit("Cast", lengths, to=outer.type.dtype)
            if known is not None and known.size <= MAX_KNOWN:
                return self.builder.constant(known, name=name)
            self.captured[outer] = self.builder.input(name, outer.type)
        return self.captured[outer]


def _refuse_huge(type_: TensorType, where: str) -> None:
    """Refuse what no machine holds, before NumPy is asked for it."""
    if type_.rank > MAX_RANK:
        raise ModelFileError(f"{where}: its result has more than {MAX_RANK} axes")
    if isinstance(type_.size, int) and type_.size > MAX_ELEMENTS:
        raise ModelFileError(f"{where}: its result, {type_}, has more than {MAX_ELEMENTS:,} elements")


def _layer_of(node: NodeProto) -> str:
    """The path of the node's name: ``dense/Gemm``, which graphc's exporter writes, is an op of ``dense``."""
    return re.sub(rf"/?{re.escape(node.op_type)}(_\d+)?$", "", _plain_name(node.name))


def _plain_name(text: str) -> str:
    """A name as the IR takes it."""
    return "".join(c if c.isprintable() and c not in ':"' else "_" for c in text)


def _remove_unused(graph: Graph) -> None:
    """Drop nodes that no output needs: shapes that became attributes, above all."""
    needed = {value.producer for value in graph.inputs}
    todo = [value.producer for value in graph.outputs.values()]
    while todo:
        node = todo.pop()
        if node not in needed:
            needed.add(node)
            todo += [v.producer for v in node.inputs if v is not None]
    graph.remove_nodes([node for node in graph.nodes() if node not in needed])


# -- types of inputs --------------------------------------------------------------------------------------------------


def _type_of(info: ValueInfoProto, dims: Mapping[str, Dim]) -> TensorType:
    if not info.type.HasField("tensor_type"):
        raise ModelFileError("only tensors are read; it is a sequence, a map or an optional value")
    tensor = info.type.tensor_type
    if not tensor.HasField("shape"):
        raise ModelFileError("its rank is not declared; give the model fixed ranks")
    shape: list[DimLike] = []
    for axis, dim in enumerate(tensor.shape.dim):
        if dim.HasField("dim_value"):
            shape.append(dim.dim_value)
        else:
            shape.append(dims[_key(info.name, axis, dim.dim_param)])
    return TensorType.of(dtype_of(tensor.elem_type), shape)


def _key(name: str, axis: int, text: str) -> str:
    """What tells one open dim from another: its text; each dim without one is its own."""
    return text or f"{name}\0{axis}"


def _dim_names(inputs: list[ValueInfoProto]) -> dict[str, Dim]:
    """A dim for each open length of the inputs.

    A text that is a name stays as it is, and so does an expression of such names. Any other, which programs write as
    they like, becomes a name of its own.
    """
    open_dims = [
        (_key(info.name, axis, dim.dim_param), dim.dim_param or f"{info.name}_dim{axis}")
        for info in inputs
        for axis, dim in enumerate(info.type.tensor_type.shape.dim)
        if not dim.HasField("dim_value")
    ]
    found: dict[str, Dim] = {}
    for key, text in open_dims:
        if text.isidentifier() and (dim := _parsed(text)) is not None and dim not in found.values():
            found.setdefault(key, dim)
    plain = set(found.values())
    for key, text in open_dims:
        if key in found:
            continue
        dim = _parsed(text)
        if dim is None or not free_names(dim) <= plain or dim in found.values():
            dim = _fresh_name(text, {str(d) for d in found.values()})
        found[key] = dim
    return found


def _parsed(text: str) -> Dim | None:
    try:
        dim = Dim(text)
    except ShapeError:
        return None
    return dim if free_names(dim) else None


def _fresh_name(text: str, taken: set[str]) -> Dim:
    stem = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:60] or "dim"
    stem = stem if _parsed(stem) is not None and stem.isidentifier() else f"dim_{stem}"
    name, count = stem, 0
    while name in taken:
        count += 1
        name = f"{stem}_{count}"
    return Dim(name)
