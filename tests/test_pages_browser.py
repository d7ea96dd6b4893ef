"""Every page in a real browser: light, dark, on a phone, in print, and by keyboard alone.

`TRADEFLOWS_REPORTS` names the folder of pages; else it is `reports/`; where nothing is built, a
tiny report is. Screenshots are kept in `screenshots/`.
"""

import base64
import csv
import io
import os
import re
import shutil
from pathlib import Path

import pytest

import tiny_suite
from tradeflows.report.build import build

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MODES = {
    "light": {"width": 1280, "height": 900},
    "dark": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
    "print": {"width": 718, "height": 1017},
}
WHOLE = "tradeflows.html"  # the chapters are those of the pages: two modes are enough
PRINTABLE = 970  # pixels of an A4 page between the margins


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Find the built pages, or build a tiny report."""
    chosen = Path(os.environ.get("TRADEFLOWS_REPORTS", ROOT / "reports"))
    if (chosen / "index.html").is_file():
        return chosen
    if "TRADEFLOWS_REPORTS" in os.environ:
        pytest.skip(f"no pages in {chosen}")
    root = tmp_path_factory.mktemp("pages")
    build(tiny_suite.write(root / "notebooks"), root / "reports")
    return root / "reports"


@pytest.fixture(scope="module")
def browser(folder):
    """Start the system's Chromium."""
    del folder  # built before the browser starts: both run an event loop
    found = next((p for p in map(shutil.which, BROWSERS) if p), None)
    if found is None:
        pytest.skip("no Chromium found: apt install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


def _names(folder):
    return sorted(p.name for p in folder.glob("*.html"))


class _Open:
    """A page opened in one mode, with every request and console message it made."""

    def __init__(self, browser, folder, name, mode="light"):
        dark = "dark" if mode == "dark" else "light"
        self.context = browser.new_context(viewport=MODES[mode], color_scheme=dark)
        self.page = self.context.new_page()
        self.page.set_default_timeout(90_000)
        self.said, self.asked = [], []
        self.page.on("console", lambda m: self.said.append(m.text))
        self.page.on("pageerror", lambda e: self.said.append(str(e)))
        self.page.on("request", lambda r: self.asked.append(r.url))
        if mode == "print":
            self.page.emulate_media(media="print")
        self.address = (folder / name).resolve().as_uri()
        self.page.goto(self.address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


def _faults(it, name, mode):
    """List what a page does that it should not: noise, requests, barriers, too great a width."""
    from axe_playwright_python.sync_playwright import Axe

    wide = it.page.evaluate("document.documentElement.scrollWidth")
    asked = [u for u in it.asked if u != it.address and not u.startswith("data:")]
    barriers = Axe().run(it.page).response["violations"]
    return [
        *[f"{name}: {wide} px wide"] * (wide > MODES[mode]["width"]),
        *(f"{name}: asked for {address}" for address in asked),
        *(f"{name}: said {words}" for words in it.said),
        *(f"{name}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in barriers),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_pages_are_quiet_accessible_and_fit(browser, folder, mode):
    kept = ROOT / "screenshots"
    kept.mkdir(exist_ok=True)
    wrong = []
    for name in _names(folder):
        if name == WHOLE and mode in ("dark", "print"):
            continue
        with _Open(browser, folder, name, mode) as it:
            picture = kept / f"{Path(name).stem}-{mode}.png"
            it.page.screenshot(path=picture, full_page=name != WHOLE and mode != "print")
            wrong += _faults(it, name, mode)
    assert not wrong, "\n".join(wrong)


def test_no_table_is_cut_on_a_desk_and_what_scrolls_shows_it(browser, folder):
    """At 1280 px every table fits; what is wider than a phone has a shadow at its edge."""
    wide = (
        "[...document.querySelectorAll('.table,.math')].filter(e => e.checkVisibility()"
        " && e.scrollWidth > e.clientWidth + 1)"
    )
    for name in _names(folder):
        if name == WHOLE:
            continue
        with _Open(browser, folder, name, "light") as it:
            cut = it.page.evaluate(f"{wide}.map(e => e.ariaLabel)")
            assert not cut, f"{name}: {cut}"
        with _Open(browser, folder, name, "phone") as it:
            bare = it.page.evaluate(
                f"{wide}.filter(e => !getComputedStyle(e).backgroundImage.includes('gradient'))"
                ".length"
            )
            assert bare == 0, name


def test_a_bad_page_would_be_noticed(browser, tmp_path):
    (tmp_path / "bad.html").write_text(
        "<html><title>t</title><p style='color:#ccc;width:2000px'>pale<img src='lost.png'>"
        "<script>console.log('noise')</script>"
    )
    with _Open(browser, tmp_path, "bad.html", "phone") as it:
        found = " ".join(_faults(it, "bad", "phone"))
    for fault in (
        "px wide",
        "lost.png",
        "said noise",
        "image-alt",
        "color-contrast",
        "html-has-lang",
    ):
        assert fault in found


def test_print_cuts_no_figure_and_opens_every_table(browser, folder):
    wrong = []
    for name in _names(folder):
        with _Open(browser, folder, name, "print") as it:
            charts = it.page.evaluate(
                "[...document.querySelectorAll('.chart')].map(e => [e.closest('figure').id,"
                " e.offsetHeight, getComputedStyle(e).breakInside])"
            )
            wrong += [
                f"{name}: {figure} is {tall} px tall, break-inside {rule}"
                for figure, tall, rule in charts
                if tall > PRINTABLE or tall < 50 or rule != "avoid"
            ]
            shut = it.page.evaluate(
                "[...document.querySelectorAll('details.as-table')].filter(e =>"
                " !e.querySelector('table').checkVisibility({contentVisibilityAuto: true})"
                " || e.offsetHeight < 40).length"
            )
            wrong += [f"{name}: {shut} tables stay shut"] * bool(shut)
            kept = ROOT / "screenshots" / f"{Path(name).stem}.pdf"
            kept.parent.mkdir(exist_ok=True)
            assert it.page.pdf(path=kept, format="A4").startswith(b"%PDF")
    assert not wrong, "\n".join(wrong)


REACHABLE = """() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const all = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')];
  const seen = all.filter(e => e.checkVisibility() && !e.closest('[hidden]'));
  seen.forEach((e, n) => e.dataset.stop = n);
  window.visited = new Set();
  document.addEventListener('focusin', e => visited.add(e.target.dataset.stop));
  return seen.length;
}"""
LEFT = """() => [...document.querySelectorAll('[data-stop]')]
  .filter(e => !window.visited.has(e.dataset.stop)).map(e => e.outerHTML.slice(0, 90))"""


def test_everything_is_reached_by_keyboard_alone(browser, folder):
    wrong = []
    for name in _names(folder):
        with _Open(browser, folder, name) as it:
            stops = it.page.evaluate(REACHABLE)
            it.page.keyboard.press("Tab")
            first = it.page.evaluate("document.activeElement.className")
            assert first == "skip", f"{name}: the first stop is {first!r}"
            for _ in range(stops + 2):
                it.page.keyboard.press("Tab")
            wrong += [f"{name}: never reached {html}" for html in it.page.evaluate(LEFT)]
    assert not wrong, "\n".join(wrong[:20])


def test_the_skip_link_leads_to_the_content_and_a_summary_opens(browser, folder):
    with _Open(browser, folder, "index.html") as it:
        it.page.keyboard.press("Tab")
        assert it.page.locator(".skip").bounding_box()["x"] >= 0
        it.page.keyboard.press("Enter")
        assert it.page.evaluate("document.activeElement.id") == "main"
        summary = it.page.locator("summary").first
        summary.focus()
        it.page.keyboard.press("Enter")
        assert it.page.evaluate("document.querySelector('details').open")


def test_anchors_lead_somewhere(browser, folder):
    lost = """() => [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href'))
      .filter(h => !document.getElementById(decodeURIComponent(h.slice(1))))"""
    for name in _names(folder):
        with _Open(browser, folder, name) as it:
            assert it.page.evaluate(lost) == [], name


def test_every_chart_comes_with_its_data(browser, folder):
    count = 0
    for name in _names(folder):
        tables = r"text/csv;charset=utf-8;base64,([A-Za-z0-9+/=]*)\""
        for text in re.findall(tables, (folder / name).read_text("utf-8")):
            rows = list(csv.reader(io.StringIO(base64.b64decode(text).decode("utf-8"))))
            assert len(rows) > 1
            assert len({len(r) for r in rows}) == 1
            count += 1
    assert count
    with _Open(browser, folder, "tradeflows.html") as it:
        link = it.page.locator("a[download]").first
        with it.page.expect_download() as waiting:
            link.click()
        assert waiting.value.suggested_filename == link.get_attribute("download")


def test_every_chart_comes_as_a_picture_too(browser, folder):
    for name in _names(folder):
        if name == WHOLE:
            continue
        with _Open(browser, folder, name) as it:
            links = it.page.locator(".also a[download]")
            assert links.count() == it.page.locator("figure").count(), name
            for n in range(links.count()):
                file = folder / links.nth(n).get_attribute("href")
                assert file.read_bytes().startswith(b"\x89PNG")


def test_every_figure_is_traced_on_its_page(browser, folder):
    with _Open(browser, folder, "index.html") as it:
        trace = it.page.locator("details.trace").first
        trace.locator("summary").click()
        assert trace.locator("code").inner_text().startswith("tradeflows trace ")
        link = trace.locator("a")
        if link.count():  # a figure on raw files that are known
            link.first.click()
            assert "sources.html#raw-" in it.page.url


@pytest.mark.parametrize("mode", ["light", "phone"])
def test_the_first_screen_holds_question_answer_and_picture(browser, folder, mode):
    with _Open(browser, folder, "index.html", mode) as it:
        for what in ("h1", "h1 + p", "figure svg >> visible=true"):
            box = it.page.locator(what).first.bounding_box()
            assert box["y"] + box["height"] <= MODES[mode]["height"], what


def test_text_in_charts_is_large_enough_on_a_phone(browser, folder):
    sizes = """() => [...document.querySelectorAll('.chart svg')]
      .filter(s => s.checkVisibility()).flatMap(s => {
        const scale = s.getBoundingClientRect().width / s.viewBox.baseVal.width;
        return [...s.querySelectorAll('text')].map(
          t => parseFloat(getComputedStyle(t).fontSize) * scale)})"""
    for mode in ("phone", "light"):
        for name in _names(folder):
            with _Open(browser, folder, name, mode) as it:
                found = it.page.evaluate(sizes)
                least = min(found, default=10)
                assert round(least, 2) >= 10, (name, mode, least)


def test_both_drawings_are_never_shown_at_once(browser, folder):
    shown = """() => [...document.querySelectorAll('.chart')].filter(c =>
      [...c.querySelectorAll('svg')].filter(s => s.checkVisibility()).length != 1).length"""
    for mode in MODES:
        with _Open(browser, folder, "index.html", mode) as it:
            assert it.page.evaluate(shown) == 0, mode
