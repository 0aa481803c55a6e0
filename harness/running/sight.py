"""What the ledger keeps of what a surface showed: whose canaries were in it, never the bytes and never the words."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from harness.drivers.surfaces import View
from harness.errors import TargetError
from harness.ledger import Action
from harness.running.evidence import hold
from harness.running.register import Register
from harness.scenario import Actor

Look = Callable[[bytes], Awaitable[Mapping[str, Any]]]
"""Reads media: size, hash and content, as `harness.provenance` describes them."""

TEXT = "text"
"""The outcome of content that is words alone."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Looks at what came for the actors of one trial."""

    look: Look
    register: Register
    trial: str

    def words(self, text: str) -> dict[str, object]:
        """Return the canaries in words, and the consultations of this run that they name."""
        return {
            "texts": [{"value": each.value, "owner": each.owner} for each in self.register.words(text)],
            "refs": [
                {"consultation": ref, "elsewhere": elsewhere}
                for ref, elsewhere in self.register.consultations_in(text, self.trial)
            ],
        }

    def page(self, text: str) -> dict[str, object]:
        """Return what is kept of a page: how long it was, its hash, and what its words hold."""
        data = text.encode("utf-8", "surrogatepass")
        return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **self.words(text)}

    async def open(self, actor: Actor, recording: str, surface: str, *, direct: bool = False) -> None:
        """Let an actor open a recording, and write down what came; refusals and silence are the checks' to judge."""
        asked = {"surface": surface, "recording": recording, "direct": direct}
        with suppress(TargetError), actor.recorded(Action.OPEN, **asked) as result:
            data = await actor.driver.open(recording)
            result.data.update(await self.look(data))
            hold(actor.stage, actor.name, result.data, data)

    async def view(self, view: View, actor: Actor) -> dict[str, object]:
        """Return what is kept of all that a surface showed to an actor."""
        kept: dict[str, object] = self.page(view.text)
        kept["content"] = {"outcome": TEXT, "canaries": [], "tracks": [], "duration_s": 0.0, "note": ""}
        if view.media is not None:
            kept |= await self.look(view.media)
        if view.recordings is not None:
            kept["items"] = [actor.item(recording) for recording in view.recordings]
        return kept
