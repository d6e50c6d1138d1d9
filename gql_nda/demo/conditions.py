"""The stimulus conditions: clips, Monet2 and Trippy, their pictures, and what they drive in cells."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables
from gql_nda.demo.batches import Batch, Row
from gql_nda.demo.chance import Floats, chance
from gql_nda.demo.textures import between

Pictures = NDArray[np.uint8]
"""(frame, x, y): a frame is contiguous, as in the blobs."""

SIZE = (9, 16)
"""Height and width of every picture: nda's are ten times as large."""

FEATURES = 8
"""Number of visual features that drive cells."""

FEATURE_RATE = 10.0
"""Rate at which features are described (Hz)."""

DIRECTIONS = np.arange(16) * 22.5
SEGMENT = 15 / 16
"""Length of one direction of Monet2 (s)."""

CLASSES = ("Cinematic", "sports1m", "Rendered")

ORACLE = {
    "KXdTNAGMo1gCWz2Ge8zr": ("run82-ancientTomb", "Rendered"),
    "5zQTb77qI+ig8rigx1XU": ("Mad Max", "Cinematic"),
    "GjCMo2GkJp6y5vricadg": ("americandiner", "Rendered"),
    "ecUQJtcERZJGdqza1k7h": ("cyclocross", "sports1m"),
    "7UETOWO5Z8aWuHDBJ2GG": ("Star Wars VII", "Cinematic"),
    "Oup5uAZxF2G7zEJkT+ui": ("basketball", "sports1m"),
}
"""Hash, name and class of the six clips that every scan shows ten times."""

TWICE, ONCE = 30, 80
"""Clips of each class that all scans show twice, and of which each scan shows some once."""

PUBLISHED_MONET2, PUBLISHED_SEED = "GHn0W57E+2PS+Qr5yD2r", 8


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: kind 'Clip', 'Monet2' or 'Trippy', its number within the kind, its clock."""

    hash: str
    kind: str
    number: int
    name: str = ""
    movie_class: str = ""

    @property
    def fps(self) -> int:
        """Pictures per second."""
        return 30 if self.kind == "Clip" else 60

    @property
    def duration(self) -> int:
        """Length (s)."""
        return 10 if self.kind == "Clip" else 15

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return self.fps * self.duration

    @property
    def type(self) -> str:
        """The kind as trials name it."""
        return f"stimulus.{self.kind}"


def _hash(kind: str, number: int) -> str:
    """20 characters of base64, made up."""
    return base64.b64encode(hashlib.sha256(f"demo {kind} {number}".encode()).digest())[:20].decode()


def _clips() -> list[Condition]:
    """Oracle clips, then those shown twice and once, class by class."""
    known = [Condition(h, "Clip", i, name, kind) for i, (h, (name, kind)) in enumerate(ORACLE.items())]
    numbers = range(len(known), len(known) + len(CLASSES) * (TWICE + ONCE))
    return known + [_clip(number, CLASSES[number % len(CLASSES)]) for number in numbers]


def _clip(number: int, movie_class: str) -> Condition:
    return Condition(_hash("Clip", number), "Clip", number, f"demo-{movie_class.lower()}-{number:03}", movie_class)


def _noises(kind: str, hashes: dict[int, str]) -> list[Condition]:
    """20 conditions of Monet2 or Trippy, numbered from 1, some of them with a hash of their own."""
    return [Condition(hashes.get(n, _hash(kind, n)), kind, n) for n in range(1, 21)]


CLIPS = _clips()
MONET2 = _noises("Monet2", {PUBLISHED_SEED: PUBLISHED_MONET2, 3: _hash("Clip", 11).swapcase()})
TRIPPY = _noises("Trippy", {2: _hash("Clip", 30).swapcase(), 5: _hash("Monet2", 7).swapcase()})
"""Three hashes differ from another one only by case: across the tables, so that MySQL's own
case-insensitive keys can hold them."""

CONDITIONS = {c.hash: c for c in (*CLIPS, *MONET2, *TRIPPY)}


def shown_twice() -> list[Condition]:
    """The clips that every scan shows twice."""
    return CLIPS[len(ORACLE) : len(ORACLE) + TWICE * len(CLASSES)]


def shown_once() -> list[Condition]:
    """The clips of which every scan shows some once."""
    return CLIPS[len(ORACLE) + TWICE * len(CLASSES) :]


# --- what cells see --------------------------------------------------------------------------------


@cache
def features(condition: Condition) -> Floats:
    """How strongly each feature is in the picture: (feature, sample) at FEATURE_RATE, unit variance."""
    rng = chance("features", *condition.hash.encode())
    samples = round(condition.duration * FEATURE_RATE) + 3
    noise = rng.standard_normal((FEATURES, samples + 8))
    kernel = np.array([0.1, 0.3, 0.6, 0.85, 1, 0.85, 0.6, 0.3, 0.1])
    smooth = np.array([np.convolve(row, kernel, mode="valid") for row in noise])
    scaled: Floats = smooth / np.linalg.norm(kernel)
    return scaled


@cache
def directions(condition: Condition) -> NDArray[np.int64]:
    """Order in which a Monet2 shows its 16 directions, as indices into DIRECTIONS."""
    return chance("directions", condition.number).permutation(len(DIRECTIONS))


# --- pictures --------------------------------------------------------------------------------------


@cache
def pictures(condition: Condition) -> Pictures:
    """The movie of a condition."""
    return _PICTURES[condition.kind](condition)


def _grid() -> tuple[Floats, Floats]:
    """Two pictures (x, y): the x and the y of every pixel."""
    height, width = SIZE
    x, y = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float), indexing="ij")
    return x, y


def _clip_pictures(condition: Condition) -> Pictures:
    """Shots of some seconds, each with a soft light that drifts slowly."""
    rng = chance("clip", condition.number)
    x, y = _grid()
    moving = np.zeros((condition.frames, *x.shape))
    cuts = [0, *sorted(rng.choice(np.arange(45, 255), 2, replace=False).tolist()), condition.frames]
    for start, end in pairwise(cuts):
        seconds = np.arange(end - start)[:, None, None] / condition.fps
        u, v, phase, speed = rng.uniform((-0.25, -0.25, 0, -0.5), (0.25, 0.25, 6.3, 0.5))
        moving[start:end] = np.cos(u * x + v * y + phase + speed * seconds)
    return _grey(moving)


def _grey(values: Floats) -> Pictures:
    """-1 to 1 in eight levels of grey."""
    return (np.floor((values + 1) * 3.99).astype(np.uint8) * 32) + np.uint8(16)


def _monet2_pictures(condition: Condition) -> Pictures:
    """A grating that moves in one direction after the other; 0 degrees is leftwards, then anticlockwise."""
    x, y = _grid()
    seconds = np.arange(condition.frames) / condition.fps
    turn = np.deg2rad(DIRECTIONS[directions(condition)][(seconds // SEGMENT).astype(int)])[:, None, None]
    along = -x * np.cos(turn) + y * np.sin(turn)
    return _grey(np.cos(0.8 * along - 2 * np.pi * seconds[:, None, None]))


NODES = (6, 3)
"""Nodes of Trippy's phase along x and y."""

UP_FACTOR = 10


def phase(condition: Condition) -> Floats:
    """Trippy's phase at its coarse nodes (node, t), in rad: a random walk in time."""
    rng = chance("trippy", condition.number)
    steps = rng.normal(0, 0.25, (NODES[0] * NODES[1], condition.frames // UP_FACTOR + 1))
    steps[:, 0] = rng.uniform(0, 2 * np.pi, len(steps))
    walk: Floats = np.cumsum(steps, axis=1)
    return walk


def _trippy_pictures(condition: Condition) -> Pictures:
    """The cosine of the phase, interpolated between the nodes in time and space."""
    coarse = phase(condition).reshape(*NODES, -1)
    time = between(condition.frames, coarse.shape[2], UP_FACTOR)
    x, y = (between(n, k, (n - 1) / (k - 1)) for n, k in zip(SIZE[::-1], NODES, strict=True))
    return _grey(np.cos(np.einsum("ft,xi,yj,ijt->fxy", time, x, y, coarse, optimize=True)))


_PICTURES = {"Clip": _clip_pictures, "Monet2": _monet2_pictures, "Trippy": _trippy_pictures}


# --- rows ------------------------------------------------------------------------------------------


def condition_batches() -> list[Batch]:
    """The rows of the three tables of conditions."""
    return [
        (tables.clip, [clip_row(c) for c in CLIPS]),
        (tables.monet2, [monet2_row(c) for c in MONET2]),
        (tables.trippy, [trippy_row(c) for c in TRIPPY]),
    ]


def clip_row(condition: Condition) -> Row:
    """One row of clip: grey levels as float64 (frame, y, x), the mean over colours."""
    return {
        "condition_hash": condition.hash,
        "movie_name": condition.name,
        "duration": float(condition.duration),
        "clip": lambda: pictures(condition).transpose(0, 2, 1).astype(float),
        "short_movie_name": condition.movie_class,
        "fps": float(condition.fps),
    }


def monet2_row(condition: Condition) -> Row:
    """One row of monet2: (y, x, 1, frame) pictures; directions and onsets (1, 16)."""
    published = {"pattern_width": 72, "pattern_aspect": 1.7, "temp_kernel": "hamming", "temp_bandwidth": 4.0}
    noise = {"ori_coherence": 2.5, "ori_fraction": 1.0, "ori_mix": 1.0, "n_dirs": 16, "speed": 0.2}
    return {
        "condition_hash": condition.hash,
        **_clock(condition),
        "blue_green_saturation": 0.0,
        **published,
        **noise,
        "directions": DIRECTIONS[directions(condition)][None],
        "onsets": (np.arange(16) * SEGMENT)[None],
        "movie": lambda: pictures(condition).transpose(2, 1, 0)[:, :, None],
    }


def trippy_row(condition: Condition) -> Row:
    """One row of trippy: (y, x, frame) pictures."""
    texture = {"tex_ydim": SIZE[0], "tex_xdim": SIZE[1], "up_factor": UP_FACTOR}
    nodes = {"xnodes": NODES[0], "ynodes": NODES[1]}
    frequencies = {"temp_freq": 2.5, "temp_kernel_length": 61, "spatial_freq": 0.06}
    return {
        "condition_hash": condition.hash,
        **_clock(condition),
        **texture,
        **nodes,
        **frequencies,
        "packed_phase_movie": partial(phase, condition),
        "movie": lambda: pictures(condition).transpose(2, 1, 0),
    }


def _clock(condition: Condition) -> dict[str, float]:
    """Rate, length and seed of a noise."""
    return {"fps": float(condition.fps), "duration": float(condition.duration), "rng_seed": float(condition.number)}
