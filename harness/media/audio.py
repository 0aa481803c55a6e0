"""The canary in sound: multiple frequency-shift keying with Reed-Solomon, and its decoder.

64 tones from 300 to 3450 Hz, 50 Hz apart, pass through telephony. They form four bands of 16; a speaker's
slot uses two of them (slot 0 the first and third, slot 1 the second and fourth), so that two speakers can
be read from one mix. A symbol lasts 40 ms and is one byte: its high nibble picks the tone of the slot's lower
band, its low nibble that of the upper. A frame is 4 symbols of synchronisation and the 16 of a Reed-Solomon
(16, 8) codeword over GF(256): 0.8 s. All tones are multiples of the symbol rate of 25 Hz, hence each symbol
holds whole periods, the phase never jumps, and frames repeat without a seam.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import reedsolo
from numpy.typing import NDArray

from harness.canary import DEFAULT_KEY, PAYLOAD_BITS, unpack

Samples = NDArray[np.float32]
_Shares = NDArray[np.float32]

RATE_HZ = 8000
"""The sampling rate that the decoder reads."""
SYMBOL_S = 0.04
SLOTS = 2

_LOWEST_HZ, _SPACING_HZ, _BAND_TONES, _BANDS = 300, 50, 16, 4
_SLOT_BANDS = ((0, 2), (1, 3))
_SYNC = (((0, 15), (9, 4), (3, 12), (14, 1)), ((2, 13), (11, 6), (5, 10), (15, 0)))
_SYNC_SYMBOLS, _SYMBOLS = 4, 20
FRAME_S = _SYMBOLS * SYMBOL_S
"""A sound that lasts so long, or a multiple of it, repeats without a seam."""

_PAYLOAD_BYTES = PAYLOAD_BITS // 8
_PARITY_SYMBOLS = 8
_CODE = reedsolo.RSCodec(_PARITY_SYMBOLS)
_ERASURES = 4
_CERTAIN_CORRECTIONS = 2

_WINDOW = int(SYMBOL_S * RATE_HZ)
_HOP = _WINDOW // 4
_HOPS_PER_SYMBOL = _WINDOW // _HOP
_FRAME_HOPS = _SYMBOLS * _HOPS_PER_SYMBOL
_BLOCK_HOPS = 6000
_FLOOR = 1e-3
"""Power of a band, of samples in -1..1, below which it is taken as silent: a tone of about -68 dBFS."""

_SYNC_FOUND = 0.45
_FOLDED_SYNC_FOUND = 0.2
_FOLDED_FRAMES = (1, 4, 16)
_FOLDED_TRIES = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """A payload that a frame of the signal carried, the speaker's slot, and the frame's start in seconds."""

    payload: int
    slot: int
    start_s: float


def synthesise(
    payload: int, slot: int, *, duration_s: float, rate_hz: int = 48_000, amplitude: float = 0.25
) -> Samples:
    """Return the canary of a 64-bit payload as mono samples in -amplitude..amplitude, frames repeating."""
    codeword = _CODE.encode(payload.to_bytes(_PAYLOAD_BYTES, "big"))
    tones = np.array([*_SYNC[slot], *((byte >> 4, byte & 15) for byte in codeword)])
    tones_hz = _LOWEST_HZ + _SPACING_HZ * (_BAND_TONES * np.array(_SLOT_BANDS[slot]) + tones)
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    symbol = (time_s / SYMBOL_S).astype(int) % _SYMBOLS
    waves = np.sin(2 * np.pi * tones_hz[symbol] * time_s[:, None])
    samples: Samples = (amplitude * waves.mean(axis=1)).astype(np.float32)
    return samples


def listen(samples: Samples, *, key: bytes = DEFAULT_KEY) -> list[Heard]:
    """Return what every readable frame in mono samples at 8000 Hz carries, in order of time.

    Two ways lead to a frame: its synchronisation symbols stand out; or, in stretches where none does, the
    signal is folded, as frames repeat: into one period, which reads a clip of 0.85 s whatever its phase, and
    over several, which lifts a faint canary out of noise. A payload whose tag fits `key` may have cost any
    correction that the code can make; one with another tag is returned only when it was nearly clean, since
    nothing else tells it from chance.
    """
    power = _tone_power(samples)
    heard: list[Heard] = []
    for slot in range(SLOTS):
        shares = _tone_shares(power[:, _SLOT_BANDS[slot], :])
        starts: list[int] = []
        for start, payload in _frames_in_sync(shares, slot, key):
            starts.append(start)
            heard.append(Heard(payload, slot, start * _HOP / RATE_HZ))
        for start, payload in _folded_frames(shares, slot, key, starts):
            heard.append(Heard(payload, slot, start * _HOP / RATE_HZ))
    return sorted(heard, key=lambda each: each.start_s)


def _tone_power(samples: Samples) -> NDArray[np.float32]:
    """Return the power of each tone, shape [hops, 4 bands, 16 tones], of 40 ms Hann windows each 10 ms."""
    if len(samples) < _WINDOW:
        return np.zeros((0, _BANDS, _BAND_TONES), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    hann = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    bin_hz = RATE_HZ // _WINDOW
    bins = (_LOWEST_HZ + _SPACING_HZ * np.arange(_BANDS * _BAND_TONES)) // bin_hz
    blocks = [
        np.abs(np.fft.rfft(windows[at : at + _BLOCK_HOPS] * hann, axis=1)[:, bins]) ** 2
        for at in range(0, len(windows), _BLOCK_HOPS)
    ]
    return np.concatenate(blocks).reshape(-1, _BANDS, _BAND_TONES).astype(np.float32)


def _tone_shares(power: NDArray[np.float32]) -> _Shares:
    """Return each tone's share of its band's power, [hops, 2, 16]; equal shares where a band is silent."""
    total = power.sum(axis=2, keepdims=True)
    return np.where(total > _FLOOR, power / np.maximum(total, _FLOOR), 1 / _BAND_TONES).astype(np.float32)


def _sync_scores(shares: _Shares, slot: int, count: int) -> NDArray[np.float32]:
    """Return, for each of `count` hops, the mean share of the tones with which a frame would start there."""
    score = np.zeros(count, np.float32)
    for symbol, tones in enumerate(_SYNC[slot]):
        at = symbol * _HOPS_PER_SYMBOL
        for band, tone in enumerate(tones):
            score += shares[at : at + count, band, tone]
    score /= 2 * _SYNC_SYMBOLS
    return score


def _frames_in_sync(shares: _Shares, slot: int, key: bytes) -> Iterator[tuple[int, int]]:
    """Yield hop and payload of each complete frame whose synchronisation is a clear local maximum."""
    count = len(shares) - _FRAME_HOPS + _HOPS_PER_SYMBOL
    if count < 1:
        return
    score = _sync_scores(shares, slot, count)
    padded = np.pad(score, _HOPS_PER_SYMBOL)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOPS_PER_SYMBOL + 1).max(axis=1)
    for start in np.flatnonzero((score > _SYNC_FOUND) & (score == around)):
        payload = _payload(shares[start : start + _FRAME_HOPS : _HOPS_PER_SYMBOL], key)
        if payload is not None:
            yield int(start), payload


def _folded_frames(shares: _Shares, slot: int, key: bytes, known: list[int]) -> Iterator[tuple[int, int]]:
    """Yield hop and payload of frames that appear when one or more periods are laid over each other.

    Windows that touch a frame of `known` are left out: there the signal has been read.
    """
    starts = np.array(known, dtype=int)
    for frames in _FOLDED_FRAMES:
        hops = frames * _FRAME_HOPS
        last = len(shares) - hops
        for at in sorted({*range(0, last, hops // 2), last} if last >= 0 else ()):
            if np.any((starts > at - _FRAME_HOPS) & (starts < at + hops)):
                continue
            period = shares[at : at + hops].reshape(frames, _FRAME_HOPS, 2, _BAND_TONES).mean(axis=0)
            twice = np.concatenate([period, period])
            score = _sync_scores(twice, slot, _FRAME_HOPS)
            for best in np.argsort(-score)[:_FOLDED_TRIES]:
                if score[best] < _FOLDED_SYNC_FOUND:
                    break
                payload = _payload(twice[best : best + _FRAME_HOPS : _HOPS_PER_SYMBOL], key)
                if payload is not None:
                    yield at, payload
                    break


def _payload(shares: _Shares, key: bytes) -> int | None:
    """Decode the shares [20 symbols, 2 bands, 16 tones] of one frame, or return None."""
    data = shares[_SYNC_SYMBOLS:]
    # Silence would be read as zeros, and zeros are a codeword.
    if np.count_nonzero(data.max(axis=2).min(axis=1) <= 1 / _BAND_TONES) > _PARITY_SYMBOLS:
        return None
    nibbles = data.argmax(axis=2)
    word = bytes(int(high) << 4 | int(low) for high, low in nibbles)
    doubtful = np.argsort(data.max(axis=2).prod(axis=1))
    for erasures in (0, _ERASURES):
        try:
            decoded, _, corrected = _CODE.decode(word, erase_pos=[int(at) for at in doubtful[:erasures]])
        except reedsolo.ReedSolomonError:
            continue
        value = int.from_bytes(decoded, "big")
        nearly_clean = erasures == 0 and len(corrected) <= _CERTAIN_CORRECTIONS
        if nearly_clean or unpack(value, key) is not None:
            return value
    return None
