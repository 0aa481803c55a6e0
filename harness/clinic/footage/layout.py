"""Where each seat's picture stands in a composite, and the canvas on which it is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from .reading import plane_of
from .writing import Planes

Layout = Literal["side-by-side", "picture-in-picture"]
Size = tuple[int, int]
"""Width and height in pixels; (0, 0) for a seat that never shows a picture."""

TILE: Size = (320, 240)
MAIN: Size = (400, 320)
MAIN_OF_SEVERAL: Size = (480, 384)
"""Small pictures are enlarged to it, for an inset to show enough."""
ROW_TILES = 3
INSET_SHARE, SMALL_INSET_SHARE = 1 / 3, 1 / 4
"""Of one inset, and of each when there are several: neither covers the middle of the main picture."""
COLUMN_INSETS = 4

_DARK, _NO_COLOUR = 32, 128


@dataclass(frozen=True, slots=True)
class Tile:
    """A seat's place on the canvas, in pixels, all even."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The canvas and its tiles by seat, in the order in which they are drawn."""

    width: int
    height: int
    tiles: Mapping[int, Tile]


def plan(sizes: Mapping[int, Size], layout: Layout) -> Plan:
    """Return the places of seats whose largest pictures are of these sizes; the lowest seat comes first."""
    return _insets(sizes) if layout == "picture-in-picture" else _rows(sizes)


def single(size: Size, bounds: Size) -> Plan:
    """Return the plan of seat 0 alone, with its picture made no larger than `bounds`."""
    width, height = fit(size, bounds)
    return Plan(width, height, {0: Tile(0, 0, width, height)})


def fit(size: Size, bounds: Size, *, enlarges: bool = False) -> Size:
    """Return `size` brought within `bounds` at its own proportions, with even sides."""
    scale = min(bounds[0] / size[0], bounds[1] / size[1])
    if not enlarges:
        scale = min(scale, 1.0)
    width, height = (max(2, round(side * scale / 2) * 2) for side in size)
    return min(width, bounds[0]), min(height, bounds[1])


def _rows(sizes: Mapping[int, Size]) -> Plan:
    fitted = [fit(size, TILE) for size in sizes.values() if all(size)]
    width, height = (max(sides) for sides in zip(*fitted, strict=True))
    rows = math.ceil(len(sizes) / ROW_TILES)
    columns = math.ceil(len(sizes) / rows)
    tiles = {
        seat: Tile(at % columns * width, at // columns * height, width, height) for at, seat in enumerate(sorted(sizes))
    }
    return Plan(columns * width, rows * height, tiles)


def _insets(sizes: Mapping[int, Size]) -> Plan:
    main, *others = sorted(sizes)
    size = sizes[main] if all(sizes[main]) else max(sizes.values())
    bounds, share = (MAIN, INSET_SHARE) if len(others) < 2 else (MAIN_OF_SEVERAL, SMALL_INSET_SHARE)
    width, height = fit(size, bounds, enlarges=True)
    # Upright pictures get dark borders, or an inset that is as wide as they are would show too little.
    width = max(width, _even(height * bounds[0] / bounds[1]))
    inset_width, inset_height = fit((width, height), (_even(width * share), _even(height * share)))
    tiles = {main: Tile(0, 0, width, height)}
    for at, seat in enumerate(others):
        column, row = divmod(at, COLUMN_INSETS)
        left, top = width - (column + 1) * inset_width, height - (row + 1) * inset_height
        tiles[seat] = Tile(left, top, inset_width, inset_height)
    return Plan(width, height, tiles)


def _even(length: float) -> int:
    return max(2, int(length / 2) * 2)


class Canvas:
    """A picture made of tiles, dark where nobody is seen."""

    def __init__(self, plan: Plan) -> None:
        self.planes: Planes = np.full((plan.height * 3 // 2, plan.width), _NO_COLOUR, np.uint8)
        self.planes[: plan.height] = _DARK
        self._plan = plan
        self._shown: dict[int, VideoFrame | None] = dict.fromkeys(plan.tiles)
        self._scaler = {seat: VideoReformatter() for seat in plan.tiles}

    def put(self, seat: int, picture: VideoFrame | None) -> None:
        """Show a seat's picture from now on, or darkness; `draw` makes it seen."""
        tile = self._plan.tiles[seat]
        if picture is not None:
            width, height = fit((picture.width, picture.height), (tile.width, tile.height), enlarges=True)
            picture = self._scaler[seat].reformat(picture, width, height, "yuv420p", threads=1)
        self._shown[seat] = picture

    def draw(self) -> Planes:
        """Return the canvas with every tile in place; it changes with the next call."""
        width, height = self._plan.width, self._plan.height
        flat = self.planes.reshape(-1)
        luma = flat[: width * height].reshape(height, width)
        chroma = flat[width * height :].reshape(2, height // 2, width // 2)
        for seat, tile in self._plan.tiles.items():
            _fill(luma, tile, 1, self._shown[seat], 0, _DARK)
            for colour in range(2):
                _fill(chroma[colour], tile, 2, self._shown[seat], colour + 1, _NO_COLOUR)
        return self.planes


def _fill(plane: NDArray[np.uint8], tile: Tile, step: int, picture: VideoFrame | None, at: int, level: int) -> None:
    """Copy plane `at` of a picture to the middle of a tile; `step` pixels of the canvas are one of the plane."""
    top, left = tile.top // step, tile.left // step
    place = plane[top : top + tile.height // step, left : left + tile.width // step]
    if picture is None or (picture.width, picture.height) != (tile.width, tile.height):
        place[:] = level
    if picture is not None:
        pixels = plane_of(picture, at)[: picture.height // step, : picture.width // step]
        top, left = ((outer - inner) // 2 for outer, inner in zip(place.shape, pixels.shape, strict=True))
        place[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
