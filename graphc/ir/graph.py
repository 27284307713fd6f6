"""The IR: a directed acyclic graph of ops, held in a NetworkX multigraph that only :class:`Graph` touches.

Invariants (checked by `graphc.ir.verify`):

* every value has a dtype and a shape, and they are what its op's type rule gives;
* a node's operands are values of the same graph (``None`` stands for an optional operand that is absent);
* the order of operands lives on the node; each edge ``producer -> consumer`` carries the operand's slot as its key and
  is derived from the node, so ``x * x`` has two edges;
* there is no cycle, and names are unique.

* a graph in an attribute, the body of a loop, is a value like a tensor: it is never changed in place, and graphs share it.

Inputs, states (parameters, optimizer slots, counters) and constants are nodes without operands. A graph reads a state's
value as it was on entry; ``updates`` says what each state becomes when the graph has run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graphc.errors import GraphError
from graphc.ir.types import TensorType

if TYPE_CHECKING:
    import networkx as nx

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@cache
def _networkx() -> Any:
    """NetworkX, imported with the first graph rather than with graphc: it takes as long to load as NumPy."""
    import networkx

    return networkx


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a node comes from: the layer's path in the model, and the user's line that made the layer.

    The file and line stay in memory: no file format writes them, since they tell of the machine they came from.
    """

    layer: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file else ""
        return " at ".join(part for part in (f"layer {self.layer!r}" if self.layer else "", place) if part)


@dataclass(eq=False, slots=True)
class Value:
    """One output of a node. Its name is the node's, with ``:index`` behind it from the second output on."""

    producer: Node
    index: int
    type: TensorType

    @property
    def name(self) -> str:
        """The unique name of this value in its graph."""
        return self.producer.name if self.index == 0 else f"{self.producer.name}:{self.index}"

    def __repr__(self) -> str:
        return f"%{self.name}: {self.type}"


@dataclass(eq=False, slots=True)
class Node:
    """One op applied to values. Change it through its graph, so that edges stay in step."""

    name: str
    op: str
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]
    origin: Origin
    serial: int
    outputs: tuple[Value, ...] = field(default=())

    @property
    def output(self) -> Value:
        """The only output."""
        if len(self.outputs) != 1:
            raise GraphError(f"Node {self.name!r} ({self.op}) has {len(self.outputs)} outputs, not one.")
        return self.outputs[0]

    def __repr__(self) -> str:
        operands = ", ".join("_" if v is None else f"%{v.name}" for v in self.inputs)
        return f"{self.op}({operands}) -> {', '.join(map(repr, self.outputs))}"


@dataclass(frozen=True, slots=True)
class Use:
    """Operand ``slot`` of ``node``."""

    node: Node
    slot: int


def as_node_name(text: str) -> str:
    """``text`` with ``_`` in place of the characters that no node's name may hold."""
    return "".join("_" if c in ':"' or not c.isprintable() else c for c in text)


def _check_name(name: str) -> None:
    if ":" in name or '"' in name or not name.isprintable():
        raise GraphError(f"{name!r} cannot name a node: it may not hold ':', '\"' or control characters.")


class ResultTable(MutableMapping[str, Value]):
    """A dict of names to values, in order, that also knows at once which names hold a value."""

    __slots__ = ("_names", "_values")

    def __init__(self, items: Mapping[str, Value] | Iterable[tuple[str, Value]] = ()) -> None:
        self._values: dict[str, Value] = {}
        self._names: dict[Value, dict[str, None]] = {}
        self.update(items)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __setitem__(self, name: str, value: Value) -> None:
        if name in self._values:
            self._forget(name)
        self._values[name] = value
        self._names.setdefault(value, {})[name] = None

    def __delitem__(self, name: str) -> None:
        self._forget(name)
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def _forget(self, name: str) -> None:
        value = self._values[name]
        names = self._names[value]
        del names[name]
        if not names:
            del self._names[value]

    def holds(self, value: Value) -> bool:
        """True when some name stands for ``value``."""
        return value in self._names

    def names_of(self, value: Value) -> tuple[str, ...]:
        """The names that stand for ``value``."""
        return tuple(self._names.get(value, ()))


class Graph:
    """A graph of ops with named inputs, outputs, states and state updates.

    Attributes:
        name: shown in the text form and written to files.
        inputs: the ``Input`` nodes' values, in the order of the call.
    """

    def __init__(self, name: str = "graph") -> None:
        self.name = name
        self.inputs: list[Value] = []
        self._outputs = ResultTable()
        self._updates = ResultTable()
        self._graph: nx.MultiDiGraph[str] = _networkx().MultiDiGraph()
        self._serial = 0
        self._name_counts: dict[str, int] = {}
        self._order: tuple[Node, ...] | None = None
        self._recorded: list[Node] | None = None

    @property
    def outputs(self) -> ResultTable:
        """Name to value, in order. A value may be an output under several names."""
        return self._outputs

    @outputs.setter
    def outputs(self, items: Mapping[str, Value]) -> None:
        self._outputs = ResultTable(items)

    @property
    def updates(self) -> ResultTable:
        """State name to the value that the state takes when the graph has run."""
        return self._updates

    @updates.setter
    def updates(self, items: Mapping[str, Value]) -> None:
        self._updates = ResultTable(items)

    # -- reading ----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._graph)

    def __contains__(self, name: object) -> bool:
        return name in self._graph

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises:
            GraphError: there is none.
        """
        if name not in self._graph:
            raise GraphError(f"Graph {self.name!r} has no node {name!r}.")
        node: Node = self._graph.nodes[name]["node"]
        return node

    def nodes(self) -> tuple[Node, ...]:
        """All nodes in a topological order that is stable: among nodes that are ready, the oldest comes first.

        Nodes that share one place (`place`) come in the order of their names.
        """
        if self._order is None:
            try:
                names = list(
                    _networkx().lexicographical_topological_sort(self._graph, key=lambda n: (self.node(n).serial, n))
                )
            except _networkx().NetworkXUnfeasible:
                cycle = [edge[0] for edge in _networkx().find_cycle(self._graph)]
                raise GraphError(f"Graph {self.name!r} has a cycle through {', '.join(cycle)}.") from None
            self._order = tuple(self.node(n) for n in names)
        return self._order

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes())

    def nodes_of(self, op: str) -> list[Node]:
        """The nodes of one op, in topological order."""
        return [n for n in self.nodes() if n.op == op]

    def states(self) -> dict[str, Value]:
        """State name to the value that it has on entry, in topological order."""
        return {n.attributes["state"]: n.output for n in self.nodes() if n.op == "State"}

    def uses(self, value: Value) -> list[Use]:
        """Where a value is an operand, in order of the users' age. Outputs and updates are not among them."""
        found = []
        for _, consumer, slot in self._graph.out_edges(value.producer.name, keys=True):
            node = self.node(consumer)
            if node.inputs[slot] is value:
                found.append(Use(node, slot))
        return sorted(found, key=lambda use: (use.node.serial, use.slot))

    def is_result(self, value: Value) -> bool:
        """True when a value is an output of the graph or the new value of a state."""
        return self._outputs.holds(value) or self._updates.holds(value)

    def is_used(self, value: Value) -> bool:
        """True when a value is an operand or a result of the graph."""
        if self.is_result(value):
            return True
        edges = self._graph.out_edges(value.producer.name, keys=True)
        return any(self.node(consumer).inputs[slot] is value for _, consumer, slot in edges)

    def has_one_use(self, value: Value) -> bool:
        """True when a value is one operand of one node, and no result of the graph."""
        if self.is_result(value):
            return False
        edges = self._graph.out_edges(value.producer.name, keys=True)
        uses = (None for _, consumer, slot in edges if self.node(consumer).inputs[slot] is value)
        return len(list(islice(uses, 2))) == 1

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """A frozen NetworkX view: nodes by name with ``op``, ``attributes`` and ``types``; edges with ``slot``.

        Any NetworkX algorithm works on it; changing it raises ``networkx.NetworkXError``.
        """
        view: nx.MultiDiGraph[str] = _networkx().MultiDiGraph(name=self.name)
        for node in self.nodes():
            types = tuple(str(v.type) for v in node.outputs)
            view.add_node(node.name, op=node.op, attributes=dict(node.attributes), types=types, layer=node.origin.layer)
        for node in self.nodes():
            for slot, value in enumerate(node.inputs):
                if value is not None:
                    view.add_edge(value.producer.name, node.name, key=slot, slot=slot, output=value.index)
        frozen: nx.MultiDiGraph[str] = _networkx().freeze(view)
        return frozen

    def edges(self) -> Iterator[tuple[str, str, int]]:
        """Each edge as (producer, consumer, slot), as NetworkX holds them; for the verifier."""
        yield from self._graph.edges(keys=True)

    # -- changing ---------------------------------------------------------------------------------------------------

    def unique_name(self, wanted: str) -> str:
        """``wanted``, or ``wanted_1``, ``wanted_2`` ... when it is taken."""
        if wanted not in self._graph:
            return wanted
        # Graphs repeat few stems very often; remembering the last count keeps naming linear.
        count = self._name_counts.get(wanted, 1)
        while f"{wanted}_{count}" in self._graph:
            count += 1
        self._name_counts[wanted] = count + 1
        return f"{wanted}_{count}"

    def add_node(
        self,
        op: str,
        inputs: Iterable[Value | None],
        attributes: Mapping[str, Any],
        types: Iterable[TensorType],
        *,
        name: str | None = None,
        origin: Origin | None = None,
    ) -> Node:
        """Add a node whose types are already known. `graphc.ir.builder.Builder` runs the type rule first.

        Raises:
            GraphError: the name is malformed or an operand belongs to another graph.
        """
        wanted = name or op
        _check_name(wanted)
        node = Node(
            name=self.unique_name(wanted),
            op=op,
            inputs=tuple(inputs),
            attributes=MappingProxyType(dict(attributes)) if attributes else _EMPTY,
            origin=origin or Origin(),
            serial=self._serial,
        )
        node.outputs = tuple(Value(node, i, t) for i, t in enumerate(types))
        for value in node.inputs:
            self._check_own(value)
        self._serial += 1
        self._graph.add_node(node.name, node=node)
        if self._recorded is not None:
            self._recorded.append(node)
        for slot, value in enumerate(node.inputs):
            if value is not None:
                self._graph.add_edge(value.producer.name, node.name, key=slot)
        self._order = None
        return node

    @contextmanager
    def recording(self) -> Iterator[list[Node]]:
        """Collects the nodes that are added inside."""
        before, self._recorded = self._recorded, []
        try:
            yield self._recorded
        finally:
            self._recorded = before

    def _check_own(self, value: Value | None) -> None:
        if value is None:
            return
        name = value.producer.name
        if name not in self._graph or self._graph.nodes[name]["node"] is not value.producer:
            raise GraphError(f"Value %{value.name} does not belong to graph {self.name!r}.")

    def set_inputs(self, node: Node, inputs: Iterable[Value | None]) -> None:
        """Replace a node's operands and its edges."""
        new = tuple(inputs)
        for value in new:
            self._check_own(value)
        self._reconnect(node, new, range(max(len(new), len(node.inputs))))

    def _reconnect(self, node: Node, new: tuple[Value | None, ...], slots: Iterable[int]) -> None:
        """Set the operands; only edges of ``slots`` change."""
        old, node.inputs = node.inputs, new
        for slot in slots:
            before = old[slot] if slot < len(old) else None
            after = new[slot] if slot < len(new) else None
            if before is after:
                continue
            if before is not None:
                self._graph.remove_edge(before.producer.name, node.name, key=slot)
            if after is not None:
                self._graph.add_edge(after.producer.name, node.name, key=slot)
        self._order = None

    def set_attributes(self, node: Node, attributes: Mapping[str, Any]) -> None:
        """Replace a node's attributes. The types of its outputs must stay what the type rule gives."""
        node.attributes = MappingProxyType(dict(attributes))

    def rename(self, node: Node, wanted: str) -> None:
        """Give a node another name, made unique.

        Raises:
            GraphError: the name is malformed.
        """
        if node.name == wanted:
            return
        _check_name(wanted)
        name = self.unique_name(wanted)
        # By hand, since networkx.relabel_nodes takes time linear in the size of the whole graph for each call.
        before = [(producer, slot) for producer, _, slot in self._graph.in_edges(node.name, keys=True)]
        behind = [(consumer, slot) for _, consumer, slot in self._graph.out_edges(node.name, keys=True)]
        self._graph.remove_node(node.name)
        node.name = name
        self._graph.add_node(name, node=node)
        self._graph.add_edges_from((producer, name, slot, {}) for producer, slot in before)
        self._graph.add_edges_from((name, consumer, slot, {}) for consumer, slot in behind)
        self._order = None

    def replace_uses(self, old: Value, new: Value) -> None:
        """Make every user of ``old`` (operands, outputs, updates) use ``new``.

        Raises:
            GraphError: the types differ.
        """
        if old.type != new.type:
            raise GraphError(f"Cannot replace %{old.name}: {old.type} by %{new.name}: {new.type}.")
        self._check_own(new)
        if old is new:
            return
        slots_of: dict[Node, list[int]] = {}
        for use in self.uses(old):
            slots_of.setdefault(use.node, []).append(use.slot)
        for node, slots in slots_of.items():
            operands = list(node.inputs)
            for slot in slots:
                operands[slot] = new
            self._reconnect(node, tuple(operands), slots)
        for table in (self._outputs, self._updates):
            for name in table.names_of(old):
                table[name] = new

    def succeed(self, new: Node, old: Node, *, rename: bool = True) -> None:
        """Remove ``old``, which nothing uses any more, and give its place in the order and its name to ``new``.

        Args:
            new: a node of this graph.
            old: the node that goes.
            rename: False leaves ``new`` its own name.

        Raises:
            GraphError: a value of ``old`` is still used.
        """
        self.remove_node(old)
        if rename:
            self.rename(new, old.name)
        self.place(new, old)

    def place(self, node: Node, like: Node) -> None:
        """Give a node the place in the order that another one has or had; operands still come before their users."""
        node.serial = like.serial
        self._order = None

    def remove_node(self, node: Node) -> None:
        """Remove a node that nothing uses.

        Raises:
            GraphError: a value of the node is still used.
        """
        users = sorted({c for _, c in self._graph.out_edges(node.name)})
        if users or any(self.is_result(v) for v in node.outputs):
            used_by = ", ".join(users) or "the graph's outputs or updates"
            raise GraphError(f"Node {node.name!r} cannot be removed: it is used by {used_by}.")
        self.remove_nodes([node])

    def remove_nodes(self, nodes: Iterable[Node]) -> None:
        """Remove nodes that nothing outside the set uses; the caller vouches for that, `verify` checks it."""
        gone = {node.name: node for node in nodes}
        self._graph.remove_nodes_from(gone)
        if any(node.op == "Input" for node in gone.values()):
            self.inputs = [v for v in self.inputs if v.producer.name not in gone]
        self._order = None

    def clone(self) -> tuple[Graph, dict[Value, Value]]:
        """A copy with the same names and order, and the map from this graph's values to the copy's."""
        copy = Graph(self.name)
        twin: dict[Value, Value] = {}
        for node in self.nodes():
            operands = [None if v is None else twin[v] for v in node.inputs]
            types = [v.type for v in node.outputs]
            new = copy.add_node(node.op, operands, node.attributes, types, name=node.name, origin=node.origin)
            twin.update(zip(node.outputs, new.outputs, strict=True))
        copy.inputs = [twin[v] for v in self.inputs]
        copy.outputs = ResultTable((name, twin[v]) for name, v in self.outputs.items())
        copy.updates = ResultTable((name, twin[v]) for name, v in self.updates.items())
        return copy, twin

    def __str__(self) -> str:
        from graphc.ir.printer import print_graph  # the text form is written in terms of graphs

        return print_graph(self)

    def __repr__(self) -> str:
        inputs = [v.name for v in self.inputs]
        return f"<Graph {self.name!r}: {len(self)} nodes, inputs {inputs}, outputs {list(self.outputs)}>"
