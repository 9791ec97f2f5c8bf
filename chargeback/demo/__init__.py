"""A demo bill: a CUR 2.0 export with fourteen months of Amazon Bedrock, nasty cases included.

The story. Fernhollow Trading runs Bedrock in four linked accounts. Six teams (checkout, search,
support, research, data-platform, marketing) use it: through an LLM gateway that serves twelve
tenants with a role session each, as developers on SSO, and from Lambda, EC2, EKS and batch roles.
Its Bedrock bill grows from about $60,000 to $185,000 a month; ever more of the input is read from
the prompt cache; new Claude models replace older ones. Counted backwards from the open month: five
months ago the support team moved from Claude Opus to Claude Haiku; three months ago Claude Opus
became a fifth cheaper; two months ago an agent of the research team ran away for four days. IAM
principals and their tags begin on 8 April 2026, bedrock-mantle's in July 2026, and tags spread
from caller to caller in the months after April. The open month is unremarkable.

The nasty cases, in every month unless said otherwise:

- Third-party models sold through AWS Marketplace, in both grammars of usage types (the newer from
  nine months ago on), with opaque product codes, the seller as legal entity, their own invoice; one
  without a Region's name in the usage type, one whose description names no unit.
- Lines without a principal: NULL and `''` (from April 2026 on), before the feature all; mantle's
  until July.
- IAM users, Bedrock API keys, root, a federated user, a federated ARN without a name, a bare role,
  a gateway session without tags.
- Tags that are `''`; a team that spells its key `Team`; tenants in other scripts and with quotes,
  markup and a spreadsheet formula in their names; resource tags of application inference profiles
  that contradict the principal's.
- Credits with and without a principal, a refund to ten decimals, a reserved-capacity fee, tax on
  both invoices, `EdpDiscount` lines; in the two oldest periods net costs instead of these.
- Use of the previous month billed in this one; use in a period's first and last second.
- An unknown usage type in an unknown unit; a product code that is new (`AmazonBedrockStudio`).
- AgentCore, guardrails, knowledge bases, provisioned throughput, customization, embeddings,
  rerank, images, speech; batch, flex, priority, latency-optimized, long context, global.
- Amazon EC2, Amazon S3 and a Marketplace product that are not Bedrock, taxed as well.
- No invoice yet for the open month, nor for the previous one until its sixth day: NULL on AWS's
  lines, `''` on Marketplace's.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from chargeback.demo.bill import bill
from chargeback.demo.company import NET_PERIODS
from chargeback.demo.export import write
from chargeback.demo.lines import Period

__all__ = ["write_demo"]


def _periods(today: date, months: int) -> list[Period]:
    """The last `months` billing periods, oldest first; the newest never has net costs."""
    newest = today.year * 12 + today.month - 1
    return [
        Period(
            first=date((newest - back) // 12, (newest - back) % 12 + 1, 1),
            today=today,
            back=back,
            net=back >= max(months - NET_PERIODS, 1),
        )
        for back in reversed(range(months))
    ]


def write_demo(
    out: Path,
    *,
    today: date,
    months: int = 14,
    lines: int = 60_000,
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Writes a CUR 2.0 export below `out` as AWS would: `bedrock-cur2/data` and `…/metadata`.

    The same arguments give the same bytes. Files of these periods are replaced, others are left.

    Args:
        out: folder, made where missing.
        today: the export's date; the last billing period is its month, used up to the day before.
        months: number of billing periods.
        lines: lines of the newest period once its month is full; older ones have fewer, and none
            has fewer than about 170, which the nasty cases need.
        progress: called after each period with its `YYYY-MM`, how many are done, and of how many.

    Raises:
        ValueError: `months` or `lines` is less than 1.
    """
    if months < 1 or lines < 1:
        raise ValueError("a demo needs at least one month and one line")
    for done, period in enumerate(_periods(today, months), start=1):
        write(out, period, bill(period, lines))
        if progress:
            progress(period.key, done, months)
