"""TÜİK's database, asked of a stand-in that has every trap of the contract."""

import asyncio
import gzip
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tradeflows as tf
from standin import trade
from standin import tuik as standin
from standin.harness import SNAPSHOT
from tradeflows import store
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TruncatedReply, UnknownCode
from tradeflows.periods import Window
from tradeflows.sources import tuik
from tradeflows.sources.tuik import engine, files
from tradeflows.sources.tuik.engine import sum_of

RUSSIA = tuik.Question("RUS")
QUARTER = Window.parse("2017-01/2017-03")
SMALL = {"chapters": (84, 85), "others": 1, "last": "201703"}


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Serve an office; the data folder is new."""
    shutil.copytree(SNAPSHOT / "ecb", tmp_path / "raw" / "ecb")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    running = []

    def start(office):
        running.append(standin.serving(office))
        monkeypatch.setenv("TRADEFLOWS_TUIK_URL", running[-1].__enter__())
        return office

    yield start
    for one in running:
        one.__exit__(None, None, None)


def visit(**changed):
    return tuik.Office(**{"interval": 0, "pause": 0.01, **changed})


def pulled(question=RUSSIA, months=QUARTER, **changed):
    office = visit(**changed)
    try:
        return list(office.pull(question, months))
    finally:
        office.close()


def contents():
    return {
        raw.id: hashlib.sha256(store.read(raw.id)).hexdigest()
        for raw in store.catalogue()
        if raw.live
    }


# what the contract says


def test_filters_stand_in_the_measure_and_codes_lose_their_zeros():
    asked = sum_of("DOLAR", {"YIL": [2022], "IHRITH": ["İhracat"], "ULKE_KODU": ["75"]})
    assert asked == "Sum({<YIL={2022},IHRITH={'İhracat'},ULKE_KODU={'75'}>} DOLAR)"
    assert "TARIFE4={'704'}" in sum_of("MIKTAR_1", {}, ["0704"])
    with pytest.raises(UnknownCode):
        sum_of("DOLAR", {}, ["704"])


def test_january_2024_has_the_values_and_counts_of_the_contract(serve):
    rows = [
        ("202401", flow, f"{chapter:02d}{n:010d}", value / count, 1000.0, 0.0, "KG")
        for flow, value, count, chapter in (("M", 4.327e9, 1025, 27), ("X", 0.628e9, 3918, 84))
        for n in range(count)
    ]
    serve(standin.Office(standin.typed(rows), ["202401"]))
    pulled(months=Window.parse("2024-01"))
    found = tf.load("trade", source="TÜİK", trade_system="general", level=12, months="2024-01")
    by_flow = found.groupby("flow")
    assert by_flow["value_usd"].sum().to_dict() == pytest.approx({"M": 4.327e9, "X": 0.628e9})
    assert by_flow["code"].nunique().to_dict() == {"M": 1025, "X": 3918}


def test_kilograms_are_weight_and_pieces_quantity_and_hidden_goods_stay(serve):
    rows = [
        ("202401", "X", "040721000000", 9e6, 4.3e6, 68.2e6, "KG/ADET"),  # eggs
        ("202401", "X", "070490100000", 500.0, 40.0, 0.0, "KG"),
        ("202401", "X", "279999000000", 700.0, 0.0, 0.0, "KG"),
        ("202401", "X", "040799000000", 5.0, 1.0, 2.0, "KG/KG NET EDA"),
    ]
    serve(standin.Office(standin.typed(rows), ["202401"], null_usd=11.0))
    pulled(months=Window.parse("2024-01"))
    months = {"months": "2024-01", "source": "TÜİK", "trade_system": "general"}
    found = tf.load("trade", level=12, **months).set_index("code")
    eggs = found.loc["040721000000"]
    assert (eggs.net_weight_kg, eggs.quantity, eggs.quantity_unit) == (4.3e6, 68.2e6, "ADET")
    assert (found.loc["070490100000"].quantity, found.loc["070490100000"].quantity_unit) == (
        40,
        "KG",
    )
    assert found.loc["279999000000"].weight_status == "missing"
    assert found.confidential[found.confidential].index.tolist() == ["279999000000", "9" * 12]
    total = tf.load("trade", code="TOTAL", **months)
    assert total.value_usd.item() == found.value_usd.sum() == 9e6 + 500 + 700 + 5 + 11
    six = tf.load("trade", level=6, **months).set_index("code")
    assert six.loc["070490"].net_weight_kg == 40
    assert set(tf.load("trade", level=2, **months).code) == {"04", "07", "27", "99"}


def test_a_sum_has_no_quantity_where_units_differ_and_its_weakest_weight(serve):
    rows = [
        ("202401", "X", "854231000011", 9.0, 4.0, 6.0, "KG/ADET"),
        ("202401", "X", "854231000012", 9.0, 4.0, 6.0, "KG/1000ADET"),
        ("202401", "X", "854232000011", 9.0, 4.0, 6.0, "KG/ADET"),
        ("202401", "X", "854232000012", 9.0, 0.0, 6.0, "KG/ADET"),
    ]
    serve(standin.Office(standin.typed(rows), ["202401"]))
    pulled(months=Window.parse("2024-01"))
    six = tf.load("trade", source="TÜİK", level=6, months="2024-01").set_index("code")
    assert six.quantity_status.to_dict() == {"854231": "missing", "854232": "reported"}
    assert six.weight_status.to_dict() == {"854231": "reported", "854232": "missing"}


@pytest.mark.parametrize(
    "codes", [("851762", "HS2012"), ("854151", "HS2022"), ("852872", "HS2017")]
)
def test_codes_that_one_revision_alone_has_decide_the_month(codes):
    days = pd.to_datetime(pd.Series(["2022-01-01"]))
    code, revision = codes
    found = files._revisions(days, pd.Series([code]))
    assert found.tolist() == [revision if code == "854151" else "HS2022"]


# traps


TRAPS = {
    "an id that has moved is found in the bundle": ({"moved": True}, {}),
    "the engine is not ready": ({}, {"aborted": 2}),
    "the socket drops in a page": ({}, {"drop GetHyperCubeData": 1}),
    "the socket drops at the start": ({}, {"drop OpenDoc": 1}),
    "the engine falls silent": ({}, {"silence GetLayout": 1}),
    "flows have a flag": ({"flag": True}, {}),
    "days of publication are not there": ({"dated": False}, {}),
}
REFUSALS = {
    "a page is short": ({}, {"short page": 1}, TruncatedReply, "rows"),
    "a page is empty": ({}, {"empty page": 1}, TruncatedReply, "a page holds 0 rows"),
    "a row is lost": ({}, {"lost row": 1}, SchemaMismatch, "the rows sum to"),
    "a total is wrong": ({}, {"wrong total": 1}, SchemaMismatch, "same question without codes"),
    "the filter of the partner does nothing": (
        {"ignored": "ULKE_KODU"}, {}, SchemaMismatch, "a filter was ignored"),
    "the filter of the month does nothing": (
        {"ignored": "AY"}, {}, SchemaMismatch, "the rows sum to"),
    "a cell is text": ({}, {"no number": 1}, SchemaMismatch, "holds no number"),
    "programs are turned away": ({}, {"page 404": 9}, SourceUnavailable, "turns programs away"),
    "an address is refused": ({}, {"page 403": 9}, SourceUnavailable, "403"),
    "a data centre is refused": ({}, {"page 503": 9}, SourceUnavailable, "503"),
    "the socket is refused": ({}, {"socket 403": 9}, SourceUnavailable, "403"),
    "the engine never answers": ({}, {"silence GetLayout": 9}, SourceUnavailable, "stayed silent"),
}  # fmt: skip


@pytest.fixture(scope="module")
def lines():
    """Return the lines of a small world, made once."""
    world, kept = trade.World(**SMALL), {}
    made = standin.of_world(world)

    def of(period, flow):
        if (period, flow) not in kept:
            rows = made(period, flow)
            few = rows["ISTPOZ"].str[:6].isin([*rows["ISTPOZ"].str[:6].unique()[::9], "279999"])
            kept[period, flow] = rows[few & rows["ULKE_KODU"].isin(["75", "4"])]
        return kept[period, flow].copy()

    return of, world.months


@pytest.fixture(scope="module")
def whole(lines, tmp_path_factory):
    """Return the bytes of an undisturbed pull by month."""
    with pytest.MonkeyPatch.context() as patch, standin.serving(standin.Office(*lines)) as url:
        folder = tmp_path_factory.mktemp("whole")
        (folder / "raw").mkdir()
        patch.setenv("TRADEFLOWS_DATA", str(folder))
        patch.setenv("TRADEFLOWS_TUIK_URL", url)
        pulled()
        return contents()


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_that_can_be_met_changes_no_byte(serve, lines, whole, trap):
    settings, faults = TRAPS[trap]
    office = standin.Office(*lines, **settings)
    office.faults.update(faults)
    serve(office)
    pulled(patience=2 if "silent" in trap else 60)
    if settings.get("flag") or not settings.get("dated", True):
        rows = [gzip.decompress(store.read(f)).decode().split("\n")[1] for f in contents()]
        assert len(rows) == len(whole)
    else:
        assert contents() == whole
    assert office.most_open == 1, "one session at a time"
    assert +office.faults == {}


@pytest.mark.parametrize("trap", REFUSALS)
def test_a_trap_that_cannot_is_refused_and_nothing_is_stored(serve, lines, trap):
    settings, faults, kind, words = REFUSALS[trap]
    office = standin.Office(*lines, **settings)
    office.faults.update(faults)
    serve(office)
    with pytest.raises(kind, match=words) as error:
        pulled(patience=0.2 if "never" in trap else 60)
    assert contents() == {}
    if kind is SourceUnavailable:
        assert "by hand" in error.value.todo or "--by-hand" in error.value.todo


def test_padded_codes_and_other_goods_are_not_taken_for_an_answer(serve, lines):
    serve(standin.Office(*lines, ignored="TARIFE6"))
    with pytest.raises(SchemaMismatch, match="a filter was ignored"):
        pulled(tuik.Question("RUS", codes=("854231",), digits=6))
    assert contents() == {}


# going on


def test_a_second_run_asks_for_what_may_have_changed_and_a_revised_month_alone(serve, lines):
    office = serve(standin.Office(*lines))
    assert len(pulled()) == 3
    before = len(office.asked)
    assert pulled() == []
    fields = [
        [d["qDef"]["qFieldDefs"][0] for d in asked[0]["qHyperCubeDef"]["qDimensions"]]
        for name, asked in office.asked[before:]
        if name == "CreateSessionObject"
    ]
    assert sum("ISTPOZ" in f for f in fields) == 2, "the last two published months"
    office.revised["201701"] += 1
    (file,) = pulled()
    assert "2017-01@" in file
    old, new = (r for r in store.catalogue() if "2017-01@" in r.id)
    assert old.vintage < new.vintage
    rows = tf.load("trade", source="TÜİK", trade_system="general", code="TOTAL", flow="X",
                   months="2017-01")  # fmt: skip
    assert rows.origin.item() == new.id


class Killed(BaseException):
    """The end, at any point."""


def test_a_kill_at_any_point_ends_in_the_same_bytes(serve, lines, whole, monkeypatch, tmp_path):
    serve(standin.Office(*lines))
    left = [0]

    def counted(act):
        def acting(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return act(*args, **kwargs)

        return acting

    for owner, name in ((engine.Plain, "send"), (Path, "replace"), (Path, "write_bytes")):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    few, left[0] = Window.parse("2017-02"), 10**9
    pulled(months=few)
    points = 10**9 - left[0]
    for point in np.linspace(1, points - 1, 5).astype(int).tolist():
        shutil.rmtree(tmp_path / "raw" / "tuik", ignore_errors=True)
        left[0] = point
        with pytest.raises(Killed):
            pulled(months=few)
        assert set(contents().items()) <= set(whole.items())
        left[0] = 10**9
        store.sweep()
        pulled(months=few)
        assert contents() == {k: v for k, v in whole.items() if "2017-02@" in k}


def test_no_address_cookie_or_token_is_written_down(serve, lines, tmp_path, caplog):
    office = serve(standin.Office(*lines))
    office.faults.update({"drop GetLayout": 1})
    pulled()
    secrets = [*office.tokens, *office.tokens.values(), "127.0.0.1", "csrf"]
    written = [p.read_bytes() for p in (tmp_path / "raw" / "tuik").rglob("*") if p.is_file()]
    assert written
    text = b"\n".join([*written, *(gzip.decompress(w) for w in written if w[:2] == b"\x1f\x8b")])
    assert not [s for s in secrets if s.encode() in text or s in caplog.text]
    agents = {told for name, told in office.asked if name == "page"}
    assert all(re.fullmatch(r"Mozilla/5\.0 \(compatible; tradeflows/[\d.]+\)", a) for a in agents)


# other questions


def test_a_cell_of_jupyter_is_told_to_use_a_shell(serve, lines):
    serve(standin.Office(*lines))

    async def cell():
        pulled()

    with pytest.raises(SourceUnavailable, match="!tradeflows refresh"):
        asyncio.run(cell())


def test_breakdowns_stand_in_a_table_of_their_own_and_add_up(serve, lines):
    serve(standin.Office(*lines))
    pulled()
    pulled(tuik.Question("RUS", digits=2, by="currency"))
    parts = tf.load("breakdowns", by="currency", level=0, flow="X")
    assert set(parts.category) == {"EUR", "USD"}
    total = tf.load("trade", source="TÜİK", trade_system="general", code="TOTAL", flow="X",
                    months="2017")  # fmt: skip
    assert parts.value_usd.sum() == pytest.approx(total.value_usd.sum())


def test_special_trade_is_another_system_and_has_no_currencies(serve, lines):
    serve(standin.Office(*lines))
    pulled(tuik.Question("RUS", system="special"), system="special")
    pulled()
    with pytest.raises(tf.errors.DoubleCountedTotals):
        tf.load("trade", source="TÜİK", code="TOTAL", months="2017")
    with pytest.raises(UnknownCode, match="general trade"):
        tuik.Question("RUS", by="currency", system="special")


def test_partners_that_no_list_holds_keep_their_names_and_their_value(serve):
    rows = [("202401", "X", "854231000011", 9.0, 4.0, 6.0, "KG/ADET")]
    made = standin.typed(rows)

    def lines(period, flow):
        names = ["Atlantis", "Mersin Serbest Bölgesi", "Rusya Federasyonu"]
        return pd.concat([made(period, flow).assign(ULKE_KODU=str(n), ULKE_ADI=name)
                          for n, name in enumerate(names)])  # fmt: skip

    serve(standin.Office(lines, ["202401"]))
    pulled(tuik.Question("ALL", digits=6), Window.parse("2024-01"))
    found = tf.load("trade", source="TÜİK", level=6, months="2024-01")
    zone = "Free zone: Mersin Serbest Bölgesi"
    assert set(found.partner) == {"RUS", zone, "Unlisted: Atlantis"}
    pulled(tuik.Question(zone), Window.parse("2024-01"))
    assert tf.load("trade", source="TÜİK", level=12, partner=zone).value_usd.item() == 9.0


def test_a_partner_that_the_office_does_not_list(serve, lines):
    serve(standin.Office(*lines))
    with pytest.raises(UnknownCode, match="no partner"):
        pulled(tuik.Question("ATA"))


def test_a_file_that_was_changed_by_hand_is_not_read(serve, lines):
    serve(standin.Office(*lines))
    file = pulled()[0]
    text = gzip.decompress(store.read(file)).decode()
    head, columns, *rows = text.rstrip("\n").split("\n")[1:]
    for changed in ([head, columns, *rows[1:]], [head.replace('"counted": ', '"counted": 1'),
                    columns, *rows], [head, columns.replace("AY", "AYX"), *rows]):  # fmt: skip
        data = "\n".join([files.FIRST, *changed]) + "\n"
        with pytest.raises(SchemaMismatch):
            tuik.parse(data.encode(), {"origin": "x"})
    assert len(tuik.parse(text.encode(), {"origin": "x"})) > len(rows)
    assert engine.PAGE <= 10_000


def test_damaged_files_are_refused_and_nothing_else(serve, lines):
    serve(standin.Office(*lines))
    text = gzip.decompress(store.read(pulled(months=Window.parse("2017-01"))[0]))
    small = text[: text.index(b"\n", 2500)]  # the head counts more rows: refused, too
    draw = np.random.default_rng(7)
    for _ in range(100):
        damaged = bytearray(small)
        for at in draw.integers(len(files.FIRST.encode()), 700, 3):
            damaged[at] = draw.choice(list(b'0123456789;[]{}":,-MX\n\x00e.'))
        with pytest.raises(SchemaMismatch):
            tuik.parse(bytes(damaged), {"origin": "x"})


# a real browser


@pytest.fixture
def chromium(monkeypatch):
    found = next((p for p in map(shutil.which, ("chromium", "google-chrome")) if p), None)
    if found is None:
        pytest.skip("no Chromium found: apt install chromium")
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    monkeypatch.setenv("TRADEFLOWS_BROWSER", found)
    return found


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_a_browser_brings_the_same_bytes_over_the_page_s_own_socket(serve, lines, whole):
    office = serve(standin.Office(*lines))
    office.faults.update({"drop GetHyperCubeData": 1})
    pulled(browser=True)
    assert contents() == whole
    assert office.most_open == 1
    office.faults.update({"page 403": 1})
    with pytest.raises(SourceUnavailable, match="403"):
        visit(browser=True)


@pytest.mark.browser
def test_the_script_for_the_console_saves_what_a_refresh_stores(serve, lines, chromium, tmp_path):
    from playwright.sync_api import sync_playwright

    serve(standin.Office(*lines, moved=True))
    stored = [tuik.parse(store.read(f), {"origin": "x"}) for f in pulled()]
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(engine._page("general"))
        with page.expect_download() as saved:
            page.evaluate(tuik.by_hand(RUSSIA, QUARTER))
        saved.value.save_as(tmp_path / "hand.csv")
        browser.close()
    found = tf.read_tuik(tmp_path / "hand.csv")
    keys = ["period", "flow", "level", "code"]
    both = [t.drop(columns=["origin", "vintage"]).sort_values(keys).reset_index(drop=True)
            for t in (pd.concat(stored), found)]  # fmt: skip
    pd.testing.assert_frame_equal(*both)


# the command line


def test_one_command_and_no_key_bring_what_the_claims_need(serve, lines, monkeypatch):
    from typer.testing import CliRunner

    from standin.harness import QUICK
    from tradeflows import cli

    monkeypatch.setitem(tuik.pull.__globals__, "Manners", lambda: QUICK)

    office = serve(standin.Office(*lines))
    tried = CliRunner().invoke(cli.app, ["refresh", "--probe", "--source", "tuik", "--json"])
    assert "months are published, from 2017-01" in json.loads(tried.output)[0]["said"]
    words = ["refresh", "--source", "tuik", "--start", "2017-01", "--end", "2017-01", "--json"]
    shown = CliRunner().invoke(cli.app, [*words, "--dry-run"])
    assert [row["data_calls"] for row in json.loads(shown.output)["plan"]] == [1, 1, 1]
    assert "minutes in one session" in shown.output
    assert contents() == {}
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.output)["stored"]) == 3
    assert office.most_open == 1
    named = ["refresh", "--reporter", "TUR", "--partner", "DEU", "--codes", "85", "--digits", "6",
             "--source", "tuik", "--start", "2017-01", "--end", "2017-01"]  # fmt: skip
    assert CliRunner().invoke(cli.app, named).exit_code == 0
    found = tf.load("trade", source="TÜİK", partner="DEU", level=6, flow="M")
    assert set(found.code.str[:2]) == {"85"}
    hand = CliRunner().invoke(cli.app, ["refresh", "--source", "tuik", "--by-hand"])
    assert hand.stdout.startswith("// Paste this")
    assert '"partner": "RUS"' in hand.stdout


def test_both_sources_stand_side_by_side_with_the_reason_where_they_differ(monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from standin.harness import QUICK, asked
    from tradeflows import cli
    from tradeflows.sources import refresh
    from tradeflows.sources.agreement import agreement
    from tradeflows.sources.comtrade.question import pair

    world = trade.World(chapters=(84,), others=1, last="201704", hidden=False)
    office = standin.office_of(world)
    terms = {"sources": ("tuik", "comtrade"), "start": "2017-03", "end": "2017-04"}
    part = pair("TUR", "RUS")
    with asked(monkeypatch, tmp_path / "x", world), standin.serving(office) as url:
        monkeypatch.setenv("TRADEFLOWS_TUIK_URL", url)
        refresh.run([part], **terms, manners=QUICK)
        found = agreement()
        assert len(found) == 4
        assert set(found.reason) == {""}
        keys = ["flow", "period", "code_system", "code"]
        told = ["value_usd", "net_weight_kg", "quantity", "weight_status", "quantity_status"]
        rows = [
            tf.load("trade", source=name, partner="RUS", level=6, months="2017")
            for name in ("TÜİK", "UN Comtrade")
        ]
        both = [r.set_index(keys)[told].sort_index() for r in rows]
        pd.testing.assert_frame_equal(*both)  # so each verdict of the panel is the same
        office.revised["201704"] += 20
        refresh.run([part], **terms, manners=QUICK)
        found = agreement().set_index("period")
        assert found.reason["2017-03-01"].tolist() == ["", ""]
        assert set(found.reason["2017-04-01"]) == {"TÜİK's month is the newer release"}
        said = CliRunner().invoke(cli.app, ["status"]).output
    assert "2 of 4 months of a partner and flow agree" in said
    assert "TÜİK's month is the newer release" in said
