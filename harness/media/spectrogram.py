"""A picture of a leak that is heard: the spectrogram of a sound, with a box around a canary, as PNG."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from harness.canary import DEFAULT_KEY
from harness.media import audio
from harness.media.archives import files_in, is_archive
from harness.media.films import Film
from harness.media.frames import Rgb, outline, png
from harness.media.pictures import still
from harness.media.tracks import DEFAULT_LIMITS, Limits, Refused

WIDTH_PIXELS = 960
"""About as many windows are laid over the sound; a short one has fewer, at least 480."""
_MIN_WIDTH_PIXELS = 480
WINDOW_SAMPLES = 512
"""64 ms at 8000 Hz: rows are 15.6 Hz apart, so that tones 50 Hz apart stand apart."""
RANGE_DB = 60.0
"""What is so much below the loudest is black."""
_LOWEST_HZ, _HIGHEST_HZ = 250.0, 3500.0
_LINE_PIXELS = 3
_SAME_BOX_S = 0.1


def spectrogram(data: bytes, payload: int, *, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """Return the sound in which the 64-bit payload is heard as an RGB PNG: time to the right, 0-4 kHz upwards.

    White is the loudest, black 60 dB below. Red boxes are around the payload's frames, those that follow each other
    in one, over the range of all its tones. Of several channels, tracks or files of an archive it is the first in
    which the payload is heard; None when there is none, or the media is beyond reading or a limit. What the bytes
    hold never makes it raise. One thread.
    """
    if not data or len(data) > limits.max_bytes:
        return None
    for part in files_in(data, limits) if is_archive(data) else (data,):
        for samples in _sounds(part, limits):
            boxes = _boxes(samples, payload)
            if boxes:
                return png(_drawn(samples, boxes))
    return None


def _sounds(data: bytes, limits: Limits) -> list[audio.Samples]:
    if not data or still(data):
        return []
    try:
        return Film(data, DEFAULT_KEY, limits).sound()
    except (av.FFmpegError, Refused):
        return []


def _boxes(samples: audio.Samples, payload: int) -> list[tuple[float, float]]:
    """Return from when to when the payload is heard, in seconds."""
    boxes: list[tuple[float, float]] = []
    for heard in audio.listen(samples):
        if heard.payload != payload:
            continue
        end_s = heard.start_s + audio.FRAME_S
        if boxes and heard.start_s - boxes[-1][1] <= _SAME_BOX_S:
            boxes[-1] = boxes[-1][0], max(end_s, boxes[-1][1])
        else:
            boxes.append((heard.start_s, end_s))
    return boxes


def _drawn(samples: audio.Samples, boxes: list[tuple[float, float]]) -> Rgb:
    loudness = _loudness(samples)
    picture: Rgb = np.repeat(loudness[::-1, :, None], 3, axis=2)
    height, width, _ = picture.shape
    length_s = len(samples) / audio.RATE_HZ
    top, bottom = (height * (1 - each / (audio.RATE_HZ / 2)) for each in (_HIGHEST_HZ, _LOWEST_HZ))
    for from_s, to_s in boxes:
        left, right = (width * each / length_s for each in (from_s, min(to_s, length_s)))
        right = max(left + _LINE_PIXELS, right - _LINE_PIXELS)
        outline(picture, [(left, top), (right, top), (right, bottom), (left, bottom)], _LINE_PIXELS)
    return picture


def _loudness(samples: audio.Samples) -> NDArray[np.uint8]:
    """Return grey levels [257 frequencies from 0 to 4 kHz, windows], each window in the middle of what it covers."""
    padded = np.pad(samples, WINDOW_SAMPLES // 2)
    hop = max(1, len(samples) // WIDTH_PIXELS)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::hop]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW_SAMPLES).astype(np.float32), axis=1)) ** 2
    loudest = max(float(power.max()), float(np.finfo(np.float32).tiny))
    below_db = 10 * np.log10(np.maximum(power / loudest, 10 ** (-RANGE_DB / 10)))
    grey: NDArray[np.uint8] = np.round(255 * (1 + below_db / RANGE_DB)).astype(np.uint8).T
    return grey.repeat(-(-_MIN_WIDTH_PIXELS // grey.shape[1]), axis=1) if grey.shape[1] < _MIN_WIDTH_PIXELS else grey
