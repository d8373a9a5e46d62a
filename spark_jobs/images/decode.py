"""Decoding: bytes from anywhere become a picture, or a finding on them."""

from __future__ import annotations

from spark_jobs.images import jpeg, png, raster
from spark_jobs.images.fault import ImageFault, corrupt, truncated
from spark_jobs.images.picture import Picture
from spark_jobs.images.sniff import sniff


def decode(content: bytes, *, max_pixels: int, gray: bool = False) -> Picture:
    """The picture in ``content``: JPEG, PNG, WebP, GIF (first frame), TIFF (first page) or BMP.

    Args:
        content: a whole file. Bytes after the picture's end are passed over, as cameras and servers add some.
        max_pixels: more, by the header, are refused before anything is decoded.
        gray: the colours are not needed; a JPEG is then decoded to luma at once.

    Raises:
        ImageFault: with the first that applies of ``image.empty``, ``image.not_an_image``, ``image.format``,
            ``image.too_many_pixels``, ``image.truncated`` or ``image.corrupt``.
        MemoryError: this machine has too little for a picture within the limit; no finding on the picture.
    """
    name = sniff(content)
    try:
        if name == "JPEG":
            return jpeg.decode(content, max_pixels=max_pixels, gray=gray)
        if name == "PNG":
            return png.decode(content, max_pixels=max_pixels)
        return raster.decode(content, name, max_pixels=max_pixels)
    except (ImageFault, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 (decoders raise whatever broken bytes lead them to)
        raise _fault(error) from None


def _fault(error: Exception) -> ImageFault:
    reason = " ".join(str(error).split())[:120].rstrip(".")
    if "truncated" in reason.lower():
        return truncated("its data end too early")
    return corrupt(f"it does not decode ({reason or type(error).__name__})")
