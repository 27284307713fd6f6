"""Ops: the functions that users call, under Keras 3's names (`graphc.ops.matmul`), and below them the IR's op families.

The functions are in `graphc.ops.functional`; `graphc.ops.registry` holds the table of the IR's ops.
"""

from graphc.ops.functional import *  # noqa: F403 (the list of names is kept in one place)
from graphc.ops.functional import __all__ as __all__
from graphc.ops.functional import image as image
