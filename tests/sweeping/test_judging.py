"""The judgement behind foreign_data: each rule seen to accuse where it must, and to be silent where it must."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import wave
import zipfile

import av
import numpy as np
import pytest

from harness.canary import Canary, pack
from harness.ledger import Outcome
from harness.media import video
from harness.sweeping.judging.facts import LINK, TEXT, Thing
from harness.sweeping.judging.judge import Leak
from harness.sweeping.judging.seeing import Answer, Eye

from .world import (
    ALICE,
    BOB,
    CAROL,
    CHEN,
    DIAZ,
    HER_CANARY,
    HER_RECORDING,
    HERS,
    HIS,
    HIS_CANARY,
    HIS_RECORDING,
    OPERATOR,
    facts,
    leaks,
    media,
    text,
)


def seen(found: list[Leak]) -> list[tuple[str, str]]:
    """Return degree and value of each leak."""
    return [(leak.degree, leak.value) for leak in found]


@pytest.mark.parametrize(
    "answer",
    [
        text(json.dumps({"items": [{"id": HIS}]})),
        text(json.dumps({HIS: 1})),
        text('{"id": "' + "".join(f"\\u{ord(each):04x}" for each in HIS) + '"}'),
        text(f"<h1>Sorry</h1><p>{HIS} failed.</p>", 500, "text/html"),
        text(f"{HIS} broke", 404, "text/plain"),
        text("", 303, Location=f"/consultations/{HIS}"),
        text("", 303, Location="/x?next=%2Fconsultations%2F" + HIS),
        text("", 200, **{"X-Served": HIS}),
        Answer(500, f"No {HIS}"),
        text(f"not JSON at all: {HIS}.webm", 200),
    ],
    ids=["json", "key", "escaped", "error page", "text", "header", "encoded", "own header", "status line", "file name"],
)
def test_an_identifier_is_found_wherever_it_stands(answer: Answer) -> None:
    """Bob's consultation is presented to Alice by body, header and status line, whatever the status."""
    assert seen(leaks(answer)) == [("presented", HIS)]
    assert leaks(answer, BOB) == []
    assert leaks(answer, DIAZ) == []


@pytest.mark.parametrize("viewer", [ALICE, CHEN, OPERATOR])
def test_what_one_has_a_part_in_is_no_leak(viewer: str) -> None:
    """Alice, her clinician and whoever oversees may see her consultation, its recording, her account and her name."""
    own = {"id": HERS, "recording": HER_RECORDING, "patient": ALICE, "name": "Alice.K7Q2M9", "clinician": CHEN}
    assert leaks(text(json.dumps(own)), viewer) == []


def test_a_foreign_clinician_is_accused() -> None:
    """Diaz treats Bob: Alice's consultation, recording, account and name are none of his."""
    body = json.dumps({"id": HERS, "recording": HER_RECORDING, "patient": ALICE, "title": "Call with Alice.K7Q2M9."})
    values = [value for _, value in seen(leaks(text(body), DIAZ))]
    assert values == [HERS, HER_RECORDING, ALICE, "alice.k7q2m9"]


def test_clinicians_are_public() -> None:
    """Accounts and names of clinicians are shown to anybody."""
    body = json.dumps([{"username": DIAZ, "name": "Diaz.K7Q2M9"}, {"username": CHEN}])
    assert leaks(text(body)) == []
    assert leaks(text(body), None) == []


def test_nobody_who_is_not_signed_in_may_see_anything() -> None:
    """An identifier of a patient's is a leak to somebody who is not signed in, and the sentence says so."""
    (leak,) = leaks(text(json.dumps({"id": HERS})), None)
    assert leak.viewer is None
    assert "somebody who is not signed in" in leak.sentence


@pytest.mark.parametrize("status", [200, 404, 422])
def test_an_echo_accuses_nobody(status: int) -> None:
    """What the viewer sent and finds again is no leak; what stands beside it is."""
    refusal = text(json.dumps({"error": f"There is no {HIS}."}), status)
    assert leaks(refusal, ALICE, f"/consultations/{HIS}") == []
    assert seen(leaks(refusal, ALICE, "/consultations/something")) == [("presented", HIS)]
    more = text(json.dumps({"id": HIS, "recording": HIS_RECORDING}), status)
    assert seen(leaks(more, ALICE, f"/consultations/{HIS}")) == [("presented", HIS_RECORDING)]


def test_an_echo_of_digits_accuses_nobody() -> None:
    """A 20-digit value that the viewer sent is no leak when it comes back."""
    digits = f"{pack(HIS_CANARY):020d}"
    answer = text(json.dumps({"q": digits}))
    assert leaks(answer, ALICE, f"q={digits}") == []
    assert seen(leaks(answer)) == [("presented", digits)]


def test_a_text_of_somebody_elses() -> None:
    """A text that Bob wrote into his consultation is proved by its digits; Diaz, who was there, may read it."""
    known = facts()
    known.add(Thing("04172839405162738495", TEXT, BOB, {BOB}, within=HIS))
    answer = text(json.dumps({"medicine": "sweep 04172839405162738495"}))
    assert seen(leaks(answer, known=known)) == [("proved", "04172839405162738495")]
    assert leaks(answer, DIAZ, known=known) == []
    assert seen(leaks(answer, CHEN, known=known)) == [("proved", "04172839405162738495")]


@pytest.mark.parametrize("viewer", [ALICE, CHEN, CAROL, OPERATOR, None])
def test_media_of_somebody_elses(viewer: str | None) -> None:
    """Bob's video is proved by its canary, whoever is served it but him and Diaz: an operator sees no media either."""
    answer = Answer(200, headers={"Content-Type": "video/webm"}, body=media(HIS_CANARY))
    found = leaks(answer, viewer)
    assert {leak.degree for leak in found} == {"proved"}
    assert {leak.owner for leak in found} == {BOB}


def test_own_media() -> None:
    """Alice's video is hers and Chen's."""
    answer = Answer(200, headers={"Content-Type": "video/webm"}, body=media(HER_CANARY))
    assert leaks(answer) == []
    assert leaks(answer, CHEN) == []


def test_media_of_no_known_run() -> None:
    """A canary of another run is somebody else's, whoever that was."""
    answer = Answer(200, headers={"Content-Type": "video/webm"}, body=media(Canary(8, 3, 0, 1)))
    assert {(leak.degree, leak.owner) for leak in leaks(answer)} == {("proved", "user 3 of run 8")}


def jpeg(canary: Canary) -> bytes:
    """Return a picture that shows a canary."""
    (luma,) = video.frames(pack(canary), 1, width=320, height=240)
    output = io.BytesIO()
    with av.open(output, "w", format="image2pipe") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.repeat(luma[:, :, None], 3, axis=2), "rgb24")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return output.getvalue()


def test_a_picture() -> None:
    """A thumbnail is decoded, too."""
    picture = jpeg(HIS_CANARY)
    assert picture.startswith(b"\xff\xd8\xff")
    answer = Answer(200, headers={"Content-Type": "image/jpeg"}, body=picture)
    assert seen(leaks(answer)) == [("proved", f"{pack(HIS_CANARY):020d}")]
    assert leaks(answer, BOB) == []


def test_a_picture_within_json() -> None:
    """A file that stands in JSON as a data address is decoded as if it had been served alone."""
    address = "data:image/jpeg;base64," + base64.b64encode(jpeg(HIS_CANARY)).decode()
    assert ("proved", f"{pack(HIS_CANARY):020d}") in seen(leaks(text(json.dumps({"face": address}))))


def test_an_archive() -> None:
    """Each file of an export is looked into: names, texts and media."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{HER_RECORDING}.webm", media(HER_CANARY))
        archive.writestr("list.txt", f"{HIS}  a title\n")
        archive.writestr(f"{HIS_RECORDING}.webm", media(HIS_CANARY))
    answer = Answer(200, headers={"Content-Type": "application/zip"}, body=packed.getvalue())
    found = {(leak.degree, leak.value) for leak in leaks(answer)}
    digits = f"{pack(HIS_CANARY):020d}"
    assert found == {("presented", HIS), ("presented", HIS_RECORDING), ("proved", digits)}


def test_a_file_without_a_canary() -> None:
    """A file that is byte for byte the one of Bob's recording is opened, though no canary can be read in it."""
    known = facts()
    data = b"\x00\x01\x02" * 400
    known.files[hashlib.sha256(data).hexdigest()] = HIS_RECORDING
    answer = Answer(200, headers={"Content-Type": "application/octet-stream"}, body=data)
    assert seen(leaks(answer, known=known)) == [("opened", HIS_RECORDING)]
    assert leaks(answer, DIAZ, known=known) == []


@pytest.mark.parametrize(("join", "is_accused"), [(Outcome.UNKNOWN, False), (Outcome.FAIL, True)])
def test_who_may_have_been_there_is_not_accused(join: Outcome, is_accused: bool) -> None:  # noqa: FBT001 - a parameter
    """A join that had no answer may have happened; one that was refused did not."""
    known = facts(join=join)
    assert bool(leaks(text(json.dumps({"id": HERS})), DIAZ, known=known)) is is_accused


def test_a_link_is_not_written_down() -> None:
    """A foreign link is a leak whose sentence does not repeat it: it would let its reader in."""
    known = facts()
    known.add(Thing("MTc5OTk5IHJlYy05ZjhlN2Q.c2lnbmF0dXJl", LINK, BOB))
    (leak,) = leaks(text(json.dumps({"url": "/links/MTc5OTk5IHJlYy05ZjhlN2Q.c2lnbmF0dXJl"})), known=known)
    assert leak.sentence == ("GET /things/{thing} showed alice bob's link in the body $.url; alice has no part in it")


def test_what_cannot_be_read_is_told() -> None:
    """Media that cannot be decoded may be anybody's: the eye says that it did not see."""
    found = Eye().look(Answer(200, headers={"Content-Type": "video/webm"}, body=media(HIS_CANARY)[200:]))
    assert found.unread
    assert not Eye().look(Answer(200, headers={"Content-Type": "video/webm"}, body=media(HIS_CANARY))).unread


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", ""])
def test_media_by_another_name(content_type: str) -> None:
    """Bob's video is proved whatever it calls itself."""
    answer = Answer(200, headers={"Content-Type": content_type}, body=media(HIS_CANARY))
    assert ("proved", f"{pack(HIS_CANARY):020d}") in seen(leaks(answer))


def unread(body: bytes, content_type: str = "application/octet-stream") -> list[str]:
    """Return what the eye says that it has not read of a body."""
    return Eye().look(Answer(200, headers={"Content-Type": content_type}, body=body)).unread


def packed(*files: tuple[str, bytes]) -> bytes:
    """Return a compressed ZIP of these files."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return output.getvalue()


def nested(levels: int) -> bytes:
    """Return a ZIP within ZIPs, with a text in the innermost."""
    data = packed(("list.txt", HIS.encode()))
    for _ in range(levels - 1):
        data = packed(("inner.zip", data))
    return data


def broken(data: bytes) -> bytes:
    """Return a ZIP of which the compressed bytes of the first file are spoilt."""
    return data[:40] + b"\xff" * 20 + data[60:]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"a " * (3 * 2**20), "text/plain", "body: text beyond 4,194,304 bytes"),
        (b"[" * 60 + b"]" * 60, "application/json", f"body ${'[0]' * 41}: JSON deeper than 40"),
        (b"[" * 100_000 + b"]" * 100_000, "application/json", "body: JSON too deep to be parsed"),
        (b"\x1aE\xdf\xa3" + b"\x00\x01" * 400, "application/octet-stream", "body: unreadable"),
        (b"OggS" + b"\x00\x01" * 400, "application/json", "body: unreadable"),
        (broken(packed(("list.txt", bytes(range(256)) * 4))), "application/zip", "body: a ZIP that cannot be unpacked"),
        (nested(9), "application/zip", "deeper than 4 files within each other"),
    ],
    ids=["long text", "deep JSON", "very deep JSON", "no type", "another type", "broken ZIP", "nested ZIPs"],
)
def test_what_is_beyond_reading_is_told(body: bytes, content_type: str, expected: str) -> None:
    """What is too long, too deep or broken is neither passed over in silence nor ends the sweep."""
    (said,) = unread(body, content_type)
    assert expected in said


def test_a_track_without_a_canary_is_told() -> None:
    """Media of which one track is ours and another is nobody's has been read in part: the other may be anybody's."""
    said = unread(with_noise(media(HER_CANARY)), "video/webm")
    assert said == ["body: partial"]


def with_noise(data: bytes) -> bytes:
    """Return WebM with one more track, of noise."""
    output = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as given, av.open(output, "w", format="webm") as made:
        copied = made.add_stream_from_template(given.streams.video[0])
        sound = made.add_stream("libopus", rate=48_000, layout="mono")
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copied
                made.mux(packet)
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 48_000)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(noise, "fltp", "mono")
        frame.sample_rate = 48_000
        made.mux([*sound.encode(frame), *sound.encode(None)])
    return output.getvalue()


def test_sound_in_riff_is_no_picture() -> None:
    """A WAV file begins as a WebP picture does, and is listened to."""
    output = io.BytesIO()
    with wave.open(output, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x00\x00" * 8000)
    assert unread(output.getvalue(), "audio/wav") == []


def test_archives_share_one_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives within an archive unpack to no more than one archive may."""
    inner = packed(("a.txt", b"a" * 3000))
    monkeypatch.setattr("harness.sweeping.judging.seeing.MAX_UNPACKED_BYTES", 5000)
    assert unread(packed(("1.zip", inner))) == []
    assert unread(packed(("1.zip", inner), ("2.zip", inner))) == ["body 2.zip a.txt: too large to unpack"]


def test_many_identifiers_hide_no_worse_thing_and_no_other_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an answer that holds too much the worst is told, and something of everybody whose it is."""
    monkeypatch.setattr("harness.sweeping.judging.judge.MAX_LEAKS", 2)
    answer = text(json.dumps({"items": [{"id": HIS}, {"id": HIS_RECORDING}], "said": f"{pack(HIS_CANARY):020d}"}))
    found = leaks(answer)
    assert len(found) == 2
    assert found[0].degree == max((each.degree for each in found), key=["presented", "opened", "proved"].index)
    everybody = leaks(text(json.dumps([HERS, HER_RECORDING, HIS, HIS_RECORDING])), None)
    assert {each.owner for each in everybody} == {ALICE, BOB}


def test_words_at_the_end_of_a_large_file_are_read() -> None:
    """A film's title may stand behind all of its pictures."""
    body = b"\x00\x01\x02\x03" * (2 * 2**20) + f"title {HIS}".encode()
    assert HIS in {each.value for each in leaks(Answer(200, body=body))}
