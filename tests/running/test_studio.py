"""The studio: what the ledger keeps of media, each blob read once, by processes, under the loop of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from harness.canary import pack
from harness.errors import HarnessError
from harness.running.register import Register
from harness.running.studio import Studio
from tests.media.encodes import archive, encoded, picture, remuxed


def played(story: Callable[[Studio, Register], Awaitable[None]]) -> None:
    """Tell a story with a studio under uvloop, and close it."""

    async def tell() -> None:
        register = Register(11)
        studio = Studio(register, seed=0)
        try:
            await story(studio, register)
        finally:
            studio.close()

    uvloop.run(tell())


def test_what_was_filmed_is_told_in_full() -> None:
    """Of each track whose canary it is, from when to when and how often, and the hash of its packets; no bytes."""

    async def story(studio: Studio, _: Register) -> None:
        value, clip = await studio.film(1, 2, "video")
        looked = await studio.look(clip.data)
        assert (looked["size"], looked["sha256"]) == (len(clip.data), clip.sha256)
        content = looked["content"]
        assert set(content) == {"outcome", "canaries", "tracks", "duration_s", "note", "packets"}
        assert (content["outcome"], content["tracks"], content["note"]) == ("canaries", ["video", "audio"], "")
        assert len(content["packets"]) == 64
        seen, heard = content["canaries"]
        assert (seen["value"], seen["track"], seen["first_s"], seen["last_s"], seen["count"]) == (
            value,
            "video",
            0,
            1,
            5,
        )
        assert (heard["value"], heard["track"], heard["count"]) == (value, "audio", 1)

    played(story)


def test_each_blob_is_read_once_and_each_recording_decoded_once() -> None:
    """Many who look at the same bytes at once share one reading; a remuxed copy has the same hash of its packets."""

    async def story(studio: Studio, register: Register) -> None:
        film = encoded("webm", "libvpx", "libopus", canary=register.canary(3, 1, 1))
        read: list[int] = []
        one = studio._decoders.read

        def count(data: bytes) -> object:
            read.append(len(data))
            return one(data)

        studio._decoders.read = count  # type: ignore[method-assign, assignment]  # the same, and counted
        looks = await asyncio.gather(*(studio.look(film) for _ in range(10)))
        assert read == [len(film)]
        assert all(each == looks[0] for each in looks)
        copy = await studio.look(remuxed(film, "matroska"))
        assert copy["sha256"] != looks[0]["sha256"]
        assert copy["content"]["packets"] == looks[0]["content"]["packets"]
        assert copy["content"]["note"] == "coded as what was read before"

    played(story)


def test_filming_goes_on_while_media_is_read() -> None:
    """Reading and filming many at once ends with each one's own."""

    async def story(studio: Studio, register: Register) -> None:
        async def there_and_back(number: int) -> None:
            value, clip = await studio.film(number, 1, "audio")
            looked = await studio.look(clip.data)
            assert [each["value"] for each in looked["content"]["canaries"]] == [value]
            assert looked["content"]["canaries"][0]["owner"] == register.owner(register.canary(number, 1, 0))

        await asyncio.gather(*(there_and_back(number) for number in range(1, 20)))

    played(story)


def test_hostile_media_pictures_and_exports_are_content() -> None:
    """None of them is a fault of the harness, and each says what it is."""

    async def story(studio: Studio, register: Register) -> None:
        ours = register.canary(5, 1, 1)
        for data, outcome in (
            (b"", "empty"),
            (b"nothing that plays", "unreadable"),
            (picture("mjpeg", ours, width=96, height=72), "canaries"),
            (archive({"a.png": picture("png", ours), "b.webm": bytes(1000)}), "partial"),
        ):
            content = (await studio.look(data))["content"]
            assert content["outcome"] == outcome
            assert {each["value"] for each in content["canaries"]} <= {f"{pack(ours):020d}"}

    played(story)


def test_a_closed_studio_leaves_no_process() -> None:
    """What is asked afterwards is the asker's fault."""

    async def story(studio: Studio, _: Register) -> None:
        await studio.look(b"nothing that plays")
        (process,) = [each for each in studio._decoders._idle.queue if each is not None]
        studio.close()
        assert not process.is_alive()
        with pytest.raises((HarnessError, RuntimeError)):
            await studio.look(b"something else that does not play")

    played(story)
