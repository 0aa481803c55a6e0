"""One shape for every refusal: `{"error": {"code": ..., "message": ...}}`, whatever went wrong."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

log = logging.getLogger("clinic")


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    code: str = Field(description="A stable word for programs.", examples=["not-found"])
    message: str = Field(description="A sentence for people.")


class ErrorBody(BaseModel):
    """The body of every answer from 400 on."""

    error: ErrorDetail


class ApiError(Exception):
    """A refusal that an endpoint raises and the client is told."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def not_found(what: str) -> ApiError:
    """Return the one answer for what is unknown and for what is somebody else's, so that nobody can tell."""
    return ApiError(404, "not-found", f"There is no such {what}.")


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document the refusals of an operation for OpenAPI; every operation may also answer 422."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in (*statuses, 422)}


def install(app: FastAPI) -> None:
    """Give the app its handlers, so that no answer from 400 on has another shape."""

    async def refused(_: Request, error: ApiError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
        return _response(error.status, error.code, error.message, headers)

    async def routing(_: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return _response(error.status_code, code, str(error.detail), error.headers)

    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The input itself is not echoed: it may be a password.
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return _response(422, "invalid-request", told)

    async def unstorable(_: Request, _error: psycopg.DataError) -> JSONResponse:
        return _response(422, "invalid-request", "A text holds a character that the database cannot hold.")

    async def unavailable(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            # That is SQL which is wrong, not a database which is busy or away.
            return await broken(request, error)
        log.error("%s %s: the database failed: %s", request.method, request.url.path, str(error).strip())
        return _response(503, "database-unavailable", "The clinic's database does not answer; try again.")

    async def broken(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _response(500, "internal", "The clinic failed to answer; its log says why.")

    app.exception_handler(ApiError)(refused)
    app.exception_handler(HTTPException)(routing)
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(psycopg.DataError)(unstorable)
    for each in (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError):
        app.exception_handler(each)(unavailable)
    app.exception_handler(Exception)(broken)


def _response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
