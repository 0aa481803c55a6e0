"""Filing: the index of recordings that the new replay list reads, and the versions that cached lists depend on."""

from __future__ import annotations

from collections.abc import Iterable

from harness.clinic import flaws
from harness.clinic.base.features import REPLAY_INDEX_V2
from harness.clinic.base.state import Clinic
from harness.clinic.base.store import Database

DEFAULT_PAYER = "public:riverside"

SCHEMA = """
CREATE TABLE IF NOT EXISTS replay_index (
    recording BIGINT NOT NULL, payer TEXT, member_number TEXT NOT NULL, medium TEXT NOT NULL,
    UNIQUE (payer, member_number, recording));
CREATE INDEX IF NOT EXISTS replay_index_by_recording ON replay_index (recording);
CREATE TABLE IF NOT EXISTS replay_versions (username TEXT PRIMARY KEY, version INTEGER NOT NULL);
"""

FILE = (
    "INSERT INTO replay_index (recording, payer, member_number, medium)"
    " SELECT r.seq, a.payer, a.member_number, r.medium FROM recordings r"
    " JOIN participants p ON p.consultation = r.consultation JOIN accounts a ON a.username = p.username"
)


def file(clinic: Clinic, db: Database, recording: int) -> None:
    """File a recording under everybody who has a part in its consultation: by payer and member number."""
    db.execute(f"{FILE} WHERE r.seq = ? ON CONFLICT DO NOTHING", (recording,))
    # The worker has no user: a flag of the user's, asked without one, is always off.
    if clinic.has_flaw(flaws.WORKER_DEFAULT_TENANT) and clinic.features.without_user(REPLAY_INDEX_V2) == "off":
        db.execute("UPDATE replay_index SET payer = ? WHERE recording = ?", (DEFAULT_PAYER, recording))
    if clinic.has_flaw(flaws.NULL_OWNER_IS_EVERYBODYS):
        db.execute(
            "UPDATE replay_index SET payer = NULL WHERE recording = ? AND medium = 'video' AND EXISTS ("
            " SELECT 1 FROM recordings r JOIN consultations c ON c.id = r.consultation"
            " WHERE r.seq = ? AND c.booked_medium = 'audio')",
            (recording, recording),
        )
    rows = db.execute(
        "SELECT p.username FROM recordings r JOIN participants p ON p.consultation = r.consultation WHERE r.seq = ?",
        (recording,),
    ).fetchall()
    touch(db, [username for (username,) in rows])


def file_for(db: Database, consultation: str, username: str) -> None:
    """File what a consultation has recorded so far under somebody who has now a part in it, too."""
    db.execute(
        f"{FILE} WHERE r.consultation = ? AND p.username = ? AND r.status = 'ready' ON CONFLICT DO NOTHING",
        (consultation, username),
    )


def touch(db: Database, usernames: Iterable[str]) -> None:
    """Give these users' replay lists a new version, in every process: what was cached of them is old now."""
    db.executemany(
        "INSERT INTO replay_versions (username, version) VALUES (?, 1)"
        " ON CONFLICT (username) DO UPDATE SET version = replay_versions.version + 1",
        [(username,) for username in sorted(usernames)],
    )


def version(clinic: Clinic, username: str) -> int:
    """Return the version of a user's replay list."""
    found = clinic.store.find("SELECT version FROM replay_versions WHERE username = ?", username)
    return found[0] if found else 0
