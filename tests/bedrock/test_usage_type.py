"""Readings of usage types: the reference file, further real strings, units, charges, properties.

Strings outside the reference file are from the AWS Price List (service codes AmazonBedrock,
AmazonBedrockFoundationModels, AmazonBedrockService, AmazonBedrockAgentCore).
"""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.bedrock.usage_type import NO_MODEL, Meter, read_meter

REFERENCE = Path(__file__).with_name("usage-types.csv")
with REFERENCE.open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file))


A_MILLIONS_PRICE = Decimal(3)
"""Dollars for a unit that names no size: too much for a thousand tokens of any kind."""


def first_party(
    usage_type: str,
    unit: str = "1K tokens",
    *,
    product_name: str = "Amazon Bedrock",
    operation: str = "",
    line_item_type: str = "Usage",
) -> Meter:
    return read_meter(
        usage_type=usage_type,
        product_code="AmazonBedrock",
        product_name=product_name,
        billing_entity="AWS",
        pricing_unit=unit,
        operation=operation,
        line_item_type=line_item_type,
    )


def marketplace(
    meter: str, model: str, description: str = "", rate: Decimal | None = A_MILLIONS_PRICE
) -> Meter:
    return read_meter(
        usage_type=f"USW2-MP:USW2_{meter}-Units",
        product_code="4k7x1qzv0n9c3h8m2b5w6y1rd",
        product_name=f"{model} (Amazon Bedrock Edition)",
        billing_entity="AWS Marketplace",
        pricing_unit="Units",
        description=description,
        operation="Usage",
        rate=rate,
    )


def said(meter: Meter) -> str:
    words = [meter.token_type, meter.service_tier, meter.scope, *["long"] * meter.long_context]
    return ", ".join(words)


def squeezed(name: str) -> str:
    return name.replace(" ", "").lower()


@pytest.mark.parametrize("row", ROWS, ids=[row["usage_type"] for row in ROWS])
def test_every_row_of_the_reference_file(row: dict[str, str]) -> None:
    meter = read_meter(
        usage_type=row["usage_type"],
        product_code=row["product_code"],
        product_name=row["product_name"],
        billing_entity=row["billing_entity"],
        pricing_unit=row["pricing_unit"],
        rate=A_MILLIONS_PRICE if row["pricing_unit"] == "Units" else None,
    )
    assert meter.provider == row["provider"]
    assert squeezed(meter.model) == squeezed(row["model"])
    assert meter.token_type == row["token_type"]
    assert meter.service_tier == row["service_tier"]
    assert meter.scope == row["scope"]
    assert meter.long_context == (row["long_context"] == "yes")
    assert meter.tokens_per_unit == (
        Decimal(row["tokens_per_unit"]) if row["tokens_per_unit"] else None
    )
    assert meter.recognised


@pytest.mark.parametrize(
    ("usage_type", "expected"),
    [
        ("NovaPro-input-tokens-cross-region-geo", "input, on-demand, geographic"),
        ("Claude4Sonnet-long-context-input-tokens", "input, on-demand, regional, long"),
        ("Claude3.7Sonnet-cache-write-1h-input-token-count", "cache write 1h, on-demand, regional"),
        (
            "NovaPremier-cache-write-input-token-count-custom-model",
            "cache write, custom model, regional",
        ),
        ("NovaSonic-text-input-tokens", "input, on-demand, regional"),
        ("NovaSonic2.0-speech-output-tokens", "speech output, on-demand, regional"),
        ("NovaSonic-speech-understanding-input-token", "speech input, on-demand, regional"),
        ("Nova2.0Omni-input-audio-token-count", "audio input, on-demand, regional"),
        ("Nova2.0Omni-output-image-token-count", "image output, on-demand, regional"),
        (
            "Nova2.0Pro-input-video-token-count-flex-cross-region-global",
            "video input, flex, global",
        ),
        (
            "openai.gpt-5.6-luna-mantle-cache-write-tokens-5m-long-ctx-flex",
            "cache write, flex, regional, long",
        ),
        (
            "anthropic.claude-opus-5-mantle-cache-read-tokens-global-standard",
            "cache read, on-demand, global",
        ),
        ("moonshotai.kimi-k2.5-output", "output, on-demand, regional"),
        ("TitanEmbeddingV2-Text-input-tokens-batch", "input, batch, regional"),
    ],
)
def test_token_meters(usage_type: str, expected: str) -> None:
    meter = first_party(f"USE1-{usage_type}")
    assert said(meter) == expected
    assert (meter.tokens_per_unit, meter.note) == (Decimal(1000), "")


@pytest.mark.parametrize(
    ("meter_text", "expected"),
    [
        ("InputTokenCount_LCtx_Global_Batch", "input, batch, global, long"),
        ("OutputTokenCount_Geo", "output, on-demand, geographic"),
        ("CacheWrite5mInputTokenCount_Global", "cache write, on-demand, global"),
        ("CacheWrite1hInputTokenCount_LCtx", "cache write 1h, on-demand, regional, long"),
        ("MillionBatchInputTokens", "input, batch, regional"),
        ("cached_input_tokens_batch", "cache read, batch, regional"),
        ("cache_writes_tokens_long_ctx_standard", "cache write, on-demand, regional, long"),
        ("input_tokens_priority", "input, priority, regional"),
    ],
)
def test_marketplace_token_meters(meter_text: str, expected: str) -> None:
    meter = marketplace(meter_text, "Claude Sonnet 4.6")
    assert said(meter) == expected
    assert meter.tokens_per_unit == Decimal(1_000_000)


@pytest.mark.parametrize(
    ("usage_type", "unit", "expected"),
    [
        (
            "TitanEmbeddingsG1-Image-input-image",
            "Images Processed",
            "Titan Embeddings G1 Image, image embedding, on-demand",
        ),
        (
            "NovaMultiModalEmbeddings-input-audio-second",
            "1K seconds",
            "Nova Multimodal Embeddings, audio embedding, on-demand",
        ),
        ("AmazonRerank-v1-searchunits", "Search Units", "Rerank v1, rerank, on-demand"),
        ("NovaReel-T2V-Medfps-HDRes", "video", "Nova Reel, video generation, on-demand"),
        (
            "TitanImageGeneratorG1-T2I-512-Standard",
            "image",
            "Titan Image Generator G1, image generation, on-demand",
        ),
        (
            "NovaCanvas-Custom-T2I-1024-Standard",
            "image",
            "Nova Canvas, image generation, custom model",
        ),
        (
            "anthropic.claude-opus-5-5-reserved-1-month-input-tokens-per-minute",
            "1K TPM Hour",
            "Claude Opus 5.5, reserved input tokens per minute, reserved",
        ),
        (
            "CustomModelUnit-v1.0-Inference",
            "custom model unit per min",
            "Custom Model Import, custom model import, custom model",
        ),
        (
            "Guardrail-AutomatedReasoningPolicyUnitsConsumed",
            "TextUnit",
            "Guardrails, guardrail, on-demand",
        ),
        ("DataAutomation-Pages", "Pages", "Data Automation, data automation, on-demand"),
        ("KnowledgeBase-Storage-Hours", "hour", "Knowledge Bases, knowledge base, on-demand"),
        ("Flows-NodeTransitions", "Requests", "Flows, flows, on-demand"),
        ("Titan-Customization-Storage", "month", "Titan, customization storage, customization"),
        (
            "PromptRouter-Requests",
            "Requests",
            "Intelligent Prompt Routing, intelligent prompt routing, on-demand",
        ),
        ("ModelEvaluation-HumanTask", "Task", "Model Evaluation, model evaluation, on-demand"),
        ("Bedrock-Websearch-Queries", "Queries", "Web Search, web search, on-demand"),
        (
            "Runtime:Consumption-based:vCPU",
            "vCPU-Hours",
            "AgentCore Runtime, agentcore runtime, on-demand",
        ),
        (
            "Consumption-based:Runtime:vCPU-Hours",
            "vCPU-Hours",
            "AgentCore Runtime, agentcore runtime, on-demand",
        ),
        (
            "Memory:Consumption-based:Short-Term-Memory",
            "Events",
            "AgentCore Memory, agentcore memory, on-demand",
        ),
        (
            "CodeInterpreter:Consumption-based:vCPU",
            "vCPU-Hours",
            "AgentCore Code Interpreter, agentcore code interpreter, on-demand",
        ),
        (
            "Bedrock-Agent-Core:Auth-Request:Oauth2",
            "Requests",
            "AgentCore Identity, agentcore identity, on-demand",
        ),
        (
            "Knowledge-Base:Consumption-based:Retrieval",
            "Queries",
            "Knowledge Bases, knowledge base, on-demand",
        ),
        ("DataTransfer-Out-Bytes", "GB", "Data Transfer, data transfer, on-demand"),
    ],
)
def test_meters_that_count_no_tokens(usage_type: str, unit: str, expected: str) -> None:
    meter = first_party(f"USE1-{usage_type}", unit)
    assert f"{meter.model}, {meter.token_type}, {meter.service_tier}" == expected
    assert (meter.tokens_per_unit, meter.note) == (None, "")


@pytest.mark.parametrize(
    ("meter_text", "model", "token_type"),
    [
        ("Reserved_3Month_OutputTPM_Geo", "Claude Haiku 4.5", "reserved output tokens per minute"),
        ("ProvisionedThroughput_NoCommit_ModelUnits_Usage", "Claude 3 Opus", "model units"),
        ("InputImageCount", "Cohere Embed 4 Model", "image embedding"),
        ("inputVideoSecond_Global", "TwelveLabs Pegasus 1.2", "video input"),
        ("inputTextRequest", "TwelveLabs Marengo Embed 2.7", "text embedding"),
        ("CreatedImage", "Stable Image Ultra v1.1", "image generation"),
        ("created_image_stable_image_core", "Stable Image Core", "image generation"),
        ("search_units", "Cohere Rerank v3.5", "rerank"),
    ],
)
def test_marketplace_meters_that_count_no_tokens(
    meter_text: str, model: str, token_type: str
) -> None:
    meter = marketplace(meter_text, model)
    assert (meter.token_type, meter.tokens_per_unit, meter.note) == (token_type, None, "")


def test_description_fills_only_what_the_usage_type_leaves_open() -> None:
    words = "us-east-1|Million 1 hour Cache Write Input Tokens - Batch, Global"
    unnamed = marketplace("NewMeter", "Claude Sonnet 4.6", words)
    named = marketplace("output_tokens_global_priority", "Claude Sonnet 4.6", words)
    assert (unnamed.token_type, unnamed.service_tier) == ("cache write 1h", "batch")
    assert unnamed.scope == "global"
    assert (named.token_type, named.service_tier) == ("output", "priority")


def test_operation_names_a_service_that_the_usage_type_does_not() -> None:
    meter = first_party("USE1-Whatever", "1K text units", operation="ApplyGuardrail")
    assert (meter.model, meter.token_type) == ("Guardrails", "guardrail")


def test_unread_words_of_a_token_meter_are_reported() -> None:
    meter = first_party("USE1-acme.foo-mantle-input-tokens-turbo")
    assert (meter.token_type, meter.tokens_per_unit) == ("input", Decimal(1000))
    assert meter.note == "Not read in the usage type: turbo."


@pytest.mark.parametrize(
    ("line_item_type", "token_type"),
    [
        ("Tax", "tax"), ("Fee", "fee"), ("RIFee", "fee"), ("SavingsPlanRecurringFee", "fee"),
        ("Credit", "credit"), ("Refund", "refund"), ("Discount", "discount"),
        ("EdpDiscount", "discount"), ("PrivateRateDiscount", "discount"),
        ("BundledDiscount", "discount"), ("SavingsPlanNegation", "savings plan negation"),
    ],
)  # fmt: skip
def test_charges_without_a_usage_type(line_item_type: str, token_type: str) -> None:
    meter = first_party("", "", line_item_type=line_item_type)
    sold = first_party(
        "",
        "",
        line_item_type=line_item_type,
        product_name="Claude Opus 5.5 (Amazon Bedrock Edition)",
    )
    assert (meter.provider, meter.model, meter.token_type) == ("Amazon", NO_MODEL, token_type)
    assert (sold.provider, sold.model) == ("Anthropic", "Claude Opus 5.5")
    assert meter.recognised
    assert meter.tokens_per_unit is None


def test_charges_with_a_usage_type_keep_its_meaning_but_count_no_tokens() -> None:
    usage = first_party("USE1-NovaPro-output-tokens-flex")
    credit = first_party("USE1-NovaPro-output-tokens-flex", line_item_type="Credit")
    assert (credit.model, credit.token_type, credit.service_tier) == ("Nova Pro", "output", "flex")
    assert usage.tokens_per_unit == Decimal(1000)
    assert credit.tokens_per_unit is None


@pytest.mark.parametrize("usage_type", ["NoUsageType", "USE1-Input-Forms", "USE1-NovaPro-Widgets"])
def test_charges_whose_usage_type_says_nothing(usage_type: str) -> None:
    meter = first_party(usage_type, "image", line_item_type="Tax")
    assert (meter.model, meter.token_type, meter.recognised) == (NO_MODEL, "tax", True)


@pytest.mark.parametrize(
    "usage_type",
    ["", "USE1-", "-", "asdf", "USE1-NewThing-Widgets", "💥_💥", "USE1-Input-Forms", "\0", "MP:"],
)
def test_metered_use_that_cannot_be_read_is_unrecognised(usage_type: str) -> None:
    meter = first_party(usage_type, "Widgets")
    assert not meter.recognised
    assert (meter.token_type, meter.model) == ("unrecognised", "unrecognised")
    assert meter.tokens_per_unit is None


REGIONS = st.sampled_from(
    [
        *("USE1-", "USE2-", "USW2-", "UGW1-", "UGE1-", "CAN1-", "MXC1-", "SAE1-", "us-east-1-"),
        *("EU-", "EUW1-", "EUC1-", "EUN1-", "EUS1-", "ILC1-", "MES1-", "CPT-"),
        *("APN1-", "APN3-", "APS1-", "APS8-"),
    ]
)
SUFFIXES = st.lists(
    st.sampled_from(["batch", "cross-region-global", "long-context", "custom-model"]), unique=True
)
BRIEF = settings(max_examples=150, deadline=None)


@BRIEF
@given(st.data())
def test_no_text_raises_and_readings_are_the_same_every_time(data: st.DataObject) -> None:
    words = ["USE1-", "MP:", "_", "-mantle-", "input", "tokens", "Claude4", "Cache", "Write1h", "."]
    text = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(words)).map("".join))
    texts = data.draw(st.lists(text, min_size=8, max_size=8))
    rate = data.draw(st.none() | st.decimals())
    first, second = (
        read_meter(
            usage_type=texts[0],
            product_code=texts[1],
            product_name=texts[2],
            billing_entity=texts[3],
            pricing_unit=texts[4],
            description=texts[5],
            operation=texts[6],
            line_item_type=texts[7],
            rate=rate,
        )
        for _ in range(2)
    )
    assert first == second
    assert first.provider
    assert first.model
    assert first.token_type
    assert first.scope in {"regional", "geographic", "global"}


@BRIEF
@given(SUFFIXES.flatmap(lambda chosen: st.tuples(st.just(chosen), st.permutations(chosen))))
def test_order_of_suffixes_does_not_matter(suffixes: tuple[list[str], list[str]]) -> None:
    readings = {first_party("-".join(["USE1-Nova2.0Lite-input-tokens", *s])) for s in suffixes}
    assert len(readings) == 1


@BRIEF
@given(REGIONS, st.sampled_from([row for row in ROWS if row["billing_entity"] == "AWS"]))
def test_region_does_not_matter(region: str, row: dict[str, str]) -> None:
    body = row["usage_type"].split("-", maxsplit=1)[1]
    unit = row["pricing_unit"]
    assert first_party(region + body, unit) == first_party(body, unit)


@BRIEF
@given(REGIONS)
def test_region_after_mp_may_be_missing(region: str) -> None:
    body = "CacheReadInputTokenCount_Global-Units"
    bare = first_party(f"MP:{body}", "Units")
    under = region.replace("-", "_") if region.isupper() else ""
    assert first_party(f"{region}MP:{body}", "Units") == bare
    assert first_party(f"{region}MP:{under}{body}", "Units") == bare
    assert (bare.token_type, bare.scope) == ("cache read", "global")


@BRIEF
@given(
    st.from_regex(r"[A-Z][a-z]{2,8}[0-9]{0,2}(-[A-Z][a-z]{2,8}){0,2}", fullmatch=True),
    st.from_regex(r"[a-z]{3,9}", fullmatch=True),
)
def test_unheard_of_models_keep_token_type_tier_and_scope(name: str, provider: str) -> None:
    runtime = first_party(f"USE1-{name}-output-tokens-batch-cross-region-global")
    mantle = first_party(f"USE1-{provider}.{name}-mantle-output-tokens-global-batch")
    for meter in (runtime, mantle):
        assert (meter.token_type, meter.service_tier, meter.scope) == ("output", "batch", "global")
        assert meter.tokens_per_unit == Decimal(1000)
    assert mantle.provider != "unrecognised"
