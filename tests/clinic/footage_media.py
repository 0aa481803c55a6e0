"""Media for the tests of the recorder's work, and what can be read in what comes of it."""

import io

import av
import numpy as np
from numpy.typing import NDArray

from harness.canary import Canary, pack
from harness.media import audio, clips, video
from harness.media.reading import read
from harness.model import Medium

PATIENT, CLINICIAN, THIRD = Canary(11, 2, 1, 1), Canary(11, 3, 1, 1), Canary(11, 4, 1, 1)
Seen = set[tuple[Canary, str]]


def clip(canary: Canary, medium: Medium = "video") -> bytes:
    """Return a clip of about 1 s."""
    return clips.clip(canary, medium, seed=canary.user).data


def both(*canaries: Canary) -> Seen:
    """Return the canaries, each in pictures and in sound."""
    return {(canary, track) for canary in canaries for track in ("audio", "video")}


def seen(data: bytes) -> Seen:
    """Return what the reader finds in media of which it has understood everything."""
    reading = read(data)
    assert reading.outcome == "canaries", reading.note
    return {(each.canary, each.track) for each in reading.canaries}


def payloads(data: bytes, kind: Medium) -> list[bytes]:
    """Return the packets of a track as they stand in the file."""
    with av.open(io.BytesIO(data), "r") as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return [bytes(packet) for packet in container.demux(streams) if packet.size]


def live(data: bytes, *, without_s: tuple[float, float] = (0.0, 0.0)) -> bytes:
    """Return a WebM as a browser's MediaRecorder writes it: with neither duration nor cues.

    Packets that begin in the time `without_s` are left out.
    """
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(data), "r") as source,
        av.open(buffer, "w", format="webm", options={"live": "1"}) as target,
    ):
        streams = {stream.index: target.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        for packet in source.demux():
            starts_s = float((packet.pts or 0) * packet.time_base) if packet.size else 0.0
            if packet.size and not without_s[0] <= starts_s < without_s[1]:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return buffer.getvalue()


def sound(canary: Canary, rate_hz: int, codec: str, amplitude: float = 0.25) -> bytes:
    """Return 1 s of the canary's sound in a WebM of some codec and sampling rate."""
    samples = audio.synthesise(pack(canary), canary.user % 2, duration_s=1.0, rate_hz=rate_hz, amplitude=amplitude)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as container:
        stream = container.add_stream(codec, rate=rate_hz, options={"strict": "experimental"})
        assert isinstance(stream, av.AudioStream)
        stream.layout, stream.bit_rate = "stereo", 64_000
        frame = av.AudioFrame.from_ndarray(np.stack([samples, samples]), "fltp", "stereo")
        frame.sample_rate, frame.pts = rate_hz, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return buffer.getvalue()


def pictures(data: bytes) -> dict[float, NDArray[np.uint8]]:
    """Return the luma [height, width] of every picture by its time, to a tenth of a second."""
    with av.open(io.BytesIO(data), "r") as container:
        return {
            round(frame.time, 1): frame.to_ndarray(format="gray").astype(np.uint8)
            for frame in container.decode(video=0)
        }


def heard(data: bytes) -> NDArray[np.float32]:
    """Return the samples of mono sound at 48 kHz."""
    with av.open(io.BytesIO(data), "r") as container:
        parts = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32)


def codes(luma: NDArray[np.uint8]) -> list[int]:
    """Return the payloads that a part of a picture shows."""
    return video.find_codes(np.ascontiguousarray(luma))


def is_dark(luma: NDArray[np.uint8]) -> bool:
    """Return whether a tile shows nothing."""
    return int(luma.max()) < 60 and int(luma.max()) - int(luma.min()) < 12


def silence_then(picture: NDArray[np.uint8], count: int) -> bytes:
    """Return pictures without sound of which the first `count` are black."""
    return clips.webm(np.concatenate([np.full((count, *picture.shape[1:]), 16, np.uint8), picture]), None)
