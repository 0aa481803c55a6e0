"""A call's room: who is connected to it, who is shown to whom, and what is recorded of each."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import av

from harness.clinic.base.errors import ApiError

from . import tracks
from .peers import GONE, Offer, Peer, bad_offer, new_connection
from .tracks import Kind, Recorder, Sample

log = logging.getLogger("clinic")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of calls there may be in one process; `connect_s` is from an offer to its connection."""

    calls: int = 200
    participants: int = 4
    connect_s: float = 15.0
    segment_s: float = 900.0
    file_bytes: int = 32 * 2**20


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Files:
    """What one participant sent in one segment: WebM files with one track each, None where nothing came.

    Both begin at the same moment, `starts_s` seconds after the call began, which is `began_at` in RFC 3339; laid
    together they are in step.
    """

    consultation: str
    username: str
    medium: Kind
    audio: bytes | None
    video: bytes | None
    starts_s: float
    began_at: str


OnFiles = Callable[[Files], Awaitable[None]]


class Room:
    """One consultation's call in this process, from its first offer to its end; it may be empty in between."""

    def __init__(self, consultation: str, medium: Kind, on_files: OnFiles, limits: Limits = DEFAULT_LIMITS) -> None:
        self.consultation = consultation
        self.medium = medium
        self.peers: dict[str, Peer] = {}
        self._on_files = on_files
        self._limits = limits
        self._began_s = time.monotonic()
        self._began_at = datetime.now(UTC)
        self._heard = 0
        self._has_ended = False
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, username: str, sdp: str) -> str:
        """Connect a participant, or change what their connection carries; return the answer's SDP.

        An offer with another certificate is another connection, as after a reload: the earlier one ends. Raises
        ApiError 422 for a bad SDP and 409 for a full room or one that has ended.
        """
        offer = Offer.parse(sdp)
        async with self._changing:
            if self._has_ended:
                raise ApiError(409, "call-ended", "The call has ended.")
            peer = self.peers.get(username)
            if peer and (peer.certificates != offer.certificates or peer.connection.connectionState in GONE):
                await self._remove(peer)
                peer = None
            if peer is None:
                peer = self._add(username, offer)
            try:
                return await peer.answer(offer, self._began_s)
            except Exception as error:
                # aiortc raises whatever it trips over, and what it began cannot be gone on with.
                await self._remove(peer)
                raise bad_offer("it does not fit a call by Opus and VP8") from error

    async def segment(self, medium: Kind) -> None:
        """Switch: end every participant's files and begin new ones; return when the ended ones are with their taker."""
        if medium == self.medium:
            return
        ended = [self._cut(peer) for peer in self.peers.values()]
        self.medium = medium
        await _all_of(ended)

    async def leave(self, username: str) -> None:
        """Disconnect a participant, if connected; return when their files are with their taker."""
        async with self._changing:
            peer = self.peers.get(username)
            if peer:
                await self._remove(peer)

    async def end(self) -> None:
        """Disconnect everybody for good; return when all files of the call are with their taker."""
        self._has_ended = True
        async with self._changing:
            for peer in list(self.peers.values()):
                await self._remove(peer)
        await _all_of(list(self._tasks))

    def _add(self, username: str, offer: Offer) -> Peer:
        if len(self.peers) >= self._limits.participants:
            raise ApiError(409, "call-full", f"A call has at most {self._limits.participants} participants.")
        connection = new_connection()
        peer = Peer(username, offer.certificates, connection, self._recorders())
        peer.take = partial(self._take, peer)
        peer.on_key_request = lambda: self._ask_key(self._shown_to(peer))
        self.peers[username] = peer

        @connection.on("connectionstatechange")
        def _() -> None:
            if connection.connectionState in GONE:
                self._spawn(self._drop(peer))

        asyncio.get_running_loop().call_later(self._limits.connect_s, self._require_connection, peer)
        return peer

    def _require_connection(self, peer: Peer) -> None:
        if self._is_here(peer) and not peer.is_connected:
            self._spawn(self._drop(peer))

    def _is_here(self, peer: Peer) -> bool:
        return self.peers.get(peer.username) is peer

    async def _drop(self, peer: Peer) -> None:
        async with self._changing:
            if self._is_here(peer):
                await self._remove(peer)

    async def _remove(self, peer: Peer) -> None:
        del self.peers[peer.username]
        handing_over = self._cut(peer)
        await peer.close()
        await _all_of([handing_over])

    def _recorders(self) -> dict[Kind, Recorder]:
        most_bytes, most_s = self._limits.file_bytes, self._limits.segment_s
        return {"audio": Recorder("audio", most_bytes, most_s), "video": Recorder("video", most_bytes, most_s)}

    def _take(self, peer: Peer, kind: Kind, sample: Sample) -> None:
        """Record what a participant sent, and pass it on to whom it is shown."""
        if not self._is_here(peer):
            return
        if not peer.heard_as:
            self._heard += 1
            peer.heard_as = self._heard
        has_key = True
        if kind == self.medium or kind == "audio":
            has_key = peer.recorders[kind].add(sample)
        for other in self.peers.values():
            if kind in other.outgoing and other.is_connected and self._shown_to(other) is peer:
                has_key = other.outgoing[kind].push(peer, sample) and has_key
        if not has_key:
            self._ask_key(peer)

    def _shown_to(self, peer: Peer) -> Peer | None:
        """Return the latest other participant that was heard of."""
        others = [other for other in self.peers.values() if other is not peer and other.heard_as]
        return max(others, key=lambda other: other.heard_as, default=None)

    def _ask_key(self, peer: Peer | None) -> None:
        now_s = time.monotonic()
        if peer and "video" in peer.receivers and now_s - peer.key_asked_s > tracks.KEY_REQUEST_S:
            peer.key_asked_s = now_s
            self._spawn(tracks.request_key(peer.receivers["video"]))

    def _cut(self, peer: Peer) -> asyncio.Task[None]:
        """End a participant's files, begin new ones, and have the ended ones handed over."""
        ended, peer.recorders = peer.recorders, self._recorders()
        samples = {kind: recorder.samples for kind, recorder in ended.items()}
        return self._spawn(self._hand_over(peer.username, self.medium, samples))

    async def _hand_over(self, username: str, medium: Kind, samples: dict[Kind, list[Sample]]) -> None:
        starts_s = min((each[0].at_s for each in samples.values() if each), default=None)
        if starts_s is None:
            return
        audio = await asyncio.to_thread(_file, "audio", samples["audio"], starts_s)
        video = await asyncio.to_thread(_file, "video", samples["video"], starts_s)
        if audio or video:
            began_at = (self._began_at + timedelta(seconds=starts_s)).isoformat(timespec="milliseconds")
            files = Files(self.consultation, username, medium, audio, video, round(starts_s, 3), began_at)
            await self._on_files(files)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("consultation %s: %r", self.consultation, task.exception(), exc_info=task.exception())


async def _all_of(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for tasks; who waits may be cancelled without them."""
    if tasks:
        await asyncio.wait(tasks)


def _file(kind: Kind, samples: Sequence[Sample], starts_s: float) -> bytes | None:
    try:
        return tracks.webm(kind, samples, starts_s) if samples else None
    except av.FFmpegError as error:
        log.warning("what was sent as %s makes no file: %s", kind, error)
        return None
