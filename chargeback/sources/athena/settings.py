"""The section [athena]: where the CUR 2.0 table lies."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AthenaSettings(BaseModel):
    """Where the CUR 2.0 table lies in Athena. Credentials and endpoints are boto3's own affair."""

    model_config = ConfigDict(extra="forbid")

    database: str
    table: str
    workgroup: str = "primary"
    catalog: str = "AwsDataCatalog"
    s3_staging_dir: str | None = None
    store_location: str | None = Field(default=None, pattern=r"^s3://[a-z0-9][a-z0-9.-]+(/.*)?$")
    """Where `store = "athena"` keeps the spend: s3://bucket/folder/."""
    region: str | None = None
    timeout_seconds: int = Field(default=1800, gt=0)
    """A query that takes longer is cancelled. Athena's own limit is 30 minutes too, unless raised
    (Athena User Guide, "Service Quotas", DML query timeout)."""
