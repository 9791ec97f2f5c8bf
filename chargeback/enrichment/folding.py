"""Which sessions of a role the store keeps as one: those that nothing tells from their role.

A session stays as billed where any source, owner row or rule would answer otherwise for it than for
all sessions of its role; where its name says who or what it is; and where few share its tags.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pyarrow as pa

from chargeback.attribution.attribution import Attribution
from chargeback.attribution.folded import folded_arn, role_of_session, session_tags
from chargeback.attribution.principal_pattern import matches, names_some_sessions
from chargeback.attribution.rule_notices import IDENTITY_KEYS
from chargeback.attribution.rules import AttributionRules, PatternSource
from chargeback.attribution.star_pattern import STAR
from chargeback.notices import Notice, notice
from chargeback.store.folding import SESSIONS, Folded

ROLES_KNOWN = 65_536
"""Answers about all sessions of a role with some tags that are remembered while a month is read."""
READS_SESSIONS = ("session", "principal")
"""What a pattern is matched against in which a session's name stands."""


@dataclass(frozen=True)
class SessionFolding:
    """What is kept as one under some rules."""

    sessions_above: int | None
    """Of one role, of equal session tags; None keeps each as billed."""
    rules: AttributionRules
    principals: tuple[str, ...] = ()
    """The callers that rules of allocation name."""
    closed_months: Callable[[], Collection[str] | None] = frozenset
    """Gives the billing periods that are closed, None where that can't be known. What is read of
    them is compared with what was frozen, under the rules of then: it is kept as billed."""

    @property
    def parameters(self) -> dict[str, int]:
        """What the rules say to queries/store/sessions.sql."""
        return {"reads_resources": int(self.rules.reads_resources)}

    def above(self, billing_period: str) -> int | None:
        """How many sessions of a role stay as billed at most; None for all of a month."""
        if self.sessions_above is None or self._is_closed(billing_period):
            return None
        return self.sessions_above

    def sessions(self, identities: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Under which ARN each row of queries/store/sessions.sql may be kept; NULL for its own.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        attribution = Attribution(self.rules)

        @lru_cache(maxsize=ROLES_KNOWN)
        def of_all(*identity: str) -> Hashable:
            return self._question(attribution, dict(zip(IDENTITY_KEYS, identity, strict=True)))

        def name(row: Mapping[str, str]) -> str | None:
            alike = {**row, "iam_principal": folded_arn(row["iam_principal"])}
            if not alike["iam_principal"]:
                return None
            asked = of_all(*(alike[key] for key in IDENTITY_KEYS))
            return alike["iam_principal"] if self._question(attribution, row) == asked else None

        for batch in identities:
            rows = batch.to_pylist()
            columns = [
                batch.column("iam_principal"),
                pa.array(map(name, rows), pa.string()),
                pa.array(map(session_tags, rows), pa.string()),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=SESSIONS)

    def session_rules(self, principals: Collection[str]) -> tuple[str, ...]:
        """Digests of what of the rules can tell sessions apart that are kept under these ARNs.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        roles = {role_of_session(principal) for principal in principals}
        return tuple(sorted({_digest(*each) for each in self._reading_sessions(roles)}))

    def is_outdated(self, billing_period: str, folded: Folded | None) -> bool:
        """Whether a month is to be read anew, as other sessions of it would be kept as one now.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        differs = (folded.above if folded else None) != self.sessions_above
        if not differs and (folded is None or not self.is_read_since(folded)):
            return False
        return not self._is_closed(billing_period)

    def is_read_since(self, folded: Folded) -> bool:
        """Whether rules may tell sessions apart now that are kept as one, and could not then.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        return not set(self.session_rules(folded.principals)) <= set(folded.session_rules)

    def notices(self, billing_period: str, folded: Folded | None) -> tuple[Notice, ...]:
        """What somebody must know of an open month of which rules read sessions kept as one.

        Raises:
            OwnerListError: an owner list can't be used.
        """
        if folded is None or not self.is_read_since(folded):
            return ()
        if self._closed is not None and billing_period in self._closed:
            return ()  # its figures are those under the rules of then
        return tuple(
            notice(
                "sessions-read-since",
                lines=total.lines,
                amount=total.unblended_total,
                currency=total.currency,
                sessions=f"{total.sessions:,}",
                roles=f"{total.roles:,} role{'' if total.roles == 1 else 's'}",
                period=billing_period,
            )
            for total in folded.totals
        )

    def _is_closed(self, billing_period: str) -> bool:
        return self._closed is None or billing_period in self._closed

    @cached_property
    def _closed(self) -> Collection[str] | None:
        return self.closed_months()

    def _question(self, attribution: Attribution, row: Mapping[str, str]) -> Hashable:
        """All that is asked about a caller: by whoever decides who pays, and by allocation."""
        named = (matches(pattern, row["iam_principal"]) for pattern in self.principals)
        return attribution.question(row), tuple(named)

    def _reading_sessions(self, roles: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """What may tell some sessions of one of the roles from the rest."""
        for source in self.rules.sources():
            if isinstance(source, PatternSource) and source.on in READS_SESSIONS and roles:
                yield "pattern", source.on, source.pattern
        for owners in Attribution(self.rules).lists.values():
            for row in owners.rows:
                if _names_some(row.iam_principal, roles):
                    yield "owner", row.iam_principal, row.usage_account_id
        for pattern in self.principals:
            if _names_some(pattern, roles):
                yield "allocation", pattern, ""


def _names_some(pattern: str, roles: Collection[str]) -> bool:
    if STAR not in pattern:  # one session, or none
        return pattern.count("/") >= 2 and role_of_session(pattern) in roles
    return any(names_some_sessions(pattern, role) for role in roles)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
