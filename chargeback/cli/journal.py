"""python -m chargeback journal: a month as the file that a general ledger takes."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from chargeback.billing_period import check_month
from chargeback.cli.common import ensure, statements_now
from chargeback.cli.terminal import shown
from chargeback.closing.ledger_files import accrued, journal_of, posted, posting_day
from chargeback.errors import UsageProblem
from chargeback.settings import load_settings
from chargeback.statement.documents import DocumentSet
from chargeback.statement.journal.profile import Profile, read_profile
from chargeback.statement.journal.template import fitted
from chargeback.statement.journal.write import write_journal
from chargeback.workspace import Workspace


def run(options: argparse.Namespace) -> None:
    """Writes the files, and names them."""
    month = check_month(options.month)
    posting_date = _posting_date(options.posting_date, month)
    profile = _fitted(read_profile(options.profile), options.template)
    workspace = Workspace(load_settings())
    settings = workspace.settings.journal
    found = _documents(workspace, month, options)
    made = journal_of(list(found), settings, posting_date)
    files = write_journal(made, profile, options.out)
    if made.revision > 1:
        _say(f"{month} was closed again: reverse what was posted of it before.")
    for text in _told(profile):
        _say(text)
    print(*files, sep="\n")


def _documents(
    workspace: Workspace, month: str, options: argparse.Namespace
) -> Sequence[DocumentSet]:
    """Of a closed month one set; of an open one its accrual and its reversal."""
    if options.accrual:
        ensure(workspace, month)
        return accrued(statements_now(workspace), month, options.by)
    return posted(statements_now(workspace), month, options.by)


def _posting_date(text: str | None, month: str) -> date:
    if text is None:
        return posting_day(month)
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageProblem(
            f"{text!r} is not a date.", todo="Write it as YYYY-MM-DD: 2026-10-31."
        ) from error


def _fitted(profile: Profile, template: Path | None) -> Profile:
    if template is None:
        return profile
    found = fitted(profile, template)
    if found.unfilled:
        _say(f"nothing is known to fill these columns with: {', '.join(found.unfilled)}")
    return found.profile


def _told(profile: Profile) -> Iterator[str]:
    """What whoever imports the file has to know of its layout."""
    if not profile.certified_by_vendor:
        yield f"the layout is not certified by the vendor of {profile.system}."
    if profile.before_import:
        yield f"before you import it: {profile.before_import}"
    if profile.unverified:
        yield f"not verified: {profile.unverified}."


def _say(text: str) -> None:
    print(shown(f"chargeback: {text}".rstrip(), sys.stderr.encoding or "utf-8"), file=sys.stderr)
