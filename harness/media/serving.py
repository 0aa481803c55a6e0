"""Readings as JSON, and the reader that a decoder process has: media in, JSON out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.canary import Canary
from harness.media import clips
from harness.media.reading import Opened, open_media
from harness.media.sighting import Member, Reading, Sighting, Stretch
from harness.media.tracks import Limits


class Reader:
    """Opens a piece of media, and then decodes it or lets go of it. Raises nothing for what the bytes hold."""

    def __init__(self, key: bytes, limits: Limits) -> None:
        self._key = key
        self._limits = limits
        self._opened: Opened | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Reader:
        """Return a reader that has read a clip and an archive once, so that it needs no more of Python's files."""
        reader = cls(bytes.fromhex(config["key"]), Limits(**config["limits"]))
        clip = clips.clip(Canary(1, 1, 1, 1), "video").data
        for data in (clip, _archive(clip)):
            reader.open(data)
            reader.decode()
        return reader

    def open(self, data: bytes) -> bytes:
        """Return `{"coded": ...}`, or the reading when it is found already."""
        try:
            self._opened = open_media(data, key=self._key, limits=self._limits)
        except MemoryError:
            self._opened = Opened("", _out_of_memory, _nothing)
        return json.dumps({"coded": self._opened.coded}).encode()

    def decode(self) -> bytes:
        """Return the reading of what was opened."""
        opened, self._opened = self._opened, None
        if opened is None:
            raise ValueError("nothing was opened")
        try:
            reading = opened.read()
        except MemoryError:
            reading = _out_of_memory()
        return as_json(reading)

    def discard(self) -> None:
        """Let go of what was opened."""
        if self._opened is not None:
            self._opened.discard()
        self._opened = None


def as_json(reading: Reading) -> bytes:
    """Return a reading as JSON: its fields by name, canaries as lists of their numbers."""
    return json.dumps(asdict(reading)).encode("ascii")


def from_json(body: bytes) -> Reading:
    """Return the reading that `as_json` wrote; raise ValueError, KeyError or TypeError for anything else."""
    return _reading(json.loads(body))


def _reading(value: Mapping[str, Any]) -> Reading:
    return Reading(
        value["outcome"],
        tuple(Sighting(**{**each, "canary": Canary(**each["canary"])}) for each in value["canaries"]),
        tuple(value["tracks"]),
        float(value["duration_s"]),
        str(value["note"]),
        tuple(Stretch(**{**each, "canary": Canary(**each["canary"])}) for each in value["stretches"]),
        str(value["packets"]),
        tuple(Member(str(each["name"]), _reading(each["reading"])) for each in value["members"]),
    )


def _archive(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("clip.webm", data)
    return packed.getvalue()


def _out_of_memory() -> Reading:
    return Reading("unreadable", note="more memory than a decoder may have")


def _nothing() -> None:
    """Let go of nothing."""
