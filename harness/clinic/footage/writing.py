"""Writes WebM in order of time: VP8 pictures on a grid of 0.1 s, Opus sound, both on one thread and fast."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray

from .reading import SOUND_RATE_HZ, FootageError, Samples

Planes = NDArray[np.uint8]
"""A picture in planar YUV 4:2:0: shape [height * 3 / 2, width], both sides even."""

FRAMES_PER_S = 10
BITEXACT = {"fflags": "+bitexact"}
"""Neither random ids nor the encoder's name: the same media gives the same bytes."""

_VP8_OPTIONS = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
"""A negative speed is fixed; a positive one follows the machine's load."""
_OPUS_OPTIONS = {"compression_level": "0"}
_JPEG_QUALITY = 4
_LAMBDA_PER_QUALITY = 118


@dataclass(frozen=True, slots=True)
class Rates:
    """Bit rates in bit/s."""

    video: int
    audio: int


class Writer:
    """A WebM file in the making; a context manager, whose `finish` gives the bytes.

    `size` is (width, height) of the pictures, both even, or None for sound alone.
    """

    def __init__(self, size: tuple[int, int] | None, rates: Rates, *, has_sound: bool) -> None:
        self._buffer = io.BytesIO()
        self._container = av.open(self._buffer, "w", format="webm", options=dict(BITEXACT))
        self._vp8 = self._opus = None
        self._heard = 0
        if size is not None:
            self._vp8 = self._container.add_stream("libvpx", rate=FRAMES_PER_S, options=dict(_VP8_OPTIONS))
            self._vp8.width, self._vp8.height = size
            self._vp8.pix_fmt = "yuv420p"
            self._vp8.bit_rate = rates.video
            self._vp8.codec_context.thread_count = 1
        if has_sound:
            self._opus = self._container.add_stream("libopus", rate=SOUND_RATE_HZ, options=dict(_OPUS_OPTIONS))
            self._opus.layout = "mono"
            self._opus.format = "flt"
            self._opus.bit_rate = rates.audio

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def show(self, planes: Planes, tick: int) -> None:
        """Write a picture that begins at `tick` tenths of a second."""
        if self._vp8 is not None:
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = tick, Fraction(1, FRAMES_PER_S)
            self._container.mux(self._vp8.encode(frame))

    def play(self, samples: Samples) -> None:
        """Write the next mono samples in -1..1 at 16 kHz."""
        if self._opus is not None and len(samples):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "flt", "mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE_HZ, self._heard, Fraction(1, SOUND_RATE_HZ)
            self._heard += len(samples)
            self._container.mux(self._opus.encode(frame))

    def finish(self) -> bytes:
        """Write what the encoders still hold, and return the file."""
        for stream in (self._vp8, self._opus):
            if stream is not None:
                self._container.mux(stream.encode(None))
        self._container.close()
        return self._buffer.getvalue()


def jpeg(planes: Planes) -> bytes:
    """Return a picture with limited-range levels as a JPEG; raise FootageError when it cannot be coded."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = planes.shape[1], planes.shape[0] * 2 // 3
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, FRAMES_PER_S)
    encoder.thread_count = 1
    encoder.qscale = True
    encoder.global_quality = _JPEG_QUALITY * _LAMBDA_PER_QUALITY
    frame = av.VideoFrame.from_ndarray(planes, "yuv420p").reformat(format="yuvj420p", dst_color_range="JPEG")
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    if not packets:
        raise FootageError("its picture cannot be coded as JPEG")
    return b"".join(bytes(packet) for packet in packets)
