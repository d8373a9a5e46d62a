"""What clients may drop."""

from __future__ import annotations

from pydantic import Field

from conf.sections.kinds import Bytes, Count, Days, Directory, Section


class Landing(Section):
    """Where clients drop files, and how much is taken."""

    root: Directory = Field("", description="directory of the landing; empty means <home>/landing")
    max_upload_bytes: Bytes = Field(8 << 30, description="an upload larger than this is refused (bytes)")
    max_unpacked_bytes: Bytes = Field(8 << 30, description="an archive that unpacks to more is refused (bytes)")
    max_ratio: Count = Field(200, description="unpacked bytes to packed bytes, above 16 MiB; more is refused as a bomb")
    max_entries: Count = Field(1000, description="entries of a zip archive; more are refused")
    keep_refused_days: Days = Field(30, description="refused uploads are removed after so many days; 0: never")
    range_bytes: Bytes = Field(4 << 20, description="how many bytes of a drop one range of the index covers, at least")


class Lines(Section):
    """What one line may be."""

    max_bytes: Bytes = Field(64 << 10, description="a longer line is quarantined (bytes)")
    max_side: Count = Field(10_000, description="largest width or height that a URL may ask for (pixels)")
