"""One kind of array for kernels: Numba compiles a kernel anew for each kind that it is called with."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Scalar = TypeVar("_Scalar", bound=np.generic)


def read_only(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """Return a view of an array that cannot be written to, as Arrow's buffers cannot; the array stays as it is."""
    view: NDArray[Any] = array.view()
    view.flags.writeable = False
    return view
