"""Somebody who is not signed in and tries the clinic's addresses all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from harness.drivers.api import ApiSession
from harness.drivers.surfaces import Surface, View
from harness.errors import TargetError
from harness.targets.clinic import surfaces
from harness.targets.clinic.surfaces import NO_HEADERS


class ClinicStranger:
    """Hands without an account. That one must sign in first is a definite refusal: so it is meant for a stranger."""

    def __init__(self, session: ApiSession) -> None:
        self._session = session

    def surfaces(self) -> Sequence[Surface]:
        """Return what can be tried by whoever has a reference or a link."""
        return surfaces.OF_A_RECORDING

    async def look(self, surface: str, about: str = "") -> View:
        """Look at a recording's surface, or follow a link."""
        return await surfaces.look(self._ask, surface, about)

    async def open(self, recording: str) -> bytes:
        """Ask for the bytes of a recording."""
        return await self._ask("GET", f"/replays/{quote(recording, safe='')}/media")

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def _ask(
        self, method: str, path: str, body: bytes | None = None, *, headers: Mapping[str, str] = NO_HEADERS
    ) -> bytes:
        try:
            return await self._session.send(method, path, body, headers=headers)
        except TargetError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            raise TargetError(str(error), definite=True, status=error.status, code=error.code) from error
