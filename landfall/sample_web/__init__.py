"""A web of pictures for the demo and the tests: compatible with picsum.photos, with faults on request.

``/W/H``, ``/S`` and ``/seed/X/W/H`` send on to ``/id/N/W/H.jpg?hmac=…``, as picsum does; ``?grayscale`` and
``?blur=1..10`` are known. ``?fault=`` gives what faults.py describes, ``?format=`` other kinds of pictures
(pictures.CONTENT_TYPES). Loopback only.
"""

from landfall.sample_web.catalogue import Line, catalogue
from landfall.sample_web.running import SampleWeb, run
from landfall.sample_web.server import Tally, app

__all__ = ["Line", "SampleWeb", "Tally", "app", "catalogue", "run"]
