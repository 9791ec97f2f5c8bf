"""Wrong settings in words: where each stands, and what is allowed there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from pydantic import BaseModel, ValidationError

from chargeback.attribution.rules import KINDS
from chargeback.errors import UsageProblem
from chargeback.settings_file import CONFIG_FILE, line_of

PREFIX = "CHARGEBACK_"
EXAMPLES = {
    "CHARGEBACK_ATTRIBUTION__": '["iamPrincipal/team"]',
    "CHARGEBACK_ATTRIBUTION": '{"team": ["iamPrincipal/team"]}',
    "CHARGEBACK_BILL__EXCLUDE_PRODUCTS": '["1a2b3c4d5e6f"]',
    "CHARGEBACK_BILL__BASIS": '{"999900000001": "net"}',
    "CHARGEBACK_JOURNAL__CLEARING": '{"AWS Marketplace": "6501"}',
    "CHARGEBACK_JOURNAL": '{"clearing_account": "6500"}',
    "CHARGEBACK_BILL": '{"export": "bedrock"}',
    "CHARGEBACK_STORE": '{"fold_sessions_above": 10000}',
}
"""What a variable that is read as JSON may say, by how its name begins."""

Fault = Mapping[str, Any]
"""One of pydantic's errors."""


def not_allowed(error: ValidationError, settings: type[BaseModel]) -> UsageProblem:
    """Every wrong setting, each once."""
    said: dict[str, list[str]] = {}
    for fault in error.errors():
        keys = _keys(fault)
        said.setdefault(f"{_place(keys)} {_named(fault, keys)}", []).append(_words(fault, settings))
    places = (f"{place}: {', '.join(dict.fromkeys(said[place]))}" for place in said)
    return UsageProblem(
        f"A setting is not allowed: {'; '.join(places)}.", todo="Correct it, and start again."
    )


def not_json(error: Exception) -> UsageProblem:
    """A variable that holds a list or a section, but not as JSON."""
    cause = error.__cause__
    text = cause.doc if isinstance(cause, json.JSONDecodeError) else None
    names = [name for name in sorted(os.environ) if _is_ours(name) and os.environ[name] == text]
    examples = (shown for start, shown in EXAMPLES.items() if names and _begins(names[0], start))
    example = next(examples, None)
    return UsageProblem(
        f"{', '.join(names) or 'A variable in the environment'}: not valid JSON.",
        todo=f"Write it as JSON, such as {example}." if example else "Write it as JSON.",
    )


def _is_ours(name: str) -> bool:
    return _begins(name, PREFIX)


def _begins(name: str, start: str) -> bool:
    return name.upper().startswith(start)


def _keys(fault: Fault) -> list[str]:
    """The keys as they are written; pydantic also names the kinds of value that it tried."""
    if fault["type"] == "extra_forbidden":
        return [key for key in fault["loc"] if isinstance(key, str) and not _is_kind(key, fault)]
    return [key for key in takewhile(_is_key, fault["loc"]) if isinstance(key, str)]


def _is_key(part: int | str) -> bool:
    return isinstance(part, str) and ((part.isidentifier() and part.islower()) or part.isdigit())


def _is_kind(part: str, fault: Fault) -> bool:
    """Whether the part is the kind of a source, which stands after its number in the list."""
    loc = fault["loc"]
    return part in KINDS.values() and isinstance(loc[loc.index(part) - 1], int)


def _named(fault: Fault, keys: Sequence[str]) -> str:
    numbers = [at for at, part in enumerate(fault["loc"]) if isinstance(part, int)]
    if not numbers:
        return ".".join(keys)
    entry, within = fault["loc"][numbers[0]] + 1, fault["loc"][numbers[0] + 1 :]
    is_of_model = fault["loc"][:2] == ("allocation", "rules")  # else pydantic names kinds it tried
    inside = ".".join(str(part) for part in within) if is_of_model else ""
    return f"{'.'.join(keys)}, entry {entry}{inside and f', {inside}'}"


def _place(keys: Sequence[str]) -> str:
    for length in range(len(keys), 0, -1):
        variable = PREFIX + "__".join(keys[:length]).upper()
        if variable in os.environ and _holds(os.environ[variable], keys[length:]):
            return f"{variable},"
    line = line_of(keys)
    return f"{CONFIG_FILE}, line {line}," if line else f"{CONFIG_FILE},"


def _holds(text: str, keys: Sequence[str]) -> bool:
    """Whether a variable's JSON sets a key; one without further keys is the setting itself."""
    if not keys:
        return True
    try:
        held = json.loads(text)
    except ValueError:
        return keys == ["location"]  # CHARGEBACK_STORE
    return isinstance(held, dict) and keys[0] in held


def _words(fault: Fault, settings: type[BaseModel]) -> str:
    if fault["type"] == "extra_forbidden":
        allowed = ", ".join(map(str, _fields(_section(fault, settings))))
        return f"there is no such setting; allowed are {allowed}"
    if fault["type"] == "path_type":
        return "a path is written as text"
    words = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "no_source" and isinstance(fault["input"], dict):
        return f"{words}, not {{ {', '.join(fault['input'])} = … }}"
    return words


def _section(fault: Fault, settings: type[BaseModel]) -> type[BaseModel]:
    """What a key that is not known stands in: a source, a section, or the whole."""
    kinds = {name: kind for kind, name in KINDS.items()}
    for part in fault["loc"][:-1]:
        if isinstance(part, str) and part in kinds and _is_kind(part, fault):
            return kinds[part]
    model = settings
    for part in fault["loc"][:-1]:
        model = _model(_fields(model).get(part)) or model
    return model


def _fields(model: type[BaseModel]) -> dict[int | str, Any]:
    """The annotations of a section's settings, by the names that are written."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  (annotations have no type)
    """The section of an annotation such as `AthenaSettings | None` or `tuple[Rule, ...]`."""
    for kind in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
