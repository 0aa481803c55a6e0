"""Takes passwords, tokens, cookies and other people's media out of what is kept as evidence, and out of messages.

`names` says beside which names nothing may be kept, `shapes` finds secrets in a text, `secrets` remembers and hides
them wherever they stand, `trace` cleans what a browser recorded, and `addresses` what a run was told.
"""

from harness.redact.addresses import without_login
from harness.redact.names import is_secret_name
from harness.redact.secrets import Secrets, plain
from harness.redact.shapes import REDACTED
from harness.redact.trace import NotRedactableError, clean_har, clean_trace, packed

__all__ = [
    "REDACTED",
    "NotRedactableError",
    "Secrets",
    "clean_har",
    "clean_trace",
    "is_secret_name",
    "packed",
    "plain",
    "without_login",
]
