"""Names of models: who provides one and how it is displayed.

Read from the words of a usage type (`Claude4.6Sonnet`, `openai.gpt-5.6-terra`) or of a Marketplace
product (`Claude Haiku 4.5 (Amazon Bedrock Edition)`). Providers are known by a prefix or by the
first word, so that a new model of a known family, and an unheard-of `provider.model`, read well.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True)
class Model:
    """A model's provider (`unrecognised` if it can't be known) and display name."""

    provider: str
    name: str


_PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "ai21": "AI21 Labs",
        "amazon": "Amazon",
        "anthropic": "Anthropic",
        "cohere": "Cohere",
        "deepseek": "DeepSeek",
        "google": "Google",
        "luma": "Luma AI",
        "meta": "Meta",
        "minimax": "MiniMax",
        "mistral": "Mistral AI",
        "moonshot": "Moonshot AI",
        "moonshotai": "Moonshot AI",
        "nvidia": "NVIDIA",
        "openai": "OpenAI",
        "poolside": "Poolside",
        "qwen": "Qwen",
        "stability": "Stability AI",
        "twelvelabs": "TwelveLabs",
        "writer": "Writer",
        "xai": "xAI",
        "zai": "Z.ai",
    }
)
"""Provider by the prefix of a model ID (`zai.glm5`) or the brand before a model's name."""

_FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        family: provider
        for provider, families in {
            "AI21 Labs": "jamba jurassic j2",
            "Amazon": "nova titan",
            "Anthropic": "claude",
            "Cohere": "command embed rerank",
            "DeepSeek": "deepseek r1",
            "Google": "gemma gemini",
            "Luma AI": "ray",
            "Meta": "llama codellama",
            "MiniMax": "minimax",
            "Mistral AI": "mistral mixtral ministral magistral pixtral voxtral devstral codestral",
            "Moonshot AI": "kimi",
            "NVIDIA": "nemotron",
            "OpenAI": "gpt",
            "Poolside": "laguna malibu",
            "Qwen": "qwen",
            "Stability AI": "stable sdxl sd3",
            "TwelveLabs": "pegasus marengo",
            "Writer": "palmyra",
            "Z.ai": "glm",
            "xAI": "grok",
        }.items()
        for family in families.split()
    }
)
"""Provider by the first word of a model's name."""

_FAMILY_ENDINGS: Mapping[str, str] = MappingProxyType(
    {"gemma": "Google", "llama": "Meta", "stral": "Mistral AI"}
)
"""Provider by how the first word ends, for offshoots of a family: Medgemma, Leanstral."""

_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "ai": "AI",
        "codellama": "Code Llama",
        "deepseek": "DeepSeek",
        "glm": "GLM",
        "gpt": "GPT",
        "it": "IT",
        "minimax": "MiniMax",
        "multimodal": "Multimodal",
        "oss": "OSS",
        "sdxl": "SDXL",
        "vl": "VL",
    }
)
_VERSION_JOINS: Mapping[str, str] = MappingProxyType({"gpt": "-", "qwen": ""})
"""What stands between a family and its version, where it is not a space: GPT-6, Qwen3."""

_CAPITAL_V = frozenset({"deepseek", "titan"})
"""Families that write V2; the others write v2. One spelling, as usage types have both."""

_WORD = re.compile(
    r"""
      \d+x\d+[bB]?                                      # 8x7B
    | [A-Za-z]{1,2}(?:\.\d+)+(?![A-Za-z0-9])            # M.1, XS.2
    | [A-Za-z]{1,2}\d+(?:\.\d+)*[A-Za-z]?(?![a-z0-9])   # V2, K2.5, A22B, R1
    | \d+(?:\.\d+)*[bBeEkKmMtT](?![A-Za-z])             # 70B, 128E
    | \d+(?:\.\d+)*
    | [A-Z]?[a-z]+?(?=v\d|[^a-z]|$)                     # Sonnet, also before v2
    | [A-Z]+(?![a-z])
    """,
    re.VERBOSE | re.ASCII,
)
_MODEL_ID = re.compile(r"(?=[\d-]*[A-Za-z])([A-Za-z0-9-]+)\.([A-Za-z].*)", re.DOTALL)
_MODEL_ID_VERSION = re.compile(r"-\d{8}(?=-|$)|-20\d\d-\d\d-\d\d(?=-|$)|-v1:\d+$|:\d+$", re.ASCII)
_EDITION = re.compile(
    r"\s*(?:[(–-]\s*(?:Amazon )?Bedrock(?: Edition)?\)?|on Amazon Bedrock)$", re.IGNORECASE
)
_BRAND = re.compile(
    r"(AI21 Labs|AI21|Amazon|Anthropic|Cohere|Google|Luma AI|Luma|Meta|Mistral AI|Moonshot AI"
    r"|NVIDIA|OpenAI|Poolside|Stability AI|Stability|Twelve ?Labs|Writer|xAI|Z\.? ?ai)\s+(?=\S)",
    re.IGNORECASE,
)
_REPEATED = re.compile(r"([A-Za-z]{3,})\s+(?=\1)", re.IGNORECASE)
"""The brand in `Qwen Qwen4 Max`, which the name begins with anyway."""

_VERSION = re.compile(r"\d{1,2}(?:\.\d+)*", re.ASCII)
_LONGEST_MAJOR = 2
_CLAUDE_VERSION_FIRST = 3
_CLAUDE_VERSION_LAST = 4


def model_from_text(text: str) -> Model:
    """Read the model part of a usage type: `Claude4.6Sonnet`, `zai.glm5`, `AmazonRerank-v1`.

    Words that are not known stay in the name. Empty text is an unrecognised model.
    """
    text = _MODEL_ID_VERSION.sub("", text.strip())
    if prefixed := _MODEL_ID.fullmatch(text):
        return _model_of_provider(prefixed[1], prefixed[2])
    words = _words(text)
    brand = words[0].lower() if words else ""
    if len(words) > 1 and brand in _PROVIDERS and brand not in _FAMILIES:
        return Model(_PROVIDERS[brand], _name(words[1:]))
    return Model(_provider_of(words), _name(words) or text or UNRECOGNISED)


def model_from_product(product_name: str) -> Model | None:
    """Read a product's name; None where it names a service (`Amazon Bedrock`) or nothing."""
    text = _EDITION.sub("", product_name.strip()).strip()
    if repeated := _REPEATED.match(text):
        text = text[repeated.end() :]
    if not text or text.lower().startswith(("amazon bedrock", "amazonbedrock", "aws ")):
        return None
    brand = _BRAND.match(text)
    if brand is None:
        return Model(_provider_of(_words(text)), text)
    word = _words(brand[1])[0].lower()
    return Model(_PROVIDERS.get(word, UNRECOGNISED), text[brand.end() :])


def _model_of_provider(prefix: str, text: str) -> Model:
    words = _words(text)
    first = words[0].lower() if words else ""
    has_own_family = _provider_of(words) != UNRECOGNISED and first.isalpha()
    if words and prefix.lower() in _FAMILIES and not has_own_family:
        words = [prefix, *words]  # deepseek.v3.1, deepseek.r1, mistral.saba
    provider = _PROVIDERS.get(prefix.lower()) or _unheard_of(prefix)
    return Model(provider, _name(words) or text)


def _unheard_of(prefix: str) -> str:
    """A provider that no table holds: NewLab stays, arcee-ai becomes Arcee AI."""
    return " ".join(
        _SPELLINGS.get(part.lower()) or part[0].upper() + part[1:]
        for part in prefix.split("-")
        if part
    )


def _provider_of(words: Sequence[str]) -> str:
    first = words[0].lower() if words else ""
    if provider := _FAMILIES.get(first) or _PROVIDERS.get(first):
        return provider
    endings = (name for end, name in _FAMILY_ENDINGS.items() if first.endswith(end))
    return next(endings, UNRECOGNISED)


def _words(text: str) -> list[str]:
    words: list[str] = []
    for word in _WORD.findall(text):
        if words and _is_one_word(words[-1] + word):
            words[-1] += word
        elif words and _is_minor_version(words[-1], word):
            words[-1] += f".{word}"
        else:
            words.append(word)
    return words


def _is_one_word(joined: str) -> bool:
    known = joined.lower()
    return known in _SPELLINGS or known in _PROVIDERS or known in _FAMILIES


def _is_minor_version(before: str, word: str) -> bool:
    """Llama3-1-70B is Llama 3.1, claude-opus-4-8 is 4.8, embed-v3-0 is v3.0."""
    major = before.lower().removeprefix("v")
    is_major = len(major) <= _LONGEST_MAJOR and major.isdigit()
    return is_major and len(word) == 1 and word.isdigit()


def _name(words: Sequence[str]) -> str:
    lowered = [word.lower() for word in words]
    if lowered[:2] == ["gpt", "oss"]:
        return "-".join(lowered)
    if lowered[:1] == ["claude"]:
        words = _claude_order(words)
    letter = "V" if lowered[:1] and lowered[0] in _CAPITAL_V else "v"
    spelled = [_spelled(word, letter) for word in words]
    join = _VERSION_JOINS.get(lowered[0], " ") if lowered else " "
    if join != " " and len(spelled) > 1 and spelled[1][0].isdigit():
        spelled[:2] = [join.join(spelled[:2])]
    return " ".join(spelled)


def _claude_order(words: Sequence[str]) -> Sequence[str]:
    """Claude 3.5 Sonnet, but Claude Sonnet 4.6: the order changed with generation 4."""
    versions = [word for word in words if _VERSION.fullmatch(word)]
    if len(versions) != 1:
        return words
    others = [word for word in words[1:] if word != versions[0]]
    major = int(versions[0].partition(".")[0])
    if major >= _CLAUDE_VERSION_LAST:
        return [words[0], *others, *versions]
    return [words[0], *versions, *others] if major == _CLAUDE_VERSION_FIRST else words


def _spelled(word: str, version_letter: str) -> str:
    if spelling := _SPELLINGS.get(word.lower()):
        return spelling
    if word[0].isdigit():
        return word[:-1] + word[-1].upper()
    if any(letter.isdigit() for letter in word):
        is_version = word[0] in "vV" and word[1].isdigit()
        return version_letter + word[1:] if is_version else word.upper()
    return word[0].upper() + word[1:]
