"""Settings: the file, the environment over it, and what is refused."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from chargeback.attribution.rules import AccountSource
from chargeback.errors import UsageProblem
from chargeback.settings import Settings, load_settings
from chargeback.store.settings import StoreSettings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, without settings in the environment."""
    for name in [name for name in os.environ if name.startswith("CHARGEBACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str) -> Settings:
    Path("chargeback.toml").write_text(text, "utf-8")
    return load_settings()


def test_with_nothing_configured_the_demo_is_shown() -> None:
    settings = load_settings()
    assert settings.is_demo
    assert settings.store_folder == Path("data/demo/store")


LOCATION, PART, ABOVE = (
    "CHARGEBACK_STORE",
    "CHARGEBACK_STORE__LOCATION",
    "CHARGEBACK_STORE__FOLD_SESSIONS_ABOVE",
)
FILES: dict[str, tuple[str | None, int | None]] = {
    "": (None, None),
    "store = 'file'": ("file", None),
    "[store]\nlocation = 'file'": ("file", None),
    "[store]\nfold_sessions_above = 9": (None, 9),
    "[store]\nlocation = 'file'\nfold_sessions_above = 9": ("file", 9),
}
ENVIRONMENTS: list[tuple[dict[str, str], str | None, int | None]] = [
    ({}, None, None),
    ({LOCATION: "there"}, "there", None),
    ({PART: "there"}, "there", None),
    ({ABOVE: "7"}, None, 7),
    ({LOCATION: "there", ABOVE: "7"}, "there", 7),
    ({PART: "there", ABOVE: "7"}, "there", 7),
    ({LOCATION: "there", PART: "there", ABOVE: "7"}, "there", 7),
    ({LOCATION: "", ABOVE: "7"}, None, 7),
    ({LOCATION: '{"fold_sessions_above": 7}'}, None, 7),
    ({LOCATION: '{"fold_sessions_above": 7}', PART: "there"}, "there", 7),
    ({LOCATION: '{"location": "there"}', ABOVE: "7"}, "there", 7),
]
"""Variables, and what they say of either part of the section."""


@pytest.mark.parametrize("text", FILES)
@pytest.mark.parametrize(("variables", "location", "above"), ENVIRONMENTS, ids=str)
def test_each_part_of_the_store_is_what_the_nearest_source_says_of_it(
    text: str,
    variables: dict[str, str],
    location: str | None,
    above: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    in_file = FILES[text]
    store = written(text).store
    expected = location or in_file[0]
    assert store.location == (Path(expected) if expected else None)
    assert store.fold_sessions_above == (above or in_file[1])
    assert Settings(store=Path("given")).store == StoreSettings(
        location=Path("given"), fold_sessions_above=above or in_file[1]
    )
    given = StoreSettings(fold_sessions_above=11)
    assert Settings(store=given).store == store.model_copy(update={"fold_sessions_above": 11})


def test_two_places_for_the_store_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCATION, "here")
    monkeypatch.setenv(PART, "there")
    with pytest.raises(UsageProblem, match=f"{LOCATION} and {PART}"):
        load_settings()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({ABOVE: "4"}, f"{ABOVE}, store.fold_sessions_above: .*equal to 5"),
        ({ABOVE: "few"}, f"{ABOVE}, store.fold_sessions_above: .*integer"),
        ({f"{LOCATION}__FOLD": "4"}, f"{LOCATION}__FOLD, store.fold: .*allowed are location, fold"),
        ({LOCATION: '{"fold": 4}'}, f"{LOCATION}, store.fold: .*allowed are location, fold"),
        ({LOCATION: "{fold"}, f"{LOCATION}: not valid JSON.*such as .*fold_sessions_above"),
        ({LOCATION: "athena", ABOVE: "7"}, "kept in Athena, but no location"),
        (
            {ABOVE: "7", "CHARGEBACK_CLOSE__BY": '["principal"]'},
            "closed by principal.*fold_sessions_above",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_about_the_store_is_named(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageProblem, match=said):
        load_settings()


def test_a_bill_of_ones_own_has_a_store_of_its_own() -> None:
    settings = written('cur = "/exports"\n')
    assert not settings.is_demo
    assert settings.store_folder == Path("data/store")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_ATHENA__TABLE", "other")
    settings = written('[athena]\ndatabase = "billing"\ntable = "cur2"\n')
    assert settings.athena
    assert (settings.athena.database, settings.athena.table) == ("billing", "other")


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_STORE", "")
    monkeypatch.setenv("CHARGEBACK_CUR", "")
    assert load_settings().store_folder == Path("data/demo/store")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost_basis = 'gross'\n", "line 1.*cost_basis.*'auto', 'unblended' or 'net'"),
        ("\ncurr = '/exports'\n", "line 2.*curr.*allowed are cur, store"),
        ("[athena]\ndatabase = 'a'\n", "athena.table"),
        ("[athena]\ndatabase = 'a'\ntable = 'b'\nregoin = 'c'\n", "line 4.*athena.regoin.*region"),
        ("[attribution]\nteam = ['team']\n", "line 2.*attribution.team.*tag key such as"),
        (
            "[attribution]\nteam = ['team']\n",
            r"team, entry 1: a source is .*, or 'account'\. Correct it",
        ),
        ("cur = \n", "not valid TOML.*line 1"),
        ("hosts = ['https://a.example']\n", "line 1.*hosts.*'https://a.example'.*without scheme"),
        ("hosts = ['a.example:8501']\n", "hosts.*'a.example:8501'.*port"),
        ("hosts = ['*']\n", r"hosts.*'\*'"),
        ("open_to_all = 'perhaps'\n", "line 1.*open_to_all"),
        ("[access]\nwriter = []\n", "line 2.*access.writer.*allowed are writers"),
        ("ledger = 's3:bucket/ledger'\n", "line 1.*ledger.*a place in S3 is named s3://bucket"),
        ("ledger = 'S3://bucket/ledger'\n", "line 1.*ledger.*a place in S3 is named s3://bucket"),
        ("store = 3\n", "line 1, store.location: .*'athena', a path is written as text"),
        ("[store]\nfold_sessions_above = 4\n", "line 2, store.fold_sessions_above: .*equal to 5"),
        ("[store]\nfold = 4\n", "line 2, store.fold: .*allowed are location, fold_sessions_above"),
        ("store = 'a'\nledger = 'a/b'\n", "within the spend store.*CHARGEBACK_LEDGER"),
        ("cur = '/exports'\n[athena]\ndatabase = 'a'\ntable = 'b'\n", "Two bills"),
    ],
)
def test_what_is_not_allowed_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        written(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "written in UTF-16, not in UTF-8"),
        ('cur = "/exports"\n'.encode("utf-16"), "written in UTF-16, not in UTF-8"),
        (b"# fine\ncur = '/expr\xe9s'\n", "not written in UTF-8: line 2"),
    ],
)
def test_a_file_that_is_no_text_is_refused(content: bytes, said: str) -> None:
    Path("chargeback.toml").write_bytes(content)
    with pytest.raises(UsageProblem, match=rf"chargeback\.toml is {said}"):
        load_settings()


def test_a_byte_order_mark_is_read_over() -> None:
    Path("chargeback.toml").write_bytes(b"\xef\xbb\xbfcost_basis = 'net'\r\n")
    assert load_settings().cost_basis == "net"


def a_folder(path: Path) -> None:
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.toml")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("put", "said"),
    [
        (a_folder, "is a folder, not a file"),
        (a_dangling_link, "is a link to a file that is not there"),
        (a_pipe, "is not a file"),
    ],
)
def test_what_is_no_file_is_never_passed_over(put: Callable[[Path], None], said: str) -> None:
    put(Path("chargeback.toml"))
    with pytest.raises(UsageProblem, match=rf"chargeback\.toml {said}\."):
        load_settings()


def test_a_file_that_may_not_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    Path("chargeback.toml").write_text("cost_basis = 'net'\n", "utf-8")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UsageProblem, match=r"chargeback\.toml can't be read: Permission denied"):
        load_settings()


SOURCE = "[attribution]\nteam = [{}]\n"
VALUE = "(?P<value>x)"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{ pattern = '(' }", "attribution.team, entry 1: not a regular expression of RE2's"),
        ("'account', { pattern = 'x' }", "attribution.team, entry 2: the pattern needs one group"),
        (f"{{ pattern = '(?!x){VALUE}' }}", "entry 1: .* it looks ahead or behind.*the value too"),
        (f"{{ pattern = '{VALUE}', on = 'rol' }}", "entry 1: Input should be 'session', 'role'"),
        (f"{{ pattern = '{VALUE}', onn = 'role' }}", "team.onn, entry 1: .*are pattern, on"),
        ("{ jwt = 'x' }", r"entry 1: a source is a tag key .*, not \{ jwt = … \}"),
        ("{ account = 'x' }", "entry 1: Input should be a valid dictionary"),
        ("{ owners = 3 }", "entry 1: a path is written as text"),
        ("3", r"entry 1: a source is a tag key .* or \{ owners = … \}\. Correct"),
    ],
)
def test_a_wrong_source_is_told_as_what_it_looks_like(source: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=f"line 2, .*{said}") as problem:
        written(SOURCE.replace("{}", source))
    assert str(problem.value).count(" entry ") == 1
    assert "valid string, " not in str(problem.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("basis = { '99990000001' = 'net' }", "line 2, bill.basis.99990000001: .*twelve digits"),
        ("basis.999900000001 = 'gross'", "line 2, bill.basis.999900000001: .*or 'net'"),
        ("[bill.basis]\n999900000001 = 'gross'", "line 3, bill.basis.999900000001: .*or 'net'"),
        ("keep_if_usage_falls_by = 101", "line 2, bill.keep_if_usage_falls_by: .* 100 at most"),
        ("keep_if_usage_falls_by = -0.1", "line 2, bill.keep_if_usage_falls_by: .* 100 at most"),
        ("keep_if_attributed_falls_by = 'ten'", "line 2, .*falls_by: .*valid decimal"),
        ("exprt = 'cur2'", "line 2, bill.exprt: .*allowed are export, exclude_products, basis"),
        ("Export = 'cur2'", "line 2, bill.Export: .*allowed are export, exclude_products, basis"),
        ("exclude_products = 'x'", "line 2, bill.exclude_products: Input should be a valid tuple"),
    ],
)
def test_what_is_wrong_about_the_bill_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=rf"^A setting is not allowed: chargeback\.toml, {said}"):
        written(f"[bill]\n{text}\n")


@pytest.mark.parametrize(
    ("share", "is_"), [("0.25", "0.25"), ("25", "0.25"), ("1", "1"), ("0", "0")]
)
def test_shares_are_parts_or_percent(share: str, is_: str) -> None:
    bill = written(f"[bill]\nkeep_if_usage_falls_by = {share}\n").bill
    assert bill.keep_if_usage_falls_by == Decimal(is_)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("CHARGEBACK_BILL", r'\{"export"'),
        ("CHARGEBACK_BILL__BASIS", r'\{"999900000001": "net"\}'),
        ("CHARGEBACK_BILL__EXCLUDE_PRODUCTS", r'\["'),
        ("CHARGEBACK_ATTRIBUTION__COST_CENTER", r'\["iamPrincipal/team"\]'),
    ],
)
def test_a_variable_that_is_no_json_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, example: str
) -> None:
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION__TEAM", '["account"]')
    monkeypatch.setenv(name, "net")
    with pytest.raises(UsageProblem, match=f"^{name}: not valid JSON. .*such as {example}"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHARGEBACK_BILL", '{"basis": {"1": "net"}}'),
        ("CHARGEBACK_BILL__BASIS", '{"1": "net"}'),
        ("CHARGEBACK_BILL__BASIS__1", "net"),
    ],
)
def test_the_variable_that_sets_a_wrong_key_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    Path("chargeback.toml").write_text("[bill]\nexport = 'cur2'\n", "utf-8")
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageProblem, match=f"{name}, bill.basis.1: 1 is no account"):
        load_settings()


def test_a_file_of_the_first_version_still_opens() -> None:
    settings = written(
        """
        cur = "/exports"
        cost_basis = "unblended"
        [attribution]
        team = ["iamPrincipal/team", "resourceTags/team", { owners = "owners.csv" }, "account"]
        tenant = ["iamPrincipal/tenant", { pattern = "^tenant-(?P<value>.+)$", on = "session" }]
        cost_center = ["iamPrincipal/cost-center", { account = { "111122223333" = "CC-100" } }]
        """
    )
    assert settings.cost_basis == "unblended"
    assert [len(getattr(settings.attribution, name)) for name in ("team", "tenant")] == [4, 2]
    assert AccountSource(account={"111122223333": "CC-100"}) in settings.attribution.cost_center


@pytest.mark.parametrize("name", ["CHARGEBACK_ATTRIBUTION", "CHARGEBACK_ATTRIBUTION__TEAM"])
def test_a_list_in_a_variable_is_json(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "iamPrincipal/team")
    with pytest.raises(UsageProblem, match=f"{name}: not valid JSON"):
        load_settings()


def test_sources_can_be_set_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_ATTRIBUTION__TEAM", '["account"]')
    assert load_settings().attribution.team == ["account"]


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_COST_BASIS", "gross")
    with pytest.raises(UsageProblem, match=r"CHARGEBACK_COST_BASIS.*'auto', 'unblended' or 'net'"):
        load_settings()


def test_without_a_word_nobody_else_may_look_or_change() -> None:
    settings = load_settings()
    assert (settings.open_to_all, settings.hosts, settings.access.writers) == (False, [], [])


def test_the_ledger_lies_beside_the_store() -> None:
    assert load_settings().ledger_location == Path("data/demo/ledger")
    assert written('cur = "/exports"\n').ledger_location == Path("data/ledger")
    assert written('ledger = "/books"\n').ledger_location == Path("/books")


def test_a_ledger_in_s3_lies_beside_a_store_in_s3() -> None:
    athena = "[athena]\ndatabase = 'a'\ntable = 'b'\nstore_location = 's3://bucket/store'\n"
    for place in ("s3://bucket/store-ledger", "s3://bucket", "s3://bucket/books//"):
        settings = written(f"ledger = '{place}'\n{athena}")
        assert settings.ledger_location == place
        assert settings.open_ledger().objects.place == place.rstrip("/")
    for place in ("s3://bucket/store", "s3://bucket/store/ledger/"):
        with pytest.raises(UsageProblem, match="within the spend store"):
            written(f"ledger = '{place}'\n{athena}")


def test_access_can_be_set_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARGEBACK_OPEN_TO_ALL", "true")
    monkeypatch.setenv("CHARGEBACK_HOSTS", '["finance.example.com", "[::2]"]')
    monkeypatch.setenv("CHARGEBACK_ACCESS__WRITERS", '["ann@example.com"]')
    monkeypatch.setenv("CHARGEBACK_LEDGER", "/books")
    settings = load_settings()
    assert settings.open_to_all
    assert settings.hosts == ["finance.example.com", "[::2]"]
    assert settings.access.writers == ["ann@example.com"]
    assert settings.ledger_location == Path("/books")


@pytest.mark.parametrize("name", ["CHARGEBACK_HOSTS", "CHARGEBACK_ACCESS__WRITERS"])
def test_a_list_of_names_in_a_variable_is_json_too(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "finance.example.com")
    with pytest.raises(UsageProblem, match=f"{name}: not valid JSON"):
        load_settings()
