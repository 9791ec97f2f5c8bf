"""Lines beside the metered use of Bedrock: oddities, fees, credits, refunds, other services.

Every billing period has all of them.
"""

from datetime import timedelta
from decimal import Decimal

import numpy as np

from chargeback.demo import company
from chargeback.demo.company import DATA, PLATFORM, RUNAWAY, SUPPORT, TENANTS, Account, Caller, Use
from chargeback.demo.lines import (
    Lines,
    Period,
    Single,
    Template,
    line_text,
    price_text,
    write_out,
)
from chargeback.demo.meters import (
    E10,
    MARKETPLACE,
    REGIONS,
    Meter,
    Product,
    counted,
    plain,
    software,
)
from chargeback.demo.offers import BEDROCK, BEDROCK_SERVICE, CLAUDE_37, OFFERS, STUDIO
from chargeback.demo.usage import Running, caller_maps, price_factor, usage_template

_DAY = 86_400
_OTHER_SHARE = 0.03
"""Lines of other services, of the lines of Bedrock: a filter has to leave them out."""

_EC2 = Product("AmazonEC2", "Amazon Elastic Compute Cloud", family="Compute Instance")
_S3 = Product("AmazonS3", "Amazon Simple Storage Service", family="Storage")
_FIREWALL = Product(
    "0f3j7k2m9q4s8u1w5y6z3b7d2", "Palisade Next-Gen Firewall", MARKETPLACE, "Palisade Networks Ltd"
)
_OTHER_SERVICES = (
    (_EC2, PLATFORM, counted("BoxUsage:m6i.xlarge", "Hrs", "0.192"), "RunInstances"),
    (_EC2, DATA, counted("BoxUsage:g5.2xlarge", "Hrs", "1.212"), "RunInstances"),
    (_S3, DATA, counted("TimedStorage-ByteHrs", "GB-Mo", "0.023"), "StandardStorage"),
    (
        _FIREWALL,
        PLATFORM,
        software("{r}-MP:{r}_Firewall_Hours-Units", "hour", Decimal("1.1"), "Firewall hours"),
        "Usage",
    ),
)


def _at(period: Period, seconds: int) -> str:
    """ISO 8601 of the moment `seconds` from the period's first second."""
    return str(np.datetime64(period.first.isoformat(), "s") + seconds)


def _use(period: Period, start: int, length: int, quanta: int) -> Single:
    """Use by the first tenant, `start` seconds from the period's first, over `length` seconds."""
    use = Use("sonnet46-global", "USE1", 1.0)
    run = Running(TENANTS[0], use, OFFERS[use.offer].meters[0], 0.0)
    recorded = period.first + timedelta(seconds=start) >= company.IAM_PRINCIPALS_SINCE
    template = usage_template(period, run, recorded=recorded)
    cost = quanta * run.meter.rate(price_factor(run.offer, period))
    return Single(template, _at(period, start), _at(period, start + length), cost, quanta)


def _oddly_timed(period: Period) -> list[Single]:
    """Use of the previous month billed in this one; use in the first and the last second."""
    last = period.covered * _DAY - 1
    late = [_use(period, -days * _DAY, _DAY, 4_090_117) for days in (1, 2, 3)]
    return [*late, _use(period, 0, 1, 1_201), _use(period, last, 1, 2_403)]


def _known(period: Period, caller: Caller) -> tuple[str | None, dict[str, dict[str, str]]]:
    """The caller as it appears on the period's first day: principal and tag columns."""
    named = period.first >= company.IAM_PRINCIPALS_SINCE
    return caller.arn if named else None, caller_maps(caller, period, named=named)


def _priced(
    period: Period, product: Product, account: Account, meter: Meter, operation: str
) -> Template:
    """A line in us-east-1 that is priced by use and names no caller."""
    region = REGIONS["USE1"]
    rate, usage_type = plain(meter.price), meter.usage_type.replace("{r}", region.prefix)
    words = meter.description.format(rate=rate, region=region.code, location=region.location)
    text = {
        **line_text(period, product, account, "Usage"),
        **price_text(product, region, usage_type, meter.unit, rate),
        "line_item_line_item_description": words,
        "line_item_operation": operation,
    }
    tags = {"accountTag/environment": account.environment}
    described = {"product_name": product.name, "region": region.location}
    return Template(text, {"tags": tags, "product": described}, meter.quanta)


def _unheard_of(period: Period) -> list[Single]:
    """A usage type that nobody knows, and a product code that is new."""
    principal, maps = _known(period, RUNAWAY)
    zephyr = counted("Zephyr9-quantum-tokens", "Quanta", "0.0000123457")
    studio = counted("Studio-Workspace-Hours", "Hours", "0.35")
    unknown = _priced(period, BEDROCK, DATA, zephyr, "InvokeModelInference")
    unknown = Template(
        {**unknown.text, "line_item_iam_principal": principal}, {**unknown.maps, **maps}
    )
    new = _priced(period, STUDIO, DATA, studio, "RunWorkspace")
    day = _at(period, 0), _at(period, _DAY)
    return [
        Single(unknown, *day, 1_000_003 * zephyr.rate(), 1_000_003),
        Single(new, *day, 31 * studio.rate(), 31),
    ]


def _adjustment(  # noqa: PLR0913, PLR0917 - one call a line reads as a table
    period: Period,
    product: Product,
    account: Account,
    line_type: str,
    description: str,
    dollars: str,
    usage_type: str | None = None,
    caller: Caller | None = None,
) -> Single:
    principal, maps = _known(period, caller) if caller else (None, {"tags": {}})
    text = line_text(period, product, account, line_type) | {
        "line_item_line_item_description": description,
        "line_item_usage_type": usage_type,
        "line_item_iam_principal": principal,
    }
    template = Template(text, {**maps, "product": {"product_name": product.name}})
    return Single(template, _at(period, 0), _at(period, _DAY), int(Decimal(dollars) * E10))


def _adjustments(period: Period) -> list[Single]:
    """Credits with and without a caller, a refund to ten decimals, a reserved-capacity fee."""
    reserved = "USW2-MP:USW2_Reserved_1Month_InputTPM_Global-Units"
    output = "USE1-Claude4.6Sonnet-output-tokens-cross-region-global"
    return [
        _adjustment(
            period,
            BEDROCK_SERVICE,
            PLATFORM,
            "Credit",
            "Service credit for elevated error rates",
            "-75.5",
            output,
            TENANTS[1],
        ),
        _adjustment(period, BEDROCK, PLATFORM, "Credit", "AWS_Promo_GenAI_Accelerator", "-250"),
        _adjustment(period, BEDROCK, SUPPORT, "Refund", "Refund for earlier use", "-42.1234567891"),
        _adjustment(
            period,
            CLAUDE_37,
            DATA,
            "Fee",
            "AWS Marketplace software usage|us-west-2|Reserved 1 Month Input TPM Global",
            "980",
            reserved,
        ),
    ]


def beside(period: Period) -> Lines:
    """Oddities, credits, refunds and fees of Bedrock."""
    return write_out([*_oddly_timed(period), *_unheard_of(period), *_adjustments(period)])


def other_services(period: Period, lines: int, rng: np.random.Generator) -> Lines:
    """Lines that are not Bedrock's, by the hour, in proportion to `lines`."""
    count = max(round(lines * _OTHER_SHARE), len(_OTHER_SERVICES))
    service = np.arange(count) % len(_OTHER_SERVICES)
    hours = rng.integers(0, period.covered * 24, count) * 3_600
    start = np.datetime64(period.first.isoformat(), "s") + hours
    quanta = rng.integers(1, 25, count)
    rates = np.array([meter.rate() for _, _, meter, _ in _OTHER_SERVICES], dtype=np.int64)
    templates = [_priced(period, *service) for service in _OTHER_SERVICES]
    return Lines(templates, service, start, start + 3_600, quanta, quanta * rates[service])
