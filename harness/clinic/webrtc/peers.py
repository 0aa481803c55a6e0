"""A participant's connection to a call: the offer that it is made of, and what it carries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.sdp import SessionDescription

from harness.clinic.base.errors import ApiError

from . import tracks
from .tracks import Kind, Outgoing, Recorder, Sample

HOST = "127.0.0.1"
CLOSE_S = 5.0
GONE = ("failed", "closed")
log = logging.getLogger("clinic")


def bad_offer(why: str) -> ApiError:
    """Return the refusal of an SDP that nothing can be made of."""
    return ApiError(422, "bad-sdp", f"The SDP is no offer that can be answered: {why}.")


def new_connection() -> RTCPeerConnection:
    """Return a connection that asks no server on the internet for its own address, and has one port for everything."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


def _is_elsewhere(line: str) -> bool:
    """True for the candidate of another machine: nobody shall make the server send packets into a network."""
    return line.startswith("a=candidate:") and line.split()[4:5] != [HOST]


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that was looked at: the kinds of its media, and the certificates, by which a connection is known."""

    sdp: str
    kinds: tuple[Kind, ...]
    certificates: frozenset[str]

    @classmethod
    def parse(cls, sdp: str) -> Offer:
        """Return the offer with the candidates of other machines taken out; raise ApiError 422."""
        text = "".join(f"{line}\r\n" for line in sdp.splitlines() if not _is_elsewhere(line))
        try:
            said = SessionDescription.parse(text)
        # The parser raises whatever it trips over.
        except Exception as error:
            raise bad_offer("it cannot be parsed") from error
        kinds: list[Kind] = []
        certificates: set[str] = set()
        for media in said.media:
            if media.kind not in ("audio", "video") or media.kind in kinds:
                raise bad_offer("give one audio and at most one video section, and no other")
            kinds.append("audio" if media.kind == "audio" else "video")
            if media.dtls is None or not media.dtls.fingerprints:
                raise bad_offer(f"the {media.kind} section has no fingerprint")
            certificates |= {each.value.upper() for each in media.dtls.fingerprints}
        sections = {media.rtp.muxId for media in said.media}
        if any(not sections.issuperset(group.items) for group in said.group if group.semantic == "BUNDLE"):
            raise bad_offer("its bundle names a section that it does not have")
        if not kinds:
            raise bad_offer("it has no media")
        return cls(text, tuple(kinds), frozenset(certificates))


@dataclass(slots=True, eq=False)
class Peer:
    """One participant's connection, what they are sent, and what is being recorded of them."""

    username: str
    certificates: frozenset[str]
    connection: RTCPeerConnection
    recorders: dict[Kind, Recorder]
    take: Callable[[Kind, Sample], None] = lambda _kind, _sample: None
    on_key_request: Callable[[], None] = lambda: None
    outgoing: dict[Kind, Outgoing] = field(default_factory=dict)
    receivers: dict[Kind, RTCRtpReceiver] = field(default_factory=dict)
    heard_as: int = 0
    """The how manieth of the room to be heard; 0 before."""
    key_asked_s: float = 0.0

    @property
    def is_connected(self) -> bool:
        """True while media can flow."""
        return self.connection.connectionState == "connected"

    async def answer(self, offer: Offer, began_s: float) -> str:
        """Agree to an offer in a call that began at `began_s` and return the SDP; raise whatever aiortc does."""
        for kind in offer.kinds:
            if kind not in self.outgoing:
                self._add(kind, began_s)
        await self.connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await self.connection.setLocalDescription()
        return self.connection.localDescription.sdp

    def _add(self, kind: Kind, began_s: float) -> None:
        self.outgoing[kind] = Outgoing(kind)
        transceiver = self.connection.addTransceiver(self.outgoing[kind])
        transceiver.setCodecPreferences(tracks.codecs(kind))
        self.receivers[kind] = transceiver.receiver
        tracks.tap(transceiver.receiver, kind, began_s, partial(self.take, kind))
        if kind == "video":
            tracks.on_key_request(transceiver.sender, self.on_key_request)

    async def close(self) -> None:
        """Close the connection, which tells the other side; one that cannot be closed is left, and logged."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.connection.close()
        except TimeoutError:
            log.warning("a connection was not closed within %g s", CLOSE_S)
        except Exception:
            # aiortc trips over what an offer left unfinished; the others' recordings must not be lost with it.
            log.exception("a connection could not be closed")
