"""`harness serve`: the clinic and its flag server, for a person to look at."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from harness.errors import FlagError, UsageError
from harness.flags.embedded import EmbeddedFlags
from harness.model import Catalogue
from harness.planning import catalogue as catalogues
from harness.process import Service, ServiceDied

LOOK_S = 0.3


def serve(flags: Path, flaws: tuple[str, ...], *, port: int, flag_port: int) -> None:
    """Start both, print their addresses, and wait until Ctrl-C, SIGTERM, or until one of them ends.

    Flags that are not told apart per user are served at their baseline.
    Raises UsageError when one does not start (a port in use, an unknown flaw, a bad flag file), ServiceDied when
    one ends by itself later.
    """
    catalogue = catalogues.load(flags)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        try:
            control = stack.enter_context(EmbeddedFlags.start(catalogue, flag_port))
            clinic = Service.start("clinic", "harness.clinic", _arguments(control, flaws, port))
        except (FlagError, ServiceDied) as error:
            raise UsageError(str(error)) from error
        stack.callback(clinic.stop)
        sys.stdout.write(
            f"clinic       {clinic.url}   (its API: {clinic.url}/openapi.json)\n"
            f"flag server  {control.url}\n"
            f"flaws        {', '.join(flaws) or 'none'}\n"
            f"{_shared(catalogue)}\n"
            f"run against them:  harness run --target {clinic.url} --flag-server {control.url}\n"
            "Ctrl-C ends both.\n"
        )
        sys.stdout.flush()
        try:
            while clinic.is_alive() and control.is_alive():
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            return
        raise ServiceDied(f"{'the flag server' if clinic.is_alive() else 'the clinic'} ended by itself")


def _shared(catalogue: Catalogue) -> str:
    """Return the line on the flags that nobody can switch while both run; none when each is told apart per user."""
    held = ", ".join(f"{flag}={variant}" for flag, variant in catalogue.shared(catalogue.baseline))
    return f"for all      {held}\n" if held else ""


def _arguments(control: EmbeddedFlags, flaws: tuple[str, ...], port: int) -> list[str]:
    arguments = ["--port", str(port), "--unleash-url", control.url, "--unleash-token", control.token]
    for flaw in flaws:
        arguments += ["--flaw", flaw]
    return [*arguments, "--until-stdin-closes"]
