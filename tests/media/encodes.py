"""Media for the tests of the reader: real encodes in every container, still pictures, and what is made of them."""

import io
import zipfile
from collections.abc import Mapping
from fractions import Fraction

import av
import numpy as np

from harness.canary import Canary, pack
from harness.media import audio, video

OURS, FOREIGN = Canary(11, 1, 1, 1), Canary(11, 2, 2, 1)
RATE = 10


def encoded(
    container: str,
    pictures: str | None,
    sound: str | None,
    *,
    canary: Canary = OURS,
    seconds: float = 2.0,
    rate_hz: int = 48_000,
    options: Mapping[str, str] | None = None,
) -> bytes:
    """Return a film in a container, of the codecs by FFmpeg's names, at 10 pictures/s of 320x240."""
    payload = pack(canary)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options=dict(options or {})) as file:
        shown = file.add_stream(pictures, rate=RATE) if pictures else None
        heard = file.add_stream(sound, rate=rate_hz) if sound else None
        if isinstance(shown, av.VideoStream):
            shown.width, shown.height, shown.pix_fmt = 320, 240, "yuv420p"
        if isinstance(heard, av.AudioStream):
            heard.layout = "mono"
        if isinstance(shown, av.VideoStream):
            for at, luma in enumerate(video.frames(payload, round(seconds * RATE), width=320, height=240)):
                picture = av.VideoFrame.from_ndarray(video.yuv420p(luma), "yuv420p")
                picture.pts, picture.time_base = at, Fraction(1, RATE)
                file.mux(shown.encode(picture))
            file.mux(shown.encode(None))
        if isinstance(heard, av.AudioStream):
            samples = audio.synthesise(payload, 0, duration_s=seconds, rate_hz=rate_hz)
            frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
            frame.sample_rate, frame.pts = rate_hz, 0
            file.mux([*heard.encode(frame), *heard.encode(None)])
    return buffer.getvalue()


def remuxed(data: bytes, container: str) -> bytes:
    """Return the same coded packets in another container."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as old, av.open(buffer, "w", format=container) as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams.get()}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    return buffer.getvalue()


def picture(codec: str, canary: Canary | None = OURS, *, width: int = 320, height: int = 240) -> bytes:
    """Return a still picture by `mjpeg`, `png` or `libwebp`, scaled from 320x240; moving lines for no canary."""
    luma = video.frames(pack(canary or OURS), 1, width=320, height=240)[0]
    if canary is None:
        luma = np.tile(luma[:20], (12, 1))
    form = {"mjpeg": "yuvj420p", "png": "gray", "libwebp": "yuv420p"}[codec]
    frame = av.VideoFrame.from_ndarray(luma, "gray").reformat(width=width, height=height, format=form)
    frame.pts = 0
    encoder = av.CodecContext.create(codec, "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError(codec)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, form, Fraction(1, 25)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def archive(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return buffer.getvalue()
