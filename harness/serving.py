"""`harness serve`: the clinic and its flag server, for a person to look at."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.clinic import flaws
from harness.errors import FlagError, UsageError
from harness.flags.embedded import EmbeddedFlags
from harness.interruption import interrupted_once
from harness.model import OFF, Catalogue
from harness.planning import catalogue as catalogues
from harness.planning.held import for_people
from harness.process import Service, ServiceDied
from harness.reporting.console import say

LOOK_S = 0.3
ASK_S = 5.0
MAX_PORT, MAX_REPLICAS = 65_535, 16
PASSWORD = "just-looking"  # noqa: S105 - printed for everybody who starts the clinic; it holds nobody's data

PEOPLE: Sequence[Mapping[str, str]] = (
    {"username": "alice", "name": "Alice Archer", "role": "patient"},
    {"username": "bob", "name": "Bob Baker", "role": "patient", "payer": "insurer:acorn"},
    {"username": "diaz", "name": "Dr. Luis Diaz", "role": "clinician"},
    {"username": "chen", "name": "Dr. Mei Chen", "role": "clinician"},
    {"username": "pia", "name": "Pia Park", "role": "pharmacist", "pharmacy": "green-cross"},
)


@dataclass(frozen=True, slots=True)
class Served:
    """What to serve: the flag file, variants that people get, flaws, ports (0 takes a free one), where data lies."""

    flags: Path
    chosen: Sequence[str] = ()
    flaws: Sequence[str] = ()
    port: int = 0
    flag_port: int = 0
    database: str = ":memory:"
    replicas: int = 1


def serve(served: Served) -> None:
    """Start both, print their addresses, and wait until Ctrl-C, SIGTERM, or until one of them ends.

    Flags that are not told apart per user are the same for everybody.
    Raises UsageError when one does not start (a port in use, an unknown flaw, a bad flag file), ServiceDied when
    one ends by itself later.
    """
    _require_serveable(served)
    catalogue = for_people(catalogues.load(served.flags), served.chosen)
    with interrupted_once(), ExitStack() as stack:
        try:
            control = stack.enter_context(EmbeddedFlags.start(catalogue, served.flag_port))
            clinic = Service.spawn("clinic", "harness.clinic", _arguments(control, served))
            stack.callback(clinic.stop)
            clinic.wait_until_listening()
        except (FlagError, ServiceDied) as error:
            raise UsageError(str(error)) from error
        _introduce(clinic.url)
        say(_told(catalogue, served, clinic.url, control.url))
        try:
            while clinic.is_alive() and control.is_alive():
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            say("\n")
            return
        raise ServiceDied(f"{'the flag server' if clinic.is_alive() else 'the clinic'} ended by itself")


def _require_serveable(served: Served) -> None:
    """Raise UsageError for what the clinic's own command line would refuse in its own words."""
    for name in served.flaws:
        try:
            flaws.find(name)
        except flaws.UnknownFlawError as error:
            raise UsageError(f"--flaw {name}: {error}") from error
    for option, port in (("--port", served.port), ("--flag-port", served.flag_port)):
        if not 0 <= port <= MAX_PORT:
            raise UsageError(f"{option} {port}: give 0 to {MAX_PORT}")
    if not 1 <= served.replicas <= MAX_REPLICAS:
        raise UsageError(f"--replicas {served.replicas}: give 1 to {MAX_REPLICAS}")
    scheme, slashes, _ = served.database.partition("://")
    if slashes and scheme not in ("postgresql", "postgres"):
        raise UsageError(f"--database: {scheme} is not known; give an SQLite file, :memory: or postgresql://...")


def _told(catalogue: Catalogue, served: Served, clinic: str, flags: str) -> str:
    """Return what a person needs to begin."""
    on = [f"{flag}={variant}" for flag, variant in catalogue.baseline.items() if variant != OFF]
    held = ", ".join(f"{flag}={variant}" for flag, variant in catalogue.shared(catalogue.baseline))
    who = ", ".join(f"{person['username']} ({person['role']})" for person in PEOPLE)
    switching = ", switch to video" if catalogue.baseline.get("video-upgrade", OFF) != OFF else ""
    waking = [f"{each.name} wakes when {each.wakes_when}" for each in map(flaws.find, served.flaws)]
    return (
        f"clinic       {clinic}   (its API: {clinic}/openapi.json)\n"
        f"sign in      {who}, operator; the password is {PASSWORD}\n"
        f"flags        {' '.join(on) or 'all off'}\n"
        f"for all      {held or 'none: each flag is told apart per user'}\n"
        f"flaws        {'; '.join(waking) or 'none'}\n"
        f"flag server  {flags}\n\n"
        f"Two tabs are two people: book as alice, join as chen too{switching}, end, and look under Replays.\n"
        f"run against them:  harness run --target {clinic} --flag-server {flags}\n"
        "Ctrl-C ends both.\n"
    )


def _introduce(url: str) -> None:
    """Open the accounts, unless an earlier clinic on the same database had them; raise UsageError if that fails."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=ASK_S)
    try:
        for person in PEOPLE:
            body = json.dumps({**person, "password": PASSWORD})
            connection.request("POST", "/accounts", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status not in (201, 409):
                raise UsageError(f"the clinic opened no account for {person['username']}: {said.decode()}")
    except (OSError, http.client.HTTPException) as error:
        raise UsageError(f"the clinic at {url} does not answer: {error}") from error
    finally:
        connection.close()


def _arguments(control: EmbeddedFlags, served: Served) -> list[str]:
    arguments = ["--port", str(served.port), "--unleash-url", control.url, "--unleash-token", control.token]
    arguments += ["--database", served.database, "--replicas", str(served.replicas), "--operator-password", PASSWORD]
    for flaw in served.flaws:
        arguments += ["--flaw", flaw]
    return [*arguments, "--until-stdin-closes"]
