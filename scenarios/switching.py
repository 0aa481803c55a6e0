from harness import Clinician, Patient, scenario, together


@scenario(flags=["video-upgrade", "replay-index-v2"])
async def switching_to_video_keeps_replays_apart(alice: Patient, bob: Patient, chen: Clinician) -> None:
    """Bob booked audio and switches to video; he and Alice, on video, never meet each other's media."""
    hers = await alice.book(chen, medium="video")
    his = await bob.book(chen, medium="audio")

    async with together() as at_once:
        at_once(hers.hold, alice, chen)
        at_once(his.hold, bob, chen, switch_to="video")
