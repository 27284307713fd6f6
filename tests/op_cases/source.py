"""Cases of `graphc.ops.source`. A `DimSize` of a named dim is tested in `tests/ops/test_dim_size.py`."""

from __future__ import annotations

import numpy as np
from op_cases.case import Array, Case


def length(dim: int, dtype: str = "int64") -> Array:
    return np.array(dim, dtype)


CASES: list[Case] = [
    Case("DimSize", [], length, {"dim": 5}, id="int64"),
    Case("DimSize", [], length, {"dim": 7, "dtype": "float32"}, id="float32"),
]
