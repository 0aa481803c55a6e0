"""Users of the clinic under test: their hands on its HTTP API, and the stories that most tests begin with."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ACCESS = "replay-access"
TIMEOUT_S = 60.0
FINISHED_S, LOOK_S = 60.0, 0.01
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: status, headers by lower-case name, and the bytes of its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal; the body must have the clinic's one shape of an error."""
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"code", "message"}
        return str(self.json["error"]["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of a refusal."""
        return self.status, self.code


@dataclass(slots=True)
class Api:
    """One connection to the clinic, kept alive, perhaps signed in."""

    url: str
    token: str = ""
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send JSON, or bytes as they are, and return what came."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | (headers or {})
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        self._connection.request(method, path, sent, given)
        response = self._connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()


@dataclass(slots=True)
class User:
    """A fresh account that has signed in; its flags are written into its username."""

    username: str
    api: Api

    def get(self, path: str) -> Answer:
        """Send GET."""
        return self.api.call("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        """Send POST."""
        return self.api.call("POST", path, body)

    def ok(self, path: str, body: Any = None) -> Any:
        """Send POST, which must succeed, and return its JSON."""
        answer = self.post(path, body)
        assert answer.status in (200, 201), answer
        return answer.json

    def put(self, path: str, body: Any = None) -> Answer:
        """Send PUT."""
        return self.api.call("PUT", path, body)

    def delete(self, path: str) -> Answer:
        """Send DELETE."""
        return self.api.call("DELETE", path)

    def book(self, clinician: User, medium: str = "audio") -> str:
        """Book a consultation and return its id."""
        return str(self.ok("/consultations", {"clinician": clinician.username, "medium": medium})["id"])

    def begin(self, visit: str, medium: str = "audio", caption: str = "") -> str:
        """Begin an upload and return its id."""
        body = {"medium": medium, "content_type": f"{medium}/webm", "caption": caption}
        return str(self.ok(f"/consultations/{visit}/uploads", body)["id"])

    def chunk(self, upload: str, n: int, data: bytes) -> Answer:
        """Send one chunk."""
        return self.api.call("PUT", f"/uploads/{upload}/chunks/{n}", data)

    def complete(self, upload: str, chunks: Sequence[bytes]) -> Answer:
        """Say what was sent."""
        digest = hashlib.sha256(b"".join(chunks)).hexdigest()
        return self.post(f"/uploads/{upload}/complete", {"chunks": len(chunks), "sha256": digest})

    def record(self, visit: str, data: bytes, medium: str = "audio", caption: str = "") -> str:
        """Upload a recording in two chunks and return its id."""
        upload = self.begin(visit, medium, caption)
        chunks = [data[:3], data[3:]]
        for n, each in enumerate(chunks):
            assert self.chunk(upload, n, each).status == 204
        done = self.complete(upload, chunks)
        assert done.status == 201, done
        return str(done.json["recording"])

    def finished(self, visit: str) -> list[dict[str, Any]]:
        """Return what was recorded of a consultation, once the recorder has finished all of it."""
        ends_at = time.monotonic() + FINISHED_S
        while time.monotonic() < ends_at:
            items: list[dict[str, Any]] = self.get(f"/consultations/{visit}/recordings").json["items"]
            if all(item["status"] != "processing" for item in items):
                return items
            time.sleep(LOOK_S)
        raise AssertionError(f"not finished within {FINISHED_S:g} s: {items}")

    def replays(self) -> list[dict[str, Any]]:
        """Return all items of the replay list, page by page."""
        return list(itertools.chain.from_iterable(page["items"] for page in self.pages()))

    def pages(self) -> Iterable[dict[str, Any]]:
        """Return the pages of the replay list until the last."""
        cursor = ""
        for _ in range(100):
            page = self.get(f"/replays?cursor={cursor}")
            assert page.status == 200, page
            yield page.json
            if page.json["next"] is None:
                return
            cursor = page.json["next"]
        raise AssertionError("the list has no end")

    def replay_ids(self) -> set[str]:
        """Return the ids of all replays in the list."""
        return {item["id"] for item in self.replays()}


@dataclass(slots=True)
class Deployment:
    """The clinic under test, and everybody who has signed in to it."""

    url: str
    users: list[User] = field(default_factory=list)

    def user(self, name: str, /, *flags: str, role: str = "patient", **about: str) -> User:
        """Open an account whose flags are `flags`, perhaps with more about its owner, and sign in."""
        username = f"{name}{next(_numbers)}~" + "".join(f"+{flag}+" for flag in flags)
        api = Api(self.url)
        account = {"username": username, "password": "correct horse"}
        made = api.call("POST", "/accounts", {"name": name.title(), "role": role} | account | about)
        assert made.status == 201, made
        api.token = api.call("POST", "/sign-in", account).json["token"]
        user = User(username, api)
        self.users.append(user)
        return user

    def patient(self, name: str, /, *flags: str, **about: str) -> User:
        """Open a patient's account; replay access is on."""
        return self.user(name, ACCESS, *flags, **about)

    def clinician(self, name: str, /, *flags: str, **about: str) -> User:
        """Open a clinician's account; replay access is on."""
        return self.user(name, ACCESS, *flags, role="clinician", **about)

    def close(self) -> None:
        """Close everybody's connection."""
        for user in self.users:
            user.api.close()


def held(patient: User, clinician: User, data: bytes, medium: str = "audio") -> tuple[str, str]:
    """Hold a whole consultation that the patient records; return its id and the recording's, which is finished."""
    visit = patient.book(clinician, medium)
    patient.ok(f"/consultations/{visit}/join")
    clinician.ok(f"/consultations/{visit}/join")
    recording = patient.record(visit, data, medium)
    patient.ok(f"/consultations/{visit}/end")
    patient.finished(visit)
    return visit, recording
