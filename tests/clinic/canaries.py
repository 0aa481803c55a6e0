"""Media that tell whose they are: clips in which a person's number is heard and seen, and who is in what came back."""

from __future__ import annotations

import functools
import io

import av
import numpy as np

from harness.canary import Canary, unpack
from harness.media import clips, reading, video
from harness.media.reading import Reading
from harness.model import Medium

RUN = 7


@functools.cache
def clip(person: int, medium: Medium = "audio", duration_s: float = 1.0) -> bytes:
    """Return WebM that carries this person's number in each of its tracks."""
    return clips.clip(Canary(RUN, person, 1, int(medium == "video")), medium, duration_s=duration_s).data


def read(media: bytes) -> Reading:
    """Return what a recording holds, which must be canaries and nothing else."""
    found = reading.read(media)
    assert found.outcome == "canaries", found
    return found


def people_in(media: bytes) -> set[int]:
    """Return whose numbers are heard or seen in a recording, in which there may be nothing else."""
    return {sighting.canary.user for sighting in read(media).canaries}


def people_on(jpeg: bytes) -> set[int]:
    """Return whose numbers are seen on a picture."""
    assert jpeg.startswith(b"\xff\xd8\xff")
    with av.open(io.BytesIO(jpeg), "r", format="jpeg_pipe") as container:
        (picture,) = container.decode(video=0)
    luma = picture.to_ndarray(format="gray").astype(np.uint8)
    seen = {unpack(code) for code in video.find_codes(luma)}
    return {canary.user for canary in seen if canary}
