"""The canary: who emitted something, in a form that travels with it. `payload` is the number that all forms carry,
`text` its form in words, and `unescape` takes off what words are wrapped in.

Standard library only; what turns the number into signals is `harness.media`.
"""

from harness.canary.payload import (
    CALL_BITS,
    DEFAULT_KEY,
    MODE_BITS,
    MODES,
    PAYLOAD_BITS,
    RUN_BITS,
    TAG_BITS,
    USER_BITS,
    Canary,
    new_run,
    pack,
    unpack,
)

__all__ = [
    "CALL_BITS",
    "DEFAULT_KEY",
    "MODES",
    "MODE_BITS",
    "PAYLOAD_BITS",
    "RUN_BITS",
    "TAG_BITS",
    "USER_BITS",
    "Canary",
    "new_run",
    "pack",
    "unpack",
]
