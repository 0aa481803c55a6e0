from harness import Carer, Clinician, Patient, checkpoint, scenario


@scenario(flags=["carer-sharing"])
async def a_share_ends_when_it_is_revoked(alice: Patient, bob: Patient, carol: Carer, chen: Clinician) -> None:
    """Carol sees of Alice's recordings what is shared with her, for as long as it is shared; of Bob's, nothing."""
    hers = await alice.book(chen, medium="video")
    his = await bob.book(chen, medium="video")
    await hers.hold(alice, chen)
    await his.hold(bob, chen)

    shared = [recording for recording in await hers.recorded() if await alice.share(recording, carol)]
    await checkpoint()
    for recording in shared:
        await alice.revoke(recording, carol)
