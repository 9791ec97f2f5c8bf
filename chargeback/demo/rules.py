"""How the demo's company charges what is shared: the section [allocation] that it would set.

Tax, discounts and credits follow usage; what the gateway's sessions without tags used goes to all
by what they used themselves; the platform team is borne by the teams that it serves; and what teams
used for themselves stands as internal use, not as somebody's.
"""

from __future__ import annotations

from typing import Any

INTERNAL = "Internal use"
TEAMS = ("checkout", "search", "support", "research", "data-platform", "marketing")

ALLOCATION: dict[str, Any] = {
    "discount": "usage",
    "tax": "usage",
    "credit": "usage",
    "refund": "usage",
    "rules": [
        {
            "id": "gateway",
            "name": "Untagged gateway traffic",
            "for": ["tenant", "team", "cost_center"],
            "take": {"principal": "arn:aws:iam::*:role/llm-gateway"},
            "by": "direct cost",
        },
        {
            "id": "platform",
            "name": "Platform team",
            "for": ["team"],
            "take": {"unit": "data-platform"},
            "by": "direct cost",
        },
        *(
            {
                "id": f"internal-{team}",
                "name": f"Internal use of {team}",
                "for": ["tenant"],
                "take": {"team": team},
                "by": "even",
                "to": [INTERNAL],
            }
            for team in TEAMS
        ),
    ],
}
