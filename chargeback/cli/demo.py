"""demo: a realistic CUR 2.0 export to try things on."""

from __future__ import annotations

import argparse

from chargeback.billing_period import today
from chargeback.cli.terminal import progress
from chargeback.demo import write_demo
from chargeback.workspace import DEMO_MONTHS


def run(options: argparse.Namespace) -> None:
    """Writes the export, and names its folder."""
    write_demo(
        options.out,
        today=today(),
        months=options.months or DEMO_MONTHS,
        lines=options.lines,
        progress=progress(),
    )
    print(options.out)
