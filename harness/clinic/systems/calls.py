"""Calls: a consultation's sound and picture over WebRTC, answered and recorded by the server.

Several processes may serve one address. A call lives in the process that answered its first offer; whichever other one
is asked for it passes the request on to that one's private address, under a secret that all of them share.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated, Literal

import aiohttp
from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from harness.clinic import policy
from harness.clinic.base.errors import ApiError, answers, not_found
from harness.clinic.base.state import Here, Me, Medium
from harness.clinic.base.store import Store
from harness.clinic.webrtc import tracks
from harness.clinic.webrtc.rooms import DEFAULT_LIMITS, Limits, OnFiles, Room

from . import consultations

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (consultation TEXT PRIMARY KEY, address TEXT NOT NULL);
"""

MAX_SDP = 32_768
EXAMPLE_OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=ice-ufrag:exam",
        "a=ice-pwd:example-of-an-ice-password",
        "a=fingerprint:sha-256 " + ":".join(["00"] * 32),
        "a=setup:actpass",
        "",
    )
)
"""An offer to listen, by nobody: it is answered, and its connection never comes about."""
FORWARD_S = 15.0
TRIES = 3
SECRET = "X-Replica-Secret"  # noqa: S105 - the header's name

router = APIRouter(tags=["calls"])


class Offer(BaseModel):
    """What a browser offers; an answer comes back, and no further negotiation is begun by the server."""

    type: Literal["offer"]
    sdp: str = Field(max_length=MAX_SDP, examples=[EXAMPLE_OFFER])


class Answer(BaseModel):
    """What the server agrees to."""

    type: Literal["answer"] = "answer"
    sdp: str


class Act(BaseModel):
    """What one process asks of another about a call."""

    act: Literal["answer", "segment", "leave", "end"]
    username: str = ""
    medium: Medium = "audio"
    sdp: str = ""


class Calls:
    """The calls of one process, each in its room."""

    def __init__(
        self,
        store: Store,
        on_files: OnFiles,
        *,
        limits: Limits = DEFAULT_LIMITS,
        own_address: str | None = None,
        secret: str = "",
    ) -> None:
        """Hold calls, and give the files of each participant and segment to `on_files`.

        `own_address` is the base URL at which other processes reach this one, and `secret` what they must say; without
        an address there is one process only.
        """
        tracks.loopback_only()
        self._store = store
        self._on_files = on_files
        self._limits = limits
        self._own_address = own_address if secret else None
        self._secret = secret
        self._rooms: dict[str, Room] = {}
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, consultation: str, username: str, medium: Medium, sdp: str) -> str:
        """Connect a participant, or renegotiate; return the answer's SDP.

        `medium` is the consultation's, for a call that begins with this. Raises ApiError: 422 for a bad SDP, 409 for a
        full call, 503 when there are too many calls.
        """
        act = Act(act="answer", username=username, medium=medium, sdp=sdp)
        for _ in range(TRIES):
            address = self._claim(consultation)
            if address == self._own_address:
                return await self._do(consultation, act)
            answer = await self._forward(address or "", consultation, act)
            if answer is not None:
                return answer
            self._store.db.execute("DELETE FROM calls WHERE consultation = ? AND address = ?", (consultation, address))
        raise ApiError(503, "call-lost", "The call cannot be reached; try again.")

    async def segment(self, consultation: str, medium: Medium) -> None:
        """Go on in the other medium, with new files; those that ended are with their taker when this returns."""
        await self._tell(consultation, Act(act="segment", medium=medium))

    async def leave(self, consultation: str, username: str) -> None:
        """Disconnect a participant; their files are with their taker when this returns."""
        await self._tell(consultation, Act(act="leave", username=username))

    async def end(self, consultation: str) -> None:
        """Disconnect everybody; all files are with their taker when this returns."""
        await self._tell(consultation, Act(act="end"))
        if self._own_address is not None:
            self._store.db.execute("DELETE FROM calls WHERE consultation = ?", (consultation,))

    async def close(self) -> None:
        """End all calls of this process."""
        await asyncio.gather(*(self._do(consultation, Act(act="end")) for consultation in list(self._rooms)))
        if self._own_address is not None:
            self._store.db.execute("DELETE FROM calls WHERE address = ?", (self._own_address,))
        if self._session is not None:
            await self._session.close()

    async def take_over(self, consultation: str, act: Act, secret: str) -> str:
        """Do what another process asks; raise 404 unless it says the secret."""
        if self._own_address is None or not hmac.compare_digest(secret.encode(), self._secret.encode()):
            raise not_found("page")
        return await self._do(consultation, act)

    async def _tell(self, consultation: str, act: Act) -> None:
        """Do it wherever the call is; nothing when it is nowhere, or was lost with its process."""
        address = self._address(consultation)
        if address is None or address == self._own_address:
            await self._do(consultation, act)
        else:
            await self._forward(address, consultation, act)

    async def _do(self, consultation: str, act: Act) -> str:
        """Do it here, and return an answer's SDP."""
        if act.act == "answer":
            return await self._room(consultation, act.medium).answer(act.username, act.sdp)
        room = self._rooms.get(consultation)
        if room is not None:
            if act.act == "segment":
                await room.segment(act.medium)
            elif act.act == "leave":
                await room.leave(act.username)
            else:
                del self._rooms[consultation]
                await room.end()
        return ""

    def _room(self, consultation: str, medium: Medium) -> Room:
        """Return the room, a new one when there is none; an empty one makes place when there are too many."""
        if consultation not in self._rooms:
            if len(self._rooms) >= self._limits.calls:
                empty = next((each for each, room in self._rooms.items() if not room.peers), None)
                if empty is None:
                    raise ApiError(503, "too-many-calls", f"This server holds {self._limits.calls} calls already.")
                del self._rooms[empty]
            self._rooms[consultation] = Room(consultation, medium, self._on_files, self._limits)
        return self._rooms[consultation]

    def _address(self, consultation: str) -> str | None:
        """Return the address of the process that has the call."""
        if self._own_address is None:
            return None
        row = self._store.find("SELECT address FROM calls WHERE consultation = ?", consultation)
        return row[0] if row else None

    def _claim(self, consultation: str) -> str | None:
        """Return the address of the process that has the call: this one, when none had it."""
        if self._own_address is None:
            return None
        (address,) = self._store.one(
            "INSERT INTO calls (consultation, address) VALUES (?, ?)"
            " ON CONFLICT (consultation) DO UPDATE SET address = calls.address RETURNING address",
            consultation,
            self._own_address,
        )
        return str(address)

    async def _forward(self, address: str, consultation: str, act: Act) -> str | None:
        """Have another process do it and return an answer's SDP; None when nobody is at the address any more."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FORWARD_S))
        url = f"{address}/replicas/calls/{consultation}"
        try:
            async with self._session.post(url, json=act.model_dump(), headers={SECRET: self._secret}) as response:
                said = await response.json()
        except aiohttp.ClientConnectorError:
            return None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ApiError(503, "call-unreachable", "The process that has the call does not answer.") from error
        if response.status != 200:
            raise ApiError(response.status, said["error"]["code"], said["error"]["message"])
        return str(said["sdp"])


def _calls(rooms: object) -> Calls:
    if not isinstance(rooms, Calls):
        raise ApiError(503, "no-calls", "This clinic holds no calls by WebRTC; recordings are uploaded.")
    return rooms


@router.post(
    "/consultations/{consultation}/call",
    summary="Take part in the call by WebRTC",
    responses=answers(401, 404, 409, 422, 503),
)
async def take_part_in_call(consultation: str, offer: Offer, me: Me) -> Answer:
    """Answer a participant who has joined: the first offer connects, later ones change what the connection carries.

    An offer has one audio and at most one video section; what the other participant sends comes in the same sections.
    To go on without a picture, make its section inactive.
    """
    row = consultations.find(me, consultation)
    consultations.require_live(row)
    _require_part(policy.may_call(me, row))
    calls = _calls(me.clinic.rooms)
    sdp = await calls.answer(row.id, me.username, row.medium, offer.sdp)
    # Meanwhile the consultation may have ended, gone on without them, or switched.
    now = consultations.find(me, consultation)
    if now.status != "live":
        await calls.end(row.id)
        consultations.require_live(now)
    elif not policy.may_call(me, now):
        await calls.leave(row.id, me.username)
        _require_part(may_call=False)
    elif now.medium != row.medium:
        await calls.segment(row.id, now.medium)
    return Answer(sdp=sdp)


def _require_part(may_call: bool) -> None:  # noqa: FBT001 - the one thing that it is about
    if not may_call:
        raise ApiError(409, "not-joined", "Join the consultation before you call.")


@router.post("/replicas/calls/{consultation}", include_in_schema=False)
async def act_for_replica(
    consultation: str, act: Act, clinic: Here, secret: Annotated[str, Header(alias=SECRET)] = ""
) -> Answer:
    """Do what another process of this deployment asks about a call that is here."""
    return Answer(sdp=await _calls(clinic.rooms).take_over(consultation, act, secret))
