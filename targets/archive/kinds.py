"""What a file is, told by how it begins and never by its name."""

from __future__ import annotations

HEAD = 512  # bytes that tell every kind: a tar archive says what it is in its first block

_MAGIC = {
    b"\x1f\x8b": "gzip",  # RFC 1952, 2.3.1
    b"PK\x03\x04": "zip",  # APPNOTE.TXT 4.3.7: a file
    b"PK\x05\x06": "zip",  # 4.3.16: the end of an archive that holds nothing
    b"PK\x07\x08": "split zip",  # 8.5.3
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",  # RFC 8878, 3.1.1
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
}
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")


def archive_kind(head: bytes) -> str | None:
    """Which archive begins with these (up to ``HEAD``) bytes; None for a plain file."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            # "BZh" alone may begin a line of text; the block that follows it does not.
            return None if kind == "bzip2" and head[4:10] not in _BZIP2_BLOCKS else kind
    # A line of text may say "ustar" in the same place, but is not padded with zeros.
    return "tar" if head[257:262] == b"ustar" and b"\0" in head else None
