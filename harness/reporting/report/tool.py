"""The pinned `allure` command: where it is, which version it is, and how it is run within bounds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, UsageError

PINNED = "3.18"
NODE = (18, 19)
"""Ubuntu 24.04 has it, and Allure 3.18 was seen to work with it, though some packages below it ask for 20.19."""
CHECKOUT = Path(__file__).parents[3] / "reports"
GET = "in a checkout `npm ci --prefix reports`, else `npm install --global allure@3.18.0`"
GET_NODE = "https://nodejs.org, or `apt install nodejs npm` on Debian 12, Ubuntu 24.04 and later"
VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)\b")
ASK_S = 30.0
RUN_S = 600.0
STOP_S = 3.0
TAIL_LINES = 12
TAIL_LETTERS = 2_000
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class AllureFailedError(HarnessError):
    """`allure` ended with an error, or not in time; the message carries its last lines."""


@dataclass(frozen=True, slots=True)
class Tool:
    """An `allure` command of the pinned version."""

    command: Path
    version: str

    def generate(self, config: Path, results: Path, directory: Path) -> None:
        """Let Allure write a report, in a directory of its own; raise AllureFailedError. Ctrl-C ends it too."""
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(  # noqa: S603 - the command that find() has found and whose version it knows
                [str(self.command), "generate", "--config", str(config), "--cwd", str(directory), str(results)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=_environment(os.environ),
                start_new_session=True,
            )
            try:
                code = process.wait(RUN_S)
            except subprocess.TimeoutExpired as error:
                raise AllureFailedError(f"allure did not end within {RUN_S:g} s: {_tail(log.fileno())}") from error
            finally:
                _end(process)
            if code:
                raise AllureFailedError(f"allure ended with exit code {code}: {_tail(log.fileno())}")


def find() -> Tool:
    """Return the `allure` beside the checkout, else the one in the PATH; raise UsageError with how to get it."""
    _require_node()
    beside = [place / "node_modules/.bin/allure" for place in dict.fromkeys((CHECKOUT, Path("reports").resolve()))]
    inside = next((command for command in beside if command.exists()), None)
    if inside:
        return _pinned(inside, _package_version(inside) or _said(str(inside), "--version"))
    elsewhere = shutil.which("allure")
    if elsewhere is None:
        raise UsageError(f"the report needs Allure {PINNED}, which is not installed: {GET}")
    return _pinned(Path(elsewhere), _said(elsewhere, "--version"))


def _require_node() -> None:
    node = shutil.which("node")
    if node is None:
        raise UsageError(f"the report needs Node, and there is no `node` here: {GET_NODE}; then, {GET}")
    said = _said(node, "--version")
    version = VERSION.search(said)
    if version is None or (int(version[1]), int(version[2])) < NODE:
        wanted = ".".join(map(str, NODE))
        raise UsageError(
            f"the report needs Node {wanted} or newer, and {node} is {said or 'of no version'}: {GET_NODE}"
        )


def _pinned(command: Path, said: str) -> Tool:
    version = VERSION.search(said)
    if version is None or f"{version[1]}.{version[2]}" != PINNED:
        found = version[0] if version else said or "no version"
        raise UsageError(f"{command} is Allure {found}, and the report needs {PINNED}: {GET}")
    return Tool(command, version[0])


def _package_version(command: Path) -> str:
    """Return the version of an installed package without starting it; empty when it is not told."""
    try:
        return str(json.loads((command.resolve().parent / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _said(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a command that was just found in the PATH, asked for its version
            command, capture_output=True, text=True, timeout=ASK_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{command[0]} cannot be run: {error}") from error
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0]


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what makes Allure send results somewhere or write elsewhere."""
    return {name: value for name, value in variables.items() if not name.startswith("ALLURE_")}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it has started in its group, which may outlive it; harmless when all has ended."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)


def _tail(log: int) -> str:
    size = os.fstat(log).st_size
    words = os.pread(log, TAIL_LETTERS, max(0, size - TAIL_LETTERS)).decode(errors="replace")
    return "\n".join(ESCAPES.sub("", words).strip().splitlines()[-TAIL_LINES:]) or "it said nothing"
