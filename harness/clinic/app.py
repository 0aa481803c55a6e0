"""The clinic's web application: its systems under one roof."""

from __future__ import annotations

from html import escape

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from . import accounts, consultations, errors, replays, uploads
from .state import Clinic

VERSION = "1.0.0"
TITLE = "Reference telehealth clinic"
DESCRIPTION = "Book a consultation, hold it by audio or video, and watch its recordings again."

TAGS = [
    {"name": "accounts", "description": "Who there is, signing in, and which features a user has."},
    {"name": "consultations", "description": "Booking, the call, its medium."},
    {"name": "uploads", "description": "Recordings on their way in, chunk by chunk."},
    {
        "name": "consultation replays",
        "description": "Recordings of ended consultations, for their participants.",
    },
    {"name": "service", "description": "The service itself."},
]

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1>
<p>A demonstration for tests: nobody here is ill, and nothing is kept for long. {description}</p>
<p><a href="/openapi.json">OpenAPI document</a> · <a href="/health">health</a></p>
</html>
"""


class Health(BaseModel):
    """That the service answers."""

    status: str


def _operation_id(route: APIRoute) -> str:
    return route.name


def build_app(clinic: Clinic, title: str = TITLE) -> FastAPI:
    """Return the application that serves this clinic.

    FastAPI's own documentation pages are left off: they load scripts from elsewhere.
    """
    app = FastAPI(
        title=title,
        description=DESCRIPTION,
        version=VERSION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    app.state.clinic = clinic
    errors.install(app)
    # Routes are tried in order: what is asked for most comes first.
    for system in (replays, consultations, uploads, accounts):
        app.include_router(system.router)

    @app.get("/health", tags=["service"], summary="Tell that the clinic is up")
    async def show_health() -> Health:
        """Answer, without looking at anything else."""
        return Health(status="ok")

    @app.get("/", include_in_schema=False)
    async def home() -> HTMLResponse:
        return HTMLResponse(PAGE.format(title=escape(title), description=DESCRIPTION))

    return app
