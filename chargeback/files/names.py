"""Names of files made of other people's text."""

from __future__ import annotations

import re

_NAME_LENGTH = 80


def safe_file_name(text: str) -> str:
    """Makes any text a part of a file name.

    Returns:
        1 to 80 characters of `A-Za-z0-9._-`, which neither begin nor end with `.` or `-`: no
        hidden file, no option of a command, no parent folder. Each run of other characters
        becomes one `-`, so that two texts may get one name. What leaves nothing is `unnamed`.
    """
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
    return kept[:_NAME_LENGTH].rstrip("-.") or "unnamed"
