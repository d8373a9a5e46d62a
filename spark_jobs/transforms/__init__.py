"""The feeds' transforms: each a module of this folder with a ``TRANSFORM``, or an entry point of another package.

A new one is one new file here, named as its transform (``-`` as ``_``), and its name in a feed's list. Another package
brings one by an entry point of the group ``landfall.transforms``: name = "module:TRANSFORM".
"""

from spark_jobs.transforms.catalogue import digest, image_id, load, names
from spark_jobs.transforms.transform import Transform

__all__ = ["Transform", "digest", "image_id", "load", "names"]
