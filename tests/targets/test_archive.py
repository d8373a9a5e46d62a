"""Archives: what was packed comes out, and nothing that is not sound, not fair or not asked for."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.errors import StorageError, UploadRefused
from conf.settings import Landing as Limits
from targets.archive import check, entries, is_archive

LIMITS = Limits(max_unpacked_bytes=64 << 20, max_entries=20)
LINES = b"".join(b"http://pictures.example/%d\n" % number for number in range(500))


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return made.getvalue()


def unpacked(data: bytes, limits: Limits = LIMITS, size: int = 1 << 16) -> list[tuple[int, str | None, bytes]]:
    found = []
    for entry, stream in entries(io.BytesIO(data), limits):
        pieces = []
        while piece := stream.read(size):
            assert len(piece) <= size
            pieces.append(piece)
        found.append((entry.ordinal, entry.name, b"".join(pieces)))
    return found


def refused(data: bytes, limits: Limits = LIMITS) -> UploadRefused:
    with pytest.raises(UploadRefused) as caught:
        check(io.BytesIO(data), limits)
    with pytest.raises(UploadRefused):
        unpacked(data, limits)
    assert caught.value.fix
    return caught.value


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(1, 2000), st.booleans())
def test_what_was_packed_comes_out(contents: list[bytes], size: int, stored: bool) -> None:
    contents = [b"=" + content for content in contents]
    files = [(f"../{number}", content) for number, content in enumerate(contents)]
    data = packed(*files, method=zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    assert unpacked(data, size=size) == [(number, name, content) for number, (name, content) in enumerate(files)]
    members = b"".join(map(gzip.compress, contents))
    assert unpacked(members, size=size) == [(0, None, b"".join(contents))]
    plain = b"".join(contents)
    assert unpacked(plain, size=size) == [(0, None, plain)]


def test_an_entry_left_half_read_is_checked_all_the_same() -> None:
    wrong_checksum = _changed(packed(("a", LINES)), CENTRAL, 16, "<L", 1)
    with pytest.raises(UploadRefused, match="CRC"):
        for _, stream in entries(io.BytesIO(wrong_checksum), LIMITS):
            assert stream.read(1) == LINES[:1]


def test_directories_in_a_zip_are_not_counted() -> None:
    assert unpacked(packed(("d/", b""), ("d/x", b"1"), ("e/", b""), ("y", b"2"))) == [(0, "d/x", b"1"), (1, "y", b"2")]


def test_names_in_a_zip_are_text_and_nothing_else() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed(("../../etc/pass\x1b[2Jwd", b"x"), ("ä", b"y"), ("x", b"z"), ("x", b"z"))
    assert [name for _, name, _ in unpacked(data)] == ["../../etc/pass\\x1b[2Jwd", "ä", "x", "x"]


def test_a_zip_comment_and_zeros_after_gzip_are_allowed() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("x", b"1")
        archive.comment = b"packed by hand"
    assert unpacked(made.getvalue())[0][2] == b"1"
    assert unpacked(gzip.compress(LINES) + bytes(512))[0][2] == LINES


@pytest.mark.parametrize("plain", [b"", b"P", b"PK", b"BZh and more text, not bzip2", b" " * 257 + b"ustar" + LINES])
def test_text_is_no_archive(plain: bytes) -> None:
    assert not is_archive(io.BytesIO(plain))
    check(io.BytesIO(plain), LIMITS)
    assert unpacked(plain) == [(0, None, plain)]


def _tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())
    return made.getvalue()


ARCHIVES: dict[str, bytes] = {
    "gzip": gzip.compress(LINES),
    "zip": packed(("x", LINES)),
    "empty zip": packed(),
    "bzip2": bz2.compress(LINES),
    "empty bzip2": bz2.compress(b""),
    "xz": lzma.compress(LINES),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(20),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "rar": b"Rar!\x1a\x07\x00" + bytes(20),
    "tar": _tar(),
}


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("outer", ["gzip", "zip"])
def test_an_archive_in_an_archive_is_refused(outer: str, kind: str) -> None:
    inner = ARCHIVES[kind]
    data = gzip.compress(inner) if outer == "gzip" else packed(("a", b"x"), ("b", inner))
    error = refused(data)
    assert error.code == "upload.archive_nested"
    assert ("Entry 0" if outer == "gzip" else "Entry 1") in error.what


@pytest.mark.parametrize("kind", ["bzip2", "xz", "zstd", "7z", "rar", "tar"])
def test_other_archives_are_refused_by_name(kind: str) -> None:
    error = refused(ARCHIVES[kind])
    assert error.code == "upload.archive_format"
    assert kind in error.what


@pytest.mark.parametrize("data", [gzip.compress(b""), packed(), packed(("d/", b"")), packed(("x", b""))])
def test_an_archive_of_nothing_is_empty(data: bytes) -> None:
    with pytest.raises(UploadRefused) as caught:
        check(io.BytesIO(data), LIMITS)
    assert caught.value.code == "upload.empty"


def test_a_gzip_cut_off_anywhere_is_damaged() -> None:
    data = gzip.compress(b"http://pictures.example/1\n")
    assert len(data) > 42
    for end in range(2, len(data)):
        assert refused(data[:end]).code == "upload.archive_damaged"


def test_a_zip_cut_off_anywhere_is_damaged() -> None:
    data = packed(("x", b"http://pictures.example/1\n"), ("y", b"z"))
    for end in range(4, len(data)):
        assert refused(data[:end]).code == "upload.archive_damaged"


def _changed(data: bytes, signature: bytes, offset: int, layout: str, value: int) -> bytes:
    """The archive with one field after a signature set, in its last record of that kind."""
    changed = bytearray(data)
    struct.pack_into(layout, changed, data.rindex(signature) + offset, value)
    return bytes(changed)


CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
ZIP = packed(("a", LINES), ("b", LINES))
DAMAGED: dict[str, tuple[bytes, str]] = {
    "gzip, checksum": (gzip.compress(LINES)[:-8] + bytes(8), "CRC"),
    "gzip, followed by text": (gzip.compress(LINES) + b"more", "Not a gzipped file"),
    "gzip, second member cut": (gzip.compress(LINES) + gzip.compress(LINES)[:30], "too early"),
    "gzip, not deflated": (b"\x1f\x8b\x07" + bytes(40), "compression method"),
    "zip, checksum": (_changed(ZIP, CENTRAL, 16, "<L", 1), "CRC"),
    "zip, followed by bytes": (ZIP + b"x", "follow its end"),
    "zip, preceded by bytes": (ZIP[:40] + ZIP, "not where"),
    "zip, first of several parts": (_changed(ZIP, END, 4, "<H", 1), "part of several"),
    "zip, too few entries counted": (_changed(_changed(ZIP, END, 8, "<H", 1), END, 10, "<H", 1), "add up"),
    "zip, directory too long": (_changed(ZIP, END, 12, "<L", 0xFFFFFFF0), "not where"),
    "zip, entry inside the directory": (_changed(ZIP, CENTRAL, 42, "<L", ZIP.index(CENTRAL)), "not where"),
    "zip, entry outside the file": (_changed(ZIP, CENTRAL, 42, "<L", 0xFFFFFFF0), "not where"),
    "zip, other name": (_changed(ZIP, LOCAL, 30, "<B", 88), "differ"),
    "zip, not deflated": (_changed(ZIP, LOCAL, 31, "<L", 0xFFFFFFFF), "not sound"),
    "zip, name that is no text": (
        _changed(_changed(ZIP, CENTRAL, 8, "<H", 0x800), CENTRAL, 46, "<B", 0xFF),
        "not sound",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_archive_is_refused(kind: str) -> None:
    data, reason = DAMAGED[kind]
    error = refused(data)
    assert error.code == "upload.archive_damaged"
    assert reason in error.what


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2000])
def test_an_encrypted_zip_is_refused(flag: int) -> None:
    assert refused(_changed(ZIP, CENTRAL, 8, "<H", flag)).code == "upload.archive_encrypted"


@pytest.mark.parametrize("method", [9, 12, 14, 93])
def test_other_methods_are_refused_by_number(method: int) -> None:
    error = refused(_changed(ZIP, CENTRAL, 10, "<H", method))
    assert error.code == "upload.archive_format"
    assert f"Entry 1 is packed by method {method}" in error.what


def _zip64(data: bytes, count: int | None = None) -> bytes:
    """The archive with a zip64 end record, as those with 4 GiB and more have."""
    at = data.rindex(END)
    _, _, _, _, entries_, length, offset, _ = struct.unpack_from("<4s4H2LH", data, at)
    counted = entries_ if count is None else count
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, counted, counted, length, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:at] + record + locator + end


def test_zip64() -> None:
    assert [content for _, _, content in unpacked(_zip64(ZIP))] == [LINES, LINES]
    assert refused(_zip64(ZIP, 1 << 40)).code == "upload.archive_entries"
    assert "zip64" in refused(_changed(_zip64(ZIP), b"PK\x06\x07", 8, "<Q", 3)).what


def test_the_number_of_entries_is_capped_before_the_directory_is_read() -> None:
    few = Limits(max_entries=3)
    names = [(str(number), b"x") for number in range(4)]
    assert len(unpacked(packed(*names[:3]), few)) == 3
    assert refused(packed(*names), few).code == "upload.archive_entries"
    lying = _changed(_changed(packed(*names), END, 8, "<H", 2), END, 10, "<H", 2)
    assert refused(lying, few).code == "upload.archive_entries"


def test_a_huge_directory_never_fills_memory() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(15):
            info = zipfile.ZipInfo(str(number))
            info.comment = bytes(60_000)
            archive.writestr(info, b"x")
    assert "its directory has 9" in refused(made.getvalue()).what


def _same_entry_many_times(times: int, size: int) -> bytes:
    """Entries that all lead to the same bytes: small packed, large unpacked."""
    data = packed(("a", bytes(size)))
    at, end = data.index(CENTRAL), data.index(END)
    directory = data[at:end] * times
    return data[:at] + directory + struct.pack("<4s4H2LH", END, 0, 0, times, times, len(directory), at, 0)


BOMBS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: packed(("a", bytes(20 << 20))),
    "gzip": lambda: gzip.compress(bytes(20 << 20)),
    "gzip of many members": lambda: gzip.compress(bytes(1 << 20)) * 20,
    "entries that overlap": lambda: _same_entry_many_times(20, 1 << 20),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_by_its_ratio(kind: str) -> None:
    error = refused(BOMBS[kind]())
    assert error.code == "upload.archive_bomb"
    assert "200 times its own size" in error.what


def test_the_total_is_capped() -> None:
    noise = random.Random(1).randbytes(600)
    two = packed(("a", noise), ("b", noise))
    assert refused(two, Limits(max_unpacked_bytes=1199)).code == "upload.archive_bomb"
    assert len(unpacked(two, Limits(max_unpacked_bytes=1200))) == 2
    assert "1199 bytes" in refused(gzip.compress(noise * 2), Limits(max_unpacked_bytes=1199)).what


def test_what_packs_well_and_is_small_is_no_bomb() -> None:
    small = bytes(16 << 20)
    assert unpacked(gzip.compress(small))[0][2] == small


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: packed(("a", data))])
def test_memory_does_not_grow_with_what_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    data = pack(random.Random(2).randbytes(1 << 18) * 120)
    limits = Limits(max_ratio=1000)
    tracemalloc.start()
    try:
        check(io.BytesIO(data), limits)
        assert tracemalloc.get_traced_memory()[1] - len(data) < 6 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([ZIP, _zip64(ZIP), gzip.compress(LINES)]), st.data())
def test_damage_anywhere_is_a_refusal_or_harmless(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        found = unpacked(bytes(damaged))
    except UploadRefused:
        return
    contents = [content for _, _, content in found]
    # The first bytes say that it is packed; an entry may turn into an empty directory.
    assert contents == [bytes(damaged)] or set(contents) <= {LINES, b""}


def test_a_disk_that_fails_is_not_the_archive_s_fault() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 1000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    noise = random.Random(3).randbytes(30_000)
    with pytest.raises(StorageError, match="Input/output error"):
        check(Failing(gzip.compress(noise)), LIMITS)
