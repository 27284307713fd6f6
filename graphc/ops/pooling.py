"""To be written."""

from graphc.ops.opdef import OpDef

OPS: tuple[OpDef, ...] = ()
