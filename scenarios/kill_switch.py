from harness import Clinician, Patient, scenario, together


@scenario(flags=["replay-access"])
async def kill_switch_closes_replays_for_everybody(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """With replay access switched off nobody is shown or served any recording, not even their own.

    There is no assertion here. Where a combination has `replay-access=off`, the oracle demands that list and
    bytes are refused to everybody, and that there was something to refuse.
    """
    first = await alice.book(chen, medium="audio")
    await first.hold(alice, chen)

    second = await alice.book(chen, medium="video")
    his = await bob.book(chen, medium="video")
    async with together() as at_once:
        at_once(second.hold, alice, chen)
        at_once(his.hold, bob, chen)
