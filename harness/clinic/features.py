"""The clinic's feature flags, read through the real Unleash SDK for one user at the moment of need.

Flags are `off` or `on`; those in VARIANTS_OF have named variants. While the flag server never answered every
flag is off: the SDK's default, and for the kill switch the safe side.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from urllib.parse import urlsplit

from UnleashClient.clients.unleash_client import UnleashClient
from UnleashClient.events import BaseEvent, UnleashEventType
from UnleashClient.utils import InstanceAllowType

VIDEO_UPGRADE = "video-upgrade"
VIDEO_DOWNGRADE = "video-downgrade"
REPLAY_INDEX_V2 = "replay-index-v2"
REPLAY_CACHE = "replay-cache"
REPLAY_PAGING = "replay-paging"
REPLAY_ACCESS = "replay-access"

NAMES = (VIDEO_UPGRADE, VIDEO_DOWNGRADE, REPLAY_INDEX_V2, REPLAY_CACHE, REPLAY_PAGING, REPLAY_ACCESS)
VARIANTS_OF = {REPLAY_PAGING: ("small", "large")}

METRICS_INTERVAL_S = 1
REQUEST_TIMEOUT_S = 2
STOP_S = 0.4
SAME_COMPLAINT_S = 30.0


class Features:
    """Answers which variant a user has, from a state that a background thread keeps fresh."""

    def __init__(self, url: str, token: str, refresh_s: float) -> None:
        """Prepare a client of the Unleash API at `url` (it ends in /api); nothing is asked yet."""
        _quieten()
        self._ready = threading.Event()
        # The SDK's default cache is shared by all processes of one name on a host: each needs its own.
        self._cache = tempfile.TemporaryDirectory(prefix="clinic-flags-", ignore_cleanup_errors=True)
        self._client = UnleashClient(
            url=url,
            app_name="clinic",
            instance_id=f"clinic-{os.getpid()}",
            refresh_interval=refresh_s,  # type: ignore[arg-type]  # it takes fractions, though it says int
            metrics_interval=METRICS_INTERVAL_S,
            request_timeout=REQUEST_TIMEOUT_S,
            request_retries=0,
            custom_headers={"Authorization": token},
            # A proxy of the environment has no business between two servers on one machine.
            custom_options={"proxies": {"no_proxy": urlsplit(url).hostname}},
            cache_directory=self._cache.name,
            verbose_log_level=logging.DEBUG,
            multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
            event_callback=self._heard,
        )

    def start(self) -> None:
        """Begin to fetch in the background; `wait` tells when the first state is there."""
        threading.Thread(target=self._client.initialize_client, name="flags", daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the first state; False when none came in time."""
        return self._ready.wait(timeout_s)

    def variant(self, flag: str, username: str) -> str:
        """Return the user's variant of a flag, `off` when it is disabled or unknown."""
        context = {"userId": username}
        if flag not in VARIANTS_OF:
            return "on" if self._client.is_enabled(flag, context) else "off"
        variant = self._client.get_variant(flag, context)
        return str(variant["name"]) if variant["enabled"] else "off"

    def stop(self) -> bool:
        """Send the last metrics and stop; False when a hanging flag server still holds the SDK's threads."""
        stopping = threading.Thread(target=self._client.destroy, name="flags-stop", daemon=True)
        stopping.start()
        stopping.join(STOP_S)
        self._cache.cleanup()
        return not stopping.is_alive()

    def _heard(self, event: BaseEvent) -> None:
        if event.event_type is UnleashEventType.READY:
            self._ready.set()


class _OncePerWhile(logging.Filter):
    """Pass the SDK's complaint once in a while and without its traceback: it repeats with every poll."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        now = time.monotonic()
        if now - self._said.get(str(record.msg), -SAME_COMPLAINT_S) < SAME_COMPLAINT_S:
            return False
        self._said[str(record.msg)] = now
        return True


def _quieten() -> None:
    logging.getLogger("UnleashClient").addFilter(_OncePerWhile())
    logging.getLogger("UnleashClient").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
