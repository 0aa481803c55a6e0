"""What is pushed to an actor for as long as a trial lasts: each message's canaries go into the ledger as it comes."""

from __future__ import annotations

from contextlib import suppress

from harness.drivers.surfaces import as_listening
from harness.errors import TargetError
from harness.ledger import Action, Outcome
from harness.running.sight import Sight
from harness.scenario import Actor

MAX_HEARD = 2_000
"""Messages to one actor that are written down; one more leaves the trial without a verdict."""


async def listen(actor: Actor, sight: Sight) -> None:
    """Let an actor listen from now on, if there is anything to listen to; that it cannot be is in the ledger."""
    driver = as_listening(actor.driver)
    if driver is None:
        return
    heard = 0

    def hear(channel: str, text: str) -> None:
        nonlocal heard
        heard += 1
        if heard <= MAX_HEARD:
            found = sight.words(text)
            actor.stage.ledger.note(actor.name, Action.HEAR, surface=channel, texts=found["texts"], refs=found["refs"])
        elif heard == MAX_HEARD + 1:
            error = f"more than {MAX_HEARD} messages came"
            actor.stage.ledger.note(actor.name, Action.HEAR, Outcome.UNKNOWN, surface=channel, error=error)

    with suppress(TargetError), actor.recorded(Action.LISTEN, until="the end"):
        await driver.listen(hear)


async def hush(actor: Actor) -> None:
    """Wait until what was pushed to an actor has come, and let them listen no more."""
    driver = as_listening(actor.driver)
    if driver is not None:
        with suppress(TargetError), actor.recorded(Action.LISTEN, until="now"):
            await driver.hush()
