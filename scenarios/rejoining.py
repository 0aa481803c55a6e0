from harness import Clinician, Patient, scenario


@scenario()
async def rejoining_leads_back_to_ones_own_call(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Alice drops out and Bob is seen while she is away; back in her call, she goes on where she was."""
    hers = await alice.book(chen, medium="video")
    his = await bob.book(chen, medium="video")

    await hers.join(alice)
    await hers.join(chen)
    await hers.emit(alice)
    await hers.leave(alice)

    await his.hold(bob, chen)

    await hers.join(alice)
    await hers.emit(chen)
    await hers.emit(alice)
    await hers.end(chen)
