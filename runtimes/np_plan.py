"""A plan: one graph for concrete input shapes, as a list of functions without arguments.

Making a plan does once what an interpreter does at every step: it orders the nodes, resolves shapes, gives every value a
buffer (reusing those whose last reader has run, writing in place where a kernel allows it, answering movements with
views) and binds each kernel to its buffers. Running it is calling the functions in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from graphc.errors import ExecutionError, GraphError
from graphc.ir import dtypes
from graphc.ir.dims import Dim, substitute
from graphc.ir.graph import Graph, Node, Value
from graphc.ir.types import concrete_lengths, concrete_shape
from graphc.runtimes.kernel import Array, Call, Kernel, Step
from graphc.runtimes.np_memory import Block, BufferPool, ScratchMemory
from graphc.runtimes.np_threads import one_blas_thread

_PRODUCTS = frozenset({"MatMul", "Gemm"})  # the ops that hand BLAS a whole product, to split as it likes
_LARGE_PRODUCT = 50_000_000  # multiplications: about a millisecond on one core
_SOURCES = frozenset({"Input", "State", "Constant"})


@dataclass(slots=True)
class Plan:
    """Bound steps and the buffers they read and write.

    Attributes:
        inputs: name to the buffer that a feed is copied into.
        outputs: name to the buffer that holds the result after a run; the next run overwrites it.
        bytes: memory held by the plan's own buffers.
        large_products: some matrix product is large enough to gain from BLAS's own threads. Where none is, BLAS is held
            to one thread: its threads cost more than they give there, and ten times as much while other programs run.
    """

    inputs: dict[str, Array]
    outputs: dict[str, Array]
    steps: list[Step]
    nodes: list[Node]
    bytes: int
    large_products: bool = False

    def execute(self) -> None:
        """Run every step.

        Raises:
            ExecutionError: a kernel failed; names the node and where it comes from.
        """
        threads = nullcontext() if self.large_products else one_blas_thread
        with threads, np.errstate(all="ignore"):  # infinities and NaN are values here, as in every other runtime
            self.run()

    def run(self) -> None:
        """What `execute` does, inside a plan that is being executed."""
        done = 0
        try:
            for step in self.steps:
                step()
                done += 1
        except GraphError:
            raise
        except Exception as error:
            node = self.nodes[done]
            where = f" ({node.origin})" if str(node.origin) else ""
            raise ExecutionError(f"{node.op} failed in node {node.name!r}{where}: {error}") from error


def resolve_attributes(attributes: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
    """Attributes with every named dim replaced by its length."""

    def resolve(value: Any) -> Any:
        if isinstance(value, Dim):
            return substitute(value, sizes)
        if isinstance(value, tuple) and any(isinstance(v, Dim) for v in value):
            return concrete_shape(value, sizes)
        return value

    return {name: resolve(value) for name, value in attributes.items()}


@dataclass(eq=False, slots=True)
class _Slot:
    """Where a value lives: its array, and the storage whose lifetime it shares with its views."""

    array: Array
    storage: _Storage


@dataclass(eq=False, slots=True)
class _Storage:
    """Memory behind one or more values. ``block`` is None for memory that the plan does not own."""

    block: Block | None
    readers: int = 0
    pinned: bool = False


@dataclass
class Planner:
    """Makes one plan. ``sizes`` gives each named dim its length; ``state`` holds the arrays that the plan updates."""

    graph: Graph
    kernels: Mapping[str, Kernel]
    state: Mapping[str, Array]
    sizes: Mapping[str, int]
    _slots: dict[Value, _Slot] = field(default_factory=dict)
    _pool: BufferPool = field(default_factory=BufferPool)
    _scratch: ScratchMemory = field(default_factory=ScratchMemory)
    _steps: list[Step] = field(default_factory=list)
    _step_nodes: list[Node] = field(default_factory=list)
    _bodies: list[Plan] = field(default_factory=list)

    def make(self) -> Plan:
        """The plan."""
        nodes = self.graph.nodes()
        self._uses = self._count_uses(nodes)
        self._results = {*self.graph.outputs.values(), *self.graph.updates.values()}
        self._landing = self._find_landings(nodes)
        inputs: dict[str, Array] = {}
        for node in nodes:
            if node.op in _SOURCES:
                self._place_source(node, inputs)
            else:
                self._place(node)
        outputs = {name: self._output_array(value) for name, value in self.graph.outputs.items()}
        self._write_back()
        memory = self._pool.total + self._scratch.total + sum(plan.bytes for plan in self._bodies)
        return Plan(inputs, outputs, self._steps, self._step_nodes, memory, self._has_large_products(nodes))

    def _plan_body(self, body: Graph, state: Mapping[str, Array]) -> Plan:
        """The plan of a loop's step, in which dims have the lengths that they have here."""
        self._bodies.append(Planner(body, self.kernels, state, self.sizes).make())
        return self._bodies[-1]

    def _has_large_products(self, nodes: Sequence[Node]) -> bool:
        def multiplications(node: Node) -> int:
            (left, *_), result = node.inputs, self._slots[node.outputs[0]].array
            assert left is not None
            inner = max(self._slots[left].array.shape[-2:], default=1)  # an upper bound, whichever side is transposed
            return result.size * inner

        own = any(multiplications(n) >= _LARGE_PRODUCT for n in nodes if n.op in _PRODUCTS)
        return own or any(plan.large_products for plan in self._bodies)

    def _count_uses(self, nodes: Sequence[Node]) -> dict[Value, int]:
        uses: dict[Value, int] = {}
        for node in nodes:
            for value in node.inputs:
                if value is not None:
                    uses[value] = uses.get(value, 0) + 1
        return uses

    def _find_landings(self, nodes: Sequence[Node]) -> dict[Value, str]:
        """New state values that may be computed right into the state's own array.

        That is safe when every reader of the old state comes before the node that makes the new value, or is that node
        itself and works in place; and when no view of the old state lives on (views count as readers).
        """
        position = {node.name: i for i, node in enumerate(nodes)}
        last_read: dict[str, int] = {}
        source: dict[Value | None, str] = {}  # value -> the state it may be a view of
        for node in nodes:
            if node.op == "State":
                source[node.output] = node.attributes["state"]
                continue
            for value in node.inputs:
                if value in source:
                    last_read[source[value]] = position[node.name]
            kernel = self.kernels.get(node.op)
            if kernel is not None and kernel.view is not None and node.inputs and node.inputs[0] in source:
                source[node.outputs[0]] = source[node.inputs[0]]
        read_as_result = {source[v] for v in self.graph.outputs.values() if v in source}
        read_as_result |= {source[v] for v in self.graph.updates.values() if v in source}
        landings: dict[Value, str] = {}
        for name, value in self.graph.updates.items():
            node = value.producer
            if node.op in _SOURCES or value in landings or name in read_as_result or name not in self.state:
                continue
            kernel = self.kernels[node.op]
            if kernel.view is not None or len(node.outputs) != 1:
                continue
            at, last = position[node.name], last_read.get(name, -1)
            whole = all(
                v.producer.op == "State" and v.type == value.type
                for v in node.inputs
                if v is not None and source.get(v) == name
            )
            if last < at or (last == at and kernel.in_place and whole):
                landings[value] = name
        return landings

    def _place_source(self, node: Node, inputs: dict[str, Array]) -> None:
        value = node.output
        if node.op == "Constant":
            array = node.attributes["value"]
        elif node.op == "State":
            name = node.attributes["state"]
            if name not in self.state:
                raise GraphError(f"State {name!r} of graph {self.graph.name!r} has no array.")
            array = self.state[name]
        else:
            shape = concrete_lengths(value.type.shape, self.sizes)
            array = inputs[node.name] = np.empty(shape, dtypes.numpy_dtype(value.type.dtype))
        self._slots[value] = _Slot(array, _Storage(None, pinned=True))

    def _place(self, node: Node) -> None:
        kernel = self.kernels.get(node.op)
        if kernel is None:
            raise GraphError(f"The NumPy runtime has no kernel for op {node.op} (node {node.name!r}).")
        attributes = resolve_attributes(node.attributes, self.sizes)
        operands = [None if v is None else self._slots[v] for v in node.inputs]
        if kernel.view is not None and operands and operands[0] is not None:
            view = kernel.view(operands[0].array, attributes)
            if view is not None:
                self._slots[node.output] = _Slot(view, operands[0].storage)
                self._account(node.output)
                self._release_operands(node)
                return
        unused = frozenset(v.index for v in node.outputs if not self._uses.get(v) and v not in self._results)
        outputs = [
            self._no_slot(value)
            if kernel.skips_unused and value.index in unused
            else self._result_slot(node, kernel, value)
            for value in node.outputs
        ]
        self._scratch.begin_kernel()
        arrays = [None if slot is None else slot.array for slot in operands]
        call = Call(node.op, arrays, [s.array for s in outputs], attributes, self._scratch, self._plan_body, unused)
        self._steps.append(kernel.bind(call))
        self._step_nodes.append(node)
        for value, slot in zip(node.outputs, outputs, strict=True):
            self._slots[value] = slot
            self._account(value)
        self._release_operands(node)

    def _account(self, value: Value) -> None:
        storage = self._slots[value].storage
        storage.readers += self._uses.get(value, 0)
        if value in self._results:
            storage.pinned = True
        self._free_if_dead(storage)

    def _release_operands(self, node: Node) -> None:
        for value in node.inputs:
            if value is not None:
                storage = self._slots[value].storage
                storage.readers -= 1
                self._free_if_dead(storage)

    def _free_if_dead(self, storage: _Storage) -> None:
        if storage.block is not None and storage.readers <= 0 and not storage.pinned:
            self._pool.give(storage.block)
            storage.block = None

    def _no_slot(self, value: Value) -> _Slot:
        """An array of the right shape without memory, for a kernel that does not write to it."""
        shape = concrete_lengths(value.type.shape, self.sizes)
        array = np.broadcast_to(np.zeros((), dtypes.numpy_dtype(value.type.dtype)), shape)
        return _Slot(array, _Storage(None, pinned=True))

    def _result_slot(self, node: Node, kernel: Kernel, value: Value) -> _Slot:
        if value in self._landing:
            return _Slot(self.state[self._landing[value]], _Storage(None, pinned=True))
        shape = concrete_lengths(value.type.shape, self.sizes)
        dtype = dtypes.numpy_dtype(value.type.dtype)
        if kernel.in_place and value.index == 0:
            for operand in dict.fromkeys(v for v in node.inputs if v is not None):
                slot = self._slots[operand]
                if self._dies_here(node, slot) and slot.array.shape == shape and slot.array.dtype == dtype:
                    if not slot.array.flags.c_contiguous:
                        continue
                    block, slot.storage.block = slot.storage.block, None
                    return _Slot(slot.array, _Storage(block))
        block = self._pool.take(shape, dtype)
        return _Slot(block.array(shape, dtype), _Storage(block))

    def _dies_here(self, node: Node, slot: _Slot) -> bool:
        storage = slot.storage
        if storage.block is None or storage.pinned:
            return False
        # Every reader that is left is this node, and it sees the storage through this very array only: another view of
        # it would be overwritten while the kernel still reads it.
        here = [self._slots[v] for v in node.inputs if v is not None and self._slots[v].storage is storage]
        return storage.readers == len(here) and all(s.array is slot.array for s in here)

    def _output_array(self, value: Value) -> Array:
        """An output's buffer; a copy where it is the old value of a state that is about to be overwritten."""
        array = self._slots[value].array
        if value in self._landing or not any(np.may_share_memory(array, self.state[n]) for n in self.graph.updates):
            return array
        if any(value is v or np.may_share_memory(array, self.state[self._landing[v]]) for v in self._landing):
            return array  # a new value, or a view of one
        saved = np.empty(array.shape, array.dtype)
        self._add_copy(saved, array, value.producer)
        return saved

    def _write_back(self) -> None:
        """Copy new state values that could not be computed in place, after everything that reads the old ones."""
        waiting = [(n, v) for n, v in self.graph.updates.items() if self._landing.get(v) != n]
        # A value that is itself another state's old array must be read before that array is overwritten.
        overwritten = [self.state[n] for n in self.graph.updates]
        copies: list[tuple[str, Value, Array]] = []
        for name, value in waiting:
            array = self._slots[value].array
            if any(np.may_share_memory(array, target) for target in overwritten):
                saved = np.empty(array.shape, array.dtype)
                self._add_copy(saved, array, value.producer)
                array = saved
            copies.append((name, value, array))
        for name, value, array in copies:
            self._add_copy(self.state[name], array, value.producer)

    def _add_copy(self, target: Array, source: Array, node: Node) -> None:
        self._steps.append(partial(np.copyto, target, source))
        self._step_nodes.append(node)
