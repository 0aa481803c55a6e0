from harness import Clinician, Patient, scenario


@scenario()
async def audio_and_video_are_kept_apart(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Alice talks by audio and Bob by video, one after the other: what two recorders make are never one file."""
    hers = await alice.book(chen, medium="audio")
    await hers.hold(alice, chen)

    his = await bob.book(chen, medium="video")
    await his.hold(bob, chen)
