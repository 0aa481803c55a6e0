"""The clinic's web application: its systems under one roof."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from .base import errors
from .base.state import Clinic
from .systems import (
    accounts,
    booking,
    calls,
    consultations,
    filing,
    listening,
    metrics,
    notices,
    operations,
    pages,
    portal,
    prescriptions,
    recorder,
    replays,
    sharing,
    uploads,
    worker,
)
from .web.edge import EdgeCache

VERSION = "2.0.0"
MAX_BODY_BYTES = 256 * 1024
TITLE = "Riverside telehealth clinic"
DESCRIPTION = "Book a consultation, hold it by audio or video, and watch its recordings again."

TAGS = [
    {"name": "accounts", "description": "Who there is, membership, signing in, and which features a user has."},
    {"name": "booking", "description": "Clinicians' slots, and consultations booked, moved and cancelled."},
    {"name": "consultations", "description": "The call, its medium, handing it over."},
    {"name": "calls", "description": "Sound and picture by WebRTC."},
    {"name": "uploads", "description": "Recordings on their way in, chunk by chunk."},
    {"name": "consultation replays", "description": "Recordings of ended consultations, for their participants."},
    {"name": "sharing", "description": "Links, carers, export, deleting."},
    {"name": "prescriptions", "description": "From the clinician to the patient's pharmacy."},
    {"name": "metrics", "description": "Health metrics that patients record."},
    {"name": "notices", "description": "Inbox, e-mail, live updates."},
    {"name": "portal", "description": "The clinicians' side."},
    {"name": "operations", "description": "The operator's side: the kill switch, and who met what."},
    {"name": "service", "description": "The service itself."},
]

# Routes are tried in order: what is asked for most comes first, and `/replays/export` before `/replays/{replay}`.
SYSTEMS = (
    sharing,
    replays,
    booking,
    consultations,
    uploads,
    accounts,
    notices,
    listening,
    prescriptions,
    metrics,
    calls,
    portal,
    operations,
)
SCHEMA = "".join(
    system.SCHEMA
    for system in (
        accounts,
        booking,
        consultations,
        uploads,
        recorder,
        filing,
        sharing,
        calls,
        notices,
        prescriptions,
        metrics,
        portal,
        operations,
    )
)
"""The tables of all systems, as `Store` makes them."""


class Health(BaseModel):
    """That the service answers."""

    status: str


def _operation_id(route: APIRoute) -> str:
    return route.name


@contextlib.asynccontextmanager
async def _working(app: FastAPI) -> AsyncIterator[None]:
    """Let the recorder's worker work while the application serves."""
    clinic: Clinic = app.state.clinic
    working = asyncio.create_task(worker.work(clinic), name="recorder")
    try:
        yield
    finally:
        await clinic.rooms.close()
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


def build_app(clinic: Clinic, title: str = TITLE, *, own_address: str | None = None, secret: str = "") -> FastAPI:
    """Return the application that serves this clinic; address and secret are for one process of several (`Calls`).

    FastAPI's own documentation pages are left off: they load scripts from elsewhere.
    """
    clinic.rooms = calls.Calls(
        clinic.store, partial(recorder.receive_files, clinic), own_address=own_address, secret=secret
    )
    app = FastAPI(
        title=title,
        description=DESCRIPTION,
        version=VERSION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        max_body_size=MAX_BODY_BYTES,
        lifespan=_working,
    )
    app.state.clinic = clinic
    app.add_middleware(EdgeCache, clinic=clinic)
    errors.install(app)
    for system in SYSTEMS:
        app.include_router(system.router)
    app.include_router(pages.router)

    @app.get("/health", tags=["service"], summary="Tell that the clinic is up")
    async def show_health() -> Health:
        """Answer, without looking at anything else."""
        return Health(status="ok")

    return app
