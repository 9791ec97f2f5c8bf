"""What spend can be grouped by, filtered by and charged to: one table, from which all else derives.

A further dimension is a row here and a column in the statements (see CONTRIBUTING).
"""

from __future__ import annotations

from dataclasses import dataclass

UNALLOCATED = "(unallocated)"
"""Stands where no source decides who pays; a row of its own, always last, never hidden."""


def unallocated_last(unit: tuple[str, str]) -> tuple[str, bool, str]:
    """Sorts units, each with its currency before it: by currency and name, nobody last."""
    return unit[0], unit[1] == UNALLOCATED, unit[1]


def page_file(page: str) -> str:
    """Where a page lies, by its name in the address."""
    return f"pages/{page.replace('-', '_')}.py"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that spend can be grouped by."""

    name: str
    """In addresses, in the parameter `dimension` of statements, and in theirs that filter."""
    noun: str
    """One of its units within a sentence: 'cost center'."""
    plural: str
    label: str
    """Above a column or a control: 'Cost center'."""
    tag: str = ""
    """The tag key that decides it by default, where the rules of attribution decide it."""
    source: str = ""
    """The column of the joined rows that says what decided it, where one does."""
    blank: str = ""
    """What readers see where the bill says nothing; '' where there is always something."""
    filter_order: int = 0
    """Its place among the filters, from 1; 0 if it is none."""
    charged_as: str = ""
    """Its name at the command line and in `bill_to_type`; '' where nothing is charged to it."""
    page: str = ""
    """The page that begins with its units, as in the address; '' where none does."""
    is_split: bool = False
    """Whether every way down offers to split by it."""

    @property
    def detail_page(self) -> str:
        """The file of the page that shows what is behind one of its units."""
        return page_file(self.page or "principals")


DIMENSIONS = (
    Dimension(
        "tenant",
        "tenant",
        "tenants",
        "Tenant",
        tag="iamPrincipal/tenant",
        source="tenant_source",
        filter_order=3,
        charged_as="tenant",
        page="tenants",
        is_split=True,
    ),
    Dimension(
        "team",
        "team",
        "teams",
        "Team",
        tag="iamPrincipal/team",
        source="team_source",
        filter_order=2,
        charged_as="team",
        page="teams",
        is_split=True,
    ),
    Dimension(
        "project",
        "project",
        "projects",
        "Project",
        tag="iamPrincipal/project",
        source="project_source",
        filter_order=6,
        charged_as="project",
        page="projects",
    ),
    Dimension(
        "cost_center",
        "cost center",
        "cost centers",
        "Cost center",
        tag="iamPrincipal/cost-center",
        source="cost_center_source",
        filter_order=7,
        charged_as="cost_center",
        page="cost-centers",
    ),
    # Sessions of a role are one principal; as billed, each is an IAM principal of its own.
    Dimension(
        "principal",
        "principal",
        "principals",
        "Principal",
        source="principal_type",
        page="principals",
        is_split=True,
    ),
    Dimension(
        "iam_principal",
        "caller",
        "callers",
        "IAM principal",
        blank=UNALLOCATED,
        charged_as="principal",
        is_split=True,
    ),
    Dimension(
        "account",
        "account",
        "accounts",
        "Account",
        blank=UNALLOCATED,
        filter_order=1,
        charged_as="account",
    ),
    Dimension("provider", "provider", "providers", "Provider"),
    Dimension(
        "model",
        "model",
        "models",
        "Model",
        filter_order=4,
        charged_as="model",
        page="models",
        is_split=True,
    ),
    Dimension("token_type", "token type", "token types", "Token type", is_split=True),
    Dimension("service_tier", "service tier", "service tiers", "Service tier"),
    Dimension("region", "region", "regions", "Region", blank="(no region)", filter_order=5),
)

BY_NAME = {dimension.name: dimension for dimension in DIMENSIONS}
ATTRIBUTED = tuple(dimension for dimension in DIMENSIONS if dimension.tag)
"""Those that the rules of attribution decide."""
WITH_SOURCE = tuple(dimension for dimension in DIMENSIONS if dimension.source)
"""Those of which the joined rows say what decided them."""
FILTERS = tuple(
    sorted(
        (dimension for dimension in DIMENSIONS if dimension.filter_order),
        key=lambda dimension: dimension.filter_order,
    )
)
CHARGED = {dimension.charged_as: dimension for dimension in DIMENSIONS if dimension.charged_as}
"""By the name that the command line uses."""
