"""One tree of exceptions: everything graphc raises on purpose is a :class:`GraphcError`.

Each class also derives from the built-in that a Keras or NumPy user would catch (``ValueError``, ``TypeError`` ...), so
code written for Keras keeps working. Messages say what came, what was expected and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class GraphcError(Exception):
    """Base of every error that graphc raises on purpose."""


class ArgumentError(GraphcError, ValueError):
    """An argument has the right type and a value that makes no sense (``batch_size=0``, an unknown loss name)."""


class ShapeError(GraphcError, ValueError):
    """Shapes do not fit together."""


class DTypeError(GraphcError, TypeError):
    """A dtype is unknown or not allowed here."""


class DataError(GraphcError, ValueError):
    """Training or prediction data cannot be used (empty, unequal lengths, labels out of range, object arrays)."""


class NotBuiltError(GraphcError, ValueError):
    """A layer or model was used before its weights exist."""


class GraphError(GraphcError, ValueError):
    """The IR breaks one of its invariants, or was asked for something it does not hold."""


class ParseError(GraphcError, ValueError):
    """Text is not valid IR text; the message gives line and column."""


class NotDifferentiableError(GraphcError, ValueError):
    """A gradient was asked through an op that has none; the message names the op and the reason."""


class PassError(GraphcError, RuntimeError):
    """A pass failed or left an invalid graph; the message names the pass and those that ran before it."""


class ExportError(GraphcError, ValueError):
    """A graph cannot be written in the requested format, opset or target."""


class ModelFileError(GraphcError, ValueError):
    """A model file is damaged, hostile or of another kind; the message names the file and the place in it."""


class CheckpointError(GraphcError, OSError):
    """A file could not be written; what was there before is untouched."""


class MissingDependencyError(GraphcError, ImportError):
    """An optional package or provider is not installed; the message gives the command that installs it."""


class ExecutionError(GraphcError, RuntimeError):
    """A kernel failed at run time; the message names the node, its layer and the line that made the layer."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``' Did you mean "relu"?'`` when ``name`` is close to one of ``known``, else a list of a few known names."""
    names = sorted(set(known))
    close = get_close_matches(str(name), names, n=1, cutoff=0.6)
    if not close:  # the same word in another case or with other separators is a likelier slip than a near-by word
        plain = {n.replace("_", "").lower(): n for n in names}
        match = plain.get(str(name).replace("_", "").replace(" ", "").lower())
        close = [match] if match else []
    if close:
        return f' Did you mean "{close[0]}"?'
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f" Known: {shown}."
