"""The clinic's feature flags, read through the real Unleash SDK.

Most are asked for one user at the moment of need; the recorder's worker asks its own without any user; those of
AT_START are read once, when the process starts. Flags are `off` or `on`; those in VARIANTS_OF have named variants.
While the flag server never answered every flag is off: the SDK's default, and for the kill switch the safe side.
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
REPLAY_SEARCH = "replay-search"
REPLAY_DETAIL_V2 = "replay-detail-v2"
REPLAY_CACHE = "replay-cache"
EDGE_CACHE = "edge-cache"
REPLAY_PAGING = "replay-paging"
REPLAY_ACCESS = "replay-access"
CARER_SHARING = "carer-sharing"
COMPOSITE_LAYOUT = "composite-layout"
RECORDER_TRANSCODE = "recorder-transcode"
FAST_SESSIONS = "fast-sessions"

OF_A_USER = (
    VIDEO_UPGRADE,
    VIDEO_DOWNGRADE,
    REPLAY_INDEX_V2,
    REPLAY_SEARCH,
    REPLAY_DETAIL_V2,
    REPLAY_CACHE,
    EDGE_CACHE,
    REPLAY_PAGING,
    REPLAY_ACCESS,
    CARER_SHARING,
    COMPOSITE_LAYOUT,
)
OF_THE_WORKER = (RECORDER_TRANSCODE,)
AT_START = (FAST_SESSIONS,)
VARIANTS_OF = {REPLAY_PAGING: ("small", "large"), COMPOSITE_LAYOUT: ("side-by-side", "picture-in-picture")}

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
        self._at_start: dict[str, str] = {}
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
        """Wait for the first state and read the flags of the start from it; False when none came in time."""
        is_ready = self._ready.wait(timeout_s)
        self._at_start = {flag: self._variant(flag, {}) for flag in AT_START}
        return is_ready

    @property
    def is_known(self) -> bool:
        """True once the flag server has answered."""
        return self._ready.is_set()

    def variant(self, flag: str, username: str) -> str:
        """Return the user's variant of a flag, `off` when it is disabled or unknown."""
        return self._variant(flag, {"userId": username})

    def without_user(self, flag: str) -> str:
        """Return a flag's variant as it is evaluated now for nobody in particular."""
        return self._variant(flag, {})

    def at_start(self, flag: str) -> str:
        """Return the variant that a flag had when this process started."""
        return self._at_start.get(flag, "off")

    def seen_by(self, username: str) -> dict[str, str]:
        """Return every flag's variant as it is in force for a user, whoever reads it."""
        seen = {flag: self.variant(flag, username) for flag in OF_A_USER}
        seen |= {flag: self.without_user(flag) for flag in OF_THE_WORKER}
        return seen | {flag: self.at_start(flag) for flag in AT_START}

    def stop(self) -> bool:
        """Send the last metrics and stop; False when a hanging flag server still holds the SDK's threads."""
        stopping = threading.Thread(target=self._client.destroy, name="flags-stop", daemon=True)
        stopping.start()
        stopping.join(STOP_S)
        self._cache.cleanup()
        return not stopping.is_alive()

    def _variant(self, flag: str, context: dict[str, str]) -> str:
        if flag not in VARIANTS_OF:
            return "on" if self._client.is_enabled(flag, context) else "off"
        variant = self._client.get_variant(flag, context)
        return str(variant["name"]) if variant["enabled"] else "off"

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
