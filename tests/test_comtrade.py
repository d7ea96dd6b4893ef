"""UN Comtrade: what is asked, and what a reply must be to become a table."""

import contextlib
import gzip
import json
import re
from itertools import pairwise, product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standin import comtrade, trade
from tradeflows import tables
from tradeflows.codes.countries import EU27
from tradeflows.errors import SchemaMismatch, TradeflowsError, TruncatedReply, UnknownCode
from tradeflows.sources.comtrade import parse
from tradeflows.sources.comtrade.question import (
    ALL,
    Box,
    Call,
    covered,
    pair,
    places,
    split,
    standard,
)

WORLD = trade.World(missing=0.3, estimated=0.2)


def asked(**more: str) -> dict[str, str]:
    plain = {
        "reportercode": "792", "partnercode": "643", "partner2code": "0", "customscode": "C00",
        "motcode": "0", "period": "202206,202207", "flowcode": "M,X", "cmdcode": "TOTAL,AG2,AG6",
    }  # fmt: skip
    return plain | more


@pytest.fixture(scope="module")
def reply() -> bytes:
    return comtrade.Comtrade(WORLD).answer(asked(), keyed=True)[1]


def changed(reply: bytes, **values: object) -> bytes:
    body = json.loads(reply)
    body["data"][3] |= values
    return json.dumps(body).encode()


def test_a_reply_becomes_the_table(reply: bytes) -> None:
    table = parse(reply, {"origin": "x", "vintage": "2026-01-02"})
    tables.validate(table, "trade")
    assert len(table) == json.loads(reply)["count"]
    assert set(table["vintage"]) == {"2026-01-02"}
    assert parse(gzip.compress(reply), {"origin": "x", "vintage": "2026-01-02"}).equals(table)


def test_each_row_keeps_its_own_revision(reply: bytes) -> None:
    systems = parse(reply, {}).groupby("period")["code_system"].unique()
    assert [list(s) for s in systems] == [["HS2017"], ["HS2022"]]


def test_weights_are_reported_estimated_or_missing(reply: bytes) -> None:
    table = parse(reply, {})
    fine = table[table["level"] == 6]
    assert set(fine["weight_status"]) == {"reported", "estimated", "missing"}
    assert fine.loc[fine["weight_status"] == "missing", "net_weight_kg"].isna().all()
    assert (fine.loc[fine["weight_status"] != "missing", "net_weight_kg"] > 0).all()
    assert set(table.loc[table["level"] < 4, "weight_status"]) == {"missing"}


def test_pseudo_codes_are_kept_and_flagged(reply: bytes) -> None:
    table = parse(reply, {})
    hidden = table[table["code"] == "999999"]
    assert hidden["confidential"].all()
    assert (hidden["value_usd"] > 0).all()
    imports = table[(table["flow"] == "M") & (table["period"] == "2022-06-01")]
    by_level = imports.groupby("level")["value_usd"].sum()
    assert by_level[2] == pytest.approx(by_level[6])
    assert by_level[0] == pytest.approx(by_level[6])
    energy = imports[imports["code"].str.startswith("27")].groupby("level")["value_usd"].sum()
    assert energy[2] > 2 * energy[6]  # what the chapter holds and no HS6 row shows


def test_zero_weight_beside_value_is_missing_whatever_the_flags(reply: bytes) -> None:
    for weight in (0, 0.0, None):
        table = parse(changed(reply, netWgt=weight, isNetWgtEstimated=False, aggrLevel=6), {})
        assert "missing" in set(table["weight_status"])


def test_breakdowns_are_never_added_to_their_total() -> None:
    doubled = {k: v for k, v in asked().items() if k != "partner2code"}
    body = comtrade.Comtrade(WORLD).answer(doubled, keyed=True)[1]
    assert len(parse(body, {})) * 2 == json.loads(body)["count"]


@pytest.mark.parametrize("cap", [500, 100_000, 250_000])
def test_a_count_at_a_cap_is_refused(reply: bytes, cap: int) -> None:
    body = json.loads(reply) | {"count": cap}
    with pytest.raises(TruncatedReply, match=r"cap|counts"):
        parse(json.dumps(body).encode(), {})


def test_a_cut_reply_is_refused(reply: bytes) -> None:
    body = json.loads(reply)
    body["data"] = body["data"][:-1]
    with pytest.raises(TruncatedReply):
        parse(json.dumps(body).encode(), {})
    body["count"] -= 1
    with pytest.raises(TruncatedReply):
        parse(json.dumps(body).encode(), {"query": {"proof": {"count": body["count"] + 1}}})


def test_an_empty_reply_is_a_full_schema_table() -> None:
    table = parse(b'{"elapsedTime":"0.58 secs","count":0,"data":[],"error":""}', {})
    assert table.columns.tolist() == list(tables.TABLES["trade"].names)
    assert table.empty


@pytest.mark.parametrize(
    "values",
    [
        {"cmdCode": 10391},
        {"primaryValue": "1,5"},
        {"primaryValue": None},
        {"primaryValue": True},
        {"primaryValue": float("inf")},
        {"primaryValue": float("nan")},
        {"primaryValue": 10**30},
        {"primaryValue": -1},
        {"netWgt": "7_0"},
        {"netWgt": -3.0, "cmdCode": "854231", "partnerCode": 4},
        {"qty": [1]},
        {"isNetWgtEstimated": "perhaps"},
        {"period": "2022-06"},
        {"period": "202213"},
        {"period": None},
        {"reporterCode": 10**12},
        {"flowCode": 3},
        {"flowCode": "ZZ"},
        {"partnerCode": "Russia"},
        {"qtyUnitCode": None},
    ],
)
def test_wrong_values_are_named(reply: bytes, values: dict[str, object]) -> None:
    with pytest.raises(SchemaMismatch):
        parse(changed(reply, **values), {"origin": "x"})


def test_columns_may_be_added_but_not_lost(reply: bytes) -> None:
    body = json.loads(reply)
    for record in body["data"]:
        record["brandNew"] = {"a": 1}
    assert len(parse(json.dumps(body).encode(), {})) == body["count"]
    for record in body["data"]:
        del record["netWgt"]
    with pytest.raises(SchemaMismatch, match="netWgt"):
        parse(json.dumps(body).encode(), {})


def test_duplicates_are_refused_even_if_equal(reply: bytes) -> None:
    body = json.loads(reply)
    body["data"].append(body["data"][0])
    body["count"] += 1
    with pytest.raises(SchemaMismatch, match="share a key"):
        parse(json.dumps(body).encode(), {})


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"[1]", b"{}", b'{"data":3}', b'{"data":[3]}', b"<html>", b"\x1f\x8bxx",
     b'{"count":-1,"data":[],"error":"Invalid parameter value"}', b"\xff\xfe", b"[" * 100_000,
     gzip.compress(b"{}", mtime=0)[:-6]],
)  # fmt: skip
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(TradeflowsError):
        parse(data, {"origin": "x"})


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_escape_the_errors(data: bytes) -> None:
    with contextlib.suppress(TradeflowsError):
        parse(data, {})


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.sampled_from([None, True, -1, "x", [], {}, 1e308, "1", 3.5]))
def test_no_record_escapes_the_errors(column: int, value: object) -> None:
    body = json.loads(comtrade.Comtrade(WORLD).answer(asked(cmdcode="TOTAL"), keyed=True)[1])
    name = sorted(body["data"][0])[column % len(body["data"][0])]
    body["data"][0][name] = value
    with contextlib.suppress(TradeflowsError):
        parse(json.dumps(body).encode(), {})


def call(codes: tuple[str, ...] = ("AG6",), partners: tuple[str, ...] = ("643",)) -> Call:
    return Call("x", "M", (792,), ("202201",), Box(("M",), partners, codes), (("792-202201", "1"),))


def test_totals_over_breakdowns_are_always_asked() -> None:
    query = call().query()
    assert "partner2Code=0&customsCode=C00&motCode=0" in query


def test_a_call_survives_its_sidecar() -> None:
    one = call(("8542", "AG6/85"), (ALL,))
    assert Call.from_dict(one.as_dict()) == one
    assert Call.from_dict(one.as_dict()).identity() == one.identity()


def test_splitting_ends_and_covers_the_whole() -> None:
    whole = Call("x", "M", (792, 398), ("202201", "202202"), Box(("M", "X"), ("643",), TWO), ())
    leaves, queue = [], [whole]
    while queue:
        children = split(one := queue.pop())
        deep = len(one.box.codes) == 1 and one.box.codes[0].count("/") and len(children) == 10
        queue += [] if deep else children
        leaves += [one] if deep or not children else []
    asked = {(r, p, f, c) for x in leaves for r in x.reporters for p in x.periods
             for f in x.box.flows for c in x.box.codes}  # fmt: skip
    codes = {"8542", *(f"AG6/{n}" for n in range(10))}
    assert asked == set(product((792, 398), ("202201", "202202"), "MX", codes))
    assert len(leaves) == len(asked)


TWO = ("AG6", "8542")
TOKENS = st.sampled_from(["TOTAL", "AG2", "AG6", "AG6/8", "AG6/85", "854231", "27", "270900"])
BOXES = st.builds(
    lambda f, p, c: Box(tuple(f), tuple(p), tuple(c)),
    st.lists(st.sampled_from(["M", "X"]), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(["643", "398", ALL]), min_size=1, max_size=2, unique=True),
    st.lists(TOKENS, min_size=1, max_size=3, unique=True),
)
LEVELS = {"TOTAL": 0, "27": 2, "84": 2, "8542": 4, "847150": 6, "854231": 6, "270900": 6}
ROWS = pd.DataFrame(
    [(f, p, c, n) for f in "MX" for p in ("RUS", "KAZ", "GEO") for c, n in LEVELS.items()],
    columns=["flow", "partner", "code", "level"],
).astype({"level": "Int64"})


@settings(deadline=None, max_examples=60)
@given(BOXES, st.frozensets(BOXES, max_size=3))
def test_what_is_covered_has_no_row_that_is_not_held(box: Box, held: frozenset[Box]) -> None:
    assert covered(box, held | {box})
    in_one = pd.Series(False, index=ROWS.index)
    for other in held:
        in_one |= other.holds(ROWS)
    if covered(box, held):
        assert in_one[box.holds(ROWS)].all()
        assert not covered(box._replace(system="H4"), held)


def test_unknown_codes_and_countries_are_named() -> None:
    wrongs = ["27.10", "AG3", "x", "2709001", "AG6/8542a", "AG6/", "AG6/8542311", "AG2/854",
              "TOTAL/8", "8542/1", "AG6/8/5", "AG6/²", "²²", "/8", "ag6", ""]  # fmt: skip
    for wrong in ([code] for code in wrongs):
        with pytest.raises(UnknownCode):
            pair("TUR", "RUS", codes=wrong)
    with pytest.raises(UnknownCode):
        pair("TUR", "XXX")
    with pytest.raises(UnknownCode):
        pair("TUR", "RUS", flows=["Z"])
    with pytest.raises(UnknownCode):
        standard(["85423"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *((w, ("World",)) for w in ("World", "world", "WLD", "W00", "Dünya")),
        *((w, ("Areas nes",)) for w in ("Areas nes", "Areas, nes", "_X")),
        *((w, ("Bunkers",)) for w in ("Bunkers", "bunkers")),
        *((w, ("Free zones",)) for w in ("Free zones", "Free Zones")),
        *((w, ("Special categories",)) for w in ("Special Categories",)),
        *((w, ("TWN",)) for w in ("TWN", "Other Asia, nes")),
        *((w, ("GRC",)) for w in ("GRC", "Greece", " grc ")),
        *((w, ("TUR",)) for w in ("TUR", "Turkey", "Türkiye")),
        *((w, EU27) for w in ("EU27", "eu27", "EU27_2020", "EU")),
        *((w, (ALL,)) for w in ("ALL", "all")),
        ("RUS,KAZ", ("RUS", "KAZ")),
        ("RUS, World, RUS", ("RUS", "World")),
        ("EU28", tuple(sorted([*EU27, "GBR"]))),
        ("Turkic states", ("AZE", "KAZ", "KGZ", "TKM", "UZB")),
    ],
)
def test_places_are_read_as_publishers_write_them(text: str, found: tuple[str, ...]) -> None:
    assert places(text) == found
    part = pair("KAZ", text, codes=["TOTAL"])
    assert part.partners == found
    assert re.fullmatch(r"kaz-[a-z0-9-]+-total", part.name)


@pytest.mark.parametrize("text", ["", ",", "Atlantis", "RUS,Atlantis", "RUS KAZ", "-", "EU99"])
def test_a_place_no_list_holds_is_named(text: str) -> None:
    with pytest.raises(UnknownCode, match="no country or area"):
        places(text)


@pytest.mark.parametrize("reporter", ["World", "ALL", "Areas nes", "TUR,World"])
def test_areas_do_not_report(reporter: str) -> None:
    with pytest.raises(UnknownCode, match="reporter"):
        pair(reporter, "RUS")


def test_the_generator_is_deterministic_and_plants_what_it_says() -> None:
    truths = {s: trade.World(s).truth() for s in trade.SCENARIOS}
    assert truths["nothing"]["M_effect"] == truths["nothing"]["X_effect"] == 0
    assert truths["prices"]["M_effect"] > 0 == truths["prices"]["X_effect"]
    assert truths["volume"]["X_effect"] > 0
    assert truths["entry"]["X_effect"] > 0
    assert truths["rerouting"]["X_effect"] == 0
    again = comtrade.Comtrade(trade.World(missing=0.3, estimated=0.2)).answer(asked(), keyed=True)
    assert again[1] == comtrade.Comtrade(WORLD).answer(asked(), keyed=True)[1]
    assert all(a < b for a, b in pairwise(WORLD.months))
