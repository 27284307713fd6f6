"""What every runtime offers: `prepare` makes a graph ready, `run` runs it.

A runtime is a module (or object) with a function `prepare`; what it gives back holds the graph's states between runs,
so that a train step is ``executable.run(batch)`` again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from graphc.ir.graph import Graph
from graphc.runtimes.kernel import Array

NEW_STATE = ":new"
"""Behind a state's name in a file: the output that holds the state's new value. No value of the IR has such a name."""


class Executable(Protocol):
    """A graph that is ready to run."""

    @property
    def state(self) -> Mapping[str, Array]:
        """State name to its value after the last run. Ask anew after each run: a runtime may keep it on a device."""

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Array]:
        """Run once and give each state its update.

        Args:
            feeds: input name to array, of the declared dtype and a shape that fits the declared one.

        Returns:
            Output name to array.

        Raises:
            GraphcError: a feed is missing, unknown, or of another dtype or shape than declared.
            ExecutionError: the run itself failed.
        """


class Runtime(Protocol):
    """Where graphs run."""

    def prepare(self, graph: Graph, /, state: Mapping[str, Array] | None = None) -> Executable:
        """Make a graph ready.

        Args:
            graph: a verified graph; it must not change any more.
            state: the value of each state that the graph reads. Whether the arrays are shared or copied is for the
                runtime to say.
        """
