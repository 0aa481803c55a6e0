"""The recorder's media work, bytes to bytes: join tracks, lay participants on one time line, shrink, picture.

Every function is pure and safe in threads, works on one core, takes WebM alone, and raises FootageError for
what cannot be decoded or is beyond a limit (64 MiB, 30 minutes, 2048x1152 pixels, 32 pieces). A file that is
cut off counts as far as it goes. The same media gives the same bytes.
"""

from __future__ import annotations

from .editing import MAX_PARTS, composite, content_type, mux, probe, thumbnail, transcode
from .layout import Layout
from .reading import FootageError, Probe
from .timeline import Part

__all__ = [
    "MAX_PARTS",
    "FootageError",
    "Layout",
    "Part",
    "Probe",
    "composite",
    "content_type",
    "mux",
    "probe",
    "thumbnail",
    "transcode",
]
