"""Cases of `graphc.ops.source`. A `DimSize` of a named dim is tested in `tests/ops/test_dim_size.py`."""

from __future__ import annotations

import numpy as np
from op_cases.case import Case

CASES: list[Case] = [
    Case("DimSize", [], lambda dim: np.int64(dim), {"dim": 5}, id="int64"),
    Case("DimSize", [], lambda dim, dtype: np.float32(dim), {"dim": 7, "dtype": "float32"}, id="float32"),
]
