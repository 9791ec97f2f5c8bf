"""The four grammars as properties: a usage type is composed from parts and read back."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from chargeback.bedrock.usage_type import Meter, read_meter

BRIEF = settings(max_examples=200, deadline=None)
REGIONS = st.from_regex(r"(US|EU|AP|CA|IL|MX|SA|ME|AF|UG)[ENSWC][1-9]", fullmatch=True)
TIERS = st.sampled_from(
    [("standard", "on-demand"), ("batch", "batch"), ("flex", "flex"), ("priority", "priority")]
)
SCOPES = st.sampled_from([("", "regional"), ("global", "global"), ("geo", "geographic")])
LONG = st.sampled_from(["", "long-ctx"])
CACHE_WRITES = st.sampled_from(
    [
        ("cache-write-tokens", "cache write"),
        ("cache-write-tokens-5m", "cache write"),
        ("cache-write-tokens-30m", "cache write 30m"),
        ("cache-write-1h-tokens", "cache write 1h"),
        ("cache-write-tokens-1h", "cache write 1h"),
    ]
)
TOKENS = st.one_of(
    st.sampled_from(
        [
            ("input-tokens", "input"),
            ("output-tokens", "output"),
            ("cache-read-tokens", "cache read"),
            ("cached-input-tokens", "cache read"),
            ("audio-input-tokens", "audio input"),
            ("output-image-tokens", "image output"),
        ]
    ),
    CACHE_WRITES,
)

RUNTIME_MODELS = st.sampled_from(
    [
        ("Claude5.5Opus", "Anthropic", "Claude Opus 5.5"),
        ("Nova3.0Pro", "Amazon", "Nova 3.0 Pro"),
        ("Llama5-Scout-17B", "Meta", "Llama 5 Scout 17B"),
        ("Qwen4-Max-Thinking", "Qwen", "Qwen4 Max Thinking"),
        ("TitanEmbeddingV3-Text", "Amazon", "Titan Embedding V3 Text"),
        ("gpt-oss-2-240b", "OpenAI", "gpt-oss-2-240b"),
    ]
)
RUNTIME_TOKENS = st.sampled_from(
    [
        ("input-tokens", "input"),
        ("output-tokens", "output"),
        ("text-input-tokens", "input"),
        ("speech-output-tokens", "speech output"),
        ("input-image-token-count", "image input"),
        ("cache-read-input-token-count", "cache read"),
        ("cache-write-input-token-count", "cache write"),
        ("cache-write-1h-input-token-count", "cache write 1h"),
        ("cache-write-input-token-count-1-hour", "cache write 1h"),
    ]
)
RUNTIME_TIERS = st.sampled_from(
    [
        ("", "on-demand"),
        ("batch", "batch"),
        ("flex", "flex"),
        ("priority", "priority"),
        ("latency-optimized", "latency-optimized"),
        ("custom-model", "custom model"),
    ]
)
RUNTIME_SCOPES = st.sampled_from(
    [("", "regional"), ("cross-region-global", "global"), ("cross-region-geo", "geographic")]
)
RUNTIME_LONG = st.sampled_from(["", "long-context"])

NAMES = st.lists(
    st.from_regex(r"[a-z]{2,8}|[1-9]\.[0-9]|[1-9][0-9]{0,2}b", fullmatch=True),
    min_size=1,
    max_size=4,
)
"""Words of a model's name: letters, versions (`4.3`), sizes (`120b`)."""

CAMEL_TOKENS = st.sampled_from(
    [
        ("InputTokenCount", "input"),
        ("OutputTokenCount", "output"),
        ("CacheReadInputTokenCount", "cache read"),
        ("CacheWriteInputTokenCount", "cache write"),
        ("CacheWrite30mInputTokenCount", "cache write 30m"),
        ("CacheWrite1hInputTokenCount", "cache write 1h"),
    ]
)
CAMEL_TIERS = st.sampled_from(
    [("", "on-demand"), ("Batch", "batch"), ("LatencyOptimized", "latency-optimized")]
)
CAMEL_SCOPES = st.sampled_from([("", "regional"), ("Global", "global"), ("Geo", "geographic")])
CAMEL_LONG = st.sampled_from(["", "LCtx"])

Part = tuple[str, str]


def first_party(usage_type: str) -> Meter:
    return read_meter(
        usage_type=usage_type,
        product_code="AmazonBedrock",
        product_name="Amazon Bedrock",
        billing_entity="AWS",
        pricing_unit="1K tokens",
    )


def marketplace(region: str, words: list[str]) -> Meter:
    return read_meter(
        usage_type=f"{region}-MP:{region}_{'_'.join(word for word in words if word)}-Units",
        product_code="4k7x1qzv0n9c3h8m2b5w6y1rd",
        product_name="Claude Sonnet 5.5 (Amazon Bedrock Edition)",
        billing_entity="AWS Marketplace",
        pricing_unit="Units",
        rate=Decimal(3),  # dollars: too much for a thousand tokens
    )


def read_back(meter: Meter) -> tuple[str, str, str, bool]:
    return meter.token_type, meter.service_tier, meter.scope, meter.long_context


def joined(*words: str) -> str:
    return "-".join(word for word in words if word)


@BRIEF
@given(
    st.data(), REGIONS, RUNTIME_MODELS, RUNTIME_TOKENS, RUNTIME_TIERS, RUNTIME_SCOPES, RUNTIME_LONG
)
def test_runtime_with_suffixes_in_any_order(
    data: st.DataObject,
    region: str,
    model: tuple[str, str, str],
    tokens: Part,
    tier: Part,
    scope: Part,
    long: str,
) -> None:
    suffixes = data.draw(st.permutations([tier[0], scope[0], long]))
    meter = first_party(joined(region, model[0], tokens[0], *suffixes))
    assert (meter.provider, meter.model) == model[1:]
    assert read_back(meter) == (tokens[1], tier[1], scope[1], bool(long))
    assert (meter.tokens_per_unit, meter.note) == (Decimal(1000), "")


@BRIEF
@given(st.from_regex(r"[A-Za-z][a-z]{2,9}", fullmatch=True), NAMES, TOKENS, TIERS, SCOPES, LONG)
def test_mantle_with_any_model_of_an_unheard_of_provider(
    letters: str, words: list[str], tokens: Part, tier: Part, scope: Part, long: str
) -> None:
    provider, name = f"{letters}Lab", joined("x", *words)
    usage_type = joined("USE1", f"{provider}.{name}", "mantle", tokens[0], long, scope[0], tier[0])
    meter = first_party(usage_type)
    assert meter.provider == provider[0].upper() + provider[1:]
    assert meter.model.lower().replace(" ", "") == name.replace("-", "")
    assert read_back(meter) == (tokens[1], tier[1], scope[1], bool(long))
    assert (meter.tokens_per_unit, meter.note) == (Decimal(1000), "")


@BRIEF
@given(st.data(), REGIONS, CAMEL_TOKENS, CAMEL_TIERS, CAMEL_SCOPES, CAMEL_LONG)
def test_older_marketplace_with_suffixes_in_any_order(
    data: st.DataObject, region: str, tokens: Part, tier: Part, scope: Part, long: str
) -> None:
    suffixes = data.draw(st.permutations([tier[0], scope[0], long]))
    meter = marketplace(region, [tokens[0], *suffixes])
    assert (meter.provider, meter.model) == ("Anthropic", "Claude Sonnet 5.5")
    assert read_back(meter) == (tokens[1], tier[1], scope[1], bool(long))
    assert meter.tokens_per_unit == Decimal(1_000_000)


@BRIEF
@given(REGIONS, TOKENS, TIERS, SCOPES, LONG)
def test_newer_marketplace_says_what_mantle_says(
    region: str, tokens: Part, tier: Part, scope: Part, long: str
) -> None:
    words = [word.replace("-", "_") for word in (tokens[0], long, scope[0], tier[0])]
    meter = marketplace(region, words)
    assert read_back(meter) == (tokens[1], tier[1], scope[1], bool(long))
    assert meter.tokens_per_unit == Decimal(1_000_000)
