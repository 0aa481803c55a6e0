from harness import Clinician, Patient, scenario


@scenario()
async def a_call_is_handed_over(alice: Patient, bob: Patient, chen: Clinician, dana: Clinician) -> None:
    """Chen hands Alice's call over to Dana, who goes on in it; Bob's stays Chen's alone."""
    hers = await alice.book(chen, medium="video")
    his = await bob.book(chen, medium="video")
    await his.hold(bob, chen)

    await hers.join(alice)
    await hers.join(chen)
    await hers.emit(alice)
    await hers.emit(chen)
    await chen.hand_over(hers, dana)
    await hers.leave(chen)
    await hers.join(dana)
    await hers.emit(dana)
    await hers.end(dana)
