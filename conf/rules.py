"""Why a line is quarantined or a duplicate, or an upload refused: one code a reason, with what to do about it.

These rows are also the members of ``dim_outcome``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VALUE = re.compile(r"\{\w+\}")


class Rule(NamedTuple):
    """One reason.

    Attributes:
        code: what rows, receipts and rejects carry, such as ``url.scheme``.
        outcome: ``ok``, ``quarantined``, ``duplicate`` or ``refused``.
        message: a ``str.format`` template of one sentence; ``value`` and what the rule's caller gives are known to it.
        fix: what the client does about it.
    """

    code: str
    outcome: str
    message: str
    fix: str

    @property
    def family(self) -> str:
        """The part before the dot, such as ``line``, ``csv``, ``value``, ``url``, ``fetch`` or ``upload``."""
        return self.code.partition(".")[0]

    def say(self, **values: object) -> str:
        """The message with its values in place."""
        return self.message.format(**values)

    @property
    def summary(self) -> str:
        """The message with … where its values go: what it says of any line."""
        return _VALUE.sub("…", self.message)


_MEND = "Correct the line and drop the rejects file again."
_LATER = "The source failed at the time; drop the rejects file again later."

ROW = "row."

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule("ok", "ok", "Accepted.", ""),
        Rule("duplicate.in_drop", "duplicate", "The same as line {first}.", "Nothing: the first line counts."),
        Rule("duplicate.later", "duplicate", "Line {first} has the same key.", "Nothing: the last line counts."),
        Rule(
            "duplicate.earlier_drop",
            "duplicate",
            "The key came before, in drop {drop}, line {first}.",
            "Nothing: what came first counts.",
        ),
        Rule(
            "duplicate.rejected",
            "quarantined",
            "Line {first} has the same key.",
            "Leave out one of the lines, or give it a key of its own.",
        ),
        # what Land and Validate find in the line itself
        Rule("line.encoding", "quarantined", "The line is not {encoding} (byte {at}).", "Save the file as UTF-8."),
        Rule("line.nul", "quarantined", "The line holds a NUL byte (byte {at}).", _MEND),
        Rule(
            "line.too_long",
            "quarantined",
            "The line has {length} bytes; {limit} are allowed.",
            "Split the line, or see whether a line end is missing.",
        ),
        Rule(
            "csv.quote",
            "quarantined",
            "A quoted field that begins on this line never ends.",
            'Close the quote, and write a quote inside a quoted field twice ("").',
        ),
        Rule(
            "csv.stray_quote",
            "quarantined",
            "Text stands after the quote that ends a field.",
            'Write a quote inside a quoted field twice (""), and see whether a quote is missing before.',
        ),
        Rule(
            "csv.columns",
            "quarantined",
            "The row has {found} fields; the header has {wanted}.",
            "Give the row as many fields as the header.",
        ),
        Rule("csv.no_url", "quarantined", "The url column is empty.", _MEND),
        Rule("json.malformed", "quarantined", "The line is not a JSON object: {reason}.", _MEND),
        Rule("json.no_url", "quarantined", "The object has no text under url.", 'Give every object a "url".'),
        # what Validate finds in the values of a record
        Rule("key.missing", "quarantined", "{column}: the key has no value.", _MEND),
        Rule("value.missing", "quarantined", "{column}: there is no value.", "Give the row a value there."),
        Rule("value.type", "quarantined", "{column}: this is no {wanted}.", _MEND),
        Rule("value.pattern", "quarantined", "{column}: the value does not look like {wanted}.", _MEND),
        Rule("value.min", "quarantined", "{column}: the value is less than {wanted}.", _MEND),
        Rule("value.max", "quarantined", "{column}: the value is more than {wanted}.", _MEND),
        Rule("value.length", "quarantined", "{column}: the value has not {wanted} characters.", _MEND),
        Rule("value.one_of", "quarantined", "{column}: the value is none of {wanted}.", _MEND),
        Rule("value.future", "quarantined", "{column}: the value lies after the receipt of the file.", _MEND),
        # what Validate finds in the URL
        Rule("url.malformed", "quarantined", "This is not a URL: {reason}.", _MEND),
        Rule("url.scheme", "quarantined", "The URL begins with {value}, not http or https.", _MEND),
        Rule(
            "url.credentials", "quarantined", "The URL carries a user name or password.", "Leave the credentials out."
        ),
        Rule(
            "url.host_not_allowed",
            "quarantined",
            "{value} is not among this feed's sources.",
            "Name a host that the feed lists, or ask for the host to be listed.",
        ),
        Rule("url.no_size", "quarantined", "The URL does not say the size asked for.", _MEND),
        Rule(
            "url.size_out_of_range",
            "quarantined",
            "The size asked for, {value}, is not within 1 to {limit} a side.",
            "Ask for a size in range.",
        ),
        # what Fetch meets
        Rule("fetch.status", "quarantined", "The source answered {status}.", "See whether the URL is right."),
        Rule("fetch.unavailable", "quarantined", "The source answered {status} to {attempts} attempts.", _LATER),
        Rule("fetch.timeout", "quarantined", "No answer in time, {attempts} attempts.", _LATER),
        Rule("fetch.connection", "quarantined", "The connection failed, {attempts} attempts: {reason}.", _LATER),
        Rule("fetch.dns", "quarantined", "The host {value} has no address.", "See whether the host name is right."),
        Rule(
            "fetch.blocked_address",
            "quarantined",
            "{value} leads to an address that is not public.",
            "Name a public host.",
        ),
        Rule("fetch.redirects", "quarantined", "The source sends on to {value}: {reason}.", "Name the final URL."),
        Rule(
            "fetch.too_large", "quarantined", "The answer is larger than {limit} bytes.", "Ask for a smaller picture."
        ),
        Rule(
            "fetch.protocol", "quarantined", "The answer is not sound HTTP: {reason}.", "See whether the URL is right."
        ),
        # what Transform finds in the picture
        Rule("image.empty", "quarantined", "The source answered with no bytes.", "See whether the URL is right."),
        Rule(
            "image.not_an_image",
            "quarantined",
            "The answer is no picture (it begins like {value}).",
            "See whether the URL is right.",
        ),
        Rule(
            "image.format",
            "quarantined",
            "{value} is a picture format that is not taken.",
            "Use JPEG, PNG, WebP, GIF, TIFF or BMP.",
        ),
        Rule("image.truncated", "quarantined", "The picture breaks off: {reason}.", _LATER),
        Rule(
            "image.corrupt", "quarantined", "The picture is damaged: {reason}.", "Have the source repair the picture."
        ),
        Rule(
            "image.too_many_pixels",
            "quarantined",
            "The picture has {value} pixels; {limit} are allowed.",
            "Ask for a smaller picture.",
        ),
        Rule(
            "image.wrong_size",
            "quarantined",
            "{asked} was asked for, {value} came.",
            "See whether the source offers this size.",
        ),
        Rule(
            "image.transform",
            "quarantined",
            "The transform {value} fails on this picture: {reason}.",
            "Tell whoever runs Landfall; the picture itself is sound.",
        ),
        # why an upload is not taken
        Rule("upload.empty", "refused", "The file holds no bytes.", "Send it again with its content."),
        Rule("upload.not_a_file", "refused", "This is a {value}, not a regular file.", "Send the file itself."),
        Rule("upload.linked", "refused", "The file has more than one link.", "Send a file of its own."),
        Rule("upload.too_large", "refused", "The file has more than {limit} bytes.", "Split it into several files."),
        Rule(
            "upload.changed",
            "refused",
            "The file was written to while it was taken.",
            "Send it under a temporary name and rename it when it is whole.",
        ),
        Rule("upload.unreadable", "refused", "The file's permissions forbid reading it.", "Allow reading and send it."),
        Rule(
            "upload.name",
            "refused",
            "{value} is a name that marks an unfinished file, so it is never taken.",
            "Give the file another name.",
        ),
        Rule(
            "upload.feed_unknown",
            "refused",
            "The file lay in no feed's directory.",
            "Put it into one of: {feeds}.",
        ),
        Rule("upload.archive_damaged", "refused", "The archive cannot be opened: {reason}.", "Pack it again."),
        Rule("upload.archive_format", "refused", "{value} is not taken.", "Send the file plain, or as gzip or zip."),
        Rule("upload.archive_encrypted", "refused", "The archive is encrypted.", "Pack it without a password."),
        Rule("upload.archive_nested", "refused", "Entry {entry} is an archive itself.", "Pack the files only once."),
        Rule("upload.archive_entries", "refused", "The archive has more than {limit} entries.", "Split the archive."),
        Rule(
            "upload.archive_bomb",
            "refused",
            "Unpacked, the archive passes {limit}.",
            "Send the file plain, or split it.",
        ),
    )
}


def rule(code: str) -> Rule:
    """The rule of a code that stands in a lake; that of a feed's own check across columns is ``row.<name>``."""
    if code.startswith(ROW):
        return Rule(code, "quarantined", f"The row breaks the feed's rule {code.removeprefix(ROW)}.", _MEND)
    return RULES[code]


def is_outcome(code: str, outcome: str) -> bool:
    """Whether a rule is known and gives this outcome."""
    return (code.startswith(ROW) or code in RULES) and rule(code).outcome == outcome
