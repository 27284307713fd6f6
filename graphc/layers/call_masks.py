"""Masks on their way through a call: from the tensors that come in to ``mask`` arguments, and on to what comes out.

The rules are Keras 3's. A ``mask`` that the caller left open is the mask of the only tensor argument; with several tensor
arguments, ``<argument>_mask`` is the mask of that argument, and a plain ``mask`` is left alone. What comes out has the mask
that ``compute_mask`` gives for the first argument, if the layer supports masking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.ops.functional.dispatch import is_variable
from graphc.ops.functional.masks import get_mask, set_mask, with_mask
from graphc.ops.functional.tracing import TracedTensor
from graphc.structure import flatten, map_structure


def _is_tensor(x: Any) -> bool:
    return isinstance(x, np.ndarray | TracedTensor) or getattr(x, "is_symbolic", False) or is_variable(x)


def _holds_tensors(argument: Any) -> bool:
    leaves = flatten(argument)
    return bool(leaves) and all(x is None or _is_tensor(x) for x in leaves) and any(x is not None for x in leaves)


def masks_of(argument: Any) -> Any:
    """The masks of the tensors in a nested argument, in its nesting; None where a tensor has none."""
    return map_structure(get_mask, argument)


def any_mask(masks: Any) -> bool:
    """True when there is a mask in the nesting."""
    return any(m is not None for m in flatten(masks))


def open_masks(parameters: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The mask arguments that the caller left open, with the masks that belong there.

    Args:
        parameters: the names of the parameters of ``call``, in order.
        args: positional arguments.
        kwargs: keyword arguments.
    """
    given = {k: v for k, v in (*zip(parameters, args, strict=False), *kwargs.items()) if v is not None}
    tensors = {name: value for name, value in given.items() if _holds_tensors(value)}
    if len(tensors) == 1:
        wanted = {"mask": next(iter(tensors.values()))}
    else:
        wanted = {f"{name}_mask": value for name, value in tensors.items()}
    return {name: masks_of(value) for name, value in wanted.items() if name in parameters and given.get(name) is None}


def pass_on(outputs: Any, masks: Any) -> Any:
    """The outputs with their masks, for those that have none yet.

    A tensor that came in and goes out unchanged gets its mask on a handle of its own, so that the one of the caller stays
    as it was.
    """
    leaves = flatten(outputs)
    if masks is None or all(get_mask(x) is not None for x in leaves):
        return outputs
    flat = flatten(masks)
    by_leaf = dict(zip(map(id, leaves), flat, strict=False))

    def give(x: Any) -> Any:
        mask = by_leaf.get(id(x))
        if mask is None or get_mask(x) is not None or not _is_tensor(x):
            return x
        if getattr(x, "is_symbolic", False):
            set_mask(x, mask)
            return x
        return with_mask(x, mask)

    return map_structure(give, outputs)


def take_away(outputs: Any, inputs: Sequence[Any]) -> Any:
    """The outputs; a tensor that came in with a mask and goes out unchanged loses it."""
    masked = {id(x) for x in inputs if get_mask(x) is not None}
    if not masked:
        return outputs
    return map_structure(lambda x: with_mask(x, None) if id(x) in masked else x, outputs)
