"""Sessions with AWS that read botocore's descriptions of its services once.

A session of boto3's own reads and parses them for itself, some megabytes of JSON: a tenth of a
second for each client, and there is one for each query or question.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from boto3.session import Session
from botocore.loaders import Loader
from botocore.session import Session as BotocoreSession


class _Descriptions(Loader):
    """Of AWS's services, shared by all sessions; botocore keeps what was read."""

    @property
    def search_paths(self) -> list[str]:
        """A copy, for boto3 adds a folder to those of every session, which is for resources."""
        return list(super().search_paths)


@lru_cache(maxsize=8)
def _descriptions(data_path: str | None) -> _Descriptions:
    paths = [path for path in (data_path or "").split(os.pathsep) if path]
    return _Descriptions([os.path.expanduser(os.path.expandvars(path)) for path in paths])  # noqa: PTH111


def new_session(bare: BotocoreSession | None = None, **given: Any) -> Session:  # noqa: ANN401
    """What `boto3.Session(...)` gives, but for resources, which it has none of.

    Args:
        bare: botocore's session behind it, where that is not as the environment has it.
        given: what `boto3.Session` takes.

    Raises:
        BotoCoreError: the environment names a profile that is not there.
    """
    bare = bare or BotocoreSession()
    bare.register_component("data_loader", _descriptions(bare.get_config_variable("data_path")))
    return Session(botocore_session=bare, **given)
