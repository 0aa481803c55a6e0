"""What is attached to a trial, written beside Allure's results: small facts as JSON, and the evidence that was kept.

The report is one file that holds all of it, so that there is a limit to the whole; what is over it is named instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.redact import NotRedactableError, Secrets, clean_har, clean_trace, packed, plain
from harness.running.store import EVIDENCE

LEAK = "leak"
"""The stem of the files that hold the media of a leak, and a frame of it."""
MAX_BYTES = 64 * 2**20
MAX_FILE_BYTES = 24 * 2**20
MAX_FILES = 64
"""Of one trial's evidence."""
MAX_UNPACKED_BYTES = 256 * 2**20

Attached = dict[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a file is shown, and what makes it fit to be shown to anybody."""

    content_type: str
    cleaned: Callable[[bytes], bytes] = bytes


def _har(data: bytes) -> bytes:
    return clean_har(data, Secrets())


def _trace(data: bytes) -> bytes:
    return packed(clean_trace(data, Secrets(), MAX_UNPACKED_BYTES))


def _text(data: bytes) -> bytes:
    return plain(data.decode(errors="replace")).encode()


KINDS = {
    ".png": Kind("image/png"),
    ".webm": Kind("video/webm"),
    ".mp4": Kind("video/mp4"),
    ".ogg": Kind("video/ogg"),
    ".har": Kind("application/json", _har),
    ".zip": Kind("application/zip", _trace),
    ".txt": Kind("text/plain", _text),
}
"""Any other is left out: what is secret in it is not known."""
SEEN_BY_A_BROWSER = {
    ".png": "screenshot",
    ".trace.zip": "trace, for `playwright show-trace`",
    ".har": "requests (HAR)",
}
"""What follows an actor's name, or the name of their second page, in the name of a file."""
WORDS = {
    "leak.png": "the leaked media: a frame, its owner's canary in the box",
    "leak-sound.png": "the leaked media: its sound over time, up to 4 kHz, its owner's canary in the box",
}


@dataclass(slots=True)
class Attachments:
    """The attachments of a report; `left_out` has the paths of evidence that found no room or could not be cleaned."""

    directory: Path
    max_bytes: int = MAX_BYTES
    left_out: list[str] = field(default_factory=list)
    _written_bytes: int = 0
    _count: int = 0

    def add_json(self, name: str, value: Any) -> Attached:
        """Attach a value as JSON; always, for it is small."""
        clean = json.dumps(Secrets().scrub(value), indent=1)
        return self._write(name, clean.encode(), ".json", "application/json")

    def add_evidence(self, run: Path, trial: str) -> Iterator[Attached]:
        """Attach what was kept of a trial, the leak first."""
        place = run / EVIDENCE / trial
        files = sorted(place.iterdir(), key=_order) if place.is_dir() else []
        for number, file in enumerate(files):
            attached = self._add(file) if number < MAX_FILES else None
            if attached:
                yield attached
            else:
                self.left_out.append(str(file))

    def _add(self, file: Path) -> Attached | None:
        kind = KINDS.get(file.suffix)
        try:
            if (
                kind is None
                or not file.is_file()
                or file.stat().st_size > min(MAX_FILE_BYTES, self.max_bytes - self._written_bytes)
            ):
                return None
            data = kind.cleaned(file.read_bytes())
        except (OSError, NotRedactableError):
            return None
        content_type = _sound_or_pictures(file, kind.content_type)
        return self._write(WORDS.get(file.name, _words(file)), data, file.suffix, content_type)

    def _write(self, name: str, data: bytes, suffix: str, content_type: str) -> Attached:
        self._count += 1
        self._written_bytes += len(data)
        source = f"{self._count:06d}-attachment{suffix}"
        (self.directory / source).write_bytes(data)
        return {"name": name, "source": source, "type": content_type}


def _order(file: Path) -> tuple[bool, bool, str]:
    return file.stem != LEAK, file.suffix != ".png", file.name


def _words(file: Path) -> str:
    if file.stem == LEAK:
        return f"the leaked media ({file.name})"
    for suffix, what in SEEN_BY_A_BROWSER.items():
        if file.name.endswith(suffix):
            return f"{file.name.removesuffix(suffix)}: {what}"
    return file.name


def _sound_or_pictures(file: Path, content_type: str) -> str:
    """Sound alone comes in the same containers as films; beside a film that was read there is a frame of it."""
    is_sound = file.stem == LEAK and content_type.startswith("video/") and not file.with_suffix(".png").exists()
    return content_type.replace("video/", "audio/") if is_sound else content_type
