"""The story of the demo bill: Fernhollow Trading, its accounts, callers and events.

Months are counted backwards from the newest billing period (`back`: 0 is the open one), so that the
story ends today whenever it is told; only AWS's own dates are dates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Rhythm = Literal["office", "customers", "machine"]

IAM_PRINCIPALS_SINCE = date(2026, 4, 8)
"""From when CUR 2.0 shows IAM principals (Bedrock User Guide, "IAM principal attribution")."""
MANTLE_PRINCIPALS_SINCE = date(2026, 7, 1)
"""From when this export shows them for bedrock-mantle too, which AWS added later."""

FIRST_SPEND, LAST_SPEND, STORY_MONTHS = 57_000, 177_000, 14
"""Dollars of metered use, tax and discounts left out, in the oldest and in the newest month."""
PRICE_CUT_BACK = 3
"""Claude Opus costs less from this month on."""
SUPPORT_MOVE_BACK = 5
"""In this month the support team moves from Claude Opus to Claude Haiku."""
RUNAWAY_BACK, RUNAWAY_DAYS, RUNAWAY_FACTOR = 2, (11, 12, 13, 14), 28
"""The research agent runs away: month, days of the month, times its usual use."""
DISCOUNT_PERCENT = 6
"""The enterprise discount on what AWS itself sells."""
NET_PERIODS = 2
"""The oldest periods were exported with net costs in place of discount lines."""
TAX_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Account:
    """A linked account, with its account tag and cost category."""

    id: str
    name: str
    environment: str
    division: str


PAYER = Account("999988887777", "fernhollow-management", "shared", "Corporate")
PLATFORM = Account("111122223333", "ai-platform-prod", "prod", "Technology")
ENGINEERING = Account("444455556666", "engineering-dev", "dev", "Technology")
DATA = Account("777788889999", "data-science", "prod", "Insights")
SUPPORT = Account("123456789012", "contact-center", "prod", "Operations")


@dataclass(frozen=True, slots=True)
class Use:
    """A share of a caller's spend on one offer in one region, from month `since` to `until`."""

    offer: str
    region: str
    share: float
    since: int = 1_000
    until: int = 0

    def active(self, back: int) -> bool:
        """Whether it happens in the month `back` months before the newest."""
        return self.until <= back <= self.since


@dataclass(frozen=True, slots=True)
class Caller:
    """An IAM principal with its tags.

    `weight` is its relative spend in the newest month, `growth` what a month adds to it beyond the
    company's own growth. `tags` are keys under `iamPrincipal/`, on the bill from `tagged_after`
    months after April 2026 on. `profile` is an application inference profile and `profile_tags`
    its resource tags.
    """

    arn: str
    account: Account
    weight: float
    uses: tuple[Use, ...]
    tags: Mapping[str, str]
    tagged_after: int = 0
    rhythm: Rhythm = "office"
    since: int = 1_000
    growth: float = 0.0
    profile: str = ""
    profile_tags: Mapping[str, str] | None = None


def _replaced(  # noqa: PLR0913 - one call a change of model reads as a table
    old: str, new: str, region: str, share: float, *, first: int, last: int
) -> tuple[Use, ...]:
    """A caller that moves from one model to another; both run in the months `first` to `last`."""
    return (
        Use(old, region, share, until=first + 1),
        Use(old, region, share / 2, since=first, until=last),
        Use(new, region, share / 2, since=first, until=last),
        Use(new, region, share, since=last - 1),
    )


_GATEWAY_USES = (
    *_replaced("sonnet46-global", "sonnet55-global", "USE1", 0.5, first=8, last=4),
    Use("haiku45-global", "USW2", 0.16),
    Use("haiku45", "EUW1", 0.12),
    Use("sonnet46", "EUC1", 0.14),
    Use("nova-pro", "USE1", 0.05),
    Use("guardrails", "USE1", 0.03),
    Use("titan-embed", "USE1", 0.02),
)
_ASIA_USES = (
    Use("glm", "APN1", 0.25),
    *_replaced("sonnet46", "sonnet55", "APN1", 0.55, first=9, last=7),
    Use("haiku45", "APN1", 0.2),
)
_DEVELOPER_USES = (
    *_replaced("opus46-global", "opus55-global", "USW2", 0.42, first=8, last=6),
    *_replaced("sonnet46-global", "sonnet55-global", "USW2", 0.3, first=9, last=6),
    Use("sonnet46", "USE1", 0.18),
    Use("terra", "USE1", 0.08, since=10),
    Use("grok", "USE1", 0.05, since=10),
)


def _tags(team: str, project: str, cost_center: str) -> dict[str, str]:
    return {"team": team, "project": project, "cost-center": cost_center}


_COST_CENTERS = {
    "checkout": "CC-1010",
    "search": "CC-1020",
    "support": "CC-2010",
    "research": "CC-3010",
    "data-platform": "CC-3020",
    "marketing": "CC-4010",
}


def _tenant(  # noqa: PLR0913 - one call a tenant reads as a table
    slug: str,
    tenant: str,
    weight: float,
    team: str,
    *,
    growth: float = 0.0,
    since: int = 1_000,
    uses: tuple[Use, ...] = _GATEWAY_USES,
    tagged_after: int = 0,
) -> Caller:
    """A tenant of the LLM gateway: a session of its role, with session tags."""
    tags = {"tenant": tenant} | _tags(team, "llm-gateway", _COST_CENTERS[team])
    arn = f"arn:aws:sts::{PLATFORM.id}:assumed-role/llm-gateway/{slug}"
    return Caller(
        arn, PLATFORM, weight, uses, tags, tagged_after, "customers", since=since, growth=growth
    )


TENANTS = (
    _tenant("acme-corp", "acme-corp", 11.0, "checkout", growth=0.01),
    _tenant("bluefin-bank", "bluefin-bank", 8.5, "checkout"),
    _tenant("cedar-health", "cedar-health", 6.5, "search", growth=0.04),
    _tenant("delta-freight", "delta-freight", 4.5, "search", tagged_after=1),
    _tenant("evergreen-energy", "evergreen-energy", 3.5, "support", growth=-0.06),
    _tenant("fjord-media", "fjord-media", 2.5, "marketing", since=7, tagged_after=1),
    _tenant("granite-insurance", "granite-insurance", 2.2, "support", tagged_after=2),
    _tenant("sakura", "株式会社サクラ", 2.4, "checkout", uses=_ASIA_USES, growth=0.05),
    _tenant("mueller-soehne", "Müller & Söhne GmbH", 1.6, "search", tagged_after=2),
    _tenant("oreilly", "O'Reilly, Inc.", 0.8, "marketing", tagged_after=3),
    _tenant("globex", "<b>Globex</b>", 0.3, "support"),
    _tenant("trial-7731", '=HYPERLINK("http://evil.example","x")', 0.12, "marketing"),
)

_DEVELOPERS = (
    # name, team, relative spend, months after April 2026 until the directory sends the tags
    ("jane.doe", "checkout", 2.1, 0),
    ("omar.haddad", "checkout", 1.6, 0),
    ("lucy.chen", "search", 1.9, 0),
    ("tom.becker", "search", 0.9, 1),
    ("ines.costa", "support", 0.7, 2),
    ("ravi.patel", "research", 2.4, 1),
    ("freya.lind", "research", 1.5, 2),
    ("noah.kim", "data-platform", 1.2, 3),
    ("zoe.martin", "data-platform", 0.8, 4),
    ("ken.mori", "marketing", 0.4, 4),
    ("ana.silva", "checkout", 0.9, 5),
    ("new.joiner", "", 0.3, 0),
)


def _developer(name: str, team: str, weight: float, tagged_after: int) -> Caller:
    """A developer on SSO; a team of `''` is a tag key without a value."""
    role = "AWSReservedSSO_DeveloperAccess_0123456789abcdef"
    arn = f"arn:aws:sts::{ENGINEERING.id}:assumed-role/{role}/{name}@fernhollow.example"
    tags = {"team": team, "cost-center": _COST_CENTERS.get(team, "")}
    # Marketing's directory spells the key its own way.
    spelled = {"Team": team} if team == "marketing" else tags
    return Caller(arn, ENGINEERING, weight, _DEVELOPER_USES, spelled, tagged_after)


def _role(account: Account, role_and_session: str) -> str:
    return f"arn:aws:sts::{account.id}:assumed-role/{role_and_session}"


RUNAWAY = Caller(
    _role(DATA, "research-agent/deep-research"),
    DATA,
    2.2,
    (
        *_replaced("opus46", "opus55-global", "USE1", 0.6, first=8, last=6),
        Use("astra-long", "USW2", 0.15, since=9),
        Use("sonnet4-long", "USE1", 0.1),
        Use("agentcore", "USE1", 0.15),
    ),
    _tags("research", "deep-research", "CC-3010"),
    rhythm="machine",
)

_WORKLOADS = (
    RUNAWAY,
    Caller(  # Lambda
        _role(SUPPORT, "ticket-triage-lambda/ticket-triage"),
        SUPPORT,
        9.0,
        (
            # Halfway through the move each has half of its full share; Haiku costs a fifth.
            Use("opus46-global", "USE1", 1.0, until=SUPPORT_MOVE_BACK + 1),
            Use("opus46-global", "USE1", 0.5, since=SUPPORT_MOVE_BACK, until=SUPPORT_MOVE_BACK),
            Use("haiku45-global", "USE1", 0.11, since=SUPPORT_MOVE_BACK, until=SUPPORT_MOVE_BACK),
            Use("haiku45-global", "USE1", 0.22, since=SUPPORT_MOVE_BACK - 1),
            Use("guardrails", "USE1", 0.05),
            Use("knowledge-base", "USE1", 0.03),
        ),
        _tags("support", "ticket-triage", "CC-2010"),
        rhythm="customers",
    ),
    Caller(  # telephony: speech
        _role(SUPPORT, "voice-assistant/voice-prod"),
        SUPPORT,
        2.0,
        (Use("nova-sonic", "USE1", 0.7), Use("nova-pro-fast", "USE1", 0.3)),
        _tags("support", "voice", "CC-2010"),
        tagged_after=1,
        rhythm="customers",
    ),
    Caller(  # EC2 instance role, through an application inference profile
        _role(PLATFORM, "search-reindex/i-0a1b2c3d4e5f67890"),
        PLATFORM,
        4.5,
        (
            Use("titan-embed", "USE1", 0.2),
            Use("rerank", "USE1", 0.15),
            Use("nova-lite", "USE1", 0.25),
            Use("nova2-lite-flex", "USW2", 0.25),
            Use("command-r", "USE1", 0.15),
        ),
        _tags("search", "catalogue-search", "CC-1020"),
        tagged_after=1,
        rhythm="machine",
        profile="k3x9v2m7q1zt",
        profile_tags={"team": "search", "app": "catalogue-search"},
    ),
    Caller(  # EKS pod identity; the profile belongs to another team than the role
        _role(PLATFORM, "eks-catalog-agent/eks-prod-catalog-agent-1f2e3d4c"),
        PLATFORM,
        5.5,
        (
            *_replaced("sonnet46", "sonnet55", "USE1", 0.5, first=9, last=6),
            Use("agentcore", "USE1", 0.14),
            Use("gpt-oss-mantle", "USE1", 0.14),
            Use("gpt-oss-priority", "USE1", 0.1),
            Use("deepseek", "USW2", 0.12),
        ),
        _tags("checkout", "catalogue-agent", "CC-1010"),
        rhythm="customers",
        profile="p8h4c6n2w5ya",
        profile_tags={"team": "search"},
    ),
    Caller(
        _role(DATA, "research-evals/weekly-evals"),
        DATA,
        3.6,
        (
            Use("astra", "USE1", 0.4, since=9),
            Use("terra-global", "USW2", 0.15, since=10),
            Use("grok-flex", "USE1", 0.15, since=10),
            Use("sonnet45-long", "USW2", 0.15),
            Use("nova2-pro-priority", "USE1", 0.15),
            Use("gemma-flex", "EUW1", 0.02),
        ),
        _tags("research", "model-evals", "CC-3010"),
        tagged_after=2,
        rhythm="office",
    ),
    Caller(  # batch tier, by night
        _role(DATA, "bedrock-batch/nightly-enrichment"),
        DATA,
        6.0,
        (
            Use("opus41-batch", "USW2", 0.45),
            Use("llama-batch", "USE1", 0.25),
            Use("mistral-batch", "EUW1", 0.3),
        ),
        _tags("data-platform", "enrichment", "CC-3020"),
        tagged_after=1,
        rhythm="machine",
    ),
    Caller(  # customization and provisioned throughput
        _role(DATA, "ml-training/classifier-v3"),
        DATA,
        3.0,
        (
            Use("nova-training", "USE1", 0.2),
            Use("nova2-provisioned", "USE1", 0.35),
            Use("claude37-provisioned", "USW2", 0.3),
            Use("nova-lite-custom", "USE1", 0.15),
        ),
        _tags("data-platform", "classifier", "CC-3020"),
        tagged_after=3,
        rhythm="machine",
    ),
    Caller(
        _role(PLATFORM, "campaign-studio/campaign-studio-prod"),
        PLATFORM,
        3.2,
        (
            Use("nova-canvas", "USE1", 0.35),
            Use("stable-diffusion", "USW2", 0.3),
            Use("haiku3", "EU", 0.15),
            Use("nova-micro", "EUC1", 0.2),
        ),
        {"Team": "marketing", "project": "campaigns"},
        tagged_after=1,
        profile="z1q5r7b9d3fk",
        profile_tags={"team": "marketing", "app": ""},
    ),
)

_FEW = (Use("sonnet46", "USE1", 0.7), Use("haiku45-global", "USW2", 0.3))
_ODD_ONES = (
    Caller(_role(PLATFORM, "llm-gateway/llm-gateway"), PLATFORM, 3.0, _GATEWAY_USES, {}),
    Caller(f"arn:aws:iam::{ENGINEERING.id}:user/ci-evals", ENGINEERING, 0.8, _FEW, {}),
    Caller(
        f"arn:aws:iam::{ENGINEERING.id}:user/BedrockAPIKey-234s",
        ENGINEERING,
        0.9,
        _FEW,
        _tags("checkout", "assistant", ""),
        tagged_after=2,
    ),
    Caller(f"arn:aws:iam::{DATA.id}:user/BedrockAPIKey-k91x", DATA, 0.5, _FEW, {}),
    Caller(f"arn:aws:iam::{ENGINEERING.id}:root", ENGINEERING, 0.05, _FEW, {}),
    Caller(f"arn:aws:sts::{DATA.id}:federated-user/pat.lee", DATA, 0.15, _FEW, {"team": ""}),
    Caller(f"arn:aws:sts::{DATA.id}:federated-user/", DATA, 0.04, _FEW, {}),
    Caller(f"arn:aws:iam::{SUPPORT.id}:role/service/chat-backend", SUPPORT, 0.6, _FEW, {}),
)

CALLERS = TENANTS + tuple(_developer(*row) for row in _DEVELOPERS) + _WORKLOADS + _ODD_ONES
