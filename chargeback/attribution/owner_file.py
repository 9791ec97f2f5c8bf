"""Saving an owner list: by whoever may, over the list that they read, whole, and written down."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from chargeback.access.change import AccessRules, Actor, ChangeRefused, require_change
from chargeback.attribution.owner_draft import Change, Draft, Entry, read_list
from chargeback.attribution.owners import OwnerListError
from chargeback.errors import Problem
from chargeback.files.atomic import flush, write_whole
from chargeback.ledger.ledger import Ledger

READ_ONLY = "[access] read_only_owners (CHARGEBACK_ACCESS__READ_ONLY_OWNERS)"
KEPT = "owner-lists"
"""Where the ledger has every list that was replaced. There, and not beside the list: it is
kept as long as the line that names it, and the list's own folder is often a checkout or a mounted
set of settings, in which files of ours would be in the way."""
ROWS_TOLD = 50
"""Of the rows that changed, how many the ledger spells out; all are in the two files."""


class Saved(NamedTuple):
    """Who saved a list, and when."""

    who: str
    at: datetime


class ListChanged(Problem):
    """Somebody else saved the list since it was read."""


def why_read_only(path: Path, rules: AccessRules) -> str:
    """What keeps everybody from changing a list here, in a sentence; '' if nothing does."""
    if rules.access.read_only_owners:
        return f"Owner lists are read-only on this server: {READ_ONLY}."
    if not _is_writable(path.resolve()):
        return f"This server can't write to {path.name}."
    return ""


def last_saved(path: Path, sha256: str, ledger: Ledger) -> Saved | None:
    """Who saved a list with this content last; None if it was changed by other means."""
    found = None
    for entry in ledger.changes():
        after = entry["after"]
        if entry["what"] == _what(path) and isinstance(after, dict) and after["sha256"] == sha256:
            found = Saved(entry["who"], datetime.fromisoformat(entry["when"]))
    return found


def save(path: Path, draft: Draft, actor: Actor, rules: AccessRules) -> None:
    """Replaces a list by a draft of it.

    The list as it was is kept first, and the change written down second: a crash between any two
    steps leaves the old or the new list, whole, and never one that nobody answers for. The line
    in the ledger names the digest of what was to be saved: it held from then on if the file has it.

    Raises:
        ChangeRefused: they may not change figures, or nobody may change this list here.
        OwnerListError: something in the draft is wrong.
        ListChanged: the file is no longer what the draft was made of.
        Problem: it can't be written.
    """
    require_change(actor, rules, f"change the owner list {path.name}")
    if why := why_read_only(path, rules):
        raise ChangeRefused(why, "Nothing was saved.", "Change the file where it is kept.")
    if draft.faults:
        told = "; ".join(map(str, draft.faults))
        raise OwnerListError(f"{path.name}: {told}.", "Nothing was saved.", "Correct these lines.")
    ledger = rules.open_ledger()
    try:
        with ledger.one_at_a_time(KEPT):
            _require_unchanged(path, draft, ledger)
            _replace(path, draft, str(actor), ledger)
    except OSError as error:
        raise Problem(
            f"{path.name} could not be saved: {error.strerror}.",
            "The list is unchanged.",
            "Check the server's disk space, and that it may write to the list and the ledger.",
        ) from error


def _require_unchanged(path: Path, draft: Draft, ledger: Ledger) -> None:
    now = read_list(path)
    if now.sha256 == draft.read.sha256:
        return
    by = last_saved(path, now.sha256, ledger)
    changed = f"{by.who} saved it on {_moment(by.at)}" if by else "it was changed outside this page"
    raise ListChanged(
        f"{path.name} is no longer the list that you opened: {changed}.",
        "Nothing was saved, and nothing of theirs was overwritten.",
        "Load the list as it is now, and make your changes again.",
    )


def _replace(path: Path, draft: Draft, who: str, ledger: Ledger) -> None:
    before = {"sha256": draft.read.sha256, "kept": _keep(path, draft, ledger)}
    after = {"sha256": draft.sha256, **_told(draft)}
    ledger.record(who=who, what=_what(path), before=before, after=after)
    try:
        write_whole(path.resolve(), draft.content)
    except OSError:
        what = f"could not change the owner list {path.name}"
        ledger.record(who=who, what=what, before=before, after=before)
        raise
    flush(path.resolve().parent)


def _keep(path: Path, draft: Draft, ledger: Ledger) -> str:
    """Keeps the list as it was read; returns where, within the ledger. '' if there was none."""
    if not draft.read.content:
        return ""
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    name = f"{KEPT}/{path.name}.{moment}.{draft.read.sha256[:8]}.bak"
    ledger.objects.create(name, draft.read.content)  # one of that name holds the same
    return name


def _told(draft: Draft) -> dict[str, Any]:
    """The rows that changed, as the ledger spells them out."""
    rows = [_row(change) for change in draft.changes[:ROWS_TOLD]]
    return {"rows_changed": len(draft.changes), "rows": rows}


def _row(change: Change) -> dict[str, Any]:
    before, after = map(_filled, change)
    return {"line": change.before and change.before.line, "before": before, "after": after}


def _filled(entry: Entry | None) -> dict[str, str] | None:
    return None if entry is None else {name: text for name, text in entry.cells.items() if text}


def _what(path: Path) -> str:
    return f"changed the owner list {path.name}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"


def _is_writable(file: Path) -> bool:
    """Whether the file may be replaced: a new one is written beside it and takes its name."""
    return os.access(file.parent, os.W_OK | os.X_OK) and (
        not file.exists() or (file.is_file() and os.access(file, os.W_OK))
    )
