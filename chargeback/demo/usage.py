"""Who runs which meters in a period, for how many dollars, and what their lines say."""

from dataclasses import dataclass, replace
from decimal import Decimal

from chargeback.demo import company
from chargeback.demo.company import CALLERS, Caller, Use
from chargeback.demo.lines import Period, Template, line_text, price_text
from chargeback.demo.meters import REGIONS, Meter, Offer, plain
from chargeback.demo.offers import OFFERS


@dataclass(frozen=True, slots=True)
class Running:
    """A meter that a caller runs; `dollars` is its spend in a whole month, before price changes."""

    caller: Caller
    use: Use
    meter: Meter
    dollars: float

    @property
    def offer(self) -> Offer:
        """The offer the meter belongs to."""
        return OFFERS[self.use.offer]


def metered_dollars(back: int) -> float:
    """Dollars of metered use in the month `back` months before the newest."""
    growth = company.LAST_SPEND / company.FIRST_SPEND
    return float(company.LAST_SPEND * growth ** (-back / (company.STORY_MONTHS - 1)))


def _cached_share(back: int) -> float:
    """Share of the input that is read from the prompt cache: a fifth, rising to two thirds."""
    return 0.2 + 0.46 * max(0.0, 1 - back / (company.STORY_MONTHS - 1))


def _quantities(meters: tuple[Meter, ...], back: int) -> list[float]:
    """How much of each meter one unit of work runs: tokens by kind, else for equal dollars."""
    cached = _cached_share(back) if any(m.kind == "cache read" for m in meters) else 0.0
    tokens = {
        "input": 1 - cached,
        "output": 0.14,
        "cache read": cached * 1.8,
        "cache write": cached * 0.14,
        "cache write 30m": cached * 0.1,
        "cache write 1h": cached * 0.03,
    }
    return [tokens.get(meter.kind, meter.quanta / float(meter.price)) for meter in meters]


def _shares(offer: Offer, back: int) -> list[float]:
    """Each meter's share of the offer's dollars."""
    spent = [
        quantity * float(meter.price) / meter.quanta
        for quantity, meter in zip(_quantities(offer.meters, back), offer.meters, strict=True)
    ]
    return [dollars / sum(spent) for dollars in spent]


def _uses(back: int) -> list[tuple[Caller, Use, float]]:
    """Callers' uses in the month with their relative dollars."""
    return [
        (caller, use, caller.weight * (1 + caller.growth) ** -back * use.share)
        for caller in CALLERS
        if back <= caller.since
        for use in caller.uses
        if use.active(back)
    ]


def running(period: Period) -> list[Running]:
    """Every meter that runs in the period; the dollars add up to the month's spend."""
    rows = [
        Running(caller, use, meter, weight * share)
        for caller, use, weight in _uses(period.back)
        for meter, share in zip(
            OFFERS[use.offer].meters, _shares(OFFERS[use.offer], period.back), strict=True
        )
    ]
    scale = metered_dollars(period.back) / sum(row.dollars for row in rows)
    return [replace(row, dollars=row.dollars * scale) for row in rows]


def price_factor(offer: Offer, period: Period) -> Decimal:
    """What the period's price is of the offer's base price."""
    return offer.price_cut if period.back <= company.PRICE_CUT_BACK else Decimal(1)


def _principal(caller: Caller, offer: Offer, period: Period) -> str | None:
    """`line_item_iam_principal` on a day on which AWS records principals."""
    if offer.principal == "empty":
        return ""
    early = offer.principal == "mantle" and period.first < company.MANTLE_PRINCIPALS_SINCE
    return None if early or offer.principal == "null" else caller.arn


def _tagged(caller: Caller, period: Period) -> bool:
    since = company.IAM_PRINCIPALS_SINCE
    months = (period.first.year - since.year) * 12 + period.first.month - since.month
    return months >= caller.tagged_after


def caller_maps(caller: Caller, period: Period, *, named: bool) -> dict[str, dict[str, str]]:
    """The tag columns of a caller's lines; `named` says that the principal is on them."""
    account, resource = caller.account, caller.profile_tags or {}
    principal = caller.tags if named and _tagged(caller, period) else {}
    tags = {
        "accountTag/environment": account.environment,
        "costCategory/Division": account.division,
        **{f"iamPrincipal/{key}": value for key, value in principal.items()},
        **{f"resourceTags/{key}": value for key, value in resource.items()},
    }
    return {
        "tags": tags,
        "resource_tags": {f"user_{key}": value for key, value in resource.items()},
        "cost_category": {"Division": account.division},
    }


def _resource(run: Running, region: str) -> str | None:
    """The caller's application inference profile, where the call goes through one."""
    caller = run.caller
    if not caller.profile or run.offer.principal != "caller":
        return None
    profile = f"application-inference-profile/{caller.profile}"
    return f"arn:aws:bedrock:{region}:{caller.account.id}:{profile}"


def usage_template(period: Period, run: Running, *, recorded: bool) -> Template:
    """What a caller's lines on one meter share.

    `recorded` says whether AWS records principals on the day of use.
    """
    region, product = REGIONS[run.use.region], run.offer.product
    rate = plain(run.meter.price * price_factor(run.offer, period))
    principal = _principal(run.caller, run.offer, period) if recorded else None
    words = run.meter.description.format(rate=rate, region=region.code, location=region.location)
    usage_type = run.meter.usage_type.replace("{r}", region.prefix)
    text = {
        **line_text(period, product, run.caller.account, "Usage"),
        **price_text(product, region, usage_type, run.meter.unit, rate),
        "line_item_line_item_description": words,
        "line_item_operation": run.offer.operation,
        "product_operation": run.offer.operation,
        "line_item_resource_id": _resource(run, region.code),
        "line_item_iam_principal": principal,
    }
    maps = caller_maps(run.caller, period, named=bool(principal))
    maps["product"] = {"product_name": product.name, "region": region.location}
    return Template(text, maps, run.meter.quanta)
