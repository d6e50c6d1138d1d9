"""Where arrays that are computed can be read: ``/arrays/<table>/<key>/<name>``, as if the table held them."""

from gql_nda.resolvers import coordinates, population
from gql_nda.resolvers.computed import At

COMPUTED: dict[tuple[str, str], At] = {
    ("field", "grid"): coordinates.GRID,
    ("field", "grid_extrapolated"): coordinates.GRID_EXTRAPOLATED,
    ("scan_unit", "activity_correlation"): population.at,
}
"""Who finds the array, by the address's table and name."""
