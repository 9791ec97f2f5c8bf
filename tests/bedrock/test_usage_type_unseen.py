"""Readings of usage types that the reference file does not hold, by where each is from.

Price list: AWS Price List, offers AmazonBedrock, AmazonBedrockFoundationModels,
AmazonBedrockService and AmazonBedrockAgentCore of 2026, as public repositories quote them.
Bill: Cost Explorer and CUR lines that the same quote, or the Bedrock User Guide shows.
Composed: by the grammar, of models and combinations that have not been seen.
"""

from decimal import Decimal

import pytest

from chargeback.bedrock.usage_type import Meter, read_meter

TOKENS = "1K tokens"


def first_party(usage_type: str, unit: str = TOKENS) -> Meter:
    return read_meter(
        usage_type=usage_type,
        product_code="AmazonBedrock",
        product_name="Amazon Bedrock",
        billing_entity="AWS",
        pricing_unit=unit,
    )


def marketplace(usage_type: str, model: str) -> Meter:
    return read_meter(
        usage_type=usage_type,
        product_code="4k7x1qzv0n9c3h8m2b5w6y1rd",
        product_name=f"{model} (Amazon Bedrock Edition)",
        billing_entity="AWS Marketplace",
        pricing_unit="Units",
        rate=Decimal(3),
    )


def said(meter: Meter) -> str:
    words = (meter.provider, meter.model, meter.token_type, meter.service_tier, meter.scope)
    return ", ".join([*words, *["long"] * meter.long_context])


@pytest.mark.parametrize(
    ("usage_type", "expected"),
    [
        (
            "USE1-Llama3-1-70B-LatencyOptimized-input-tokens",
            "Meta, Llama 3.1 70B, input, latency-optimized, regional",
        ),
        (
            "USE1-Claude4Sonnet-cache-write-input-token-count-1-hour",
            "Anthropic, Claude Sonnet 4, cache write 1h, on-demand, regional",
        ),
        (
            "USE1-Claude4Sonnet-input-tokens-cross-region-global-batch",
            "Anthropic, Claude Sonnet 4, input, batch, global",
        ),
        (
            "APN1-Nemotron-Nano-12B-V2-VL-BF16-input-tokens",
            "NVIDIA, Nemotron Nano 12B v2 VL BF16, input, on-demand, regional",
        ),
        (
            "UGW1-openai.gpt-5.6-terra-mantle-cache-write-tokens-30m-long-ctx-standard",
            "OpenAI, GPT-5.6 Terra, cache write 30m, on-demand, regional, long",
        ),
        (
            "USW2-mistral.mistral-large-3-675b-instruct-mantle-input-tokens-priority",
            "Mistral AI, Mistral Large 3 675B Instruct, input, priority, regional",
        ),
        (
            "EU-qwen.qwen3-coder-480b-a35b-instruct-mantle-input-tokens-flex",
            "Qwen, Qwen3 Coder 480B A35B Instruct, input, flex, regional",
        ),
        (
            "USW2-moonshotai.kimi-k3-mantle-input-tokens-global-flex",
            "Moonshot AI, Kimi K3, input, flex, global",
        ),
        (
            "USE1-Nova2.0Omni-input-image-token-count-batch",
            "Amazon, Nova 2.0 Omni, image input, batch, regional",
        ),
        (
            "USE1-NovaSonic2.5-text-input-tokens",
            "Amazon, Nova Sonic 2.5, input, on-demand, regional",
        ),
    ],
)
def test_tokens_in_the_price_list(usage_type: str, expected: str) -> None:
    meter = first_party(usage_type)
    assert said(meter) == expected
    assert (meter.tokens_per_unit, meter.note) == (Decimal(1000), "")


@pytest.mark.parametrize(
    ("usage_type", "unit", "expected"),
    [
        (
            "USW2-Ray-V2-Medfps-HDRes",
            "Second",
            "Luma AI, Ray v2, video generation, on-demand, regional",
        ),
        (
            "USE1-Nova2.0Lite-RFT-Training-Hours",
            "hours",
            "Amazon, Nova 2.0 Lite, customization training, customization, regional",
        ),
        (
            "USE1-Nova2.0Lite-Customization-Storage",
            "Model/month",
            "Amazon, Nova 2.0 Lite, customization storage, customization, regional",
        ),
        (
            "USE1-TitanText-Premier-ProvisionedThroughput-Custom-NoCommit-ModelUnits",
            "hour",
            "Amazon, Titan Text Premier, model units, provisioned, regional",
        ),
        (
            "EU-Claude4.5Sonnet-reserved-1-month-input-tokens-per-minute-cross-region-global",
            "1K TPM Hour",
            "Anthropic, Claude Sonnet 4.5, reserved input tokens per minute, reserved, global",
        ),
        (
            "USE1-OSS-CustomModelImport-Inference-v1:0",
            "Custom Model Unit per Min",
            "Amazon, Custom Model Import, custom model import, custom model, regional",
        ),
        (
            "USE1-Nova2.0Lite-nova-grounding",
            "Requests",
            "Amazon, Nova Grounding, web grounding, on-demand, regional",
        ),
        (
            "USE1-NovaMultiModalEmbeddings-input-document-image",
            "Images Processed",
            "Amazon, Nova Multimodal Embeddings, image embedding, on-demand, regional",
        ),
        (
            "USE1-Guardrail-ContentPolicyImageUnitsConsumed",
            "Images Processed",
            "Amazon, Guardrails, guardrail, on-demand, regional",
        ),
        (
            "USE1-DataAutomation-Custom-ImagesProcessed",
            "Images Processed",
            "Amazon, Data Automation, data automation, on-demand, regional",
        ),
        (
            "USE1-BrowserTool:Consumption-based:vCPU",
            "vCPU-Hours",
            "Amazon, AgentCore Browser, agentcore browser, on-demand, regional",
        ),
        (
            "USE1-Evaluations:Consumption-based:CustomEvaluators:Tier1",
            "Evaluations",
            "Amazon, AgentCore Evaluations, agentcore evaluations, on-demand, regional",
        ),
        (
            "USE1-WebSearchTool:Consumption-based:Queries",
            "Queries",
            "Amazon, Web Search, web search, on-demand, regional",
        ),
    ],
)
def test_other_meters_in_the_price_list(usage_type: str, unit: str, expected: str) -> None:
    meter = first_party(usage_type, unit)
    assert said(meter) == expected
    assert (meter.tokens_per_unit, meter.note) == (None, "")


@pytest.mark.parametrize(
    ("usage_type", "model", "expected"),
    [
        (
            "USE1-MP:USE1_cached_input_tokens_long_ctx_global_standard-Units",
            "OpenAI GPT-5.5",
            "OpenAI, GPT-5.5, cache read, on-demand, global, long",
        ),
        (
            "USE1-MP:USE1_cache_write_tokens_1h_long_ctx_standard-Units",
            "Claude Sonnet 5.5",
            "Anthropic, Claude Sonnet 5.5, cache write 1h, on-demand, regional, long",
        ),
        (
            "APN2-MP:APN2_CacheWrite1hInputTokenCount_LCtx_Global-Units",
            "Claude Sonnet 4.6",
            "Anthropic, Claude Sonnet 4.6, cache write 1h, on-demand, global, long",
        ),
        (
            "USW2-MP:USW2_OutputTokenCount_LatencyOptimized-Units",
            "Claude Opus 4.5",
            "Anthropic, Claude Opus 4.5, output, latency-optimized, regional",
        ),
        (
            "EU-MP:EU_cache_write_tokens_1h_global_standard-Units",
            "Claude Opus 4.7",
            "Anthropic, Claude Opus 4.7, cache write 1h, on-demand, global",
        ),
    ],
)
def test_marketplace_tokens_in_the_price_list(usage_type: str, model: str, expected: str) -> None:
    meter = marketplace(usage_type, model)
    assert said(meter) == expected
    assert meter.tokens_per_unit == Decimal(1_000_000)


@pytest.mark.parametrize(
    ("usage_type", "expected"),
    [
        (
            "USE1-anthropic.claude-haiku-5-5-mantle-output-tokens-long-ctx-global-standard",
            "Anthropic, Claude Haiku 5.5, output, on-demand, global, long",
        ),
        (
            "USW2-anthropic.claude-opus-4-8-mantle-cache-write-tokens-standard",
            "Anthropic, Claude Opus 4.8, cache write, on-demand, regional",
        ),
        ("USE1-moonshotai.kimi-k2.5-input", "Moonshot AI, Kimi K2.5, input, on-demand, regional"),
        (
            "USW2-Claude4.5Haiku-cachewrite-tokens-1h",
            "Anthropic, Claude Haiku 4.5, cache write 1h, on-demand, regional",
        ),
    ],
)
def test_tokens_on_a_bill(usage_type: str, expected: str) -> None:
    meter = first_party(usage_type)
    assert said(meter) == expected
    assert (meter.tokens_per_unit, meter.note) == (Decimal(1000), "")


@pytest.mark.parametrize(
    ("usage_type", "expected"),
    [
        (
            "APS9-Qwen4-Max-Thinking-cache-write-1h-input-token-count"
            "-long-context-batch-cross-region-global",
            "Qwen, Qwen4 Max Thinking, cache write 1h, batch, global, long",
        ),
        (
            "MXC1-NewLab.model-x-12b-mantle-cache-read-tokens-global-priority",
            "NewLab, Model X 12B, cache read, priority, global",
        ),
        (
            "EUC1-arcee-ai.trinity-large-mantle-input-tokens-geo-flex",
            "Arcee AI, Trinity Large, input, flex, geographic",
        ),
        ("USE1-01ai.yi-3-mantle-input-tokens-standard", "01ai, Yi 3, input, on-demand, regional"),
        (
            "ILC1-openai.gpt-6-mini-2026-09-01-mantle-output-tokens-flex",
            "OpenAI, GPT-6 Mini, output, flex, regional",
        ),
        (
            "EUSCDEE1-poolside.laguna-m.1-mantle-input-tokens-standard",
            "Poolside, Laguna M.1, input, on-demand, regional",
        ),
        (
            "eusc-de-east-1-Medgemma-2-27B-IT-input-tokens",
            "Google, Medgemma 2 27B IT, input, on-demand, regional",
        ),
        (
            "USE1-mistral.leanstral-2-mantle-input-tokens-standard",
            "Mistral AI, Leanstral 2, input, on-demand, regional",
        ),
        (
            "USE1-Llama5-Behemoth-2T-128E-output-tokens-priority",
            "Meta, Llama 5 Behemoth 2T 128E, output, priority, regional",
        ),
        (
            "USE1-Flow-Judge-3.8B-input-tokens",
            "unrecognised, Flow Judge 3.8B, input, on-demand, regional",
        ),
        (
            "USE1-anthropic.claude-opus-10-2-mantle-input-tokens-standard",
            "Anthropic, Claude Opus 10.2, input, on-demand, regional",
        ),
    ],
)
def test_composed_tokens(usage_type: str, expected: str) -> None:
    meter = first_party(usage_type)
    assert said(meter) == expected
    assert (meter.tokens_per_unit, meter.note) == (Decimal(1000), "")


@pytest.mark.parametrize("meter_text", ["CacheWrite1HInputTokenCount", "cache_write_tokens_1h"])
def test_an_hour_is_an_hour_in_either_case(meter_text: str) -> None:
    meter = marketplace(f"USE1-MP:USE1_{meter_text}-Units", "Claude Sonnet 5.5")
    assert said(meter) == "Anthropic, Claude Sonnet 5.5, cache write 1h, on-demand, regional"


def test_a_million_in_a_description_is_no_duration() -> None:
    meter = read_meter(
        usage_type="USE1-MP:USE1_NewMeter-Units",
        product_code="4k7x1qzv0n9c3h8m2b5w6y1rd",
        product_name="Claude Sonnet 5.5 (Amazon Bedrock Edition)",
        billing_entity="AWS Marketplace",
        pricing_unit="Units",
        description="AWS Marketplace software usage|us-east-1|1M cache write tokens",
    )
    assert (meter.token_type, meter.tokens_per_unit) == ("cache write", Decimal(1_000_000))


@pytest.mark.parametrize(
    ("usage_type", "unit"),
    [
        ("USE1-openai.gpt-6-astra-mantle-reasoning-tokens-standard", TOKENS),
        ("USE1-openai.gpt-6-astra-mantle-code-interpreter-sessions", "Sessions"),
        ("USE1-Claude4.6Sonnet-total-tokens", TOKENS),
        ("USE1-acme.text-to-speech-2-mantle-input-characters-standard", "1K characters"),
        ("USE1-NovaPro-ModelCopy", "Model"),
        ("USE1-MP:USE1_CacheStorage-Units", "Units"),
    ],
)
def test_composed_meters_that_no_grammar_reads_are_not_guessed(usage_type: str, unit: str) -> None:
    meter = first_party(usage_type, unit)
    assert not meter.recognised


def test_web_search_is_a_service_on_mantle_and_the_seller_s_own_on_marketplace() -> None:
    searches = first_party("USE1-openai.gpt-6-astra-mantle-web-search-requests", "Requests")
    sold = marketplace("USE1-MP:USE1_web_search_requests-Units", "OpenAI GPT-6 Astra")
    assert said(searches) == "Amazon, Web Search, web search, on-demand, regional"
    assert (sold.provider, sold.model, sold.recognised) == ("OpenAI", "GPT-6 Astra", False)


def test_reserved_capacity_counts_no_tokens_whatever_its_unit() -> None:
    usage_type = "USE1-anthropic.claude-opus-5-5-reserved-1-month-input-tokens-per-minute"
    assert first_party(usage_type, TOKENS).tokens_per_unit is None


@pytest.mark.parametrize(
    ("runtime", "mantle"),
    [
        ("Claude5.5Opus", "anthropic.claude-opus-5-5"),
        ("ClaudeFable5.1", "anthropic.claude-fable-5-1"),
        ("DeepSeek-V4-Pro", "deepseek.deepseek-v4-pro"),
        ("DeepSeek-R1", "deepseek.r1"),
        ("GLM-5.1-Air", "zai.glm-5.1-air"),
        ("Gemma-4-31B-IT", "google.gemma-4-31b-it"),
        ("Kimi-K3-Thinking", "moonshotai.kimi-k3-thinking"),
        ("MiniMax-M3", "minimax.m3"),
        ("Nemotron-Nano-12B-V2", "nvidia.nemotron-nano-12b-v2"),
        ("Qwen4-Max-Thinking", "qwen.qwen4-max-thinking"),
        ("gpt-oss-120b", "openai.gpt-oss-120b"),
    ],
)
def test_one_model_has_one_name_in_every_grammar(runtime: str, mantle: str) -> None:
    of_runtime = first_party(f"USE1-{runtime}-input-tokens-flex")
    of_mantle = first_party(f"USE1-{mantle}-mantle-input-tokens-flex")
    assert of_runtime == of_mantle
