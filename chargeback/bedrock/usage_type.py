"""What a usage type means: provider, model, token type, service tier, scope, tokens per unit.

Usage types are read by grammar, not from a list of models. All four grammars (runtime, mantle,
Marketplace older and newer; AWS Price List and Bedrock User Guide, "Understanding your CUR data")
are words in some order after a billing region:

    USE1-Claude4.6Sonnet-output-tokens-cross-region-global
    USE1-openai.gpt-5.6-terra-mantle-cache-write-tokens-30m-standard
    USE1-MP:USE1_CacheWrite1hInputTokenCount_Global-Units
    USE1-MP:USE1_input_tokens_long_ctx_standard-Units

The words before the first meter word are the model; the others say, in any order, what is metered.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from chargeback.bedrock import meter_words
from chargeback.bedrock.meter_words import Reading
from chargeback.bedrock.models import UNRECOGNISED, Model, model_from_product, model_from_text
from chargeback.bedrock.services import ON_DEMAND, Service, service_named_in, service_of
from chargeback.bedrock.token_units import is_unnamed, tokens_in_marketplace_unit, tokens_in_unit

NO_MODEL = "(no model)"
REGIONAL = "regional"
_AMAZON = "Amazon"
_MARKETPLACE = "AWS Marketplace"

_REGION = re.compile(
    r"\A(?:(?!GLM|GPT|GROK|KIMI|NOVA|QWEN|SDXL)[A-Z]{3,8}\d{1,2}|EU|CPT"
    r"|(?:af|ap|ca|cn|eu|eusc|il|me|mx|sa|us)(?:-gov|-iso[a-z]?|-de)?-[a-z]+-\d)[-_]",
    re.ASCII,
)
"""`USE1-`, `EU-`, `us-east-1-`: any letters and a number, as Regions come faster than lists."""

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])", re.ASCII)
_METERED_BY_UNIT: Mapping[str, str] = MappingProxyType(
    {
        "image": "image generation",
        "images": "image generation",
        "video": "video generation",
        "second": "video generation",
        "seconds": "video generation",
        "search units": "rerank",
    }
)
"""Token type where only the pricing unit tells what a known model made."""

_BARE = frozenset({"input", "output"})
"""Token types that say nothing unless something else says that tokens are counted."""


@dataclass(frozen=True, slots=True)
class Meter:
    """The meaning of one distinct meter of the bill.

    `provider`, `model` and `token_type` are `unrecognised` where they can't be known; lines other
    than usage that name no model have the model `(no model)`. `scope` is `regional`, `geographic`
    or `global`. `tokens_per_unit` is single tokens in one unit of `line_item_usage_amount`, None
    where the line does not count tokens. `note` is '' or a sentence for the user.
    """

    provider: str
    model: str
    token_type: str
    service_tier: str
    scope: str
    long_context: bool
    tokens_per_unit: Decimal | None
    note: str
    unit_size_unknown: bool = False
    """Tokens are counted, in units whose size neither their name nor their price tells."""

    @property
    def recognised(self) -> bool:
        """Whether it is known what is metered."""
        return self.token_type != UNRECOGNISED


@dataclass(frozen=True, slots=True)
class _Line:
    """The bill's own words for one meter."""

    usage_type: str
    product_code: str
    product_name: str
    billing_entity: str
    pricing_unit: str
    description: str
    operation: str
    line_item_type: str
    rate: Decimal | None

    @property
    def is_usage(self) -> bool:
        return not self.line_item_type.strip() or "usage" in self.line_item_type.lower()


def read_meter(  # noqa: PLR0913 -- one argument for each column of the bill that says something
    *,
    usage_type: str,
    product_code: str,
    product_name: str,
    billing_entity: str,
    pricing_unit: str,
    description: str = "",
    operation: str = "",
    line_item_type: str = "Usage",
    rate: Decimal | None = None,
) -> Meter:
    """Read one distinct meter of the bill. Any text is read; none raises.

    The usage type decides; description, operation and unit only fill what it leaves open. `rate`
    is the unblended cost of one unit of `line_item_usage_amount`, in dollars: it tells 1,000 from
    1,000,000 tokens on Marketplace lines that name no size. Lines that are not usage (taxes,
    credits, discounts) count no tokens: the usage they refer to has counted them.
    """
    line = _Line(
        usage_type=usage_type,
        product_code=product_code,
        product_name=product_name,
        billing_entity=billing_entity,
        pricing_unit=pricing_unit,
        description=description,
        operation=operation,
        line_item_type=line_item_type,
        rate=rate,
    )
    text, is_marketplace = _without_region(usage_type)
    service = None if is_marketplace else service_of(text, product_code)
    if service:
        return _service_meter(line, service)
    words = meter_words.split(text, at_capitals=is_marketplace)
    end = 0 if is_marketplace else meter_words.model_end(words)
    reading = meter_words.read(words[end:])
    start = words[end].start if end < len(words) else len(text)
    meter_text = "" if is_marketplace else text[start:]
    if not reading.token_type and (service := _service_named_elsewhere(line, meter_text)):
        return _service_meter(line, service)
    meter = _model_meter(line, text[:start], _completed(reading, line))
    return meter if meter.recognised or line.is_usage else _charge(line)


def _without_region(usage_type: str) -> tuple[str, bool]:
    """Drop the regions, Marketplace's `MP:` and `-Units`; say whether `MP:` was there."""
    text = _REGION.sub("", usage_type.strip())
    if not text.startswith("MP:"):
        return text, False
    return _REGION.sub("", text.removeprefix("MP:")).removesuffix("-Units"), True


def _completed(reading: Reading, line: _Line) -> Reading:
    """Fill what the usage type leaves open from the description's last part."""
    description = line.description.rpartition("|")[2]
    said = meter_words.read(meter_words.split(description, at_capitals=True))
    if not reading.token_type:
        return replace(said, unread=()) if line.is_usage and said.token_type else reading
    return replace(
        reading,
        tier=reading.tier or said.tier,
        scope=reading.scope or said.scope,
        long_context=reading.long_context or said.long_context,
    )


def _service_named_elsewhere(line: _Line, meter_text: str) -> Service | None:
    """Service that the words after a model (`mantle-web-search`), operation or unit name."""
    if not line.is_usage:
        return None
    texts = (meter_text, line.operation, line.pricing_unit)
    return next((found for text in texts if (found := service_named_in(text))), None)


def _charge(line: _Line) -> Meter:
    """A tax, credit, refund, discount or fee, named after its line type."""
    model = model_from_product(line.product_name)
    is_bedrock = "bedrock" in line.product_name.lower()
    if model is None or not (is_bedrock or model.provider != UNRECOGNISED):
        model = Model(_AMAZON, NO_MODEL)
    return Meter(
        provider=model.provider,
        model=model.name,
        token_type=_charge_name(line.line_item_type),
        service_tier=ON_DEMAND,
        scope=REGIONAL,
        long_context=False,
        tokens_per_unit=None,
        note="",
    )


def _charge_name(line_item_type: str) -> str:
    words = _CAPITAL.sub(" ", line_item_type.strip()).lower()
    return next((name for name in ("discount", "fee") if words.endswith(name)), words)


def _service_meter(line: _Line, service: Service) -> Meter:
    return Meter(
        provider=_AMAZON,
        model=service.name,
        token_type=service.token_type,
        service_tier=service.tier,
        scope=REGIONAL,
        long_context=False,
        tokens_per_unit=tokens_in_unit(line.pricing_unit) if line.is_usage else None,
        note="",
    )


def _model_meter(line: _Line, model_text: str, reading: Reading) -> Meter:
    model = _model_of(line, model_text.strip("-_:./ "), " ".join(reading.unread))
    token_type = _token_type(line, model, reading)
    tokens_per_unit, unit_note = _tokens_per_unit(line, token_type, reading)
    is_named = model_from_product(line.product_name) is not None
    is_unknown = token_type == model.provider == UNRECOGNISED and not is_named
    return Meter(
        provider=model.provider,
        model=UNRECOGNISED if is_unknown else model.name,
        token_type=token_type,
        service_tier=reading.tier or ON_DEMAND,
        scope=reading.scope or REGIONAL,
        long_context=reading.long_context,
        tokens_per_unit=tokens_per_unit,
        note=" ".join(note for note in (_unread_note(reading), unit_note) if note),
        unit_size_unknown=tokens_per_unit is None and unit_note != "" and reading.counts_tokens,
    )


def _model_of(line: _Line, text: str, unread: str) -> Model:
    """The usage type's own model, else the product's; on Marketplace the product's first."""
    product = model_from_product(line.product_name)
    if product and (not text or line.billing_entity == _MARKETPLACE):
        return product
    model = model_from_text(text or unread)
    if product and model.provider == UNRECOGNISED:
        return Model(product.provider, model.name)
    return model


def _token_type(line: _Line, model: Model, reading: Reading) -> str:
    if not reading.token_type:
        unit = line.pricing_unit.strip().lower()
        is_known = line.is_usage and model.provider != UNRECOGNISED
        return _METERED_BY_UNIT.get(unit, UNRECOGNISED) if is_known else UNRECOGNISED
    if reading.token_type in _BARE and not (reading.counts_tokens or _has_token_unit(line)):
        return UNRECOGNISED
    is_input = reading.modality and reading.token_type.endswith("input")
    if is_input and not reading.counts_tokens and "embed" in model.name.lower():
        return f"{reading.modality} embedding"
    return reading.token_type


def _has_token_unit(line: _Line) -> bool:
    return tokens_in_unit(line.pricing_unit) is not None


def _tokens_per_unit(line: _Line, token_type: str, reading: Reading) -> tuple[Decimal | None, str]:
    if not line.is_usage or reading.tier == "reserved":
        return None, ""
    size = tokens_in_unit(line.pricing_unit)
    if size is not None or not reading.counts_tokens:
        return size, ""
    if is_unnamed(line.pricing_unit):
        texts = f"{line.usage_type} {line.description}"
        return tokens_in_marketplace_unit(token_type, texts, line.rate)
    unit = line.pricing_unit.strip()
    return (
        None,
        f"The pricing unit '{unit}' names no tokens." if unit else "There is no pricing unit.",
    )


def _unread_note(reading: Reading) -> str:
    """Sentence for words of a token meter that are not known, such as a new service tier."""
    if not (reading.counts_tokens and reading.unread):
        return ""
    return f"Not read in the usage type: {', '.join(reading.unread)}."
