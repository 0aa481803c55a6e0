"""Join tracks, lay participants on one time line, shrink, picture: bytes to bytes."""

from __future__ import annotations

import heapq
import io
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Literal

import av
from av.video.frame import VideoFrame

from .layout import Canvas, Layout, Size, plan, single
from .reading import FootageError, Kind, Probe, contents, copied, pictures, plane_of
from .timeline import Part, lay, pieces_of
from .writing import BITEXACT, FRAMES_PER_S, Rates, jpeg

MAX_PARTS = 32
MAX_COMPOSITE_VIDEO_BIT_RATE = 400_000
COMPOSITE_AUDIO_BIT_RATE = 32_000
COMPOSITE_BITS_PER_PIXEL = 0.3
TRANSCODED = Rates(video=80_000, audio=20_000)
TRANSCODED_SIZE: Size = (480, 360)
THUMBNAIL_PICTURES = 100
CONTRAST = 16.0
"""The standard deviation of luma above which a picture shows something."""


def probe(data: bytes) -> Probe:
    """Return what a piece of media holds; a track without one decodable frame does not count."""
    read = contents(data)
    return Probe(read.duration_s, read.sound is not None, read.pictures is not None, read.width, read.height)


def content_type(data: bytes) -> Literal["audio/webm", "video/webm"]:
    """Return the MIME type of a piece of media, by what is in it."""
    return "audio/webm" if contents(data).pictures is None else "video/webm"


def mux(audio: bytes | None, video: bytes | None) -> bytes:
    """Return one WebM with the sound of `audio` and the pictures of `video`, copied without loss.

    Times stay those of the two files. Either may be None; what else the files hold is left out.
    """
    files: list[tuple[Kind, bytes]] = []
    if video is not None:
        files.append(("video", video))
    if audio is not None:
        files.append(("audio", audio))
    if not files:
        raise FootageError("neither sound nor pictures to put together")
    buffer = io.BytesIO()
    with ExitStack() as stack:
        for kind, data in files:
            _require(kind, data)
        sources = [stack.enter_context(copied(data, kind)) for kind, data in files]
        container = stack.enter_context(closing(av.open(buffer, "w", format="webm", options=dict(BITEXACT))))
        tracks = {stream.type: container.add_stream_from_template(stream, opaque=True) for stream, _ in sources}
        in_time = heapq.merge(
            *(packets for _, packets in sources), key=lambda packet: float((packet.pts or 0) * packet.time_base)
        )
        for packet in in_time:
            packet.stream = tracks[packet.stream.type]
            container.mux(packet)
    return buffer.getvalue()


def composite(parts: Sequence[Part], layout: Layout) -> bytes:
    """Return one WebM of up to 32 pieces of several participants, from the earliest piece's beginning.

    Sound is mixed to one mono track. Each seat that has a part has a tile, dark while it shows no picture:
    equal tiles beside each other, or the lowest seat's picture with the others inset on the right. The
    pieces of a seat follow one another; where two overlap, the later one is shown. Sound alone has no pictures.
    """
    if not 1 <= len(parts) <= MAX_PARTS:
        raise FootageError(f"{len(parts)} pieces to lay together, not 1 to {MAX_PARTS}")
    pieces = pieces_of(parts)
    sizes = {piece.part.seat: (0, 0) for piece in pieces}
    for piece in pieces:
        sizes[piece.part.seat] = max(sizes[piece.part.seat], (piece.contents.width, piece.contents.height))
    if not any(map(all, sizes.values())):
        return lay(pieces, None, Rates(0, COMPOSITE_AUDIO_BIT_RATE))
    laid = plan(sizes, layout)
    video_rate = round(COMPOSITE_BITS_PER_PIXEL * FRAMES_PER_S * laid.width * laid.height)
    return lay(pieces, laid, Rates(min(video_rate, MAX_COMPOSITE_VIDEO_BIT_RATE), COMPOSITE_AUDIO_BIT_RATE))


def transcode(data: bytes) -> bytes:
    """Return the same tracks at about 80 kbit/s of VP8 (within 480x360, 10 pictures/s) and 20 of Opus, mono."""
    pieces = pieces_of([Part(data, 0.0, 0)])
    read = pieces[0].contents
    laid = single((read.width, read.height), TRANSCODED_SIZE) if read.pictures is not None else None
    return lay(pieces, laid, TRANSCODED)


def thumbnail(data: bytes, *, width: int = 160, height: int = 120, is_best: bool = False) -> bytes | None:
    """Return a JPEG within `width` x `height` of the first picture that shows something, or None for sound.

    Of pictures without contrast, 100 at most, it is the one with the most; with `is_best` of all pictures, for in a
    composite the first may show one side alone.
    """
    if contents(data).pictures is None:
        return None
    best, most = None, -1.0
    for count, (_, picture) in enumerate(pictures(data)):
        contrast = _contrast(picture)
        if contrast > most:
            best, most = picture, contrast
        if (most >= CONTRAST and not is_best) or count + 1 >= THUMBNAIL_PICTURES:
            break
    if best is None:
        raise FootageError("its pictures cannot be decoded")
    canvas = Canvas(single((best.width, best.height), (width // 2 * 2, height // 2 * 2)))
    canvas.put(0, best)
    return jpeg(canvas.draw())


def _require(kind: Kind, data: bytes) -> None:
    read = contents(data)
    if (read.sound if kind == "audio" else read.pictures) is None:
        raise FootageError(f"its {kind} cannot be decoded, or it has none")


def _contrast(picture: VideoFrame) -> float:
    return float(plane_of(picture.reformat(64, 48, "gray", threads=1), 0)[:48, :64].std())
