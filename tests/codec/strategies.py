"""Values of every type that a blob holds."""

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

thorough = settings(max_examples=300)

REALS = ["?", "f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"]

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
dtypes = st.sampled_from([np.dtype(name) for name in REALS] + [np.dtype(f"M8[{unit}]") for unit in UNITS])

field_names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5)


def _ordered(array: NDArray[Any], order: int) -> NDArray[Any]:
    """The same shape of array, laid out in memory in one of four ways."""
    if order == 0 or array.ndim == 0:
        return array
    if order == 1:
        return np.asfortranarray(array)
    return array[::-1] if order == 2 else np.repeat(array, 2, axis=0)[::2]


def in_any_order(arrays: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(_ordered, arrays, st.integers(0, 3))


real_arrays = in_any_order(hnp.arrays(st.sampled_from([np.dtype(name) for name in REALS]), shapes))
fixed_arrays = in_any_order(hnp.arrays(dtypes, shapes))
complex_arrays = in_any_order(hnp.arrays(st.sampled_from([np.dtype("c8"), np.dtype("c16")]), shapes))
tame_complex_arrays = complex_arrays.map(lambda array: np.where(np.isfinite(array), array, array.dtype.type(1)) + 0)
"""Without infinities, NaN and negative zeros, which DataJoint changes in reading."""

plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.uuids()
)
numpy_scalars = hnp.arrays(dtypes, ()).map(lambda array: array[()])
hashable = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.uuids()

any_letters = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
texts = in_any_order(hnp.arrays(np.dtype("U5"), shapes, elements=any_letters))
ascii_letters = st.characters(codec="ascii", exclude_characters="\0").map(str.encode)
letters = hnp.arrays(np.dtype("S1"), hnp.array_shapes(max_dims=1), elements=ascii_letters)
boxes = hnp.arrays(np.dtype(object), shapes, elements=plain)


flat_dtypes = st.lists(st.tuples(field_names, dtypes), min_size=1, max_size=4, unique_by=lambda field: field[0])
nested_dtypes = st.builds(lambda fields, inner: [*fields, ("nested one", inner)], flat_dtypes, flat_dtypes)
records = hnp.arrays((flat_dtypes | nested_dtypes).map(np.dtype), shapes)

arrays = fixed_arrays | tame_complex_arrays | texts | letters | boxes | records

values: st.SearchStrategy[Any] = st.recursive(
    plain | numpy_scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(hashable, max_size=4)
        | st.dictionaries(hashable, inner, max_size=4)
    ),
    max_leaves=12,
)
