"""What is wrong with a file or variable, as sentences: where, which key, what was found, what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

Loc = tuple[int | str, ...]
_CREDENTIALS = re.compile(r"//[^/\s]*@")

# pydantic speaks to programmers; these are for the person who wrote the file.
_KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a text in quotes",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table (in a variable: a JSON object)",
    "model_type": "a table",
    "path_type": "a path in quotes",
}
_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}


def nearest(found: object, allowed: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the allowed word nearest to what was found, or a full stop if none is near."""
    near = difflib.get_close_matches(str(found), list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."


def not_empty(value: Sized) -> Any:
    """A validator. Unlike pydantic's own it is silent where the members are what is wrong."""
    if not value:
        raise ValueError("it must name at least one")
    return value


def shown(found: object) -> str:
    """What was found, safe for a terminal and at most 80 characters; without the password of a URL."""
    text = _CREDENTIALS.sub("//…@", repr(found))
    return text if len(text) <= 80 else f"{text[:77]}..."


def dotted(loc: Loc) -> str:
    """A place in a file as a person writes it: ``feeds.photos.sources[1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def sentences(error: ValidationError, model: type[BaseModel], subject: Callable[[Loc], str]) -> list[str]:
    """Every mistake that pydantic found, in the order of the model.

    Args:
        error: what validation raised.
        model: what was validated; it knows the keys that are allowed.
        subject: how a place is named, such as ``conf/dev.toml: web.concurrency``.
    """
    return [_sentence(one, model, subject) for one in error.errors(include_url=False)]


def _sentence(one: ErrorDetails, model: type[BaseModel], subject: Callable[[Loc], str]) -> str:
    kind, loc, found, context = one["type"], _without_tags(model, one["loc"]), one["input"], one.get("ctx", {})
    if kind == "extra_forbidden":
        keys = sorted(_keys(model, one["loc"][:-1]))
        return f"{subject(loc)} is no key; allowed are {', '.join(keys)}{nearest(loc[-1], keys)}"
    if kind == "missing":
        return f"{subject(loc)} is missing; it must be given."
    if loc and loc[-1] == "[key]":
        return _ended(f"{subject(loc[:-2])} has the name {shown(found)}; {context.get('error', one['msg'])}")
    if kind == "value_error":
        return _ended(f"{subject(loc)} is {shown(found)}; {context['error']}")
    if kind in _BOUNDS:
        allowed = _BOUNDS[kind].format(**context)
        words = [word.strip("'") for word in allowed.replace(" or ", ", ").split(", ")]
        return f"{subject(loc)} is {shown(found)}; it must be {allowed}{nearest(found, words)}"
    must = _KINDS.get(kind)
    return f"{subject(loc)} is {shown(found)}; {f'it must be {must}' if must else one['msg']}."


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(("?", ".")) else f"{sentence}."


def _keys(model: type[BaseModel], loc: Loc) -> Iterator[str]:
    """The keys that the model knows at a place."""
    place: Any = model
    for part in loc:
        place = _below(place, part)
    if isinstance(place, type) and issubclass(place, BaseModel):
        yield from (field.alias or name for name, field in place.model_fields.items())


def _without_tags(model: type[BaseModel], loc: Loc) -> Loc:
    """A place without the tags by which pydantic says which member of a union was taken: they stand in no file."""
    place: Any = model
    kept: list[int | str] = []
    for part in loc:
        if part not in _members(place):
            kept.append(part)
        place = _below(place, part)
    return tuple(kept)


def _below(place: Any, part: int | str) -> Any:
    """The type of one part of a type: a model's field, a dictionary's value, a tuple's member, a union's member."""
    if isinstance(place, type) and issubclass(place, BaseModel):
        fields = place.model_fields
        field = fields.get(str(part)) or next((one for one in fields.values() if one.alias == part), None)
        return field.annotation if field else None
    members = _members(place)
    if part in members:
        return members[part]
    arguments = get_args(place)
    if get_origin(place) is dict:
        return arguments[1]
    return arguments[0] if arguments else None


def _members(place: Any) -> dict[int | str, Any]:
    """The models of a union that is told apart by tags, by tag."""
    tagged = [get_args(member) for member in get_args(get_args(place)[0])] if get_origin(place) is Annotated else []
    return {tag.tag: arguments[0] for arguments in tagged if arguments for tag in arguments[1:] if isinstance(tag, Tag)}
