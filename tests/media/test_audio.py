"""The canary in sound: through Opus, through noise, beside another speaker, and not where there is none."""

import io

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.canary import Canary, pack
from harness.media import audio, clips


def random_payload(draw: np.random.Generator) -> int:
    """Return the payload of a random canary."""
    return pack(Canary(*(int(draw.integers(2**bits)) for bits in (20, 16, 5, 3))))


def through_opus(samples: audio.Samples, bit_rate: int) -> audio.Samples:
    """Return samples at 16 kHz as a listener at 8 kHz has them after Opus at `bit_rate`."""
    resampler = av.AudioResampler("fltp", "mono", audio.RATE_HZ)
    parts: list[NDArray[np.float32]] = []
    with av.open(io.BytesIO(clips.webm(None, samples, audio_bit_rate=bit_rate)), "r") as container:
        for frame in [*container.decode(audio=0), None]:
            parts += [part.to_ndarray()[0].astype(np.float32) for part in resampler.resample(frame)]
    return np.concatenate(parts)


def speech_like(seed: int, duration_s: float) -> audio.Samples:
    """Return voiced bursts: harmonics of a gliding pitch under three moving formants, with pauses."""
    draw = np.random.default_rng(seed)
    time_s = np.arange(int(duration_s * audio.RATE_HZ)) / audio.RATE_HZ
    pitch_hz = draw.uniform(90, 240) * (1 + 0.2 * np.sin(2 * np.pi * draw.uniform(0.5, 3) * time_s))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / audio.RATE_HZ
    voice = np.zeros_like(time_s)
    formants_hz = [draw.uniform(300, 3200) * (1 + 0.3 * np.sin(draw.uniform(2, 20) * time_s)) for _ in range(3)]
    for harmonic in range(1, 16):
        gain = sum(np.exp(-(((harmonic * pitch_hz - formant) / 150) ** 2)) for formant in formants_hz)
        voice += gain * np.sin(harmonic * phase)
    syllables = np.sin(2 * np.pi * draw.uniform(2, 6) * time_s) > -0.3
    return (0.3 * voice * syllables + draw.normal(0, 0.003, len(time_s))).astype(np.float32)


@pytest.mark.parametrize("slot", [0, 1])
@pytest.mark.parametrize("bit_rate", [16_000, 24_000])
def test_round_trip_through_opus(slot: int, bit_rate: int) -> None:
    """Sixty random canaries, each in the shortest clip, are read from Opus at a low bit rate."""
    draw = np.random.default_rng(bit_rate + slot)
    for _ in range(60):
        payload = random_payload(draw)
        sound = audio.synthesise(payload, slot, duration_s=clips.MIN_DURATION_S, rate_hz=16_000)
        assert {(each.payload, each.slot) for each in audio.listen(through_opus(sound, bit_rate))} == {(payload, slot)}


def test_any_second_of_a_longer_sound_is_enough() -> None:
    """A second cut out anywhere, so that no frame need be whole, is read as the frames repeat."""
    draw = np.random.default_rng(4)
    for _ in range(60):
        payload, start = random_payload(draw), draw.integers(16_000)
        sound = audio.synthesise(payload, 0, duration_s=2.0, rate_hz=16_000)[start : start + 16_000]
        assert {each.payload for each in audio.listen(through_opus(sound, 24_000))} == {payload}


@pytest.mark.parametrize("level", [1.0, 0.25])
def test_two_speakers_are_read_from_one_mix(level: float) -> None:
    """Two speakers in different slots are both read, even when one is 12 dB below the other."""
    draw = np.random.default_rng(8)
    for _ in range(20):
        loud, soft = random_payload(draw), random_payload(draw)
        mix = audio.synthesise(loud, 0, duration_s=2.0, rate_hz=16_000)
        mix += level * np.roll(audio.synthesise(soft, 1, duration_s=2.0, rate_hz=16_000), draw.integers(9000))
        heard = audio.listen(through_opus(mix, 32_000))
        assert {(each.payload, each.slot) for each in heard} == {(loud, 0), (soft, 1)}


def test_a_canary_that_starts_late_is_found_at_its_time() -> None:
    """The second half of a sound carries another canary, and both are read where they are."""
    one, other = random_payload(np.random.default_rng(1)), random_payload(np.random.default_rng(2))
    parts = [audio.synthesise(value, 0, duration_s=4.0, rate_hz=8000) for value in (one, other)]
    heard = audio.listen(np.concatenate(parts))
    assert {each.payload for each in heard if each.start_s < 3.3} == {one}
    assert [round(each.start_s, 1) for each in heard if each.payload == other] == [4.0, 4.8, 5.6, 6.4, 7.2]


def test_a_faint_canary_is_lifted_out_of_noise() -> None:
    """Folding many periods reads a canary whose single frames drown in noise."""
    payload = random_payload(np.random.default_rng(5))
    sound = audio.synthesise(payload, 1, duration_s=16.0, rate_hz=8000)
    noise = np.random.default_rng(5).normal(0, 0.45, len(sound)).astype(np.float32)
    assert {each.payload for each in audio.listen(sound + noise)} == {payload}


def test_nothing_is_heard_in_silence_or_in_too_little() -> None:
    """Silence, no samples and less than a window of sound give nothing."""
    for count in (0, 10, 319, 320, 6400, 80_000):
        assert audio.listen(np.zeros(count, np.float32)) == []
    assert audio.listen(audio.synthesise(5, 0, duration_s=0.5, rate_hz=8000)) == []


@pytest.mark.parametrize("slot", [0, 1])
def test_nothing_is_heard_in_the_silence_after_a_clip(slot: int) -> None:
    """A frame that breaks off after its synchronisation is not heard as the payload of zeros."""
    payload = random_payload(np.random.default_rng(3))
    for duration_s in (0.96, 1.0, 1.1, 1.2):
        clip = audio.synthesise(payload, slot, duration_s=duration_s, rate_hz=8000)
        heard = audio.listen(np.pad(clip, (0, 16_000)))
        assert {each.payload for each in heard} == {payload}


@pytest.mark.parametrize("amplitude", [0.003, 0.3])
def test_nothing_is_heard_in_noise(amplitude: float) -> None:
    """Twenty times ten seconds of white noise, soft and loud, hold no payload."""
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, amplitude, 80_000).astype(np.float32)
        assert audio.listen(noise) == []


def test_nothing_is_heard_in_speech() -> None:
    """Twenty voices of ten seconds, which fill the bands with moving tones, hold no payload."""
    for seed in range(20):
        assert audio.listen(speech_like(seed, 10.0)) == []


def test_nothing_is_heard_in_random_tones_of_the_alphabet() -> None:
    """Symbols of the right tones and length in random order, the worst case, hold no payload."""
    draw = np.random.default_rng(11)
    time_s = np.arange(80_000) / audio.RATE_HZ
    for _ in range(10):
        tones_hz = 300 + 50 * draw.integers(0, 64, (250, 4))
        sound = np.sin(2 * np.pi * np.repeat(tones_hz, 320, axis=0) * time_s[:, None]).mean(axis=1)
        assert audio.listen(sound.astype(np.float32)) == []


def test_another_key_is_heard_when_it_is_clean() -> None:
    """A payload that our key does not know is returned from a clean signal, for the reader to report."""
    payload = pack(Canary(1, 2, 3, 0), b"another key")
    assert {each.payload for each in audio.listen(audio.synthesise(payload, 0, duration_s=1.0, rate_hz=8000))} == {
        payload
    }


def test_frames_repeat_without_a_seam() -> None:
    """The signal has a period of one frame, and never exceeds its amplitude."""
    sound = audio.synthesise(77, 1, duration_s=1.6, rate_hz=8000, amplitude=0.2)
    assert np.allclose(sound[:6400], sound[6400:], atol=1e-5)
    assert np.abs(sound).max() <= 0.2
