"""One SQL definition: frames, Parquet files as a stream, and Spark give the same rows."""

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tradeflows.measure import bridge, price_index, sql

MEASURES = {
    "bridge by product": ("bridge", {"by": ("code", "partner")}),
    "bridge by chapter": ("bridge", {"by": ("chapter",), "path": "two-point"}),
    "bridge, montgomery": ("bridge", {"method": "montgomery", "by": ()}),
    "index, chained": ("index", {"formula": "fisher", "pairs": "previous"}),
    "index, shares": ("index", {"formula": "sato_vartia", "pairs": "month-to-year"}),
}


@pytest.fixture(scope="module")
def trade():
    """Two years of forty codes from two partners, with holes."""
    rng = np.random.default_rng(0)
    months = pd.date_range("2021-01-01", periods=24, freq="MS")
    keys = [(m, f"{270900 + i}", p) for m in months for i in range(40) for p in ("RUS", "KAZ")]
    frame = pd.DataFrame(keys, columns=["period", "code", "partner"])
    count = len(frame)
    return frame.assign(
        value_usd=rng.lognormal(10, 1, count) * (rng.random(count) > 0.1),
        net_weight_kg=rng.lognormal(8, 1, count),
        weight_status=rng.choice(["reported", "missing"], count, p=[0.9, 0.1]),
    )


@pytest.fixture(scope="module")
def folder(trade, tmp_path_factory):
    """Write the same rows as one Parquet file a year, dates as DATE."""
    home = tmp_path_factory.mktemp("parquet")
    for year, rows in trade.groupby(trade["period"].dt.year):
        rows.assign(period=rows["period"].dt.date).to_parquet(home / f"{year}.parquet", index=False)
    return home


def test_parquet_gives_what_the_frame_gives(trade, folder):
    for path in ("monthly", "two-point"):
        ours, streamed = (bridge(t, path=path) for t in (trade, f"{folder}/*.parquet"))
        pd.testing.assert_frame_equal(ours.table, streamed.table, rtol=1e-12)
        pd.testing.assert_frame_equal(ours.monthly, streamed.monthly, rtol=1e-12)
    ours, streamed = (price_index(t, base="chained") for t in (trade, folder / "*.parquet"))
    pd.testing.assert_frame_equal(ours.table, streamed.table, rtol=1e-12)


KEYS = {
    "one partner": {"partner": "RUS"},
    "reporters that are absent": {"reporter": [None, "TUR", "TUR"]},
    "categories": {"partner": pd.Categorical(["KAZ", "RUS", "KAZ"])},
    "all reported": {"weight_status": "reported"},
    "status unknown": {"weight_status": pd.array(["reported", None, "reported"], dtype="string")},
    "text as objects": {"partner": np.array(["KAZ", "RUS", "KAZ"], dtype=object)},
}


@pytest.mark.parametrize("changed", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("by", [("code",), ("chapter", "partner"), ("weight_status",)])
def test_a_frame_and_its_file_give_the_same_whatever_its_keys(changed, by, tmp_path):
    """Three goods in two months."""
    months = pd.to_datetime(["2021-01-01"] * 3 + ["2021-02-01"] * 3)
    half = pd.DataFrame({"code": ["270900", "271121", "854231"], "partner": "TUR"})
    half = half.assign(weight_status="reported").assign(**changed)
    frame = pd.concat([half, half]).reset_index(drop=True).assign(period=months)
    frame["value_usd"] = [10.0, 20.0, 30.0, 50.0, 40.0, 0.0]
    frame["net_weight_kg"] = [1.0, 2.0, 3.0, 4.0, 3.0, 0.0]
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    ours, streamed = (
        bridge(t, "2021-01", "2021-02", by=by) for t in (frame, tmp_path / "rows.parquet")
    )
    pd.testing.assert_frame_equal(
        ours.table, streamed.table, check_dtype=False, check_categorical=False, rtol=1e-12
    )
    assert ours.price == pytest.approx(streamed.price, rel=1e-12)
    if by == ("code",):  # an index has no groups
        ours, streamed = (price_index(t, base="fixed") for t in (frame, tmp_path / "rows.parquet"))
        pd.testing.assert_frame_equal(ours.table, streamed.table, rtol=1e-12)


def test_a_memory_limit_far_below_the_data_is_enough(folder, tmp_path, monkeypatch):
    """Half a million products under 200 MB: the engine spills instead of failing."""
    import duckdb

    from tradeflows.quality import relation

    file = tmp_path / "large.parquet"
    duckdb.sql(
        f"""COPY (SELECT make_date(2021 + y, 1, 1) AS period, 'A' AS freq,
            lpad(CAST(i AS VARCHAR), 9, '0') || 'X' AS code, 1.0 + i % 7 AS value_usd,
            2.0 + (i + y) % 5 AS net_weight_kg FROM range(500000) t(i), range(2) u(y))
            TO '{file}' (FORMAT parquet)"""  # noqa: S608
    )
    monkeypatch.setattr(relation, "MEMORY", "200MB")
    relation._database.cache_clear()
    try:
        result = bridge(file, path="two-point", by=())
    finally:
        relation._database.cache_clear()
    assert result.value_base == pytest.approx(sum(1.0 + i % 7 for i in range(500_000)))
    assert result.price + result.volume == pytest.approx(0, abs=1e-3)
    assert bridge(f"{folder}/*.parquet").change != 0


SPARK = """
import sys, warnings
warnings.simplefilter("ignore")
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2").getOrCreate())
spark.read.parquet(sys.argv[1]).createOrReplaceTempView("trade")
for text in sys.argv[2:]:
    rows = spark.sql(open(text + ".sql").read()).toPandas()
    rows.to_parquet(text + ".parquet", index=False)
"""


def test_spark_gives_the_same_rows(folder, trade, tmp_path):
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("sqlglot") is None:
        pytest.skip("pyspark and sqlglot are the extra 'spark', not installed here")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, not installed here")
    import duckdb

    connection = duckdb.connect()
    connection.register("trade", trade)
    texts = []
    for i, (measure, settings) in enumerate(MEASURES.values()):
        options = {"columns": list(trade.columns), **settings}
        texts.append(str(tmp_path / f"{i}"))
        (tmp_path / f"{i}.sql").write_text(sql(measure, dialect="spark", **options))
    (tmp_path / "run.py").write_text(SPARK)
    command = [sys.executable, str(tmp_path / "run.py"), str(folder), *texts]
    subprocess.run(command, check=True, capture_output=True)
    for text, (measure, settings) in zip(texts, MEASURES.values(), strict=True):
        ours = connection.sql(sql(measure, columns=list(trade.columns), **settings)).df()
        theirs = pd.read_parquet(f"{text}.parquet")[ours.columns]
        keys = [c for c in ours.columns if c in (*trade.columns, "chapter", "step", "m0", "m")]
        numbers = [c for c in ours.columns if c not in trade.columns and c != "chapter"]
        ours, theirs = (
            t.astype(dict.fromkeys(numbers, float)).sort_values(keys).reset_index(drop=True)
            for t in (ours, theirs)
        )
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_sql_can_be_had_in_another_dialect(name):
    pytest.importorskip("sqlglot", reason="sqlglot is in the extra 'spark'")
    measure, settings = MEASURES[name]
    text = sql(measure, dialect="spark", **settings)
    assert "FROM trade" in text
    assert sql(measure, **settings) != text
    with pytest.raises(ValueError, match="expected one of bridge, index"):
        sql("price")


def test_importing_the_package_leaves_the_engine_for_later():
    code = "import sys, tradeflows; sys.exit('duckdb' in sys.modules or 'scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
