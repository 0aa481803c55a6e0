"""A picture of a leak: the first frame in which a canary is seen, with a box around its code, as PNG.

The frame may be one of a film, a still picture, or either in an archive.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from harness.media import video
from harness.media.archives import files_in, is_archive
from harness.media.films import opened
from harness.media.pictures import still, stills
from harness.media.tracks import DEFAULT_LIMITS, Limits

Rgb = NDArray[np.uint8]
Corner = tuple[float, float]

BOX_COLOUR = (230, 0, 38)
SHOWN_PIXELS = 480
"""A smaller picture is enlarged by a whole number until its width comes nearest to this from below."""
MARGIN_SHARE = 0.12
"""How far beyond the code's own side the box lies, as a share of that side: the quiet zone stays free."""
LINE_SHARE = 1 / 80
"""Of the picture's width, the box's line: the report shows a frame of any size 208 pixels wide."""
COMPRESSION_LEVEL = 9


def marked_frame(data: bytes, payload: int, *, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """Return the first frame of `data` that shows the 64-bit payload, its code in a red box, as an RGB PNG.

    None when no frame shows it: the canary may be in the sound alone, or the media beyond reading or a limit.
    What the bytes hold never makes it raise. One thread; at most `limits.max_frames` frames are searched.
    """
    if not data or len(data) > limits.max_bytes:
        return None
    for part, form in _parts(data, limits):
        try:
            for index in range(_pictured_tracks(part, form, limits)):
                found = _first_frame(part, form, index, payload, limits)
                if found:
                    return png(_marked(*found))
        except (av.FFmpegError, ValueError):
            continue
    return None


def png(picture: Rgb) -> bytes:
    """Return a picture [height, width, 3] as a PNG file (ISO/IEC 15948): 8 bits a channel, no filter, no metadata."""
    height, width, _ = picture.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, width * 3)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(rows.tobytes(), COMPRESSION_LEVEL)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def outline(picture: Rgb, corners: Sequence[Corner], thickness: int) -> None:
    """Draw straight lines from each point (x, y) to the next and back to the first, in the box's colour."""
    points = np.array(corners, dtype=float)
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        _draw_line(picture, start, end, thickness)


def _parts(data: bytes, limits: Limits) -> Iterator[tuple[bytes, str]]:
    """Yield each film or picture in the data, and the format of a picture."""
    if is_archive(data):
        for file in files_in(data, limits):
            yield from _parts(file, limits)
    elif still(data):
        for part, picture in stills(data, limits.max_tracks)[0]:
            if picture.width * picture.height <= limits.max_pixels:
                yield part, picture.form
    else:
        yield data, ""


def _pictured_tracks(data: bytes, form: str, limits: Limits) -> int:
    with opened(data, form) as file:
        return min(len(file.streams.video), limits.max_tracks)


def _first_frame(
    data: bytes, form: str, index: int, payload: int, limits: Limits
) -> tuple[VideoFrame, list[Corner]] | None:
    """Return the first frame of a track of pictures that shows the payload, and where it shows it."""
    with opened(data, form) as file:
        stream = file.streams.video[index]
        if stream.codec_context is None:
            return None
        stream.codec_context.thread_count = 1
        for frame in itertools.islice(file.decode(stream), limits.max_frames):
            if frame.width * frame.height > limits.max_pixels:
                return None
            corners = video.find_code(frame.to_ndarray(format="gray").astype(np.uint8, copy=False), payload)
            if corners:
                return frame, corners
    return None


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _marked(frame: VideoFrame, corners: list[Corner]) -> Rgb:
    """Return the frame, enlarged when it is small, with the box drawn."""
    picture: Rgb = frame.to_ndarray(format="rgb24").astype(np.uint8)
    scale = max(1, SHOWN_PIXELS // frame.width)
    picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    found = np.array(corners) * scale
    middle = found.mean(axis=0)
    thickness = max(2, round(picture.shape[1] * LINE_SHARE))
    # The line is drawn to the right of a point and below it: half of it outwards on every side, it leaves the margin.
    outwards = thickness * np.sign(found - middle)
    box = middle + (found - middle) * (1 + 2 * MARGIN_SHARE) + outwards / 2 - thickness / 2
    outline(picture, [(float(x), float(y)) for x, y in box], thickness)
    return picture


def _draw_line(picture: Rgb, start: NDArray[np.float64], end: NDArray[np.float64], thickness: int) -> None:
    """Draw a straight line between two points (x, y); what lies outside is drawn at the edge."""
    height, width, _ = picture.shape
    steps = int(np.abs(end - start).max()) + 1
    for x, y in np.linspace(start, end, steps + 1).round().astype(int):
        left, top = (int(np.clip(at, 0, size - thickness)) for at, size in ((x, width), (y, height)))
        picture[top : top + thickness, left : left + thickness] = BOX_COLOUR
