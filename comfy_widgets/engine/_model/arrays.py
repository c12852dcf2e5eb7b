"""The array types of the model."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""Numbers; float32 wherever there are many."""
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]


def single(values: Any) -> Array:
    """Return numbers as a float32 array."""
    result: Array = np.asarray(values, np.float32)
    return result
