"""The catalogue of the demo company: every Bedrock product and offer that its bill names."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from chargeback.demo.meters import (
    CACHE,
    CACHE_1H,
    CACHE_30M,
    MARKETPLACE,
    Meter,
    Offer,
    Prices,
    Product,
    counted,
    mantle,
    marketplace_newer,
    marketplace_older,
    per_million,
    runtime,
    software,
    tokens_meter,
)

BEDROCK = Product("AmazonBedrock", "Amazon Bedrock")
BEDROCK_SERVICE = Product("AmazonBedrockService", "Amazon Bedrock Service")
FOUNDATION_MODELS = Product("AmazonBedrockFoundationModels", "Amazon Bedrock Foundation Models")
AGENTCORE = Product("AmazonBedrockAgentCore", "Amazon Bedrock AgentCore")
STUDIO = Product("AmazonBedrockStudio", "Amazon Bedrock Studio")


def _edition(model: str, code: str, seller: str = "Anthropic, PBC") -> Product:
    """A model sold through AWS Marketplace, under its opaque product code."""
    name = f"{model} (Amazon Bedrock Edition)"
    return Product(code, name, MARKETPLACE, seller, "AWS Marketplace")


CLAUDE_37 = _edition("Claude 3.7 Sonnet", "4k7x1qzv0n9c3h8m2b5w6y1rd")
HAIKU_45 = _edition("Claude Haiku 4.5", "2c9w5h8r1y4j7n0g3q6z9v2bt")
SONNET_45 = _edition("Claude Sonnet 4.5", "9x3k6p0s8d2f5g1h4m7j2l5qa")
SONNET_55 = _edition("Claude Sonnet 5.5", "7m2d9f4t6w1p8s3k5x0v2c9ha")
OPUS_41 = _edition("Claude Opus 4.1", "1v8n5b2q7t4r9w6e3z0y1u4pc")
OPUS_55 = _edition("Claude Opus 5.5", "5t1g8j3l6z9x2c4v7b0n3m6ke")
ASTRA = _edition("OpenAI GPT-6 Astra", "3h6d9s1f4a7q0w2e5r8t1y4uj", "OpenAI, L.L.C.")
COMMAND_R = _edition("Cohere Command R+", "8z2x5c7v1b4n6m9l0k3j8h1gf", "Cohere Inc.")
STABLE_35 = _edition("Stable Diffusion 3.5 Large", "6q9w2e4r7t0y3u5i8o1p4a7sd", "Stability AI Ltd")

_OPUS_CUT = Decimal("0.8")
_GLOBAL = "-cross-region-global"
_STREAMING = "InvokeModelStreamingInference"


def _global(model: str, prices: Prices, tier: str = "") -> Offer:
    """Cross-region global inference, which AWS bills under a product code of its own."""
    return Offer(BEDROCK_SERVICE, runtime(model, prices, f"{tier}{_GLOBAL}"), _STREAMING)


def _batch(model: str, prices: Prices, unit: str = "1K tokens") -> Offer:
    return Offer(BEDROCK, runtime(model, prices, "-batch", unit), "CreateModelInvocationJob")


def _mantle(model: str, prices: Prices, tier: str = "standard") -> Offer:
    return Offer(BEDROCK, mantle(model, prices, tier), "CreateResponse", "mantle")


def _sold(product: Product, meters: tuple[Meter, ...]) -> Offer:
    return Offer(product, meters, "Usage")


def _guardrail(policy: str, price: str) -> Meter:
    return counted(f"{policy}UnitsConsumed", "1K text units", price)


_RUNTIME = {
    "sonnet46": Offer(BEDROCK, runtime("Claude4.6Sonnet", per_million("3.3", "16.5", CACHE))),
    "sonnet46-global": _global("Claude4.6Sonnet", per_million("3", "15", CACHE)),
    "opus46": Offer(
        BEDROCK,
        runtime("Claude4.6Opus", per_million("5.5", "27.5", CACHE)),
        price_cut=_OPUS_CUT,
    ),
    "opus46-global": Offer(
        BEDROCK_SERVICE,
        runtime("Claude4.6Opus", per_million("5", "25", CACHE), _GLOBAL),
        _STREAMING,
        price_cut=_OPUS_CUT,
    ),
    "sonnet4-long": _global("Claude4Sonnet", per_million("6", "22.5"), "-long-context"),
    "haiku3": Offer(BEDROCK, runtime("Claude3Haiku", per_million("0.25", "1.25"))),
    "nova-lite": Offer(BEDROCK, runtime("NovaLite", per_million("0.06", "0.24"))),
    "nova-lite-custom": Offer(
        BEDROCK, runtime("NovaLite", per_million("0.06", "0.24"), "-custom-model")
    ),
    "nova-micro": Offer(BEDROCK, runtime("NovaMicro", per_million("0.035", "0.14"))),
    "nova-pro": Offer(BEDROCK, runtime("NovaPro", per_million("0.8", "3.2", CACHE))),
    "nova-pro-fast": Offer(
        BEDROCK, runtime("NovaPro", per_million("1", "4"), "-latency-optimized")
    ),
    "nova2-lite-flex": Offer(BEDROCK, runtime("Nova2.0Lite", per_million("0.15", "1.25"), "-flex")),
    "nova2-pro-priority": _global("Nova2.0Pro-text", per_million("2.2", "17.5"), "-priority"),
    "nova-sonic": Offer(BEDROCK, runtime("NovaSonic-speech", per_million("3.4", "13.6"))),
    "gemma-flex": Offer(BEDROCK, runtime("Gemma-3-4B-IT", per_million("0.02", "0.04"), "-flex")),
    "gpt-oss-priority": Offer(
        BEDROCK, runtime("gpt-oss-120b", per_million("0.2625", "1.05"), "-priority")
    ),
    "deepseek": Offer(
        FOUNDATION_MODELS, runtime("DeepSeek-R1", per_million("1.35", "5.4"), unit="1M tokens")
    ),
    "llama-batch": _batch("Llama4-Maverick-17B", per_million("0.12", "0.485")),
    "mistral-batch": _batch("MistralSmall", per_million("0.5", "1.5"), "1000 Tokens"),
}

_MANTLE = {
    "grok": _mantle("xai.grok-4.3", per_million("3", "15")),
    "grok-flex": _mantle("xai.grok-4.3", per_million("1.5", "7.5"), "flex"),
    "gpt-oss-mantle": _mantle("openai.gpt-oss-120b", per_million("0.15", "0.6")),
    "terra": _mantle("openai.gpt-5.6-terra", per_million("1.5", "12", CACHE_30M)),
    "terra-global": _mantle("openai.gpt-5.6-terra", per_million("1.4", "11"), "global-standard"),
    "glm": _mantle("zai.glm5", per_million("1", "3.2")),
}

_MARKETPLACE = {
    "haiku45": _sold(HAIKU_45, marketplace_older(per_million("1.1", "5.5", CACHE_1H))),
    "haiku45-global": _sold(HAIKU_45, marketplace_older(per_million("1", "5", CACHE), "_Global")),
    "sonnet45-long": _sold(SONNET_45, marketplace_older(per_million("6", "22.5"), "_Global_LCtx")),
    # Its description names no unit: the reader has to infer millions from the price.
    "opus41-batch": _sold(
        OPUS_41, marketplace_older(per_million("7.5", "37.5"), "_Batch", scale="")
    ),
    "command-r": _sold(COMMAND_R, marketplace_older(per_million("2.5", "10"), where="")),
    "sonnet55": _sold(SONNET_55, marketplace_newer(per_million("3.3", "16.5", CACHE_1H))),
    "sonnet55-global": _sold(
        SONNET_55, marketplace_newer(per_million("3", "15", CACHE), "global_")
    ),
    "opus55-global": Offer(
        OPUS_55,
        marketplace_newer(per_million("5", "25", CACHE), "global_"),
        "Usage",
        price_cut=_OPUS_CUT,
    ),
    "astra": _sold(ASTRA, marketplace_newer(per_million("2.5", "20", CACHE_30M))),
    "astra-long": _sold(ASTRA, marketplace_newer(per_million("5", "30"), "long_ctx_")),
    "stable-diffusion": _sold(
        STABLE_35,
        (software("{r}-MP:{r}_created_image-Units", "image", Decimal("0.08"), "Created image"),),
    ),
    "claude37-provisioned": Offer(
        CLAUDE_37,
        (
            software(
                "{r}-MP:{r}_ProvisionedThroughput_1MonthCommit_ModelUnits_Usage-Units",
                "hour",
                Decimal("39.6"),
                "Model Units 1 Month Commit",
                100,
            ),
        ),
        "Usage",
        "null",
    ),
}

_OTHER_METERS = {
    "titan-embed": Offer(
        BEDROCK,
        (
            tokens_meter(
                "{r}-TitanEmbeddingV2-Text-input-tokens",
                "input",
                Decimal("0.02"),
                "1K tokens",
                "TitanEmbeddingV2-Text",
            ),
        ),
    ),
    "rerank": Offer(
        BEDROCK,
        (counted("cohere.rerank-english-v3-search-units", "Search Units", "0.002"),),
        "Rerank",
    ),
    "nova-canvas": Offer(BEDROCK, (counted("NovaCanvas-T2I-1024-Premium", "image", "0.06"),)),
    "nova-training": Offer(
        BEDROCK,
        (
            tokens_meter(
                "{r}-NovaLite-Customization-Training",
                "training",
                Decimal(2),
                "1K tokens",
                "NovaLite training",
            ),
        ),
        "CreateModelCustomizationJob",
        "empty",
    ),
    "nova2-provisioned": Offer(
        BEDROCK,
        (counted("Nova2.0Lite-ProvisionedThroughput-NoCommit-ModelUnits", "hour", "18.4", 100),),
        "CreateProvisionedModelThroughput",
        "null",
    ),
    "guardrails": Offer(
        BEDROCK,
        (
            _guardrail("Guardrail-ContentPolicy", "0.15"),
            _guardrail("Guardrail-SensitiveInformationPolicyPaid", "0.1"),
            _guardrail("Guardrail-TopicPolicy", "0.15"),
            _guardrail("GuardrailChecks-PromptAttackCheck", "0.07"),
        ),
        "ApplyGuardrail",
        "empty",
    ),
    "agentcore": Offer(
        AGENTCORE,
        (
            counted("Runtime:Consumption-based:vCPU", "vCPU-Hours", "0.0895", 10_000),
            counted("Runtime:Consumption-based:Memory", "GB-Hours", "0.00945", 10_000),
            counted("Memory:Consumption-based:Short-Term-Memory", "Events", "0.00025"),
            counted("Gateway:Consumption-based:API-Invocations", "Requests", "0.000005"),
        ),
        "InvokeAgentRuntime",
    ),
    "knowledge-base": Offer(
        AGENTCORE,
        (counted("Knowledge-Base:Consumption-based:Retrieval", "Requests", "0.0012"),),
        "Retrieve",
        "null",
    ),
}

OFFERS: Mapping[str, Offer] = MappingProxyType(_RUNTIME | _MANTLE | _MARKETPLACE | _OTHER_METERS)
"""Every offer by the short name that callers' uses refer to."""
