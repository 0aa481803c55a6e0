"""The leaks that can be planted in the clinic, by name, when its process starts; never through HTTP.

Each stands as a constant here and as a few lines at the spot where the real fault would be.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

LIST, REFERENCE, CONTENT, ELSEWHERE = "in a list", "by reference", "in the content", "elsewhere"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One leak: what it does, which real one it follows, what wakes it and which check sees it.

    `flags` are the variants without which it sleeps; `needs` says in words what else has to happen. `without_flags` is
    a flaw that wakes in a clinic which starts while its flag server is down.
    """

    name: str
    where: str
    what_happens: str
    modelled_on: str
    seen_by: str
    flags: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    without_flags: bool = False

    @property
    def wakes_when(self) -> str:
        """The conditions in words."""
        flags = " and ".join(f"{flag}={variant}" for flag, variant in self.flags.items())
        return "; ".join(filter(None, [flags, self.needs])) or "always"


VIDEO_BRANCH_SKIPS_OWNER = "video-branch-skips-owner"
LIST_BY_CLINICIAN_AND_DAY = "list-by-clinician-and-day"
NULL_OWNER_IS_EVERYBODYS = "null-owner-is-everybodys"
CACHE_KEY_WITHOUT_USER = "cache-key-without-user"
CACHE_KEY_WITHOUT_FLAGS = "cache-key-without-flags"
INSURER_IGNORED_ON_V2 = "insurer-ignored-on-v2"
DETAIL_V2_UNCHECKED = "detail-v2-unchecked"
BYTES_OPEN = "bytes-open"
SIGNED_LINK_UNBOUND = "signed-link-unbound"
THUMBNAIL_OPEN = "thumbnail-open"
TRANSCRIPT_OPEN = "transcript-open"
REVOKED_SHARE_STILL_OPENS = "revoked-share-still-opens"
KILL_SWITCH_SPARES_BYTES = "kill-switch-spares-bytes"
RECORDER_ID_COLLISION = "recorder-id-collision"
SWITCHES_SWAP_TRACKS = "switches-swap-tracks"
LATE_UPLOAD_TO_LATEST = "late-upload-to-latest"
COMPOSITE_OF_ANOTHER_ROOM = "composite-of-another-room"
WRONG_THUMBNAIL = "wrong-thumbnail"
KEEPS_FILMING = "keeps-filming"
LIVE_TOPIC_UNFILTERED = "live-topic-unfiltered"
SHARED_CURRENT_USER = "shared-current-user"
EDGE_STORES_PRIVATE = "edge-stores-private"
PHANTOM_OF_RETRY = "phantom-of-retry"
FILED_TWICE = "filed-twice"
LOST_WHEN_SWITCH_FAILS = "lost-when-switch-fails"
WORKER_DEFAULT_TENANT = "worker-default-tenant"
OPEN_WHILE_FLAGS_ARE_DOWN = "open-while-flags-are-down"
PRESCRIPTION_TO_WRONG_PHARMACY = "prescription-to-wrong-pharmacy"
METRICS_OF_PREVIOUS_PATIENT = "metrics-of-previous-patient"
EXPORT_MIXES_USERS = "export-mixes-users"
SEARCH_SKIPS_OWNER = "search-skips-owner"
BADGE_COUNTS_EVERYBODYS = "badge-counts-everybodys"

FLAWS: tuple[Flaw, ...] = (
    Flaw(
        VIDEO_BRANCH_SKIPS_OWNER,
        LIST,
        "A patient who booked audio and switched to video is shown everybody's videos and can open them: the new "
        "index's video branch returns before the policy is asked, so neither ownership nor the kill switch holds it.",
        "Babylon Health, June 2020",
        "foreign-media",
        {"video-upgrade": "on", "replay-index-v2": "on"},
        "a patient switches to video",
    ),
    Flaw(
        LIST_BY_CLINICIAN_AND_DAY,
        LIST,
        "The list for large pages asks for the recordings of one's clinicians on one's days, in place of one's own.",
        "GitHub, March 2021, and any query that takes a near key for the owner",
        "foreign-media",
        {"replay-paging": "large", "replay-index-v2": "off"},
        "two patients see one clinician on one day",
    ),
    Flaw(
        NULL_OWNER_IS_EVERYBODYS,
        LIST,
        "Media made after a switch to video are indexed without an owner, and no owner is taken for everybody's.",
        "Babylon Health, June 2020",
        "foreign-media",
        {"video-upgrade": "on", "replay-index-v2": "on"},
        "a patient switches to video",
    ),
    Flaw(
        CACHE_KEY_WITHOUT_USER,
        LIST,
        "The cached replay list is kept without the user in its key: the next to ask is shown the list of another.",
        "Wyze, September 2023",
        "foreign-media",
        {"replay-cache": "on"},
    ),
    Flaw(
        CACHE_KEY_WITHOUT_FLAGS,
        LIST,
        "The cached list is kept without the flags in its key and asked before the kill switch: once replay access is "
        "switched off the list is still shown.",
        "Klarna, May 2021",
        "stale-access",
        {"replay-cache": "on"},
        "replay-access is flipped off after a list was shown",
    ),
    Flaw(
        INSURER_IGNORED_ON_V2,
        LIST,
        "The new index is asked by member number alone: two members of different insurers with the same number see "
        "each other's recordings.",
        "Ring, 2016: the ids of two environments overlapped",
        "foreign-media",
        {"replay-index-v2": "on"},
        "two patients of different insurers have the same member number",
    ),
    Flaw(
        DETAIL_V2_UNCHECKED,
        REFERENCE,
        "The new version of the detail page finds a recording by its id and asks nobody whose it is.",
        "First American, May 2019",
        "reachable-media",
        {"replay-detail-v2": "on"},
    ),
    Flaw(
        BYTES_OPEN,
        REFERENCE,
        "The list is right, but whoever has a recording's id is served its bytes.",
        "Peloton, May 2021",
        "reachable-media",
    ),
    Flaw(
        SIGNED_LINK_UNBOUND,
        REFERENCE,
        "A signed link opens for anybody who has it, signed in or not, and never expires.",
        "Google Photos and many stores of files: links that are their own authorization",
        "reachable-media",
        needs="somebody makes a link and another opens it",
    ),
    Flaw(
        THUMBNAIL_OPEN,
        REFERENCE,
        "A recording's thumbnail is served to whoever has its id.",
        "Eufy, November 2022: thumbnails in the cloud without authorization",
        "reachable-media",
    ),
    Flaw(
        TRANSCRIPT_OPEN,
        REFERENCE,
        "A recording's transcript is served to whoever has its id.",
        "Otter and others: transcripts shared wider than the call",
        "foreign-text",
    ),
    Flaw(
        REVOKED_SHARE_STILL_OPENS,
        REFERENCE,
        "That a carer may open a recording is remembered by the process, also after the patient has revoked it.",
        "Ring, 2018: sessions survived a change of password",
        "stale-access",
        {"carer-sharing": "on"},
        "a share is opened by the carer and then revoked",
    ),
    Flaw(
        KILL_SWITCH_SPARES_BYTES,
        REFERENCE,
        "The kill switch takes the list away, but a recording's own address still serves its bytes.",
        "the remedy of June 2020, done by halves",
        "reachable-media",
        {"replay-access": "off"},
    ),
    Flaw(
        RECORDER_ID_COLLISION,
        CONTENT,
        "The audio recorder and the video recorder number their files each from one, and store them in one place: the "
        "later one replaces the bytes of the other's.",
        "Ring, 2016, and Swann, 2018: two devices with one key",
        "foreign-media",
        needs="one consultation by audio and another by video",
    ),
    Flaw(
        SWITCHES_SWAP_TRACKS,
        CONTENT,
        "When two calls switch to video at the same moment, the recorders of the new tracks change places.",
        "Wyze, February 2024: ids mixed up under a surge of reconnects",
        "foreign-media",
        {"video-upgrade": "on"},
        "two patients switch to video at the same moment",
    ),
    Flaw(
        LATE_UPLOAD_TO_LATEST,
        CONTENT,
        "What a participant's upload becomes is attached to their latest consultation, not to the one it was made in.",
        "ChatGPT, March 2023: an answer went to whoever asked next",
        "foreign-media",
        needs="a clinician holds two calls at once",
    ),
    Flaw(
        COMPOSITE_OF_ANOTHER_ROOM,
        CONTENT,
        "The composite takes the clinician's newest picture, whichever room it was recorded in.",
        "Eufy, May 2021: another household's camera",
        "foreign-media",
        {"composite-layout": "side-by-side"},
        "a clinician holds two calls at once",
    ),
    Flaw(
        WRONG_THUMBNAIL,
        CONTENT,
        "A recording gets the thumbnail that was made before its own: the right title under a stranger's face.",
        "Wyze, February 2024: thumbnails of other people's homes",
        "foreign-media",
        needs="two consultations by video",
    ),
    Flaw(
        KEEPS_FILMING,
        CONTENT,
        "After a switch back to audio the recorder still has its hands on the camera: what is called a recording by "
        "audio holds the participant's pictures, too, of the last time that they were filmed.",
        "Facebook for iOS, November 2019: the camera was on behind a page that did not ask for it",
        "wrong-medium",
        {"video-upgrade": "on", "video-downgrade": "on"},
        "a patient switches to video and back",
    ),
    Flaw(
        LIVE_TOPIC_UNFILTERED,
        ELSEWHERE,
        "Live notices are pushed to everybody of the region who listens, not to their recipient alone.",
        "Home Assistant and others: a topic without the filter that the query has",
        "pushed-foreign",
        needs="two users listen",
    ),
    Flaw(
        SHARED_CURRENT_USER,
        ELSEWHERE,
        "Who reads stands in one place of the process: of two reading requests at once both are the second one's.",
        "GitHub, March 2021: state shared between requests by a thread",
        "foreign-media",
        {"fast-sessions": "on"},
        "two users ask at the same moment",
    ),
    Flaw(
        EDGE_STORES_PRIVATE,
        ELSEWHERE,
        "The edge cache keeps answers that are marked private, by their address alone.",
        "Steam, December 2015, and Klarna, May 2021",
        "foreign-media",
        {"edge-cache": "on"},
    ),
    Flaw(
        PHANTOM_OF_RETRY,
        ELSEWHERE,
        "The worker's callback is retried although it had worked, and makes a second recording that holds nothing.",
        "Babylon Health, June 2020: two patients opened videos that held no consultation",
        "phantom-media",
        {"recorder-transcode": "on"},
    ),
    Flaw(
        FILED_TWICE,
        ELSEWHERE,
        "The worker's job is done again although it had worked, and stores the whole recording as another one.",
        "queues that deliver at least once, and workers that do not know what they did: a class, seen in many apps",
        "duplicate-media",
    ),
    Flaw(
        LOST_WHEN_SWITCH_FAILS,
        ELSEWHERE,
        "A switch to video that is refused takes with it what was recorded of the call until then.",
        "Google Takeout, November 2019: one's own videos were missing, too",
        "missing-media",
        {"video-upgrade": "off"},
        "a patient asks to switch",
    ),
    Flaw(
        WORKER_DEFAULT_TENANT,
        ELSEWHERE,
        "The worker reads a flag of the user's without the user, gets its default, and files recordings under the "
        "default tenant: their owners miss them, and the default tenant's member of the same number finds them.",
        "Eufy, May 2021: wrong account after an upgrade",
        "missing-media",
        {"replay-index-v2": "on"},
        "a patient who is privately insured",
    ),
    Flaw(
        OPEN_WHILE_FLAGS_ARE_DOWN,
        ELSEWHERE,
        "While the flag server has never answered the kill switch counts as not thrown, although it is.",
        "Google Cloud, June 2025: a client that failed open",
        "reachable-media",
        {"replay-access": "off"},
        "the clinic starts while its flag server is down",
        without_flags=True,
    ),
    Flaw(
        PRESCRIPTION_TO_WRONG_PHARMACY,
        ELSEWHERE,
        "A prescription goes to the pharmacy of the newest patient who has chosen one.",
        "a pharmacy chain's app, 2018: messages shown to other patients",
        "foreign-text",
        needs="two patients choose different pharmacies",
    ),
    Flaw(
        METRICS_OF_PREVIOUS_PATIENT,
        ELSEWHERE,
        "The clinician's page shows the health metrics of the patient whom they looked at before.",
        "a health record's viewer, 2019: the patient's banner and the data of another",
        "foreign-text",
        needs="a clinician looks at two patients one after the other",
    ),
    Flaw(
        EXPORT_MIXES_USERS,
        REFERENCE,
        "The export holds everything of the consultations' clinicians, and so other patients' videos.",
        "Google Takeout, November 2019",
        "foreign-media",
        needs="somebody exports their replays",
    ),
    Flaw(
        SEARCH_SKIPS_OWNER,
        LIST,
        "The search looks through everybody's recordings.",
        "Elasticsearch behind many apps: the search index knows no owner",
        "foreign-media",
        {"replay-index-v2": "on", "replay-search": "on"},
        "somebody searches",
    ),
    Flaw(
        BADGE_COUNTS_EVERYBODYS,
        LIST,
        "The badge counts everybody's recordings: nothing can be opened, but what others do can be watched.",
        "unread badges and tab counts that are asked without the owner: a class, seen in many apps",
        "count-mismatch",
    ),
)


class UnknownFlawError(LookupError):
    """No flaw has this name; the message gives the nearest right one."""


def find(name: str) -> Flaw:
    """Return the flaw of that name, or raise UnknownFlawError with the nearest right name."""
    known = {flaw.name: flaw for flaw in FLAWS}
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "`harness flaws` lists them"
    raise UnknownFlawError(f"there is no flaw {name!r}; {hint}")
