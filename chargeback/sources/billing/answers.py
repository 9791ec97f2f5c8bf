"""Asks AWS's billing APIs page by page, and keeps each whole answer on disk while it is true.

An answer is a JSON file named for its question. Several threads and processes may share a folder:
a question is asked once, an answer appears whole, and one that can't be read is asked for again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from chargeback.aws.session import new_session
from chargeback.billing_period import UtcMoment, month_of, now
from chargeback.errors import SourceProblem
from chargeback.files.atomic import write_whole
from chargeback.sources.billing.problems import as_problem, can_not_keep

HOME_REGION = "us-east-1"
"""Where the billing APIs of the commercial partition live (AWS General Reference, "AWS Cost
Management endpoints and quotas")."""
PREVIOUS_MONTH_DAYS = 40
"""Days after a month's end in which AWS may still change it: it is final by the middle of the next
month (Data Exports User Guide), and late credits follow."""
TRUE_FOR_OPEN = timedelta(hours=8)
"""AWS updates billing data up to three times a day (Cost Management User Guide, "Best practices
for the AWS Cost Explorer API")."""
TRUE_FOR_CLOSED = timedelta(hours=24)
TRUE_FOR_FINAL = timedelta(days=30)

_COUNTED = TypeAdapter(dict[str, int])

Service = Literal["ce", "invoicing", "sts"]
NAMES: dict[Service, str] = {
    "ce": "Cost Explorer",
    "invoicing": "The Invoicing API",
    "sts": "AWS STS",
}

NO_ANSWER = (BotoCoreError, ClientError, ResponseParserError)
"""What boto3 raises; the last one when something else answers, as a proxy's own page."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the billing APIs answer when it isn't AWS: the demo's own service."""

    url: str

    def client(self, service: Service) -> Any:  # noqa: ANN401  (boto3 makes clients at run time)
        """A boto3 client with credentials that are none."""
        # Neither a profile nor a proxy of the environment has a say in the demo.
        bare = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
        session = new_session(
            bare,
            aws_access_key_id="demo",
            aws_secret_access_key="demo",  # noqa: S106  (it is none)
            region_name=HOME_REGION,
        )
        return session.client(service, endpoint_url=self.url, config=_config(proxies={}))


class AwsEndpoint:
    """AWS itself, with the credentials, region and endpoints of boto3's own environment."""

    def client(self, service: Service) -> Any:  # noqa: ANN401  (boto3 makes clients at run time)
        """A boto3 client. Raises BotoCoreError when the environment names none that works."""
        session = new_session()
        region = session.region_name or HOME_REGION
        return session.client(service, region_name=region, config=_config())


def _config(**more: Any) -> Config:  # noqa: ANN401
    """A new one for each client, for botocore writes what the environment says into it.

    Botocore's standard mode tries three times and knows both services' words for throttling.
    """
    return Config(retries={"mode": "standard"}, connect_timeout=10, read_timeout=60, **more)


class AnswerFile(BaseModel):
    """One answer as it lies on disk."""

    model_config = ConfigDict(frozen=True)

    asked_at: UtcMoment
    pages: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """All pages of one answer."""

    pages: tuple[dict[str, Any], ...]
    asked_at: datetime
    problem: SourceProblem | None = None
    """Why it could not be asked for again, where it is older than it should be."""


@dataclass(frozen=True, slots=True)
class Question:
    """One call of one operation, all its pages.

    Args:
        service: 'ce' or 'invoicing'.
        operation: AWS's name of it, as in 'GetCostAndUsage'.
        parameters: what boto3 is given.
        token: the name of the page token, going in and coming out; '' where there are no pages.
    """

    service: Service
    operation: str
    parameters: dict[str, Any]
    token: str = ""

    @property
    def fingerprint(self) -> str:
        """Equal for equal questions."""
        text = json.dumps([self.service, self.operation, self.parameters], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def action(self) -> str:
        """The IAM action that it needs."""
        return f"{self.service}:{self.operation}"


class BillingAnswers:
    """Answers of AWS's billing APIs about one bill, in a folder of their own."""

    def __init__(self, folder: Path, endpoint: Endpoint | AwsEndpoint) -> None:
        self.folder = folder
        self._endpoint = endpoint

    def ask(self, question: Question, true_for: timedelta) -> Answer:
        """The answer on disk while it is true, else AWS's; an old one if AWS does not answer.

        Raises:
            SourceProblem: AWS does not answer, and never did.
        """
        file = self.folder / f"{question.fingerprint}.json"
        if answer := _true_still(file, true_for):
            return answer
        self._prepare(NAMES[question.service])
        with FileLock(file.with_suffix(".lock")):
            if answer := _true_still(file, true_for):  # someone else was faster
                return answer
            try:
                pages = tuple(self._pages(question))
            except SourceProblem as problem:
                if old := _read(file):
                    return Answer(old.pages, old.asked_at, problem)
                raise
            write_whole(file, AnswerFile(asked_at=now(), pages=pages).model_dump_json().encode())
        kept = AnswerFile.model_validate_json(file.read_bytes())
        return Answer(kept.pages, kept.asked_at)

    def ask_once(self, question: Question) -> dict[str, Any]:
        """AWS's answer, which is not kept: it holds a secret, or is true for minutes.

        Raises:
            SourceProblem: AWS does not answer.
        """
        return next(self._pages(question))

    def account(self) -> str:
        """The AWS account of the credentials that questions are asked with; asked anew each time.

        It is free and takes no permission (AWS STS API Reference, "GetCallerIdentity").

        Raises:
            SourceProblem: AWS does not answer.
        """
        try:
            return str(self._endpoint.client("sts").get_caller_identity()["Account"])
        except (*NO_ANSWER, KeyError) as error:
            raise as_problem(error, NAMES["sts"], "sts:GetCallerIdentity") from error

    def requests(self, month: str) -> int:
        """How many requests of Cost Explorer, one a page, were answered in a calendar month."""
        return self._requests().get(month, 0)

    def _pages(self, question: Question) -> Iterator[dict[str, Any]]:
        try:
            client = self._endpoint.client(question.service)
            call = getattr(client, xform_name(question.operation))
            parameters = dict(question.parameters)
            while True:
                page: dict[str, Any] = call(**parameters)
                if question.service == "ce":
                    self._count()
                page.pop("ResponseMetadata")
                yield json.loads(json.dumps(page, default=str))  # as it will be read again
                if not page.get(question.token):
                    return
                parameters[question.token] = page[question.token]
        except NO_ANSWER as error:
            raise as_problem(error, NAMES[question.service], question.action) from error

    def _count(self) -> None:
        file = self.folder / "requests.json"
        with FileLock(file.with_suffix(".lock")):
            counted, month = self._requests(), month_of(now())
            counted[month] = counted.get(month, 0) + 1
            write_whole(file, json.dumps(counted).encode())

    def _requests(self) -> dict[str, int]:
        try:
            return _COUNTED.validate_json((self.folder / "requests.json").read_bytes())
        except (OSError, ValidationError):
            return {}

    def _prepare(self, service: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise can_not_keep(service, error.strerror or "it failed") from error
        if not os.access(self.folder, os.W_OK):
            raise can_not_keep(service, "Permission denied")


def true_for(end: datetime) -> timedelta:
    """How long an answer about the time before `end` stays true."""
    moment = now()
    month = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if end > month:
        return TRUE_FOR_OPEN
    days = timedelta(days=PREVIOUS_MONTH_DAYS)
    return TRUE_FOR_CLOSED if moment - end <= days else TRUE_FOR_FINAL


def _true_still(file: Path, true_for: timedelta) -> Answer | None:
    kept = _read(file)
    if kept is None or not now() - true_for <= kept.asked_at <= now():
        return None
    return Answer(kept.pages, kept.asked_at)


def _read(file: Path) -> AnswerFile | None:
    try:
        return AnswerFile.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
