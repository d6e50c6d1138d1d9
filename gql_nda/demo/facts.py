"""What's known of the recordings of nda: the plan that the demo follows.

Numbers that the database's users published stand as they are. Where nobody did (depths of most
scans, masks of most fields, four numbers of frames) they are made up within the published range;
the totals per database, and per scan where known, hold.
"""

from dataclasses import dataclass

STACK_KEY = {"stack_session": 9, "stack_idx": 19}
STACK_MOTOR = (-236.91, -173.688, 314.0)
STACK_UM = (1412.0, 1322.0, 670.0)
STACK_PX = (706, 661, 335)
STACK_SURFACE = -21.0

FIELD_PX = (248, 440)
FIELD_UM = (620.0, 1100.0)
FIELD_CENTRES = ((-485.0, -235.0), (95.0, -235.0))
DEPTH_STEP = 140

TRUE_RATE = 6.29845 / 6.3009
"""Measured frame rate over the nominal one."""

ALL_MASKS = 168_971
"""Units of the whole database."""

FIELD_SHARES = {8: (643, 452, 1455, 1389, 1420, 1411, 895, 730), 6: (1080, 960, 1520, 1480, 1440, 1380)}
"""How masks spread over the fields of a scan that published nothing else, by number of fields."""

PUBLISHED_MASKS = {
    (4, 7): (643, 452, 1455, 1389, 1420, 1411, 895, 730),
    (4, 9): (695, 535, 1478, 1431, 1429, 1369, 904, 707),
    (4, 10): (1160, 1073, 1522, 1560, 1360, 1418, 871, 794),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One scan: its key, size and rate, its first depth (um), and what it's known for.

    ``pupil_lost`` is the share of frames without a pupil, ``first_trial`` the start of the first
    trial (s).
    """

    session: int
    scan_idx: int
    included: bool
    nframes: int
    nfields: int
    fps: float
    depth: int
    units: int
    pupil_lost: float
    first_trial: float

    @property
    def key(self) -> tuple[int, int]:
        """Session and scan number."""
        return self.session, self.scan_idx

    @property
    def columns(self) -> dict[str, int]:
        """The key as columns."""
        return {"session": self.session, "scan_idx": self.scan_idx}

    @property
    def ndepths(self) -> int:
        """Number of depths: two fields lie at each."""
        return self.nfields // 2

    @property
    def fields(self) -> range:
        """Numbers of the fields, from 1."""
        return range(1, self.nfields + 1)

    def field_z(self, field: int) -> int:
        """Depth of a field (um)."""
        return self.depth + DEPTH_STEP * ((field - 1) // 2)

    @property
    def masks(self) -> tuple[int, ...]:
        """Number of masks of each field in the whole database."""
        return PUBLISHED_MASKS.get(self.key) or apportion(self.units, FIELD_SHARES[self.nfields])


def apportion(total: int, shares: tuple[int, ...]) -> tuple[int, ...]:
    """Split a whole number in proportion to shares, by largest remainders, the first one on ties."""
    whole = sum(shares)
    parts = [total * s // whole for s in shares]
    order = sorted(range(len(shares)), key=lambda i: (-(total * shares[i] % whole), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return tuple(parts)


_SLOW, _FAST = 6.3009, 8.61754

RECORDINGS = (
    Recording(4, 7, True, 40000, 8, _SLOW, 80, 8395, 0.303225, 8.703050851821),
    Recording(4, 9, False, 35112, 8, _SLOW, 90, 8548, 0.062, 11.4),
    Recording(4, 10, False, 40000, 8, _SLOW, 100, 9758, 0.118, 37.9),
    Recording(5, 3, False, 40000, 8, _SLOW, 60, 7900, 0.747, 25.3),
    Recording(5, 6, True, 40000, 8, _SLOW, 70, 8700, 0.02655, 160.2),
    Recording(5, 7, True, 40000, 8, _SLOW, 80, 8862, 0.100025, 202.05525159835815),
    Recording(6, 2, True, 40000, 8, _SLOW, 90, 8500, 0.024875, 64.7),
    Recording(6, 4, True, 40000, 8, _SLOW, 100, 9100, 0.03295, 18.1),
    Recording(6, 6, True, 40000, 8, _SLOW, 110, 8900, 0.0409, 92.6),
    Recording(6, 7, True, 40000, 8, _SLOW, 120, 9300, 0.138575, 240.8),
    Recording(7, 3, True, 40000, 8, _SLOW, 70, 8800, 0.046725, 13.5),
    Recording(7, 4, True, 40000, 8, _SLOW, 80, 11201, 0.009675, 120.4),
    Recording(7, 5, True, 40000, 8, _SLOW, 110, 8300, 0.017025, 45.0),
    Recording(8, 5, True, 40000, 8, _SLOW, 90, 9600, 0.015, 71.9),
    Recording(8, 7, False, 40000, 8, _SLOW, 100, 8600, 0.035, 29.2),
    Recording(8, 9, False, 40000, 8, _SLOW, 120, 8100, 0.052, 15.8),
    Recording(9, 3, True, 50000, 6, _FAST, 120, 9500, 0.041, 83.3),
    Recording(9, 4, True, 50000, 6, _FAST, 140, 8900, 0.073, 21.6),
    Recording(9, 6, True, 50000, 6, _FAST, 160, 8007, 0.029, 52.4),
)
"""The 19 scans, 14 of them meant for analysis."""

FIELDS = sum(r.nfields for r in RECORDINGS)

FAVOURITE = (4, 7)
FAVOURITE_EXTRA = 40
"""The scan that first queries show gets up to so many masks more than its share in a small demo."""


def mask_counts(units: int) -> dict[tuple[int, int, int], int]:
    """Number of masks by (session, scan_idx, field) in a demo of so many units: at least one each."""
    if units < FIELDS:
        msg = f"{units} units don't fill {FIELDS} fields: each needs one"
        raise ValueError(msg)
    extra = min(FAVOURITE_EXTRA, units - FIELDS) if units < ALL_MASKS else 0
    keys = [(*r.key, field) for r in RECORDINGS for field in r.fields]
    shares = tuple(n - 1 for r in RECORDINGS for n in r.masks)
    counts = {key: 1 + n for key, n in zip(keys, apportion(units - extra - FIELDS, shares), strict=True)}
    favourite = next(r for r in RECORDINGS if r.key == FAVOURITE)
    for field, n in zip(favourite.fields, apportion(extra, favourite.masks), strict=True):
        counts[*FAVOURITE, field] += n
    return counts
