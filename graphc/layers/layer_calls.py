"""The calls of a layer on symbolic tensors: what ``layer.output`` and ``layer.get_output_at(i)`` answer."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError
from graphc.layers.symbolic import LayerCall
from graphc.structure import map_structure


class LayerCalls:
    """The part of `Layer` that remembers where it was used in layer graphs."""

    name: str
    _calls: list[LayerCall]

    @property
    def inbound_nodes(self) -> list[LayerCall]:
        """The calls of this layer on symbolic tensors, in order."""
        return list(self._calls)

    def _call_at(self, node_index: int, what: str) -> LayerCall:
        if not self._calls:
            raise AttributeError(f"Layer {self.name!r} has never been called on an Input, so it has no {what}.")
        if not -len(self._calls) <= node_index < len(self._calls):
            raise ArgumentError(
                f"Layer {self.name!r} was called {len(self._calls)} times; there is no {what} at node {node_index}."
            )
        return self._calls[node_index]

    def get_input_at(self, node_index: int) -> Any:
        """The input of the layer's call number ``node_index``."""
        return self._call_at(node_index, "input").inputs

    def get_output_at(self, node_index: int) -> Any:
        """The output of the layer's call number ``node_index``."""
        return self._call_at(node_index, "output").outputs

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape of the layer's call number ``node_index``."""
        return map_structure(lambda t: t.shape, self.get_input_at(node_index))

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape of the layer's call number ``node_index``."""
        return map_structure(lambda t: t.shape, self.get_output_at(node_index))

    def _only(self, what: str) -> LayerCall:
        if len(self._calls) > 1:
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is ill-defined. '
                f"Use `get_{what}_at(node_index)` instead."
            )
        return self._call_at(0, what)

    @property
    def input(self) -> Any:
        """The input of the only call."""
        return self._only("input").inputs

    @property
    def output(self) -> Any:
        """The output of the only call."""
        return self._only("output").outputs

    def _common_shape(self, what: str) -> Any:
        self._call_at(0, what)
        at = self.get_input_shape_at if what == "input" else self.get_output_shape_at
        shapes = [at(i) for i in range(len(self._calls))]
        if any(s != shapes[0] for s in shapes):
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes with different {what} shapes, hence the notion of "layer '
                f'{what} shape" is ill-defined. Use `get_{what}_shape_at(node_index)` instead.'
            )
        return shapes[0]

    @property
    def input_shape(self) -> Any:
        """The input shape, when all calls have the same."""
        return self._common_shape("input")

    @property
    def output_shape(self) -> Any:
        """The output shape, when all calls have the same."""
        return self._common_shape("output")
