from harness import Clinician, Patient, scenario, together


@scenario(flags=["video-upgrade", "video-downgrade"])
async def going_back_to_audio_keeps_replays_apart(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Bob switches to video and back while Alice is on the line; each finds all of their own call, and no more."""
    hers = await alice.book(chen, medium="audio")
    his = await bob.book(chen, medium="audio")

    async def there_and_back() -> None:
        await his.join(bob)
        await his.join(chen)
        if await his.switch(bob, "video"):
            await his.emit(bob)
            await his.switch(bob, "audio")
        await his.emit(bob)
        await his.end(chen)

    async with together() as at_once:
        at_once(there_and_back)
        at_once(hers.hold, alice, chen)
