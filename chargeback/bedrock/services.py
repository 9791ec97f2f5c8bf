"""Meters of Bedrock that belong to a service, not to a model: guardrails, AgentCore and the like.

Source of the names: AWS Price List, service codes `AmazonBedrock` and `AmazonBedrockAgentCore`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

ON_DEMAND = "on-demand"
_AGENTCORE_PRODUCT = "AmazonBedrockAgentCore"


@dataclass(frozen=True, slots=True)
class Service:
    """A service: what its usage is called, its display name, its service tier."""

    token_type: str
    name: str
    tier: str = ON_DEMAND


_GUARDRAILS = Service("guardrail", "Guardrails")
_KNOWLEDGE_BASES = Service("knowledge base", "Knowledge Bases")
_DATA_AUTOMATION = Service("data automation", "Data Automation")
_FLOWS = Service("flows", "Flows")
_EVALUATION = Service("model evaluation", "Model Evaluation")
_OPTIMIZATION = Service("prompt optimization", "Prompt Optimization")
_ROUTING = Service("intelligent prompt routing", "Intelligent Prompt Routing")
_REASONING = Service("automated reasoning", "Automated Reasoning")
_IMPORT = Service("custom model import", "Custom Model Import", "custom model")
_WEB_SEARCH = Service("web search", "Web Search")
_DATA_TRANSFER = Service("data transfer", "Data Transfer")

_SERVICES: Mapping[tuple[str, ...], Service] = MappingProxyType(
    {
        ("guardrail",): _GUARDRAILS,
        ("guardrails",): _GUARDRAILS,
        ("automated", "reasoning"): _REASONING,
        ("knowledge", "base"): _KNOWLEDGE_BASES,
        ("knowledge", "bases"): _KNOWLEDGE_BASES,
        ("data", "automation"): _DATA_AUTOMATION,
        ("bda",): _DATA_AUTOMATION,
        ("flow",): _FLOWS,
        ("flows",): _FLOWS,
        ("prompt", "flow"): _FLOWS,
        ("prompt", "flows"): _FLOWS,
        ("model", "evaluation"): _EVALUATION,
        ("evaluation",): _EVALUATION,
        ("human", "evaluation"): _EVALUATION,
        ("prompt", "optimization"): _OPTIMIZATION,
        ("optimize", "prompt"): _OPTIMIZATION,
        ("prompt", "router"): _ROUTING,
        ("prompt", "routing"): _ROUTING,
        ("custom", "model", "import"): _IMPORT,
        ("custom", "model", "unit"): _IMPORT,
        ("custom", "model", "units"): _IMPORT,
        ("imported", "model"): _IMPORT,
        ("model", "import"): _IMPORT,
        ("websearch",): _WEB_SEARCH,
        ("web", "search"): _WEB_SEARCH,
        ("nova", "grounding"): Service("web grounding", "Nova Grounding"),
    }
)
_AGENTCORE_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "auth": "Identity",
        "browser": "Browser",
        "code": "Code Interpreter",
        "evaluations": "Evaluations",
        "gateway": "Gateway",
        "identity": "Identity",
        "memory": "Memory",
        "observability": "Observability",
        "policy": "Policy",
        "runtime": "Runtime",
    }
)
_BRAND = frozenset({"amazon", "aws", "bedrock"})
_AGENTCORE_WORDS = frozenset({"agent", "agentcore", "core", "consumption", "instance", "based"})
_WORD = re.compile(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+", re.ASCII)


def service_of(usage_type: str, product_code: str) -> Service | None:
    """Service whose usage type this is (given without region), None for a model's.

    `USE1-Runtime:Consumption-based:vCPU` is AgentCore's. One word is a service only where the
    usage type begins with it and counts no input or output tokens, as a model may be called
    anything.
    """
    words = _words(usage_type)
    start = next((i for i, word in enumerate(words) if word not in _BRAND), 0)
    words = words[start:]
    if "mantle" in words:
        return None
    if "bytes" in words:
        return _DATA_TRANSFER
    if "based" in words and {"consumption", "instance"} & set(words):
        return _begins_with(words) or _agentcore(words)
    if words[:2] == ["agent", "core"] or product_code == _AGENTCORE_PRODUCT:
        return _agentcore(words) or _begins_with(words)
    shortest = 2 if _counts_tokens(words) else 1
    return _begins_with(words, shortest=shortest) or _anywhere(words, shortest=2)


def service_named_in(text: str) -> Service | None:
    """Service that an operation (`ApplyGuardrail`) or a unit (`custom model unit`) names."""
    return _anywhere(_words(text), shortest=1)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _counts_tokens(words: Sequence[str]) -> bool:
    return bool({"token", "tokens"} & set(words) and {"input", "output"} & set(words))


def _begins_with(words: Sequence[str], *, shortest: int = 1) -> Service | None:
    phrases = (tuple(words[:length]) for length in range(3, shortest - 1, -1))
    return next((_SERVICES[phrase] for phrase in phrases if phrase in _SERVICES), None)


def _anywhere(words: Sequence[str], *, shortest: int) -> Service | None:
    return next(
        (
            service
            for phrase, service in _SERVICES.items()
            if len(phrase) >= shortest and _holds(words, phrase)
        ),
        None,
    )


def _holds(words: Sequence[str], phrase: tuple[str, ...]) -> bool:
    starts = range(len(words) - len(phrase) + 1)
    return any(tuple(words[start : start + len(phrase)]) == phrase for start in starts)


def _agentcore(words: Sequence[str]) -> Service | None:
    part = next((word for word in words if word not in _AGENTCORE_WORDS), "")
    if part not in _AGENTCORE_PARTS and "based" not in words:
        return None
    name = _AGENTCORE_PARTS.get(part, part.capitalize())
    return Service(f"agentcore {name.lower()}".strip(), f"AgentCore {name}".strip())
