"""The screen of all pairs: one bridge under it, p-values that hold, files that are whole."""

import ast
import dataclasses
import importlib.util
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pages
import tradeflows as tf
from standin.harness import QUICK, asked
from tradeflows.codes.countries import spoken
from tradeflows.errors import (
    ConfidentialValueWarning,
    DoubleCountedTotals,
    EstimatedQuantityWarning,
    SchemaMismatch,
    SourceUnavailable,
    UnknownCode,
)
from tradeflows.measure import bridge
from tradeflows.measure import screen as module
from tradeflows.measure.screen import screen, screen_sql
from tradeflows.plot import Figure
from tradeflows.sources import baci, refresh
from world import listed, world

WINDOWS = {"base": "2021", "current": "2022"}
BARS = ["value_base", "value_current", "change", "price", "volume", "entry", "exit", "unpriced"]
pytestmark = pytest.mark.filterwarnings("ignore:weights estimated by the publisher")


@pytest.fixture(scope="module")
def made():
    return world(3, rows=60_000, surges=8, surge=3)


@pytest.fixture(scope="module")
def trade(made):
    return made.frame()


@pytest.fixture(scope="module")
def result(trade):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return screen(trade, target="RUS", **WINDOWS)


def test_bars_are_those_of_the_bridge(trade, result):
    row = result.table.set_index("reporter").loc["TUR"]
    pair = trade[(trade["reporter"] == "TUR") & (trade["partner"] == "RUS")]
    alone = bridge(pair[pair["code"].isin(listed())], "2021", "2022", path="two-point")
    assert [row[name] for name in BARS] == pytest.approx([getattr(alone, n) for n in BARS])
    assert row["weighed"] == pytest.approx(alone.priced_share)
    sums = result.table[["price", "volume", "entry", "exit", "unpriced"]].sum(axis=1)
    np.testing.assert_allclose(sums, result.table["change"], rtol=1e-9, atol=1e-3)


def test_there_is_no_second_bridge():
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert "bridge_sql" in names
    text = Path(module.__file__).with_name("screen.sql").read_text("utf-8")
    assert "{bridge}" in text
    assert "net_weight_kg" not in text


def test_growth_excess_and_p_by_hand(trade, result):
    """The same by pandas, from the amounts of the bridge."""
    goods = np.where(trade["code"].isin(listed()), "listed goods", trade["code"].str[:2])
    keys = ["reporter", "partner", "goods"]
    year = trade["period"].dt.year.to_numpy()
    table = trade.assign(goods=goods).pivot_table(
        values="value_usd", index=keys, columns=year, aggfunc="sum", fill_value=0.0
    )
    table = table[table.max(axis=1) >= 1e6].rename(columns=str)
    growth = np.log((table["2022"] + 1e6) / (table["2021"] + 1e6))
    home = growth.groupby(["reporter", "goods"])
    beyond = (growth - home.transform("median"))[home.transform("count") >= 8]
    beyond = beyond[beyond.index.get_level_values("partner") == "RUS"]
    pair = beyond.groupby(["reporter", "partner"])
    excess = (beyond - pair.transform("median"))[pair.transform("count") > 8]
    base = table["2021"].reindex(excess.index)
    order = base.reset_index().sort_values(["2021", *keys]).index
    tenth = pd.Series(0, excess.index)
    for i, part in enumerate(np.array_split(order, 10)):
        tenth.iloc[part] = i
    score = excess / excess.abs().groupby(tenth).transform("median")
    ours = result.table.dropna(subset="p").assign(goods="listed goods").set_index(keys)
    placebos = score[score.index.get_level_values("goods") != "listed goods"]
    np.testing.assert_allclose(
        np.log1p(ours["growth_percent"] / 100), growth[ours.index], atol=1e-12
    )
    np.testing.assert_allclose(ours["excess"], excess[ours.index], rtol=1e-9)
    np.testing.assert_allclose(ours["score"], score[ours.index], rtol=1e-9)
    p = [(1 + (placebos >= s - 1e-12).sum()) / (1 + len(placebos)) for s in ours["score"]]
    np.testing.assert_allclose(ours["p"], p)
    assert len(ours) == (score.index.get_level_values("goods") == "listed goods").sum()
    for case, row in ours.iterrows():
        assert row["among_placebos"] == 1 + (placebos.loc[case[:2]] >= row["score"] - 1e-12).sum()
        rivals = growth.loc[case[0], :, case[2]]
        assert row["among_destinations"] == 1 + (rivals > growth[case] + 1e-12).sum()
        assert row["destinations"] == len(rivals)


def test_planted_surges_are_found_and_little_else():
    """A short form of `bench/screen.py --worlds`."""
    shares, right, planted = [], 0, 0
    for seed in range(6):
        drawn = world(seed, surges=8, surge=3)
        found = screen(drawn.frame(), target="RUS", **WINDOWS)
        pairs = set(zip(found.found["reporter"], found.found["partner"], strict=True))
        judged = set(found.table.dropna(subset="p")["reporter"])
        right += len(pairs & set(drawn.surges))
        planted += len({s for s in drawn.surges if s[0] in judged})
        shares.append(len(pairs - set(drawn.surges)) / max(1, len(pairs)))
    assert np.mean(shares) <= 0.10
    assert right >= 0.7 * planted > 0


def test_without_surges_nothing_stands_out_and_p_is_uniform():
    p = []
    for seed in range(3):
        result = screen(world(seed, rows=60_000).frame(), **WINDOWS)
        assert len(result.found) <= 1
        p += result.table["p"].dropna().tolist()
    quantiles = np.quantile(p, [0.05, 0.25, 0.5, 0.75, 0.95])
    np.testing.assert_allclose(quantiles, [0.05, 0.25, 0.5, 0.75, 0.95], atol=0.08)
    assert min(p) > 0


def test_parquet_gives_what_the_frame_gives(made, result, tmp_path):
    made.file(tmp_path / "2.parquet")
    streamed = screen(f"{tmp_path}/*.parquet", target="RUS", **WINDOWS)
    pd.testing.assert_frame_equal(result.table, streamed.table, rtol=1e-9)


def test_words_and_chart(result):
    assert "Weights make a price for" in result.sentence()
    assert str(len(result.found)) in result.sentence()
    figure = tf.plot.show(result)
    assert isinstance(figure, Figure)
    assert f" of {len(result.table['p'].dropna())}, corrected p" in figure.title
    assert " stands out" in figure.title
    held = result.table.assign(q=0.9, stands_out=False)
    calm = tf.plot.show(dataclasses.replace(result, table=held)).title
    assert "does not stand out" in calm  # no title accuses where nothing was found
    assert figure.table["value"].notna().all()


def test_a_world_too_small_to_judge_says_so(trade):
    few = trade[trade["reporter"].isin(["TUR"]) & trade["partner"].isin(["RUS", "AND"])]
    result = screen(few, target="RUS", **WINDOWS)
    assert result.table["p"].isna().all()
    assert not result.found.size
    assert "cannot be determined: none of 1 cases" in result.sentence()
    assert "0 of 0" not in result.sentence()
    assert tf.plot.show(result) == result.sentence()


def test_a_surge_that_cannot_be_judged_is_named_and_stands_first_of_the_unjudged(trade):
    """Unjudged is not cleared: what grew most is said by name, with why."""
    lack = screen(trade, target="RUS", needed=10_000, **WINDOWS)
    assert "cannot be determined" in lack.sentence()
    growth = lack.table["growth_percent"]
    assert growth.is_monotonic_decreasing
    first = lack.table.iloc[0]
    assert f"Not judged, which is not cleared: {spoken(first['reporter'])}" in (lack.sentence())
    assert first["unjudged"].endswith("of the 10000 destinations of these goods needed")
    some = screen(trade, target="RUS", least=1e8, **WINDOWS)
    known = some.table["p"].notna()
    assert (some.table["unjudged"] == "").equals(known)
    assert some.table.loc[~known, "unjudged"].str.contains("below 100 m USD|needed").all()
    assert some.table.loc[~known, "growth_percent"].is_monotonic_decreasing


def test_a_sentence_says_how_many_of_the_listed_codes_the_table_holds(trade):
    found = screen(trade, target="RUS", goods=["8542", "851762", "999998"], **WINDOWS)
    held = sum(trade["code"].str.startswith(c).any() for c in ("8542", "851762"))
    assert f"The table holds {held} of 3 listed codes." in found.sentence()


def test_a_screen_asks_as_it_is_asked(trade, result):
    both = pd.concat([trade.assign(flow="X"), trade.assign(flow="M", value_usd=2.0)])
    pd.testing.assert_frame_equal(screen(both, target="RUS", **WINDOWS).table, result.table)
    none = screen(both, target="RUS", flow="M", **WINDOWS).table
    assert none["p"].isna().all()
    assert set(none["value_current"]) <= {2.0 * n for n in range(200)}
    large = screen(trade, target="RUS", least=1e8, **WINDOWS)
    assert large.least == 1e8
    assert 0 < large.table["p"].notna().sum() < result.table["p"].notna().sum()
    assert screen(trade, target="RUS", needed=10_000, **WINDOWS).table["p"].isna().all()
    strict = screen(trade, target="RUS", level=1e-9, **WINDOWS)
    assert (len(strict.found), strict.level) == (0, 1e-9)
    guessed = trade.assign(weight_status="estimated")
    assert screen(guessed, target="RUS", **WINDOWS).coverage == 0
    accepted = screen(guessed, target="RUS", estimated="accepted", **WINDOWS)
    assert result.coverage > 0
    assert accepted.coverage >= result.coverage


def test_what_counts_as_a_find_and_in_which_order():
    p = [0.02, 0.01, 0.02, None, 0.02, 0.02, 0.02]
    rows = pd.DataFrame(
        {
            "reporter": list("BAAAABB"), "partner": list("XXXXXYX"),
            "value_base": 1.0, "value_current": [3.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0],
            "priced_current": [1.5, 0.0, 0.25, 1.0, 1.0, 1.0, 1.0],
            "price": 0.0, "volume": 0.0, "entry": 0.0, "exit": 0.0, "unpriced": 0.0, "growth": 0.0,
            "among_destinations": [1.0, 2, 3, None, 5, 6, 7], "destinations": 9.0, "excess": 0.0,
            "score": [2.0, 9, 3, None, 2, 2, 2], "among_placebos": 4.0, "placebos": 8.0,
            "p": p, "repeats": 0, "others": 8.0,
        }
    )  # fmt: skip
    found = module._judged(rows, 0.02, 1e6, 8)
    names = found["reporter"] + found["partner"]
    assert names.tolist() == ["AX", "AX", "AX", "BX", "BX", "BY", "AX"]
    assert found.index.tolist() == list(range(7))
    assert found["score"].tolist()[:3] == [9, 3, 2]
    assert found["q"].tolist()[:6] == pytest.approx([0.02] * 6)
    assert found["stands_out"].tolist() == [True] * 6 + [False]
    assert found["weighed"].tolist()[1:4] == [0.5, 1.0, 0.5]
    assert np.isnan(found["weighed"].iloc[0])
    assert found["change"].tolist()[:2] == [-1.0, -0.5]
    ranks = ["among_destinations", "destinations", "among_placebos", "placebos"]
    assert [str(t) for t in found[ranks].dtypes] == ["Int64"] * 4
    assert found["among_destinations"].tolist()[:3] == [2, 3, 5]
    assert list(found) == [
        "reporter", "partner", "value_base", "value_current", "change", "price", "volume", "entry",
        "exit", "unpriced", "weighed", "growth_percent", "among_destinations",
        "destinations", "excess", "score", "among_placebos", "placebos", "p", "q", "stands_out",
        "unjudged",
    ]  # fmt: skip


def test_what_would_be_summed_wrongly_is_refused(trade):
    with pytest.raises(DoubleCountedTotals):
        screen(pd.concat([trade, trade.head(5).assign(partner="World")]), **WINDOWS)
    with pytest.raises(SchemaMismatch, match="no rows for 2023"):
        screen(trade, base="2022", current="2023")


@pytest.mark.parametrize(
    ("error", "options", "words"),
    [
        (
            UnknownCode,
            {"goods": ["0000"]},
            "none of the listed goods is traded\n"
            "  expected: codes and partners as the table writes them\n"
            "  what to do: check goods= and target=",
        ),
        (
            UnknownCode,
            {"target": "XXX"},
            "none of the listed goods goes to XXX",
        ),
        (
            UnknownCode,
            {"goods": []},
            "goods without codes\n  expected: at least one code\n  what to do: check goods=",
        ),
        (
            UnknownCode,
            {"old": "SITC4"},
            "no high-priority list in 'SITC4'\n"
            "  expected: a table on codes of the HS\n"
            "  what to do: pass the codes as goods=",
        ),
        (
            SchemaMismatch,
            {"twice": 1},
            "rows share a key, among them",
        ),
    ],
)
def test_a_refusal_says_what_was_found_expected_and_what_to_do(trade, error, options, words):
    options = dict(options)
    rows = pd.concat([trade, trade.head(options.pop("twice", 0))])
    if "old" in options:
        rows = rows.assign(code_system=options.pop("old"))
    with pytest.raises(error) as caught:
        screen(rows, **WINDOWS, **options)
    assert str(caught.value).startswith(words)


def test_a_target_may_be_named_and_windows_stand_by_position(trade, result):
    named = screen(trade, "2021", "2022", target="Russia")
    pd.testing.assert_frame_equal(named.table, result.table)
    assert named.target == "RUS"


def test_a_screen_judges_value_and_needs_no_weight(trade, result, tmp_path):
    bare = trade.drop(columns=[c for c in trade if "weight" in c])
    bare.to_parquet(tmp_path / "bare.parquet")
    said = ["value_base", "value_current", "score", "p", "stands_out"]
    found = screen(tmp_path / "bare.parquet", target="RUS", **WINDOWS)
    pd.testing.assert_frame_equal(found.table[said], result.table[said])
    assert found.coverage == 0 == found.table["price"].abs().sum()


def test_a_list_is_read_in_the_revision_of_the_table(trade, monkeypatch):
    """Where the table names no revision it is HS2022, the newest."""
    lists = {"HS2017": ("60",), "HS2022": ("61",)}
    monkeypatch.setattr(module, "listed", lambda _, system: lists[system])
    read = {
        system: module.screen(rows, **WINDOWS).table["value_current"].sum()
        for system, rows in (
            ("old", trade.assign(code_system="HS2017")),
            ("new", trade.assign(code_system="HS2022")),
            ("not named", trade.drop(columns="code_system")),
        )
    }
    now = trade[trade["period"].dt.year == 2022]
    sums = now.groupby(now["code"].str[:2])["value_usd"].sum()
    assert read["old"] == pytest.approx(sums["60"])
    assert read["new"] == pytest.approx(sums["61"])
    assert read["not named"] == pytest.approx(sums["61"])


def test_the_revision_of_other_months_and_flows_is_not_that_of_the_windows(trade, monkeypatch):
    lists = {"HS2012": ("62",), "HS2017": ("60",), "HS2022": ("61",)}
    monkeypatch.setattr(module, "listed", lambda _, system: lists[system])
    rows = trade.assign(code_system="HS2022", flow="X")
    alone = screen(rows, **WINDOWS).table
    before = rows.assign(period=pd.Timestamp("2015-01-01"), code_system="HS2012")
    imports = rows.assign(flow="M", code_system="HS2012")
    for other in (before, imports):
        both = pd.concat([other.drop_duplicates(["reporter", "partner", "code"]), rows])
        pd.testing.assert_frame_equal(screen(both, **WINDOWS).table, alone)
    year = rows["period"].dt.year
    with pytest.raises(SchemaMismatch, match="HS2012, HS2022 follow each other") as error:
        screen(rows.assign(code_system=np.where(year == 2021, "HS2012", "HS2022")), **WINDOWS)
    assert error.value.todo.startswith("tf.concord(trade) brings them to codes")


@pytest.mark.parametrize(
    ("error", "options", "words"),
    [
        (TypeError, {"goods": [8542]}, "8542"),
        (UnknownCode, {"goods": ["8542", ""]}, "goods without codes"),
        (UnknownCode, {"goods": "8542"}, r"no high-priority list '8542'(.|\n)*\['8542'\]"),
        (UnknownCode, {"goods": "2024-09"}, "no high-priority list '2024-09'"),
        (ValueError, {"least": float("nan")}, "least=nan: expected more than 0"),
        (ValueError, {"least": 0}, "least=0: expected more than 0"),
        (ValueError, {"level": 2}, "level=2: expected more than 0, less than 1"),
    ],
)
def test_an_option_that_is_none_is_refused_before_any_row_is_read(error, options, words):
    with pytest.raises(error, match=words):
        screen("no/such.parquet", **WINDOWS, **options)


def test_codes_may_come_in_any_collection_and_name_a_heading_and_codes_of_it(trade):
    plain = screen(trade, target="RUS", goods=["8542", "8517"], **WINDOWS)
    for goods in (pd.Series(["8542", "8517"]), {"8542", "8517", "854231"}):
        same = screen(trade, target="RUS", goods=goods, **WINDOWS)
        pd.testing.assert_frame_equal(same.table, plain.table)


@pytest.fixture(scope="module")
def monthly(trade):
    """Put the rows of each year into its first two months."""
    later = trade["period"] + pd.DateOffset(months=1)
    return pd.concat([trade, trade.assign(period=later)], ignore_index=True).assign(freq="M")


MONTHS = {"base": "2021-01/2021-02", "current": "2022-01/2022-02"}


@pytest.mark.parametrize("month", ["2021-01-01", "2022-02-01"])
def test_who_lacks_a_month_is_left_out_and_named(monthly, month):
    """A missing month is no zero: half a window would be a fall by half."""
    gone = (monthly["reporter"] == "TUR") & (monthly["period"] == month)
    found = screen(monthly[~gone], target="RUS", **MONTHS)
    without = screen(monthly[monthly["reporter"] != "TUR"], target="RUS", **MONTHS)
    pd.testing.assert_frame_equal(found.table, without.table)
    assert found.late == {"TUR": (month[:7],)}
    words = f" Left out, as a missing month is no zero: Turkey ({month[:7]})."
    assert found.sentence() == without.sentence() + words
    assert without.late == {}
    assert month[:7] in found.late["TUR"]


def test_a_month_outside_of_the_windows_or_without_listed_goods_may_lack(monthly):
    whole = screen(monthly, target="RUS", **MONTHS)
    here = monthly["reporter"] == "TUR"
    more = monthly[~here].assign(period=pd.Timestamp("2020-05-01"))
    more = more.drop_duplicates(["reporter", "partner", "code"])
    pd.testing.assert_frame_equal(
        screen(pd.concat([monthly, more]), target="RUS", **MONTHS).table, whole.table
    )
    idle = here & (monthly["period"] == "2022-02-01") & monthly["code"].isin(listed())
    assert screen(monthly[~idle], target="RUS", **MONTHS).late == {}


def test_who_lacks_a_year_is_left_out_and_all_late_is_an_error(trade):
    first = trade["period"].dt.year == 2021
    found = screen(trade[first | (trade["reporter"] != "TUR")], target="RUS", **WINDOWS)
    assert found.late == {"TUR": ("2022",)}
    assert "TUR" not in set(found.table["reporter"])
    half = trade["reporter"] < "M"
    with pytest.raises(SchemaMismatch, match="no rows of reporter"):
        screen(trade[half == first], **WINDOWS)


def test_many_who_are_left_out_are_counted(result):
    late = {f"Q{i}": ("2022-01", "2022-02", "2022-03") for i in range(7)}
    words = dataclasses.replace(result, late=late).sentence()
    assert words.endswith("Q4 (2022-01 and 2 more) and 2 more.")
    assert "Q5" not in words


def test_a_screen_keeps_windows_share_and_origin(trade, result):
    assert (result.base, result.current, result.target) == ("2021", "2022", "RUS")
    known = result.table["value_current"]
    priced = (result.table["weighed"] * known).sum() / known.sum()
    assert 0 < result.coverage < 1
    assert result.coverage == pytest.approx(priced)
    assert result.origins == ()
    stored = screen(trade.assign(origin="baci/2022.parquet"), target="RUS", **WINDOWS)
    assert stored.origins == ("baci/2022.parquet",)
    gone = trade.assign(value_usd=trade["value_usd"].where(trade["period"].dt.year == 2021, 0.0))
    assert screen(gone, target="RUS", **WINDOWS).coverage == 0


def test_confidential_trade_is_never_priced(trade):
    with pytest.warns(ConfidentialValueWarning, match="100.0% of the value"):
        hidden = screen(trade.assign(confidential=True), target="RUS", **WINDOWS)
    assert hidden.coverage == 0
    assert hidden.table["price"].eq(0).all()


def test_a_name_with_a_quote_is_only_a_name(trade):
    renamed = trade.assign(partner=trade["partner"].replace("RUS", "it's"))
    result = screen(renamed, target="it's", goods=["8542"], **WINDOWS)
    assert set(result.table["partner"]) == {"it's"}


SPARK = """
import sys, warnings
warnings.simplefilter("ignore")
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2").getOrCreate())
spark.read.parquet(sys.argv[1]).createOrReplaceTempView("trade")
spark.sql(open(sys.argv[2]).read()).toPandas().to_parquet(sys.argv[3], index=False)
"""


def test_spark_gives_the_same_rows(made, trade, tmp_path):
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("sqlglot") is None:
        pytest.skip("pyspark and sqlglot are the extra 'spark', not installed here")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, not installed here")
    import duckdb
    import sqlglot

    text = screen_sql(list(trade.columns), "2021", "2022", goods=listed())
    made.file(tmp_path / "world.parquet")
    (tmp_path / "run.py").write_text(SPARK)
    (tmp_path / "screen.sql").write_text(sqlglot.transpile(text, read="duckdb", write="spark")[0])
    files = [str(tmp_path / name) for name in ("world.parquet", "screen.sql", "spark.parquet")]
    command = [sys.executable, str(tmp_path / "run.py"), *files]
    subprocess.run(command, check=True, capture_output=True)
    with duckdb.connect() as connection:
        connection.register("trade", trade)
        ours = connection.sql(text).df()
    theirs = pd.read_parquet(files[2])[ours.columns]
    keys = ["reporter", "partner", "goods"]
    numbers = [c for c in ours.columns if c not in keys]
    ours, theirs = (
        t.astype(dict.fromkeys(numbers, float)).sort_values(keys).reset_index(drop=True)
        for t in (ours, theirs)
    )
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-9, atol=1e-9)


def test_it_can_be_had_for_spark():
    sqlglot = pytest.importorskip("sqlglot", reason="sqlglot is in the extra 'spark'")
    columns = ["reporter", "partner", "period", "code", "value_usd", "net_weight_kg"]
    text = screen_sql(columns, "2021", "2022", target="RUS", goods=["8542"])
    assert "GROUPING SETS" in sqlglot.transpile(text, read="duckdb", write="spark")[0]


def test_every_pair_of_the_stored_baci(monkeypatch, tmp_path):
    with asked(monkeypatch, tmp_path / "data"):
        with pytest.raises(SourceUnavailable, match="tradeflows refresh --source baci"):
            baci.stored()
        refresh.run(sources=("baci",), manners=QUICK)
        with pytest.warns(EstimatedQuantityWarning):
            found = screen(baci.stored(), "2021", "2022", goods=["01"])
        written = {f.suffix for f in (tmp_path / "data" / "processed").rglob("*")}
        assert ".parquet" in written
        assert ".part" not in written
        assert found.coverage == 0  # BACI's weights are estimates and make no price
        page = pages.run("08-every-pair", TARGET="None", GOODS='["01"]', CURRENT='"2022"')
    pd.testing.assert_frame_equal(page["found"].table, found.table)
    assert str(found.sentence()) in page.cell("first-screen").text


def test_an_unknown_flow_is_told_which_there_are(trade):
    both = pd.concat([trade.assign(flow="X"), trade.assign(flow="M")])
    with pytest.raises(UnknownCode, match="no rows of flow 'exports'") as error:
        screen(both, flow="exports", **WINDOWS)
    assert error.value.expected == "a flow of the table: M, X"
    with pytest.raises(UnknownCode, match="no rows of flow 'X'"):
        screen(trade.assign(flow="M"), **WINDOWS)
    with pytest.raises(SchemaMismatch, match="no rows for 2031"):
        screen(trade.assign(flow="X"), base="2031", current="2032")
    with pytest.raises(SchemaMismatch, match="no rows for 2031"):
        screen(trade, base="2031", current="2032")
