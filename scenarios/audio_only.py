from harness import Clinician, Patient, scenario, together


@scenario()
async def audio_only_stays_private(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Alice and Bob talk to the same clinician at the same time; neither meets the other's recording."""
    hers = await alice.book(chen, medium="audio")
    his = await bob.book(chen, medium="audio")

    async with together() as at_once:
        at_once(hers.hold, alice, chen)
        at_once(his.hold, bob, chen)
