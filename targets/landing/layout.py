"""Every path of a client's landing. No path of it is spelled elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# Files of a claim.
UPLOAD = "upload.json"
FILE = "file"
DATA = "data"
CLAIM = "claim.json"
REFUSED = "refused.json"
RECEIPT = "receipt.json"
REJECTS = "rejects.csv"

_NO_FEED = "_"  # no feed is called so: a feed's name begins with a letter


@dataclass(frozen=True)
class LandingLayout:
    """The places of one client.

    ``incoming`` and ``outbox`` are within the client's reach: whatever lies there may change at any instant and lead
    anywhere. ``.claimed`` and ``.refused`` are not.

    Attributes:
        root: directory of the landing.
        client: the client's id.
    """

    root: Path
    client: str

    @property
    def incoming(self) -> Path:
        return self.root / self.client / "incoming"

    def outbox(self, feed: str) -> Path:
        """Where answers go: to the outbox itself for an upload that lay in no feed's directory (feed ``""``)."""
        return self.root / self.client / "outbox" / feed

    @property
    def deliveries_outbox(self) -> Path:
        """Where what workflows make for the client goes; no feed is called so."""
        return self.outbox("workflows")

    def delivery(self, name: str) -> Path:
        """A file on its way to the outbox."""
        return self.root / ".deliveries" / self.client / name

    @property
    def claims(self) -> Path:
        """A directory a feed."""
        return self.root / ".claimed" / self.client

    def claims_of(self, feed: str) -> Path:
        return self.claims / (feed or _NO_FEED)

    def claim(self, feed: str, upload: str) -> Path:
        """A claimed upload."""
        return self.claims_of(feed) / upload

    def answered(self, feed: str, upload: str) -> Path:
        """A claim whose answer is settled and on its way to the outbox."""
        return self.claims_of(feed) / f".{upload}"

    @property
    def refusals(self) -> Path:
        """Refused uploads that were answered: a directory a feed."""
        return self.root / ".refused" / self.client

    def refusals_of(self, feed: str) -> Path:
        return self.refusals / (feed or _NO_FEED)

    def refused(self, feed: str, upload: str) -> Path:
        """A refused upload after it was answered."""
        return self.refusals_of(feed) / upload


def upload_id(claimed: datetime) -> str:
    """How the id of an upload claimed at this time (UTC) begins; ids sort by time."""
    return f"{claimed:%Y%m%dT%H%M%S%fZ}"
