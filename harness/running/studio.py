"""Media work beside the event loop: filming clips that carry canaries, and reading what comes back."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from harness.canary import MODES, pack
from harness.media.clips import Clip, clip
from harness.media.decoders import Decoders
from harness.media.sighting import Reading
from harness.model import Medium, Wording
from harness.running.register import Register

THREADS = 2
MAX_REMEMBERED = 100_000


class Studio:
    """Films in a few threads of its own, and reads in processes that can be killed, which start with the first blob.

    Each unique blob is read once in a run.
    """

    def __init__(self, register: Register, *, seed: int) -> None:
        self._register = register
        self._seed = seed
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="media")
        self._decoders = Decoders()
        self._waiting = ThreadPoolExecutor(self._decoders.processes, thread_name_prefix="reading")
        self._readings: OrderedDict[str, asyncio.Future[Reading]] = OrderedDict()

    async def film(self, number: int, call: int, medium: Medium, caption: str = "") -> tuple[str, Clip]:
        """Return the canary (20 digits) and the clip of an actor in a call."""
        canary = self._register.canary(number, call, MODES.index(medium))
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._threads, lambda: clip(canary, medium, seed=self._seed))
        return f"{pack(canary):020d}", replace(made, caption=caption)

    def write(self, number: int, call: int, what: Wording) -> tuple[str, str]:
        """Return the canary (20 digits) and a word that carries it, for an actor to write in a call."""
        mode = MODES.index(what)
        return f"{pack(self._register.canary(number, call, mode)):020d}", self._register.inscribe(number, call, mode)

    async def look(self, data: bytes) -> Mapping[str, Any]:
        """Return what the ledger keeps of opened media: size, hash, and whose canaries it holds; never the bytes."""
        digest = hashlib.sha256(data).hexdigest()
        reading = await self._read(digest, data)
        canaries = [
            {
                "value": f"{pack(sighting.canary):020d}",
                "track": sighting.track,
                "owner": self._register.owner(sighting.canary),
                "first_s": round(sighting.first_s, 3),
                "last_s": round(sighting.last_s, 3),
                "count": sighting.count,
            }
            for sighting in reading.canaries
        ]
        content = {
            "outcome": reading.outcome,
            "canaries": canaries,
            "tracks": list(reading.tracks),
            "duration_s": round(reading.duration_s, 3),
            "note": reading.note,
            "packets": reading.packets,
        }
        return {"size": len(data), "sha256": digest, "content": content}

    def close(self) -> None:
        """Drop what is still waiting, and end the threads and the decoders."""
        for threads in (self._threads, self._waiting):
            threads.shutdown(wait=False, cancel_futures=True)
        self._decoders.close()

    async def _read(self, digest: str, data: bytes) -> Reading:
        known = self._readings.get(digest)
        if known is None:
            loop = asyncio.get_running_loop()
            known = asyncio.ensure_future(loop.run_in_executor(self._waiting, self._decoders.read, data))
            self._readings[digest] = known
            if len(self._readings) > MAX_REMEMBERED:
                self._readings.popitem(last=False)
        return await asyncio.shield(known)
