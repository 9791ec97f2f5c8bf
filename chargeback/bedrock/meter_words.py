"""The words of a usage type that say what is metered, in whatever order they come.

A usage type is split into words, phrases are folded into one word, and the words are looked up in
the tables below. What no table holds is the model's name, or is reported as not read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple


class Word(NamedTuple):
    """A word in lower case, where it starts in the text, and whether it was written so."""

    text: str
    start: int
    is_lower: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words after a model's name say; '' where they say nothing of it.

    `counts_tokens` says whether the words name tokens as what is counted; `unread` are words that
    no table holds.
    """

    token_type: str = ""
    modality: str = ""
    tier: str = ""
    scope: str = ""
    long_context: bool = False
    counts_tokens: bool = False
    unread: tuple[str, ...] = ()


_PART = re.compile(r"[^-_:|/,;()\s]+")
_CAMEL = re.compile(
    r"[TIV]2[IV](?![a-z])|\d+[mhH](?![A-Za-z])|\d+[mhH](?=[A-Z])|\d+"
    r"|[Cc]ache(?=reads?\b|writes?\b)|[A-Z]+(?![a-z])|[A-Z]?[a-z]+",
    re.ASCII,
)
_SPLIT_MARKS = frozenset(
    {"token", "tokens", "tpm", "throughput", "units", "unit", "created", "hours", "cache"}
    | {"optimized"}
)
"""A part of a runtime usage type is split at its capitals only if it holds one of these, as model
names must stay whole: `ModelUnits` is two words, `TitanImageGeneratorG1` is none of ours."""

_PHRASES: Mapping[tuple[str, ...], str] = MappingProxyType(
    {
        ("tokens", "per", "minute"): "tpm",
        ("latency", "optimized"): "latency-optimized",
        ("long", "context"): "long-context",
        ("long", "ctx"): "long-context",
        ("l", "ctx"): "long-context",
        ("lctx",): "long-context",
        ("longctx",): "long-context",
        ("cross", "region"): "cross-region",
        ("custom", "model"): "custom-model",
        ("custom", "t2i"): "custom-t2i",
        ("custom", "i2i"): "custom-i2i",
        ("reinforcement", "fine", "tuning"): "customization",
        ("fine", "tuning"): "customization",
        ("finetuning",): "customization",
        ("training",): "customization",
        ("model", "customization"): "customization",
        ("distillation", "training"): "customization",
        ("dpo", "training"): "customization",
        ("rft", "training"): "customization",
        ("sft", "training"): "customization",
        ("model", "units"): "model-units",
        ("model", "unit"): "model-units",
        ("modelunits",): "model-units",
        ("search", "units"): "search-units",
        ("search", "unit"): "search-units",
        ("searchunits",): "search-units",
        ("agent", "hours"): "agent-hours",
        ("5", "minute"): "5m",
        ("30", "minute"): "30m",
        ("1", "hour"): "1h",
    }
)
_LONGEST_PHRASE = 3

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "model-units": "model units",
        "provisioned": "model units",
        "throughput": "model units",
        "t2i": "image generation",
        "i2i": "image generation",
        "custom-t2i": "image generation",
        "custom-i2i": "image generation",
        "t2v": "video generation",
        "i2v": "video generation",
        "v2v": "video generation",
        "search-units": "rerank",
        "agent-hours": "agent hours",
    }
)
"""Meters that are told by one word. First found wins, as in the tables that follow."""

_TIERS: Mapping[str, str] = MappingProxyType(
    {
        "provisioned": "provisioned",
        "throughput": "provisioned",
        "model-units": "provisioned",
        "customization": "customization",
        "reserved": "reserved",
        "tpm": "reserved",
        "custom-model": "custom model",
        "custom-t2i": "custom model",
        "custom-i2i": "custom model",
        "custom": "custom model",
        "batch": "batch",
        "flex": "flex",
        "priority": "priority",
        "latency-optimized": "latency-optimized",
        "standard": "on-demand",
    }
)
_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "global": "global",
        "geo": "geographic",
        "geographic": "geographic",
        "regional": "regional",
        "cross-region": "geographic",
    }
)
_DIRECTIONS: Mapping[str, str] = MappingProxyType(
    {"output": "output", "response": "output", "input": "input", "prompt": "input"}
)
_MODALITIES: Mapping[str, str] = MappingProxyType(
    {
        "speech": "speech",
        "audio": "audio",
        "video": "video",
        "videos": "video",
        "image": "image",
        "images": "image",
        "text": "text",
    }
)
_CACHE_VERBS: Mapping[str, str] = MappingProxyType(
    {"read": "cache read", "reads": "cache read", "write": "cache write", "writes": "cache write"}
)
_GENERATED = frozenset({"image", "video"})
_QUANTITIES = frozenset(
    {"second", "seconds", "minute", "minutes", "hour", "hours", "page", "pages"}
    | {"request", "requests", "image", "images", "character", "characters"}
)
_TOKENS = frozenset({"token", "tokens"})
_FILLERS = frozenset(
    {"mantle", "count", "units", "unit", "usage", "million", "thousand", "understanding"}
    | {"month", "months", "commit", "no", "cache", "cached", "created", "storage"}
    | {"long-context", "document"}
)
_VOCABULARY = frozenset().union(
    _KINDS, _TIERS, _SCOPES, _DIRECTIONS, _MODALITIES, _CACHE_VERBS, _QUANTITIES, _TOKENS, _FILLERS
)
_DURATION = re.compile(r"\d+h|5m|\d{2,}m", re.ASCII)
"""`1h`, `30m`, but not `1m`: descriptions write a million so."""

_FRAME_RATE = re.compile(r"[a-z]+fps", re.ASCII)
"""`Medfps`: what follows is a video's quality, as in `Ray-V2-Medfps-HDRes`."""

_DEFAULT_CACHE_DURATION = "5m"

_BEGINS_METER = frozenset(
    {*_KINDS, "input", "output", "cached", "created", "customization", "reserved", "mantle"}
    | {"latency-optimized"}
)
_BEFORE_METER = frozenset(
    {*_MODALITIES, "understanding", "batch", "flex", "priority", "standard", "global", "geo"}
    | {"cross-region", "long-context", "custom-model"}
)
"""Words that belong to the meter when they stand just before it, in lower case: the model in
`Nova2.0Pro-text-input-tokens` is `Nova2.0Pro`, but `Text` in `TitanEmbeddingV2-Text` is a name."""


def split(text: str, *, at_capitals: bool) -> list[Word]:
    """Split a usage type into words, phrases folded into one.

    Args:
        text: a usage type without region, or a description.
        at_capitals: split every part at its capitals (`InputTokenCount`), not only those that
            hold a meter word. True for Marketplace usage types, which hold no model's name.
    """
    return _folded(list(_words(text, at_capitals=at_capitals)))


def model_end(words: Sequence[Word]) -> int:
    """Index of the first word that is no longer the model's name."""
    mantle = next((i for i, word in enumerate(words) if word.text == "mantle" and i), None)
    if mantle is not None:
        return mantle
    end = next((i for i in range(len(words)) if _begins_meter(words, i)), len(words))
    while end and words[end - 1].text in _BEFORE_METER and words[end - 1].is_lower:
        end -= 1
    return end


def read(words: Sequence[Word]) -> Reading:
    """Read the words of a meter; their order does not matter."""
    said = frozenset(word.text for word in words)
    modality = _first(_MODALITIES, said)
    direction = _direction(said)
    is_kind = "tpm" in said or bool(_kind(said))
    counts_tokens = bool(direction and said & _TOKENS) and not is_kind
    return Reading(
        token_type=_kind(said) or _token_type(said, direction, modality, counts_tokens),
        modality=modality,
        tier=_first(_TIERS, said),
        scope=_first(_SCOPES, said),
        long_context="long-context" in said,
        counts_tokens=counts_tokens,
        unread=tuple(word.text for word in words if not _is_known(word.text)),
    )


def _words(text: str, *, at_capitals: bool) -> Iterator[Word]:
    for part in _PART.finditer(text):
        pieces = list(_CAMEL.finditer(part[0]))
        if at_capitals or any(piece[0].lower() in _SPLIT_MARKS for piece in pieces):
            for piece in pieces:
                yield Word(piece[0].lower(), part.start() + piece.start(), piece[0].islower())
        else:
            yield Word(part[0].lower(), part.start(), part[0].islower())


def _folded(words: Sequence[Word]) -> list[Word]:
    folded: list[Word] = []
    position = 0
    while position < len(words):
        length, word = _phrase_at(words, position)
        folded.append(word)
        position += length
    return folded


def _phrase_at(words: Sequence[Word], position: int) -> tuple[int, Word]:
    for length in range(_LONGEST_PHRASE, 0, -1):
        phrase = tuple(word.text for word in words[position : position + length])
        if len(phrase) == length and (folded := _PHRASES.get(phrase)):
            return length, words[position]._replace(text=folded)
    return 1, words[position]


def _begins_meter(words: Sequence[Word], position: int) -> bool:
    text = words[position].text
    if text == "cache" and position + 1 < len(words):
        return words[position + 1].text in _CACHE_VERBS
    return text in _BEGINS_METER or _FRAME_RATE.fullmatch(text) is not None


def _first(table: Mapping[str, str], said: frozenset[str]) -> str:
    return next((meaning for word, meaning in table.items() if word in said), "")


def _direction(said: frozenset[str]) -> str:
    if "cache" in said and (verb := _first(_CACHE_VERBS, said)):
        return f"{verb} {_duration(said)}".strip() if verb == "cache write" else verb
    return "cache read" if "cached" in said else _first(_DIRECTIONS, said)


def _duration(said: frozenset[str]) -> str:
    durations = sorted(word for word in said if _DURATION.fullmatch(word))
    return next((word for word in durations if word != _DEFAULT_CACHE_DURATION), "")


def _kind(said: frozenset[str]) -> str:
    if "customization" in said:
        return "customization storage" if "storage" in said else "customization training"
    if "created" in said:
        return "video generation" if "video" in said else "image generation"
    if any(_FRAME_RATE.fullmatch(word) for word in said):
        return "video generation"
    return _first(_KINDS, said)


def _token_type(said: frozenset[str], direction: str, modality: str, counts_tokens: bool) -> str:
    if "tpm" in said:
        return " ".join(f"reserved {direction} tokens per minute".split())
    if not direction or direction.startswith("cache"):
        return direction
    if direction == "output" and not counts_tokens:
        generated = modality or ("video" if said & {"second", "seconds"} else "")
        return f"{generated} generation" if generated in _GENERATED else direction
    is_plain = not modality or (modality == "text" and counts_tokens)
    return direction if is_plain else f"{modality} {direction}"


def _is_known(word: str) -> bool:
    return word in _VOCABULARY or word.isdigit() or _DURATION.fullmatch(word) is not None
