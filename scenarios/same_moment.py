from harness import Clinician, Patient, scenario, together


@scenario(flags=["video-upgrade"])
async def two_patients_switch_at_the_same_moment(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Alice and Bob switch to video in the same moment; the picture that begins then is of their own call."""
    hers = await alice.book(chen, medium="audio")
    his = await bob.book(chen, medium="audio")
    for visit, patient in ((hers, alice), (his, bob)):
        await visit.join(patient)
        await visit.join(chen)

    async with together() as at_once:
        at_once(hers.switch, alice, "video")
        at_once(his.switch, bob, "video")

    async with together() as at_once:
        for visit, patient in ((hers, alice), (his, bob)):
            at_once(visit.emit, patient)
            at_once(visit.emit, chen)

    await hers.end(chen)
    await his.end(chen)
