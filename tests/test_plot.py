"""Charts: what is drawn is what is told, in words, in the table and on every page."""

import base64
import dataclasses
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure as Canvas

import examples
import tradeflows as tf
from tradeflows.counterfactual.placebo import Placebo
from tradeflows.counterfactual.validation import Validation
from tradeflows.errors import SchemaMismatch
from tradeflows.measure import Interval
from tradeflows.plot.style import spread
from tradeflows.report.check import problems
from tradeflows.report.page import tree
from tradeflows.spreadsheets import csv_text

MONTHS = pd.date_range("2021-01-01", periods=24, freq="MS")
RISE = "Imports rose by half"


def line():
    return pd.DataFrame({"value": np.linspace(2e9, 3e9, 24), "price": np.linspace(2e9, 4e9, 24)},
                        index=MONTHS)  # fmt: skip


def bands():
    middle = np.linspace(1.0, 2.0, 24)
    return pd.DataFrame({"actual": middle**2, "median": middle, "low95": middle - 0.5,
                         "high95": middle + 0.5, "low80": middle - 0.3, "high80": middle + 0.3},
                        index=MONTHS)  # fmt: skip


def steps():
    ends = {"low": [np.nan, 28e9, -3e9, np.nan], "high": [np.nan, 32e9, 1e9, np.nan]}
    parts = {"value": [29e9, 30e9, -1e9, 58e9], "kind": ["total", "price", "volume", "total"]}
    return pd.DataFrame(parts | ends, index=["2021", "dearer energy", "less energy", "2022"])


KNOWN = {"record": Interval(0.2, 0.97), "corridors": Interval(0.61, 0.88), "too much": None}
PANELS = {"slope": {"0.10": Interval(0.61, 0.88), "0.138": Interval(0.607, 0.83), "0.139": None},
          "lags": {"6 to 9": Interval(0.61, 0.88)}}  # fmt: skip


def charts():
    frame = pd.DataFrame({"imports": [17.8, 29.0]}, index=[2020, 2021])
    return {
        "finish": tf.plot.finish(frame.plot(), RISE, "bn USD", "TÜİK", table=frame),
        "waterfall": tf.plot.waterfall(steps(), RISE, source="TÜİK"),
        "ranges": tf.plot.ranges(KNOWN, RISE, "share", "TÜİK", marks={"mainly": 0.5}),
        "scan": tf.plot.scan(PANELS, Interval(0.61, 0.88), RISE, "share", "TÜİK"),
        "lines": tf.plot.lines(line(), RISE, "USD", "TÜİK", events={"invasion": "2022-02-24"}),
        "bars": tf.plot.bars({"energy": 34.2e9, "metals": -9e9}, RISE, "USD", "TÜİK"),
        "fan": tf.plot.fan(bands(), RISE, "index", "TÜİK"),
        "histogram": tf.plot.histogram([1.0, 2, 2, 3], {"Russia": 9.0}, RISE, "%", "TÜİK"),
    }


@pytest.fixture(scope="module")
def drawn():
    return charts()


@pytest.fixture(scope="module")
def shown(drawn):
    return {kind: figure._repr_mimebundle_() for kind, figure in drawn.items()}


def test_every_chart_is_whole(drawn, shown):
    for kind, figure in drawn.items():
        html, parts = shown[kind]["text/html"], json.loads(json.dumps(shown[kind][tf.plot.MIME]))
        assert figure.title in figure.alt, kind  # the finding, for those who do not see it
        assert any(digit in figure.alt for digit in "123456789"), kind
        assert figure.caption.endswith("TÜİK"), kind
        assert len(figure.table), kind
        assert figure.ax is figure.axes[0] is figure.fig.axes[0]
        assert problems({"a.html": html.encode()}) == [], kind
        page = tree(html)
        (name,) = (tag["aria-label"] for tag in page.select("svg[role=img]"))
        assert name == figure.alt
        assert page.figcaption.get_text().startswith(figure.title)
        assert page.select_one("figure[id] a[download][href^='data:text/csv']")
        assert page.select_one("details table caption")
        _Balanced().feed(html)
        assert (parts["csv"], parts["name"]) == (figure.csv(), figure.name)
        assert [f["name"] for f in parts["fields"]] == list(figure.table)
        assert parts["png"].startswith("iVBOR")


class _Balanced(HTMLParser):
    """Fails where a tag is closed that is not the last one opened."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        del attrs
        if tag not in ("br", "hr", "img", "input", "meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_same_chart_has_the_same_bytes_and_a_users_settings_are_left_alone(shown):
    before = dict(plt.rcParams)
    for kind, figure in charts().items():
        assert figure._repr_mimebundle_() == shown[kind], kind
    assert dict(plt.rcParams) == before


def test_one_drawing_serves_a_phone_and_light_and_dark_pages(shown):
    for kind, bundle in shown.items():
        (form,) = re.findall(r"<svg.*?</svg>", bundle["text/html"], re.S)
        width = float(re.findall(r'viewBox="0 0 ([\d.]+)', form)[0])
        sizes = [float(s) for s in re.findall(r"font-size: ([\d.]+)px", form)]
        assert min(sizes) * 354 / width >= 9.9, kind
        assert "currentColor" in form
        assert "#000000" not in form
        assert not re.search(r"fill: ?(?:#ffffff|white)", form)


def test_a_chart_may_be_changed_until_it_is_shown():
    figure = tf.plot.lines(line(), RISE, "USD")
    before = figure.svg()
    figure.ax.set_ylim(0, 9)
    figure.ax.text(MONTHS[3].value / 864e11, 8, "a word of mine")
    (look,) = re.findall(r"<text([^>]*)>a word of mine", figure.svg())
    assert "fill:" not in look
    assert figure.svg().startswith('<svg fill="currentColor"')
    assert figure.svg() != before


def test_the_table_behind_a_waterfall_adds_up(drawn):
    table = drawn["waterfall"].table
    assert table["value"].iloc[:-1].sum() == table["value"].iloc[-1] == 58e9
    assert table["low"].dropna().tolist() == [28e9, -3e9]
    widths = [b.get_width() for b in drawn["waterfall"].ax.patches]
    assert widths == pytest.approx([29, 30, -1, 58])
    texts = [t.get_text() for t in drawn["waterfall"].ax.texts]
    assert texts == ["29.0", "28.0–32.0", "−3.0 to 1.0", "58.0"]
    with pytest.raises(SchemaMismatch, match="the bars reach"):
        tf.plot.waterfall(steps().assign(value=[29e9, 30e9, -1e9, 59e9]), RISE)
    with pytest.raises(SchemaMismatch, match=r"kinds \['colour'\]"):
        tf.plot.waterfall(steps().assign(kind="colour"), RISE)


def test_ranges_write_what_they_draw(drawn):
    ax = drawn["ranges"].ax
    assert [t.get_text() for t in ax.texts][:3] == ["20–97", "61–88", "bounds contradict"]
    assert [t.get_text() for t in ax.get_yticklabels()] == list(KNOWN)
    assert drawn["ranges"].table["low"].dropna().tolist() == [0.2, 0.61]
    frame = pd.DataFrame({"label": ["a", "b"], "low": [5.0, 1], "high": [7.0, 2],
                          "value": [6.0, 1.5]})  # fmt: skip
    figure = tf.plot.ranges(frame, RISE, "times", spec=".1f")
    assert [t.get_text() for t in figure.ax.texts] == ["5.0–7.0", "1.0–2.0"]
    assert figure.table.equals(frame)
    with pytest.raises(SchemaMismatch, match="without numbers"):
        tf.plot.ranges({"a": None}, RISE, "share")


def test_a_scan_keeps_the_names_of_values_and_marks_the_answer(drawn):
    figure = drawn["scan"]
    assert figure.table["value"].tolist() == ["0.10", "0.138", "0.139", "6 to 9"]
    bold = [t.get_text() for ax in figure.axes for t in ax.get_yticklabels()
            if t.get_fontweight() == "bold"]  # fmt: skip
    assert bold == ["0.10", "6 to 9"]
    assert ">0.139<" in figure._repr_html_()  # words keep their digits
    assert "1 contradict" in figure.alt


def test_rows_of_a_scan_keep_their_height_however_long_the_headings():
    known = {f"{n} % seen": Interval(0.1 * n, 0.1 * n + 0.05) for n in (1, 2, 3)}
    panels = {f"volume, Feb 2022 to Jan 2023 against {n}": known for n in range(2018, 2022)}
    figure = tf.plot.scan(panels, None, "It hangs on little", "share")
    figure.fig.draw_without_rendering()
    for ax in figure.fig.axes:
        height = ax.get_window_extent().height / figure.fig.dpi
        assert height / len(known) > 0.2, "inches a row"


def test_lines_are_named_at_their_ends_and_events_in_words(drawn):
    words = [t.get_text() for t in drawn["lines"].ax.texts]
    assert {"value", "price", "invasion"} <= set(words)
    table = drawn["lines"].table
    assert table["value"].tolist() == line()["value"].tolist()
    assert table["period"].tolist() == list(MONTHS)
    gap = line()
    gap.iloc[5, 0] = np.nan
    assert np.isnan(tf.plot.lines(gap, RISE, "USD").ax.lines[0].get_ydata()[5])


def test_labels_that_would_meet_move_apart():
    rng = np.random.default_rng(0)
    for _ in range(50):
        wanted = rng.uniform(0, 100, 6).tolist()
        found = spread(wanted, 12, 0, 100)
        order = np.argsort(wanted, kind="stable")
        assert (np.diff(np.array(found)[order]) >= 12 - 1e-9).all()
        assert max(found) <= 100


def test_finish_says_what_the_table_holds():
    years = pd.DataFrame({"coal": [1.0, 2, 4], "gas": [3.0, 1, 2]}, index=[2020, 2021, 2022])
    for table in (years, years.rename_axis("period").reset_index()):
        figure = tf.plot.finish(years.plot.bar(), RISE, "bn USD", table=table)
        assert figure.caption == "bn USD · 2020 to 2022"
        assert figure.table.columns.tolist() == ["period", "coal", "gas"]
        assert "coal: 1 (2020) to 4 (2022)" in figure.alt
    months = years.set_axis(MONTHS[:3])
    figure = tf.plot.finish(months.plot(), RISE, "bn USD", table=months)
    assert figure.caption == "bn USD · Jan 2021 to Mar 2021"
    names = pd.DataFrame({"good": ["gas", "coal"], "value": [1.0, 2.0]})
    named = tf.plot.finish(names.plot.bar(x="good"), RISE, "bn USD", table=names)
    assert named.caption == "bn USD"


def test_finish_takes_axes_of_matplotlib_and_of_pandas():
    fig, axes = plt.subplots(1, 2)
    axes[0].plot([1, 2], [3.0, 4.0], label="a")
    axes[1].bar(["x", "y"], [5.0, 6.0])
    own = pd.DataFrame({"mine": ["a"], "x": [1]})
    figure = tf.plot.finish(axes[1], RISE, "bn USD", name="two", table=own)
    assert figure.axes == list(axes)
    assert not plt.fignum_exists(fig.number)  # a backend shows it no second time
    assert figure.table.equals(own)
    two = pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4]}, index=[2021, 2022])
    figure = tf.plot.finish(two.plot(subplots=True), RISE, "bn USD", table=two)
    assert len(figure.axes) == 2


def test_origins_come_with_the_data():
    series = tf.series("prices", series="brent", months="2022")
    (file,) = series.attrs["origins"]
    figure = tf.plot.lines(series.rename("Brent"), "Brent fell", "USD a barrel")
    assert figure.origins == (file,)
    assert "World Bank" in figure.caption
    assert "vintage" in figure.caption
    assert f'data-raw="{file}"' in figure._repr_html_()
    trade = tf.load("prices", series="brent", months="2022")
    value = trade.set_index("period")["value"]
    finished = tf.plot.finish(value.plot(), "Brent fell", "USD a barrel", table=value,
                              origins=[trade, "a/b.csv"])  # fmt: skip
    assert finished.origins == tuple(sorted({"a/b.csv", file}))
    assert finished.name == "brent-fell"


TWO = {"base": "2018", "current": "2022"}
RESULTS = {
    "bridge": lambda trade: tf.bridge(trade, **TWO, path="two-point"),
    "bridges": lambda trade: tf.bridges(trade, **TWO, methods="bennet", paths="two-point"),
    "price-index": lambda trade: tf.price_index(trade, "fisher", base="fixed"),
    "placebo-places": lambda _: Placebo(
        "places", "RUS", 4.0, pd.Series([1.0, 2, -1], list("abc")), "", 2, "log points", "2022",
        ("a/b.csv",)),
}  # fmt: skip


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_shows_sentence_table_and_chart(kind):
    result = RESULTS[kind](examples.six_products())
    shown = DisplayFormatter().format(result)[0]
    html, parts = shown["text/html"], shown[tf.plot.MIME]
    assert html == result._repr_html_()
    assert html.startswith(f"<p>{result.sentence()}</p>".replace("&", "&amp;"))
    assert html.count('<table class="dataframe">') == 2  # of the result, and behind its chart
    assert html.count("<svg ") == 1
    assert re.fullmatch(rf"{kind}-[0-9a-f]{{6}}", parts["name"])
    named = tf.plot.show(result, name="mine", title="A finding of mine")
    assert named.csv() == parts["csv"]
    assert (named.name, named.title) == ("mine", "A finding of mine")


def test_a_result_without_a_chart_shows_its_sentence():
    nothing = Validation(pd.DataFrame())
    assert tf.plot.show(nothing) == nothing.sentence()
    assert nothing._repr_mimebundle_() == {
        "text/plain": str(nothing.sentence()),
        "text/html": f"<p>{nothing.sentence()}</p>".replace("`make validate`",
                                                           "<code>make validate</code>"),
    }  # fmt: skip
    many = tf.bridge(examples.six_products(), "2018", "2022", path="two-point")
    long = dataclasses.replace(many, table=pd.concat([many.table] * 3, ignore_index=True))
    assert "<summary>Table of 18 rows</summary>" in long._repr_html_()


def test_what_a_figure_needs_is_asked_for():
    frame = pd.DataFrame({"x": [1.0, 2]})
    with pytest.raises(SchemaMismatch, match="without title"):
        tf.plot.bars(frame, " ", "USD")
    with pytest.raises(SchemaMismatch, match="figure name 'Not a slug'"):
        tf.plot.bars(frame, RISE, "USD", name="Not a slug")
    with pytest.raises(SchemaMismatch, match="bars without numbers"):
        tf.plot.bars(frame * np.nan, RISE, "USD")
    with pytest.raises(SchemaMismatch, match="fan without columns"):
        tf.plot.fan(line(), RISE, "index")
    with pytest.raises(ValueError, match=r"colours of \['blue'\]"):
        tf.plot.colours("blue")


def test_measures_know_no_pictures_and_the_room_is_light_until_something_is_drawn():
    code = (
        "import sys, tradeflows as tf; from tradeflows import counterfactual; tf.bridges;"
        "assert not {m for m in sys.modules if m.startswith(('matplotlib', 'tradeflows.plot'))};"
        "tf.plot; dir(tf.plot);"
        "assert 'matplotlib' not in sys.modules; tf.plot.bars; assert 'matplotlib' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_png_carries_its_words(tmp_path, drawn):
    path = tmp_path / "chart.png"
    picture = drawn["bars"].png(path)
    assert path.read_bytes() == picture
    plain = plt.imread(path)
    assert plain.shape[0] > 200
    assert not drawn["bars"].fig.texts  # nothing is left behind


HOSTILE = ["<script>alert(1)</script>", "=cmd()", "+1", "-1", "@x", "a & b"]


def test_gaps_stay_gaps_and_isolated_points_are_seen():
    gap = pd.DataFrame({"v": [1.0, 2, np.nan, np.nan, 3, np.nan, 4]}, index=MONTHS[:7])
    figure = tf.plot.lines(gap, RISE, "USD")
    np.testing.assert_array_equal(figure.ax.lines[0].get_ydata(), gap["v"])
    assert figure.csv().splitlines()[3] == "2021-03-01,"
    long = pd.DataFrame({"v": [1.0, np.nan] * 10}, index=MONTHS[:20])
    (one,) = tf.plot.lines(long, RISE, "USD").ax.lines
    assert list(one.get_ydata()[one.get_markevery()]) == [1.0] * 10


def test_the_total_of_a_year_stands_on_the_right_side_of_a_date():
    """A date in 2022 lies between the totals of 2021 and 2023, and within half a year of 2022's."""
    years = pd.date_range("2020-01-01", periods=5, freq="YS")
    dates = ["2022-01-01", "2022-02-24", "2022-07-02", "2022-12-31"]
    ax = tf.plot.lines(pd.DataFrame({"v": np.arange(5.0)}, index=years), RISE, "USD",
                       events={when: when for when in dates}).ax  # fmt: skip
    xs = ax.lines[0].get_xdata(orig=False)
    for at in ((pd.Timestamp(when) - pd.Timestamp(0)).days for when in dates):
        assert xs[1] < at < xs[3]
        assert abs(xs[2] - at) <= 184
    np.testing.assert_array_equal(ax.get_xticks(), xs)


def test_a_year_is_written_where_it_begins_beside_months():
    months = pd.date_range("2020-01-01", periods=48, freq="MS")
    ax = tf.plot.lines(pd.DataFrame({"v": np.arange(48.0)}, index=months), RISE, "USD").ax
    starts = {(pd.Timestamp(f"{y}-01-01") - pd.Timestamp(0)).days for y in range(2018, 2026)}
    assert set(ax.get_xticks()) <= starts


def test_lower_bounds_are_points_that_no_line_joins():
    table = pd.DataFrame({"at least": [1.0, 2, np.nan, 3]}, index=MONTHS[:4])
    ax = tf.plot.lines(table, RISE, "USD", floors=True).ax
    assert ax.lines[0].get_linestyle() == "None"
    (arrows,) = ax.containers
    lows = [bar.vertices[0][1] for bar in arrows.lines[2][0].get_paths()]
    assert [low for low in lows if low == low] == [1, 2, 3]


def test_figures_share_no_ids_even_with_the_same_drawing(drawn):
    figures = [dataclasses.replace(f, name=kind) for kind, f in drawn.items()]
    html = "".join(f._repr_html_() for f in [*figures, dataclasses.replace(figures[0], name="x")])
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for used in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html):
        assert max(used) in ids


def test_sources_are_named_by_publisher_and_vintage_where_known(monkeypatch):
    known = SimpleNamespace(publisher="TÜİK", vintage="2026-01-31", sha256="ab" * 32)
    monkeypatch.setattr("tradeflows.plot.figure._raw", lambda _: known)
    figure = tf.plot.lines(line(), RISE, "USD", origins="a/b.csv")
    html = figure._repr_html_()
    assert "TÜİK</cite> (vintage 2026-01-31). " in html
    assert ">a/b.csv</cite>, sha256 abababababab…" in html
    assert figure.caption == "bn USD · Jan 2021 to Dec 2022 · TÜİK (vintage 2026-01-31)"
    also = tf.plot.lines(line(), RISE, "USD", "press", origins="a/b.csv")._repr_html_()
    assert "Source: press; <cite" in also
    monkeypatch.undo()
    assert ">a/b.csv</cite>" in figure._repr_html_()


def test_hostile_text_is_neutralised():
    table = pd.DataFrame({"<b>2022</b>": np.arange(float(len(HOSTILE)))}, index=HOSTILE)
    figure = tf.plot.bars(table, HOSTILE[0], "<i>", name="hostile", alt='"><script>',
                          note=HOSTILE[0], origins=(HOSTILE[0],))  # fmt: skip
    html = figure._repr_html_()
    assert "<script" not in html
    assert "<b>2022" not in html
    assert "<i>" not in html
    for row, text in zip(figure.csv().splitlines()[1:], HOSTILE, strict=True):
        assert row.startswith(text if text[0] in "<a" else f"'{text}")
    ElementTree.fromstring(figure.svg())  # noqa: S314 - our own drawing


def test_csv_has_ten_digits_and_no_formula():
    assert csv_text(pd.DataFrame({"x": [-1.5]})) == "x\n-1.5\n"
    assert "0.1234567891\n" in csv_text(pd.DataFrame({"x": [0.12345678912345]}))
    figure = tf.plot.lines(line(), RISE, "USD")
    data = re.search(r"base64,([^\"]+)", figure._repr_html_())[1]
    assert base64.b64decode(data).decode() == figure.csv()
    assert figure.csv().splitlines()[:2] == [
        "period,value,price",
        "2021-01-01,2000000000,2000000000",
    ]


def test_table_view_scales_and_marks_what_is_missing():
    frame = pd.DataFrame({"y": MONTHS[:2], "v": [58.84e9, np.nan]})
    html = tf.plot.table_html(frame, label="x", unit="USD")
    assert "<caption>x · bn USD</caption>" in html
    assert "<td>58.8</td>" in html
    assert "<td>–</td>" in html
    assert '<th style="text-align:left">Jan 2021</th>' in html


def test_long_tables_say_what_is_left_out():
    html = tf.plot.table_html(pd.DataFrame({"n": range(100)}), label="x")
    assert "60 more rows are in the CSV" in html


def test_a_png_travels_with_its_words(monkeypatch):
    said = []
    save = Canvas.savefig

    def heard(canvas, *args, **options):
        said.extend(t.get_text().replace("\n", " ") for t in canvas.texts)
        return save(canvas, *args, **options)

    monkeypatch.setattr(Canvas, "savefig", heard)
    figure = tf.plot.lines(line(), RISE, "USD", origins="tuik/x.csv")
    figure.png()
    assert {RISE, "bn USD · Jan 2021 to Dec 2022", "Source: tuik/x.csv."} <= set(said)
    made_up = SimpleNamespace(publisher="Nobody", vintage="", query={"generated": True})
    monkeypatch.setattr("tradeflows.plot.figure._raw", lambda _: made_up)
    figure.png()
    assert "Made-up trade, not a statistic. Source: Nobody." in said


def test_colour_is_never_alone():
    kinds = ["total", "price", "entry", "exit", "unpriced", "total"]
    table = pd.DataFrame({"step": list("abcdef"), "value": [1.0, 1, 1, 1, 1, 5], "kind": kinds})
    bars = tf.plot.waterfall(table, title=RISE).ax.patches
    assert len({bar.get_hatch() for bar in bars[2:5]}) == 3
    dashes = {str(one.get_linestyle()) for one in tf.plot.lines(line(), RISE, "USD").ax.lines[:2]}
    assert len(dashes) == 2


@pytest.mark.parametrize("values", [[0.0], [5.0], [3.0, 3.0], [-2.0, np.nan]])
def test_one_point_and_flat_lines_can_be_drawn(values):
    table = pd.DataFrame({"v": values}, index=range(2020, 2020 + len(values)))
    assert tf.plot.lines(table, RISE, "USD").svg()


def test_nothing_is_cut_however_long_the_words(drawn):
    words = "Machinery, electrical equipment and everything else that " * 3
    long = tf.plot.lines(line().rename(columns={"value": words}), RISE, "USD")
    rows = tf.plot.bars({words: 1.0, "b": -2.0}, RISE, "USD")
    for figure in (*drawn.values(), long, rows):
        box, (width, height) = figure.fig.get_tightbbox(), figure.fig.get_size_inches()
        assert -0.15 < box.x0 < box.x1 < width + 0.15, figure.name
        assert -0.15 < box.y0 < box.y1 < height + 0.15, figure.name
        assert figure.ax.get_position().width > 0.15, figure.name


def test_rows_that_stand_twice_are_no_line():
    long = pd.DataFrame({"period": [MONTHS[0]] * 2 + [MONTHS[1]] * 2, "code": list("abab"),
                         "value_usd": [1.0, 2, 3, 4]})  # fmt: skip
    with pytest.raises(SchemaMismatch, match=r"several rows for Jan 2021[\s\S]*pivot_table"):
        tf.plot.lines(long, RISE, "USD")
    wide = long.pivot_table("value_usd", "period", "code")
    assert list(tf.plot.lines(wide, RISE, "USD").table) == ["period", "a", "b"]


def test_frames_of_any_kind_are_drawn():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    months = polars.DataFrame({"period": list(MONTHS), "value": np.arange(24.0)})
    assert tf.plot.lines(months, RISE, "t").table["value"].tolist() == list(range(24))
    goods = polars.DataFrame({"good": ["gas", "coal"], "value": [1.0, 2.0]})
    assert tf.plot.bars(goods, RISE, "t").table["good"].tolist() == ["gas", "coal"]
    with pytest.raises(SchemaMismatch, match=r"columns \['a', 'b'\] hold no numbers"):
        tf.plot.bars(pd.DataFrame({"a": ["x"], "b": ["y"], "v": [1.0]}), RISE, "t")
    text = pd.Series([1.0, 2.0], ["2021-01", "2021-02"], name="v")
    assert tf.plot.lines(text, RISE, "t").caption == "t · Jan 2021 to Feb 2021"


def test_a_dollar_in_a_name_is_no_formula():
    figure = tf.plot.bars({"US$ a and US$ b": 1.0}, RISE, "USD")
    assert ">US$ a and US$ b<" in figure.svg()
