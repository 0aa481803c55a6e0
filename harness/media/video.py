"""The canary in pictures: a QR code over a moving background, and the reader of such codes.

The code is QR version 1-Q (ISO/IEC 18004) of the payload's 20 decimal digits, at the levels of limited-range
luma, and covers little more than half of the height so that it lives through small grids and thumbnails.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import segno
import zxingcpp
from numpy.typing import NDArray

from harness.canary import PAYLOAD_BITS

Luma = NDArray[np.uint8]

DARK, LIGHT = 16, 235
QUIET_ZONE = 2
MODULES = 21 + 2 * QUIET_ZONE
CODE_SHARE = 0.6
"""The largest share of the height that a code covers; whole pixels per module bring it down to 0.55-0.6."""

_DIGITS = re.compile(r"[0-9]{20}")
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_TEXTURE_CELL = 16
_STEP_PIXELS = 2


@lru_cache(maxsize=256)
def modules(payload: int) -> Luma:
    """Return the code of a 64-bit payload with its quiet zone: luma of shape [25, 25], one pixel a module."""
    code = segno.make_qr(f"{payload:020d}", version=1, error="q", mode="numeric", boost_error=False)
    dark = np.pad(np.array(code.matrix, dtype=bool), QUIET_ZONE)
    luma = np.where(dark, DARK, LIGHT).astype(np.uint8)
    luma.flags.writeable = False
    return luma


def frames(payload: int, count: int, *, width: int, height: int, seed: int = 0) -> Luma:
    """Return `count` pictures of the canary as luma of shape [count, height, width].

    The background is drawn from `seed` and moves in every frame, so that no encoder can leave a frame out.
    Raises ValueError when the picture is too small for a code of one pixel a module.
    """
    scale = int(height * CODE_SHARE) // MODULES
    if scale < 1 or width < MODULES * scale:
        raise ValueError(f"a picture of {width}x{height} has no room for a code")
    texture = _texture(width + _STEP_PIXELS * count, height, seed)
    starts = _STEP_PIXELS * np.arange(count)
    luma = np.stack([texture[:, start : start + width] for start in starts])
    code = np.kron(modules(payload), np.ones((scale, scale), np.uint8))
    side = len(code)
    top, left = (height - side) // 2, (width - side) // 2
    luma[:, top : top + side, left : left + side] = code
    return luma


def yuv420p(luma: Luma) -> NDArray[np.uint8]:
    """Return one grey picture [height, width] in planar YUV 4:2:0: shape [height * 3 / 2, width]."""
    chroma = np.full((luma.shape[0] // 2, luma.shape[1]), 128, np.uint8)
    return np.concatenate([luma, chroma])


def find_codes(luma: Luma) -> list[int]:
    """Return every 64-bit payload that a picture [height, width] shows; codes of other texts are left out.

    The reader looks at all rotations and scales even when an easy code is in sight: another may stand
    beside it, turned or small, and that other one may be the foreign one.
    """
    barcodes = zxingcpp.read_barcodes(np.ascontiguousarray(luma), formats=_QR)
    texts = (barcode.text for barcode in barcodes)
    values = (int(text) for text in texts if _DIGITS.fullmatch(text))
    return [value for value in dict.fromkeys(values) if value < 1 << PAYLOAD_BITS]


def find_code(luma: Luma, payload: int) -> list[tuple[float, float]]:
    """Return where a picture [height, width] shows the payload: its code's corners (x, y) in turn; [] if nowhere."""
    for barcode in zxingcpp.read_barcodes(np.ascontiguousarray(luma), formats=_QR):
        if barcode.text == f"{payload:020d}":
            at = barcode.position
            return [(float(p.x), float(p.y)) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
    return []


def _texture(width: int, height: int, seed: int) -> Luma:
    """Draw a soft random texture: coarse cells, interpolated linearly along both axes."""
    rows, columns = height // _TEXTURE_CELL + 2, width // _TEXTURE_CELL + 2
    cells = np.random.default_rng(seed).uniform(40, 200, (rows, columns))
    return (_interpolation(height, rows) @ cells @ _interpolation(width, columns).T).astype(np.uint8)


def _interpolation(pixels: int, cells: int) -> NDArray[np.float64]:
    """Return the weight [pixels, cells] that each cell has in each pixel."""
    position = np.arange(pixels)[:, None] / _TEXTURE_CELL
    weights: NDArray[np.float64] = np.clip(1 - np.abs(position - np.arange(cells)), 0, 1)
    return weights
