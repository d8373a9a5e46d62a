"""How an upload is refused: the rule's sentence with its values in place."""

from __future__ import annotations

from conf.errors import UploadRefused
from conf.rules import RULES


def refusal(code: str, **values: object) -> UploadRefused:
    """The error of a rule in ``conf/rules.py``, to be raised.

    Args:
        code: such as ``upload.empty``.
        values: what the rule's message and fix name.
    """
    rule = RULES[code]
    return UploadRefused(code, rule.say(**values), rule.fix.format(**values))
