"""Leases of versions: who uses one, and until when.

A lease that is not renewed ends by itself, so that a holder whose machine is gone keeps nothing.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime, timedelta

from pydantic import BaseModel, ValidationError

from chargeback.billing_period import UtcMoment, now
from chargeback.errors import SourceProblem
from chargeback.store.athena.objects import StoreObjects

LASTS = timedelta(hours=1)
"""Twice as long as Athena lets a query run, unless its limit is raised."""


class _LeaseFile(BaseModel):
    until: UtcMoment


class Lease:
    """One holder's lease of one version. A store that can't be written gives none, and no error."""

    def __init__(self, objects: StoreObjects, version: str) -> None:
        self._objects = objects
        self._name = f"{_folder(version)}{uuid.uuid4().hex}.json"
        self._until: datetime | None = None
        self.renew()

    def renew(self) -> None:
        """Makes it last again, where half of its time is over."""
        moment = now()
        if self._until is not None and moment < self._until - LASTS / 2:
            return
        with suppress(SourceProblem):
            body = _LeaseFile(until=moment + LASTS).model_dump_json()
            self._objects.put(self._name, body.encode())
            self._until = moment + LASTS

    def release(self) -> None:
        """Ends it. What can't be deleted now ends by itself."""
        with suppress(SourceProblem):
            self._objects.delete(self._name)


def is_leased(objects: StoreObjects, version: str) -> bool:
    """Whether anybody holds the version. Raises SourceProblem."""
    return any(_lasts(body) for body in objects.all(_folder(version)))


def end_leases(objects: StoreObjects, version: str) -> None:
    """Deletes what is left of a version's leases. Raises SourceProblem."""
    objects.delete(_folder(version))


def _lasts(body: bytes) -> bool:
    try:
        return _LeaseFile.model_validate_json(body).until > now()
    except ValidationError:
        return False


def _folder(version: str) -> str:
    return f"leases/{version}/"
