"""Where arrays that are computed can be read: ``/arrays/<table>/<key>/<name>``, as if the table held them."""

from gql_nda.resolvers import coordinates, epochs, masks, population
from gql_nda.resolvers.computed import At

COMPUTED: dict[tuple[str, str], At] = {
    ("field", "grid"): coordinates.GRID,
    ("field", "grid_extrapolated"): coordinates.GRID_EXTRAPOLATED,
    ("field", "label_image"): masks.label_image_at,
    ("field", "dense_masks"): masks.dense_masks_at,
    ("scan_unit", "activity_correlation"): population.at,
    **{("scan", name): at for name, at in epochs.RESAMPLED.items()},
}
"""Who finds the array, by the address's table and name."""
