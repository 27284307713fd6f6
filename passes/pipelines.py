"""All passes, and the orders in which they are run. A pass has one name: its file, its function, the command line's."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.errors import ArgumentError, did_you_mean
from graphc.passes.base import Pass, name_of
from graphc.passes.cse import cse
from graphc.passes.fold import fold
from graphc.passes.fuse_gemm import fuse_gemm
from graphc.passes.hoist import hoist
from graphc.passes.layout import layout
from graphc.passes.move_transposes import move_transposes
from graphc.passes.prune import prune
from graphc.passes.simplify import simplify
from graphc.passes.trim_loops import trim_loops


@dataclass(frozen=True, slots=True)
class PassInfo:
    """A pass, what it does in one line, and whether results stay the same bit for bit."""

    run: Pass
    doc: str
    exact: bool


PASSES: dict[str, PassInfo] = {
    "prune": PassInfo(prune, "Remove what no output and no update needs.", exact=True),
    "trim_loops": PassInfo(trim_loops, "Take out of loops what nobody needs.", exact=True),
    "hoist": PassInfo(hoist, "Compute before a loop what is the same in all of its steps.", exact=True),
    "fold": PassInfo(fold, "Compute at once what depends on constants only.", exact=True),
    "simplify": PassInfo(
        simplify, "Rewrites that need no new number: x * 1, Reshape of Reshape, Neg of Neg.", exact=True
    ),
    "cse": PassInfo(cse, "Compute equal expressions once.", exact=True),
    "fuse_gemm": PassInfo(fuse_gemm, "A product of matrices with its bias and transposes as one Gemm.", exact=True),
    "layout": PassInfo(layout, "Convolutions and pools from channels last to channels first.", exact=False),
    "move_transposes": PassInfo(
        move_transposes, "Take the Transposes at the borders of a loop's body out of the loop.", exact=True
    ),
}

PIPELINES: dict[str, tuple[Pass, ...]] = {
    "O0": (),
    "O1": (prune, trim_loops, hoist, fold, simplify, cse, fuse_gemm, prune),
    "O2": (
        prune,
        trim_loops,
        hoist,
        fold,
        simplify,
        cse,
        layout,
        move_transposes,
        hoist,
        fold,
        simplify,
        cse,
        fuse_gemm,
        prune,
    ),
}
"""O0: the graph as it was built. O1: exact, for training. O2: for inference and export, states frozen before."""


def passes_named(names: str) -> tuple[Pass, ...]:
    """The passes of a pipeline's name, or of passes' names with commas between them.

    >>> [one.__name__ for one in passes_named("prune,cse")]
    ['prune', 'cse']

    Raises:
        ArgumentError: a name is unknown.
    """
    if names in PIPELINES:
        return PIPELINES[names]
    listed = [name.strip() for name in names.split(",")]
    for name in listed:
        if name not in PASSES:
            hint = did_you_mean(name, [*PASSES, *PIPELINES])
            raise ArgumentError(f"There is no pass or pipeline {name!r}.{hint} See `graphc passes`.")
    return tuple(PASSES[name].run for name in listed)


def is_exact(passes: tuple[Pass, ...]) -> bool:
    """True when all of some listed passes are exact."""
    return all(PASSES[name_of(one)].exact for one in passes)
