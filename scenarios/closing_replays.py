from harness import Clinician, Operator, Patient, checkpoint, scenario


@scenario(flags=["replay-access", "replay-cache"])
async def the_operator_closes_replays(alice: Patient, chen: Clinician, olga: Operator) -> None:
    """After lists were shown, the operator closes replay access: for as long, nobody is shown or served a thing."""
    hers = await alice.book(chen, medium="video")
    await hers.hold(alice, chen)
    await checkpoint()
    async with olga.replays_closed():
        await checkpoint()
