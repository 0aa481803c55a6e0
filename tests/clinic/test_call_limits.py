"""What a call refuses: more than its limits, offers that are spoilt, and candidates of other machines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.clinic.base.errors import ApiError
from harness.clinic.webrtc.peers import Offer
from harness.clinic.webrtc.rooms import Limits

from .callers import calling, held
from .halls import ANN, BEA, VISIT, Hall


def test_a_call_and_the_server_have_limits() -> None:
    """One participant too many is told 409, one call too many 503; an empty room makes place."""

    async def story() -> None:
        hall = Hall(Limits(calls=1, participants=1))
        ann, bea = hall.caller(ANN, "ann"), hall.caller(BEA, "bea")
        async with calling(ann, bea):
            offer = await bea.offer()
            await ann.call()
            for visit, status, code in ((VISIT, 409, "call-full"), ("visit-2", 503, "too-many-calls")):
                with pytest.raises(ApiError) as refused:
                    await hall.calls.answer(visit, "bea", "audio", offer)
                assert (refused.value.status, refused.value.code) == (status, code)
            await hall.calls.leave(VISIT, "ann")
            assert await hall.calls.answer("visit-2", "bea", "audio", offer)
            await hall.calls.close()

    held(story)


SPOILT: dict[str, Callable[[str], str]] = {
    "no SDP": lambda _: "Guten Tag",
    "empty": lambda _: "",
    "no media": lambda sdp: sdp[: sdp.index("m=")],
    "no certificate": lambda sdp: "\n".join(line for line in sdp.splitlines() if "fingerprint" not in line),
    "no credentials": lambda sdp: "\n".join(line for line in sdp.splitlines() if "ice-ufrag" not in line),
    "two of a kind": lambda sdp: sdp + sdp[sdp.index("m=") :],
    "another kind": lambda sdp: sdp.replace("m=audio", "m=application"),
    "another codec": lambda sdp: sdp.replace("opus/48000/2", "opium/48000/2"),
    "a bundle of nobody": lambda sdp: sdp.replace("a=group:BUNDLE 0", "a=group:BUNDLE 7 0"),
    "a broken number": lambda sdp: sdp.replace("a=rtpmap:96", "a=rtpmap:ninety-six"),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_a_bad_offer_is_refused(spoilt: Callable[[str], str]) -> None:
    """An SDP that nothing can be made of is told 422, and leaves nobody in the call."""

    async def story() -> None:
        hall = Hall()
        ann = hall.caller(ANN, "ann")
        async with calling(ann):
            offer = await ann.offer()
            with pytest.raises(ApiError) as refused:
                await hall.calls.answer(VISIT, "ann", "audio", spoilt(offer))
            assert (refused.value.status, refused.value.code) == (422, "bad-sdp")
            assert hall.present == set()

    held(story)


def test_only_candidates_of_this_machine_are_tried() -> None:
    """An offer cannot make the server send packets to other addresses, however it names them."""
    here = "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host"
    others = [
        "a=candidate:2 1 udp 2130706431 10.1.2.3 40000 typ host",
        "a=candidate:3 1 udp 2130706431 5a1c.local 40000 typ host",
        "a=candidate:4 1 udp 1677729535 10.1.2.3 40000 typ srflx raddr 127.0.0.1 rport 40000",
        "a=candidate:5",
    ]
    head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "m=audio 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0"]
    rest = ["a=mid:0", "a=rtpmap:96 opus/48000/2", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass"]
    offer = Offer.parse("\r\n".join([*head, *rest, here, *others]))
    assert [line for line in offer.sdp.splitlines() if "candidate" in line] == [here]
