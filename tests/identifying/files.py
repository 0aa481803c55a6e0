"""Files as they come from outside: films in which one person follows another, pictures, archives, words."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from typing import Any

import av
import numpy as np

from harness.canary import Canary, pack
from harness.media import audio, video
from harness.media.clips import AUDIO_RATE_HZ, FRAMES_PER_S, HEIGHT, WIDTH, webm


def film(*parts: tuple[Canary, float]) -> bytes:
    """Return a film with sound in which each canary is seen and heard for so many seconds."""
    pictures = [
        video.frames(pack(canary), round(lasts_s * FRAMES_PER_S), width=WIDTH, height=HEIGHT, seed=1)
        for canary, lasts_s in parts
    ]
    sound = [
        audio.synthesise(pack(canary), canary.user % 2, duration_s=lasts_s, rate_hz=AUDIO_RATE_HZ)
        for canary, lasts_s in parts
    ]
    return webm(np.concatenate(pictures), np.concatenate(sound))


def titled(data: bytes, title: str) -> bytes:
    """Return a film with a title, coded as it was."""
    made = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as source, av.open(made, "w", format="matroska") as container:
        container.metadata["title"] = title
        streams: dict[int, Any] = {each.index: container.add_stream_from_template(each) for each in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                container.mux(packet)
    return made.getvalue()


def still(canary: Canary, codec: str = "png") -> bytes:
    """Return a picture that shows a canary."""
    luma = video.frames(pack(canary), 1, width=WIDTH, height=HEIGHT, seed=1)[0]
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height = WIDTH, HEIGHT
    context.pix_fmt = "yuvj420p" if codec == "mjpeg" else "gray"
    context.time_base = Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(video.yuv420p(luma), "yuv420p").reformat(format=context.pix_fmt)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def archive(**files: bytes) -> bytes:
    """Return a ZIP of files by name, an underscore for the dot."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name.replace("_", "."), data)
    return made.getvalue()
