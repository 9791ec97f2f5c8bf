"""Names of models as they stand in usage types and in product names."""

import pytest

from chargeback.bedrock.models import Model, model_from_product, model_from_text


@pytest.mark.parametrize(
    ("model_text", "provider", "model"),
    [
        ("ClaudeSonnet4.6", "Anthropic", "Claude Sonnet 4.6"),
        ("Claude4.5Haiku", "Anthropic", "Claude Haiku 4.5"),
        ("Claude3.5Sonnetv2", "Anthropic", "Claude 3.5 Sonnet v2"),
        ("Claude3-5Haiku", "Anthropic", "Claude 3.5 Haiku"),
        ("ClaudeInstant", "Anthropic", "Claude Instant"),
        ("Claude2.1", "Anthropic", "Claude 2.1"),
        ("Claude-Haiku", "Anthropic", "Claude Haiku"),
        ("anthropic.claude-opus-4-8", "Anthropic", "Claude Opus 4.8"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "Anthropic", "Claude 3.5 Sonnet v2"),
        ("Llama3-1-405B", "Meta", "Llama 3.1 405B"),
        ("Llama3.3-70B", "Meta", "Llama 3.3 70B"),
        ("Llama2-Chat-13B", "Meta", "Llama 2 Chat 13B"),
        ("Mistral7B", "Mistral AI", "Mistral 7B"),
        ("Mixtral8x7B", "Mistral AI", "Mixtral 8x7B"),
        ("Mistral-Large-3-675b-Instruct", "Mistral AI", "Mistral Large 3 675B Instruct"),
        ("mistral.voxtral-mini-3b-2507", "Mistral AI", "Voxtral Mini 3B 2507"),
        ("Magistral-Small-1.2", "Mistral AI", "Magistral Small 1.2"),
        ("GPT-OSS-Safeguard-20B", "OpenAI", "gpt-oss-safeguard-20b"),
        ("qwen.qwen3-next-80b-a3b-instruct", "Qwen", "Qwen3 Next 80B A3B Instruct"),
        ("Qwen3-VL-235B-A22B", "Qwen", "Qwen3 VL 235B A22B"),
        ("deepseek.v3.1", "DeepSeek", "DeepSeek V3.1"),
        ("DeepSeek-R1", "DeepSeek", "DeepSeek R1"),
        ("moonshotai.kimi-k2.5", "Moonshot AI", "Kimi K2.5"),
        ("minimax.minimax-m2.5", "MiniMax", "MiniMax M2.5"),
        ("nvidia.nemotron-super-3-120b", "NVIDIA", "Nemotron Super 3 120B"),
        ("zai.glm-4.6", "Z.ai", "GLM 4.6"),
        ("deepseek.r1", "DeepSeek", "DeepSeek R1"),
        ("mistral.saba", "Mistral AI", "Mistral Saba"),
        ("openai.gpt-5.4-2026-03-05", "OpenAI", "GPT-5.4"),
        ("Claude3.5SonnetV2", "Anthropic", "Claude 3.5 Sonnet v2"),
        ("TitanTextPremierV2", "Amazon", "Titan Text Premier V2"),
        ("NewLab.model-x-12b", "NewLab", "Model X 12B"),
        ("writer.palmyra-x5", "Writer", "Palmyra X5"),
        ("TitanEmbeddingV2-Text", "Amazon", "Titan Embedding V2 Text"),
        ("TitanTextLite", "Amazon", "Titan Text Lite"),
        ("NovaPremier", "Amazon", "Nova Premier"),
        ("acme.video-genie-v1", "Acme", "Video Genie v1"),
        ("Frobnicator9000", "unrecognised", "Frobnicator 9000"),
    ],
)
def test_model_in_a_usage_type(model_text: str, provider: str, model: str) -> None:
    assert model_from_text(model_text) == Model(provider, model)


@pytest.mark.parametrize(
    ("product_name", "provider", "model"),
    [
        ("Claude 3.5 Sonnet", "Anthropic", "Claude 3.5 Sonnet"),
        ("Claude (100K)", "Anthropic", "Claude (100K)"),
        ("OpenAI GPT-6 Astra", "OpenAI", "GPT-6 Astra"),
        ("Qwen Qwen4 Max", "Qwen", "Qwen4 Max"),
        ("Poolside Laguna M.1", "Poolside", "Laguna M.1"),
        ("Cohere Command R+", "Cohere", "Command R+"),
        ("AI21 Labs Jamba 1.5 Large", "AI21 Labs", "Jamba 1.5 Large"),
        ("Jurassic-2 Ultra", "AI21 Labs", "Jurassic-2 Ultra"),
        ("Meta Llama 2 Chat 70B", "Meta", "Llama 2 Chat 70B"),
        ("TwelveLabs Pegasus 1.2", "TwelveLabs", "Pegasus 1.2"),
        ("Luma AI Ray2", "Luma AI", "Ray2"),
        ("Palmyra X5", "Writer", "Palmyra X5"),
        ("Acme Oracle 3", "unrecognised", "Acme Oracle 3"),
    ],
)
def test_model_in_a_product_name(product_name: str, provider: str, model: str) -> None:
    expected = Model(provider, model)
    assert model_from_product(product_name) == expected
    assert model_from_product(f"{product_name} (Amazon Bedrock Edition)") == expected


@pytest.mark.parametrize(
    "product_name",
    ["", "  ", "Amazon Bedrock", "Amazon Bedrock AgentCore", "AmazonBedrockService", "AWS Support"],
)
def test_products_that_are_services_name_no_model(product_name: str) -> None:
    assert model_from_product(product_name) is None


def test_text_without_words_is_kept_as_the_name() -> None:
    assert model_from_text("模型") == Model("unrecognised", "模型")
    assert model_from_text("") == Model("unrecognised", "unrecognised")
