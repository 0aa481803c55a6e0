"""What an API driver uploads as an actor's recording: short WebM clips that carry the actor's canary."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from harness.canary import DEFAULT_KEY, Canary, pack
from harness.drivers.base import Live
from harness.media import audio, video
from harness.model import Medium

MIN_DURATION_S, MAX_DURATION_S = 0.85, 60.0
WIDTH, HEIGHT = 160, 128
"""Whole macroblocks, and a code of 3 pixels a module at 0.59 of the height."""
FRAMES_PER_S = 5
AUDIO_RATE_HZ, LIVE_RATE_HZ = 16_000, 48_000
VIDEO_BIT_RATE, AUDIO_BIT_RATE = 100_000, 24_000

_VP8_OPTIONS = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
"""A negative speed is fixed; a positive one follows the machine's load, so that no two clips are the same."""
_OPUS_OPTIONS = {"compression_level": "0"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A media file ready for upload: its bytes, their MIME type, their SHA-256 in hexadecimal, what it carries."""

    data: bytes
    content_type: str
    sha256: str
    payload: int
    slot: int
    caption: str = ""

    def live(self) -> Live:
        """Return the clip's canary for a camera and a microphone that are on for as long as a call lasts."""
        loop = audio.synthesise(self.payload, self.slot, duration_s=audio.FRAME_S, rate_hz=LIVE_RATE_HZ)
        pcm = (loop * np.iinfo(np.int16).max).astype("<i2").tobytes()
        code = video.modules(self.payload) if self.content_type.startswith("video/") else ()
        modules = tuple("".join("1" if luma == video.DARK else "0" for luma in row) for row in code)
        return Live(f"{self.payload:020d}", modules, pcm, LIVE_RATE_HZ)


def clip(canary: Canary, medium: Medium, *, seed: int = 0, duration_s: float = 1.0, key: bytes = DEFAULT_KEY) -> Clip:
    """Return a clip whose every track carries the canary: Opus for audio, VP8 and Opus for video.

    The same arguments give the same bytes; `seed` draws the background of the picture. The sound is in the
    slot of the user's parity, so that two neighbouring users stay readable when a target mixes them.
    Raises ValueError unless 0.85 <= duration_s <= 60: less may lose a frame of sound. Safe in threads.
    """
    if not MIN_DURATION_S <= duration_s <= MAX_DURATION_S:
        raise ValueError(f"a clip lasts {MIN_DURATION_S:g} to {MAX_DURATION_S:g} s, not {duration_s:g} s")
    payload = pack(canary, key)
    slot = canary.user % audio.SLOTS
    sound = audio.synthesise(payload, slot, duration_s=duration_s, rate_hz=AUDIO_RATE_HZ)
    pictures: video.Luma | None = None
    if medium == "video":
        count = max(1, round(duration_s * FRAMES_PER_S))
        pictures = video.frames(payload, count, width=WIDTH, height=HEIGHT, seed=seed)
    data = webm(pictures, sound)
    return Clip(data, f"{medium}/webm", hashlib.sha256(data).hexdigest(), payload, slot)


def webm(
    pictures: video.Luma | None,
    sound: audio.Samples | None,
    *,
    video_bit_rate: int = VIDEO_BIT_RATE,
    audio_bit_rate: int = AUDIO_BIT_RATE,
) -> bytes:
    """Return a WebM file of luma [count, height, width] at 5 frames/s and mono samples at 16 kHz.

    Either may be None, and then has no track. Bit rates are in bit/s.
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        vp8 = None if pictures is None else _add_vp8(container, pictures, video_bit_rate)
        opus = None if sound is None else _add_opus(container, audio_bit_rate)
        if vp8 is not None and pictures is not None:
            container.mux(_vp8_packets(vp8, pictures))
        if opus is not None and sound is not None:
            container.mux(_opus_packets(opus, sound))
    return buffer.getvalue()


def _add_vp8(container: OutputContainer, pictures: video.Luma, bit_rate: int) -> VideoStream:
    stream = container.add_stream("libvpx", rate=FRAMES_PER_S, options=dict(_VP8_OPTIONS))
    stream.height, stream.width = pictures.shape[1:]
    stream.pix_fmt = "yuv420p"
    stream.bit_rate = bit_rate
    stream.codec_context.thread_count = 1
    return stream


def _add_opus(container: OutputContainer, bit_rate: int) -> AudioStream:
    stream = container.add_stream("libopus", rate=AUDIO_RATE_HZ, options=dict(_OPUS_OPTIONS))
    stream.layout = "mono"
    stream.format = "flt"
    stream.bit_rate = bit_rate
    return stream


def _vp8_packets(stream: VideoStream, pictures: video.Luma) -> list[Packet[Any]]:
    packets: list[Packet[Any]] = []
    for at, luma in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(video.yuv420p(luma), "yuv420p")
        frame.pts, frame.time_base = at, Fraction(1, FRAMES_PER_S)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return packets


def _opus_packets(stream: AudioStream, sound: audio.Samples) -> list[Packet[Any]]:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None, :]), "flt", "mono")
    frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE_HZ, 0, Fraction(1, AUDIO_RATE_HZ)
    return [*stream.encode(frame), *stream.encode(None)]
