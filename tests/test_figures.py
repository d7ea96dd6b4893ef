"""Figures: bars chain, gaps stay, labels keep apart, words and numbers are safe and readable."""

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure as Canvas

from tradeflows import figures
from tradeflows.errors import SchemaMismatch
from tradeflows.figures.marks import stacked
from tradeflows.figures.parts import chain
from tradeflows.figures.style import NARROW, PALETTE, WIDE, spread, text_width
from tradeflows.plot import MIME

WORDS = {"title": "It rose", "unit": "USD", "alt": "A rise"}
MONTHS = pd.date_range("2021-01-01", periods=12, freq="MS")
HOSTILE = ["<script>alert(1)</script>", "=cmd()", "+1", "-1", "@x", "a & b"]


def _lines(name="rise", **more):
    table = pd.DataFrame({"price": np.arange(12.0), "volume": np.arange(12.0)[::-1]}, index=MONTHS)
    return figures.lines(table, name=name, **WORDS, **more)


def _all():
    table = pd.DataFrame(
        {"step": list("abc"), "value": [1.0, 2, 3], "kind": ["total", "price", "total"]}
    )
    fan = pd.DataFrame({c: np.arange(12.0) for c in ("actual", "median")}, index=MONTHS)
    fan = fan.assign(low95=0.0, high95=20.0, low80=1.0, high80=18.0)
    ranges = pd.DataFrame({"label": ["x", "y"], "low": [0.1, -0.2], "high": [0.5, 0.4]})
    values = np.linspace(-3, 3, 40)
    return [
        _lines(),
        figures.waterfall(table, name="falls", **WORDS),
        figures.bars(pd.DataFrame({"v": [1.0, -2]}, index=["p", "q"]), name="bars", **WORDS),
        figures.ranges(ranges, name="ranges", marks={"rule": 0.25}, **WORDS),
        figures.ranges(ranges.assign(open=[False, True]), name="open", **WORDS),
        figures.histogram(values, mark=8.0, mark_label="Russia", name="placebo", **WORDS),
        figures.fan(fan, name="fan", **WORDS),
        _lines("floors", floors=True),
    ]


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8))
def test_bars_of_a_waterfall_chain_exactly(changes):
    kinds = ["total", *["price"] * len(changes)]
    starts, ends = chain([5.0, *changes], kinds)
    assert starts[0] == 0
    assert (starts[1:] == ends[:-1]).all()


def test_a_total_that_its_parts_do_not_reach_is_refused():
    table = pd.DataFrame({"step": "abc", "value": [1, 2, 4], "kind": ["total", "price", "total"]},
                         index=[0, 1, 2])  # fmt: skip
    table["step"] = list("abc")
    with pytest.raises(SchemaMismatch, match="bars reach 3"):
        figures.waterfall(table, name="falls", **WORDS)


def test_drawn_bars_start_where_the_last_one_ended():
    table = pd.DataFrame({"step": list("abcd"), "value": [10.0, 5, -3, 12],
                          "kind": ["total", "price", "volume", "total"]})  # fmt: skip
    axes = figures.waterfall(table, name="falls", **WORDS).draw(WIDE).axes[0]
    bars = [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches]
    assert [start for start, _ in bars] == [0, 10, 15, 0]
    assert [end for _, end in bars] == [10, 15, 12, 12]


def test_gaps_stay_gaps():
    table = pd.DataFrame({"v": [1.0, 2, np.nan, np.nan, 3, np.nan, 4]}, index=MONTHS[:7])
    figure = figures.lines(table, name="gap", **WORDS)
    drawn = figure.draw(WIDE).axes[0].lines
    ys = next(line.get_ydata() for line in drawn if len(line.get_ydata()) == 7)
    np.testing.assert_array_equal(ys, table["v"])
    pieces = [d for d in re.findall(r'd="([^"]+)"', figure.svg) if d.count("L") == 1]
    assert any("C" not in d and "z" not in d for d in pieces)  # two points, then a gap
    assert figure.csv().splitlines()[3] == "2021-03-01,"


@given(month=st.integers(1, 12), day=st.integers(1, 28))
@settings(max_examples=12, deadline=None)
def test_the_total_of_a_year_stands_on_the_right_side_of_a_date(month, day):
    """A date in 2022 lies between the totals of 2021 and 2023, and within half a year of 2022's."""
    years = pd.date_range("2020-01-01", periods=5, freq="YS")
    event = (f"2022-{month:02d}-{day:02d}", "event")
    table = pd.DataFrame({"v": np.arange(5.0)}, index=years)
    axes = figures.lines(table, name="years", events=[event], **WORDS).draw(WIDE).axes[0]
    xs = next(line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 5)
    at = (pd.Timestamp(event[0]) - pd.Timestamp(0)).days
    assert xs[1] < at < xs[3]
    assert abs(xs[2] - at) <= 184
    np.testing.assert_array_equal(axes.get_xticks(), xs)


def test_a_year_is_written_where_it_begins_beside_months():
    months = pd.date_range("2020-01-01", periods=48, freq="MS")
    table = pd.DataFrame({"v": np.arange(48.0)}, index=months)
    axes = figures.lines(table, name="months", **WORDS).draw(WIDE).axes[0]
    starts = {(pd.Timestamp(f"{y}-01-01") - pd.Timestamp(0)).days for y in range(2020, 2024)}
    assert set(axes.get_xticks()) <= starts


def test_lower_bounds_are_points_that_no_line_joins():
    table = pd.DataFrame({"at least": [1.0, 2, np.nan, 3]}, index=MONTHS[:4])
    axes = figures.lines(table, name="floors", floors=True, **WORDS).draw(WIDE).axes[0]
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 4]
    assert [line.get_linestyle() for line in drawn] == ["None"]
    arrows = [t for t in axes.texts if t.arrow_patch is not None]
    assert [t.xy[1] for t in arrows] == [1, 2, 3]


def test_a_range_without_upper_end_is_drawn_and_written_open():
    table = pd.DataFrame({"label": ["x", "y"], "low": [1.0, 2.0], "high": [3.0, 4.0]})
    axes = figures.ranges(table.assign(open=[True, False]), name="r", **WORDS).draw(WIDE).axes[0]
    words = [t.get_text().strip() for t in axes.texts]
    assert any("over" in w and w.startswith("1") for w in words)
    assert not any("over" in w and w.startswith("2") for w in words)
    ticks = [x for line in axes.lines if line.get_marker() == "|" for x in line.get_xdata()]
    assert ticks == [1.0, 2.0, 4.0]


def test_isolated_points_between_gaps_are_seen():
    table = pd.DataFrame({"v": [1.0, np.nan, 2.0, np.nan, 3]}, index=MONTHS[:5])
    drawn = figures.lines(table, name="gap", **WORDS).draw(WIDE).axes[0].lines
    points = [
        line for line in drawn if line.get_marker() not in ("None", "") and len(line.get_xdata())
    ]
    assert sorted(y for line in points for y in line.get_ydata()) == [1, 2, 3]


def test_figures_share_no_ids_even_with_the_same_drawing():
    html = "".join(f._repr_html_() for f in [*_all(), _lines("other")])
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for used in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html):
        assert max(used) in ids


def test_the_same_figure_has_the_same_bytes():
    assert [f._repr_html_() for f in _all()] == [f._repr_html_() for f in _all()]


@pytest.mark.parametrize("figure", _all(), ids=lambda f: f.name)
def test_svg_is_well_formed_and_follows_the_page(figure):
    for svg in (figure.svg, figure.narrow):
        ET.fromstring(svg)  # noqa: S314 - our own drawing
        assert "currentColor" in svg
        assert "#0a0b0c" not in svg
        assert "<style" not in svg
        assert "<metadata" not in svg
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("figure", _all(), ids=lambda f: f.name)
def test_nothing_is_cut(figure):
    """All words and bars lie within the picture, on a screen and on a phone."""
    for page in (WIDE, NARROW):
        canvas = figure.draw(page)
        box = canvas.get_tightbbox()
        width, height = canvas.get_size_inches()
        assert box.x0 > -0.03, page
        assert box.y0 > -0.03, page
        assert box.x1 < width + 0.03, page
        assert box.y1 < height + 0.03, page


def test_hostile_text_is_neutralised():
    table = pd.DataFrame({"<b>2022</b>": np.arange(6.0)}, index=HOSTILE)
    figure = figures.bars(
        table, name="hostile", title=HOSTILE[0], unit="<i>", alt='"><script>', note=HOSTILE[0],
        origins=(HOSTILE[0],),
    )  # fmt: skip
    html = figure._repr_html_()
    assert "<script" not in html
    assert "<b>2022" not in html
    assert "<i>" not in html
    for line, text in zip(figure.csv().splitlines()[1:], HOSTILE, strict=True):
        assert line.startswith(text if text[0] in "<a" else f"'{text}")


def test_numbers_in_csv_are_not_taken_for_formulas():
    assert figures.csv_text(pd.DataFrame({"x": [-1.5]})) == "x\n-1.5\n"


def test_csv_in_the_page_is_the_csv_of_the_figure():
    figure = _lines()
    data = re.search(r"base64,([^\"]+)", figure._repr_html_())[1]
    assert base64.b64decode(data).decode() == figure.csv()
    assert figure.csv().splitlines()[:2] == ["period,price,volume", "2021-01-01,0,11"]


def test_csv_has_ten_significant_digits():
    assert "0.1234567891\n" in figures.csv_text(pd.DataFrame({"x": [0.12345678912345]}))


def test_every_figure_has_caption_alt_table_and_csv():
    for figure in _all():
        html = figure._repr_html_()
        assert html.count('role="img" aria-label="A rise"') == 2
        assert "<figcaption><b>It rose.</b>" in html
        assert "<summary>Read this chart as a table</summary>" in html
        assert f'download="{figure.name}.csv"' in html
        parts = figure._repr_mimebundle_()[MIME]
        assert parts["name"] == figure.name
        assert [f["name"] for f in parts["fields"]] == figure.csv().splitlines()[0].split(",")


def test_sources_are_named_by_publisher_and_vintage_where_known(monkeypatch):
    from types import SimpleNamespace

    from tradeflows import store

    known = SimpleNamespace(publisher="TÜİK", vintage="2026-01-31", sha256="ab" * 32)
    monkeypatch.setattr(store, "describe", lambda _: known)
    assert "TÜİK</cite> (vintage 2026-01-31). " in _lines(origins=("a/b.csv",))._repr_html_()
    assert ">a/b.csv</cite>, sha256 abababababab…" in _lines(origins=("a/b.csv",))._repr_html_()
    monkeypatch.undo()
    assert ">no/such.csv</cite>" in _lines(origins=("no/such.csv",))._repr_html_()


@given(
    st.lists(st.tuples(st.floats(-50, 350), st.floats(5, 40)), min_size=1, max_size=7),
)
@settings(max_examples=200)
def test_labels_never_overlap_and_stay_inside_if_they_fit(labels):
    wanted, heights = [y for y, _ in labels], [h for _, h in labels]
    placed = spread(wanted, heights, 0, 300)
    order = sorted(range(len(placed)), key=lambda i: placed[i])
    for a, b in pairwise(order):
        assert placed[b] - placed[a] >= (heights[a] + heights[b]) / 2 - 1e-6
    if sum(heights) <= 300:
        assert min(p - h / 2 for p, h in zip(placed, heights, strict=True)) >= -1e-6
        assert max(p + h / 2 for p, h in zip(placed, heights, strict=True)) <= 300 + 1e-6


@given(st.lists(st.floats(30, 400), min_size=1, max_size=6))
def test_event_words_never_overlap(places):
    words = [f"{n + 1} Feb 2022: something happens" for n in range(len(places))]
    for page in (WIDE, NARROW):
        placed = stacked(page, [min(x, page.width) for x in places], words, 40).placed
        for row in {p.row for p in placed}:
            cells = sorted((p.left, p.left + p.wide) for p in placed if p.row == row)
            assert all(a[1] < b[0] for a, b in pairwise(cells))
        assert all(p.left >= 0 and p.left + p.wide <= page.width + 1e-6 for p in placed)


def test_drawn_end_labels_do_not_overlap():
    table = pd.DataFrame(
        {f"line number {n}": np.arange(12.0) + n / 100 for n in range(5)}, index=MONTHS
    )
    figure = figures.lines(table, name="close", **WORDS)
    for page in (WIDE, NARROW):
        canvas = figure.draw(page)
        canvas.draw_without_rendering()
        boxes = [t.get_window_extent() for t in canvas.axes[0].texts if t.get_weight() == "bold"]
        assert len(boxes) == 5
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_leaders_join_labels_to_the_ends_of_their_lines():
    table = pd.DataFrame({"long": np.arange(12.0), "short": np.arange(12.0)}, index=MONTHS)
    table.iloc[6:, 1] = np.nan
    axes = figures.lines(table, name="ends", **WORDS).draw(WIDE).axes[0]
    leaders = [t for t in axes.texts if t.arrow_patch is not None]
    assert (leaders[-1].xy[1], len(leaders)) == (5, 1)
    canvas = axes.get_figure()
    canvas.draw_without_rendering()
    box = leaders[-1].arrow_patch.get_window_extent()
    label = next(t for t in axes.texts if t.get_text() == "short").get_window_extent()
    assert label.y0 - 2 <= max(box.y0, box.y1) <= label.y1 + 2 or label.y0 <= box.y0 <= label.y1


def test_a_line_does_not_cross_the_unit():
    stack = stacked(WIDE, [60], ["something happened"], unit=120)
    assert stack.unit_row > stack.placed[0].row
    assert stacked(WIDE, [300], ["something happened"], unit=120).unit_row == 0


def test_events_are_named_in_words():
    figure = _lines(events=[("2021-06-01", "something happened")])
    assert "something happened" in figure.svg
    assert "something happened" in figure.narrow


def test_colour_is_never_alone():
    axes = _lines().draw(WIDE).axes[0]
    drawn = [line for line in axes.lines if line.get_color() in PALETTE.values()]
    assert len({line.get_color() for line in drawn}) == 2
    assert (
        len(
            {
                line.get_linestyle() + str(line._dash_pattern)
                for line in drawn
                if len(line.get_xdata()) > 2
            }
        )
        == 2
    )
    kinds = ["entry", "exit", "unpriced"]
    table = pd.DataFrame({"step": kinds, "value": [1.0, 2, 3], "kind": kinds})
    bars = figures.waterfall(table, name="grey", **WORDS).draw(WIDE).axes[0].patches
    assert len({bar.get_hatch() for bar in bars}) == 3


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.amount(58.84e9, "USD"), "58.8 bn USD"),
        (figures.amount(412e6, "USD"), "412 m USD"),
        (figures.amount(-412e6, "USD"), "−412 m USD"),
        (figures.amount(999.96e6, "USD"), "1.00 bn USD"),
        (figures.amount(2500, "USD"), "2,500 USD"),
        (figures.amount(0, "USD"), "0 USD"),
        (figures.amount(58.8, "bn USD"), "58.8 bn USD"),
        (figures.amount(float("nan"), "USD"), "–"),
        (figures.amount(24, "%", sign=True), "+24 %"),
        (figures.percent(0.24, sign=True), "+24 %"),
        (figures.percent(-0.0004), "0.0 %"),
        (figures.percent(0), "0 %"),
        (figures.number(-0.00001), "0.0000"),
        (figures.number(1234567), "1,234,567"),
        (figures.number(0.0123), "0.012"),
    ],
)
def test_numbers_are_written_for_people(shown, expected):
    assert shown == expected


def test_table_view_scales_and_marks_what_is_missing():
    frame = pd.DataFrame({"y": MONTHS[:2], "v": [58.84e9, np.nan]})
    html = figures.table_html(frame, label="x", unit="USD")
    assert "<caption>x · bn USD</caption>" in html
    assert "<td>58.8</td>" in html
    assert "<td>–</td>" in html
    assert '<th scope="row" class="text">Jan 2021</th>' in html


def test_long_tables_say_what_is_left_out():
    html = figures.table_html(pd.DataFrame({"n": range(100)}), label="x")
    assert "20 more rows are in the CSV" in html


def test_writing_numbers_does_not_wait_for_matplotlib():
    code = (
        "import sys; from tradeflows.figures import amount; assert amount(1e9, 'USD');"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_long_names_of_series_stand_above_their_bars():
    table = pd.DataFrame({"hidden: crude oil and pipeline gas": [1.0], "coal": [2.0]}, index=["x"])
    figure = figures.bars(table, name="named", **WORDS)
    assert [t.get_text() for t in figure.draw(NARROW).texts] == list(table)
    short = figures.bars(table.set_axis(["a", "b"], axis=1), name="named", **WORDS)
    assert "a: 1.00" in short.narrow


def test_a_png_travels_with_its_words(tmp_path, monkeypatch):
    said = []
    save = Canvas.savefig

    def heard(canvas, *args, **options):
        said.extend(t.get_text() for t in canvas.texts)
        return save(canvas, *args, **options)

    monkeypatch.setattr(Canvas, "savefig", heard)
    drawn = _lines(origins=("tuik/x.csv",))
    drawn.png(tmp_path / "rise.png")
    assert "It rose" in said
    assert any(drawn.caption in words for words in said)
    assert "Source: tuik/x.csv." in said
    made_up = SimpleNamespace(publisher="Nobody", vintage="", query={"generated": True})
    monkeypatch.setattr("tradeflows.figures.figure._raw", lambda _: made_up)
    said.clear()
    drawn.png(tmp_path / "rise.png")
    assert "Made-up trade, not a statistic. Source: Nobody." in said


def test_png_is_written(tmp_path):
    path = _lines().png(tmp_path / "rise.png")
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["", "Big", "a b", "1a", '"x'])
def test_a_name_must_be_a_slug(name):
    with pytest.raises(SchemaMismatch, match="figure name"):
        _lines(name)


def test_words_are_required():
    with pytest.raises(SchemaMismatch, match="without alt"):
        figures.lines(
            pd.DataFrame({"v": [1.0]}, index=[2021]), name="a", title="t", unit="USD", alt=" "
        )


def test_one_point_and_flat_lines_can_be_drawn():
    for values in ([0.0], [5.0], [3.0, 3.0]):
        table = pd.DataFrame({"v": values}, index=range(2020, 2020 + len(values)))
        assert figures.lines(table, name="flat", **WORDS).svg


def test_long_words_fit():
    words = "Machinery, electrical equipment and everything else that " * 3
    table = pd.DataFrame({words: np.arange(12.0)}, index=MONTHS)
    for page in (WIDE, NARROW):
        canvas = figures.lines(table, name="long", **WORDS).draw(page)
        assert canvas.axes[0].get_position().width > 0.4
    assert text_width(words, 10) > 500
