"""What a run is told from outside, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.planning.coverage import AUTO

DEFAULT_TARGET = "clinic"
DEFAULT_DRIVER = "api"
DEFAULT_OUT = Path("reports/out")
DEFAULT_SCENARIOS = Path("scenarios")
DEFAULT_FLAGS = Path("flags/clinic.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `harness run`.

    `paths` are the scenario files and folders, `scenarios` the names of those in them that alone are played, none when
    all are; `trials` are ids, or the beginnings of ids, of the only cells to run; `driver` is as `--driver` has it;
    `chosen` holds flags, each as `FLAG=VARIANT`; `at_once` is how many trials are played at the same time, as many as
    the engine likes when None.
    """

    paths: tuple[str, ...] = (str(DEFAULT_SCENARIOS),)
    scenarios: tuple[str, ...] = ()
    target: str = DEFAULT_TARGET
    flags: Path = DEFAULT_FLAGS
    flag_server: str | None = None
    driver: str = DEFAULT_DRIVER
    coverage: str = AUTO
    chosen: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    seed: int = 0
    trials: tuple[str, ...] = ()
    at_once: int | None = None
    out: Path = DEFAULT_OUT
