"""The command line: bring data, say what is there, judge, report, trace a figure to its bytes."""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradeflows import __version__, store
from tradeflows.errors import EstimatedQuantityWarning, QuotaExhausted, TradeflowsError, UnknownCode
from tradeflows.periods import Window
from tradeflows.progress import progress

if TYPE_CHECKING:
    import pandas as pd

    from tradeflows.sources.comtrade.question import Part
    from tradeflows.sources.tuik import Question

LATER, STOPPED = 3, 130
READ, BRING = "Read", "Bring and check data"

app = typer.Typer(
    help="Did this trade grow because prices rose, or because more was shipped?",
    epilog="Exit codes: 0 done, 1 error, 2 wrong command, 3 quota used up, 130 stopped by hand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_WIDE = 200  # letters a line where no terminal cuts them


out, err = (
    Console(
        stderr=stderr, width=None if stream.isatty() else _WIDE, soft_wrap=True, highlight=False
    )
    for stderr, stream in ((False, sys.stdout), (True, sys.stderr))
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Reports = Annotated[Path, typer.Option("--reports", help="Folder of the built report.")]
Reporter = Annotated[str, typer.Option(help="Who reports: TUR, Turkey, EU27; with commas")]
Partner = Annotated[
    str, typer.Option(help="About whom: KAZ, World, 'Areas nes', Bunkers, EU27, or ALL partners")
]
Codes = Annotated[str, typer.Option(help="HS codes with commas; also TOTAL, AG2, AG4, AG6")]
Flows = Annotated[str, typer.Option(help="M imports, X exports, with commas; also RM, RX")]
Start = Annotated[str, typer.Option(help="First month, 2021-03, or year")]
End = Annotated[str, typer.Option(help="Last month, or year; the newest published if left out")]


def _version(asked: bool) -> None:
    if asked:
        out.print(f"tradeflows {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def _say(words: str, *frames: pd.DataFrame, as_json: bool = False, **data: Any) -> None:
    """Print words and what tables hold, or, for scripts, the words with data of their own."""
    if as_json:
        _print_json({**data, "words": words})
        return
    for frame in frames:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in frame:
            table.add_column(str(column).replace("_", " "), overflow="fold")
        for row in frame.itertuples(index=False):
            table.add_row(*(escape(str(cell)) for cell in row))
        out.print(table, soft_wrap=False)
    if words:
        out.print(escape(words))


def _print_json(found: Any) -> None:
    """Print JSON as it is, tables as their rows: no colour, no line broken to fit a terminal."""

    def plain(x: Any) -> Any:
        table = hasattr(x, "to_json")
        return json.loads(x.to_json(orient="records", date_format="iso")) if table else str(x)

    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1, default=plain) + "\n")


def _usd(x: float) -> str:
    from tradeflows.words import amount

    return amount(x, "USD")


@app.command(rich_help_panel=BRING)
def refresh(
    reporter: Reporter = "",
    partner: Partner = "",
    codes: Codes = "",
    flows: Flows = "M,X",
    start: Start = "2017-01",
    end: End = "",
    source: Annotated[
        str, typer.Option(help="tuik, worldbank, eurostat, comtrade, baci, with commas")
    ] = "",
    digits: Annotated[int, typer.Option(help="Digits of codes at TÜİK: 2, 4, 6, 8, 12")] = 12,
    by: Annotated[str, typer.Option(help="TÜİK divided by currency, customs, transport")] = "",
    system: Annotated[str, typer.Option(help="Trade system at TÜİK")] = "general",
    browser: Annotated[
        bool, typer.Option("--browser", help="Ask TÜİK through a browser of yours.")
    ] = False,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Print how to bring TÜİK's data by hand.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="A file of TÜİK brought by hand, to be stored")
    ] = None,
    freq: Annotated[str, typer.Option(help="M months, A years: sent separately")] = "M",
    nomenclature: Annotated[
        str, typer.Option(help="HS, each row as reported, or one nomenclature: H0 to H6")
    ] = "HS",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask each publisher one small thing: does it answer?")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring live data: the report's standard pull, or any pair, codes and months.

    Stop it at any moment: what is stored is whole, and the next run goes on.
    With COMTRADE_API_KEY set UN Comtrade is far quicker; the key is never written.

    --dry-run says first what would be asked. Another question, microchips to Kazakhstan:

    tradeflows refresh --reporter TUR --partner KAZ --codes 8542 --start 2021
    """
    from tradeflows.sources import refresh as live
    from tradeflows.sources import tuik
    from tradeflows.sources.comtrade.question import pair

    sources = tuple(s.lower() for s in _listed("source", source))
    if probe:
        tried = live.probe(sources)
        _print_json(tried) if as_json else _say("", tried)
        raise typer.Exit(0 if tried["works"].all() else 1)
    asked: list[Part] | None = None
    if reporter or partner or codes:
        if not (reporter and partner):
            found = f"reporter {reporter!r} and partner {partner!r}"
            raise UnknownCode(found, "both", "name --reporter and --partner")
        goods, ways = _listed("codes", codes), _listed("flows", flows)
        kind = {"freq": freq.upper(), "system": nomenclature.upper()}
        asked = [pair(reporter, partner, ways, goods, **kind)]
    options = {"digits": digits, "by": by, "system": system, "browser": browser}
    when: dict[str, Any] = {"start": start, "end": end or None, "options": options}
    if by_hand or file:
        work = live.work_of(asked, **when)
        _by_hand(file, tuik.questions(work)[0], "/".join(work.span))
        return
    turkey = asked is None or all(tuik.answers(part) for part in asked)
    usual = (*(["tuik"] if turkey else []), "worldbank", "eurostat", "comtrade")
    sources = sources or tuple(s for s in usual if asked is None or s in ("tuik", "comtrade"))
    if dry_run:
        able = [s for s in sources if hasattr(live.SOURCES.get(s), "plan")]
        plans = [live.plan(asked, source=s, **when) for s in able]
        asks = [plan.table[plan.table["data_calls"] > 0] for plan in plans]
        rows = [row for plan in plans for row in plan.table.to_dict("records")]
        _say("\n".join(plan.words for plan in plans), *asks, as_json=as_json, plan=rows)
        return
    with progress("calls", quiet=as_json) as told:
        done = live.run(asked, sources=sources, told=told, **when)
    _say(done.sentence(), as_json=as_json, stored=done.stored, calls=done.calls)


def _by_hand(file: Path | None, question: Question, months: str) -> None:
    """Store a file of TÜİK, or print the script that brings one in the user's own browser."""
    from tradeflows.sources import tuik

    if file:
        out.print(escape(f"stored as {tuik.add(file).id}"))
        return
    sys.stdout.write(tuik.by_hand(question, Window.parse(months)))
    err.print(escape(
        "Open https://bi.tuik.gov.tr/extensions/tuik-mashup/index.html?report_type="
        f"{2 if question.system == 'special' else 1} in a browser, paste the script above into its"
        " console (F12), and wait for the file. Then `tradeflows refresh --file FILE`, or"
        " `tf.read_tuik(FILE)` in a notebook."
    ))  # fmt: skip


def _listed(option: str, words: str) -> list[str]:
    """Return the words of an option; commas alone are no words."""
    found = [word.strip().upper() for word in words.split(",") if word.strip()]
    if words and not found:
        raise UnknownCode(f"--{option} {words!r}", "words with commas", f"fill in --{option}")
    return found


@app.command(rich_help_panel=BRING)
def status(as_json: AsJson = False) -> None:
    """List the raw files, and how far live data are proven complete."""
    import pandas as pd

    from tradeflows.sources import agreement

    raws, beside = store.catalogue(), agreement.agreement()
    live, proofs = [raw for raw in raws if raw.live], [raw.query.get("proof") for raw in raws]
    words = f"{len(live)} files of a refresh, {sum(map(bool, proofs))} proven complete by the"
    words += " publisher's count."
    words = words if live else "No live data are stored: run `tradeflows refresh`."
    words += f" {agreement.sentence(beside)}" * bool(as_json or len(beside))
    fields = ("id", "publisher", "title", "coverage", "vintage", "rows", "sha256")
    files = [{f: getattr(r, f) for f in fields} | {"proof": r.query.get("proof")} for r in raws]
    shown = pd.DataFrame(files)[["id", "publisher", "coverage", "vintage", "rows"]]
    shown["proof"] = [
        f"{proof['rows']} of {proof['count']} rows counted by the publisher" if proof
        else "one file, whole" if raw.live else "snapshot"
        for raw, proof in zip(raws, proofs, strict=True)
    ]  # fmt: skip
    _say(words, shown, as_json=as_json, files=files, agreement=beside)


@app.command(rich_help_panel=BRING)
def verify(as_json: AsJson = False) -> None:
    """Compare every raw file with its sidecar, and name what differs."""
    problems = store.verify()
    if as_json:
        _print_json([vars(p) for p in problems])
    elif problems:
        err.print(escape("\n".join(f"{p.id}: {p.found}\n  what to do: {p.todo}" for p in problems)))
    else:
        out.print(f"{len(store.catalogue())} raw files are as their sidecars say.")
    raise typer.Exit(1 if problems else 0)


@app.command(rich_help_panel=READ)
def ask(
    reporter: Annotated[str, typer.Option(help="Who counts the trade: TUR or Turkey")],
    partner: Annotated[str, typer.Option(help="With whom: KAZ or Kazakhstan")],
    codes: Annotated[str, typer.Option(help="HS codes with commas, TOTAL, groups stored")],
    base: Annotated[str, typer.Option(help="Before: 2021, 2021-03 or 2021-03/2022-02")],
    current: Annotated[str, typer.Option(help="After, likewise")],
    flow: Annotated[str, typer.Option(help="M imports, X exports")] = "M",
    file: Annotated[
        Path | None, typer.Option(help="A table of your own in place of what is stored.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="A heading of your file: code=HS, value=USD, weight=kg or none, period=…"
        ),
    ] = None,
    currency: Annotated[str, typer.Option(help="Of its values: USD, 'thousand USD', EUR")] = "",
    weight_unit: Annotated[str, typer.Option(help="Of its weights: kg, t, 'million t'")] = "",
    sheet: Annotated[str, typer.Option(help="Sheet of your workbook")] = "",
    decimal: Annotated[str, typer.Option(help="Decimal sign of your file: , or .")] = "",
    estimated: Annotated[
        bool, typer.Option("--estimated", help="Let weights that are estimates make prices.")
    ] = False,
    to: Annotated[Path, typer.Option("--out", help="Folder for PNG, CSV and Excel.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Price or volume: any pair, codes and months that are stored, or of a file of your own.

    A heading is answered by its six-digit codes; what is not stored names the command that brings
    it. "Mainly" is said of what every formula and path gives over half of a change, where that is
    over a tenth. Your file may be a CSV of UN Comtrade, a table of TÜİK, BACI, or a CSV or
    workbook with columns code, period, value_usd and net_weight_kg.
    """
    from tradeflows.ask import ask as asked
    from tradeflows.codes.countries import from_name
    from tradeflows.readers import read

    seller, buyer = from_name(reporter), from_name(partner)
    wanted = [code.strip() for code in codes.split(",") if code.strip()]
    given = {"currency": currency, "weight_unit": weight_unit, "sheet": sheet, "decimal": decimal}
    known = {name: word for name, word in {**given, **_columns(column or [])}.items() if word != ""}
    own = read(file, known, partner=buyer, flow=flow.upper()) if file else None
    weights = "accepted" if estimated else "unpriced"
    found = asked(seller, buyer, wanted, base, current, flow.upper(), own, weights)
    name = "-".join([seller, buyer, flow, *wanted[:3], base, current]).lower()
    place = to / re.sub(r"[^a-z0-9]+", "-", name).strip("-")
    files = _written(found, place)
    bars = found.by_method.set_index(["method", "path"]).agg(["min", "max"]).T
    bars = bars.set_axis(["least", "most"], axis=1).rename_axis("bar")
    if as_json:
        _say(found.sentence(), as_json=True, notes=found.notes, files=files,
             range=bars.reset_index(), table=found.table)  # fmt: skip
        return
    _say("\n\n".join([found.sentence(), *found.notes]) + "\n")
    shown = found.table.set_index("code").select_dtypes("number").map(_usd).reset_index()
    more = f"and {len(shown) - 20} more codes, in the files\n" if len(shown) > 20 else ""
    _say(f"{more}\nRange over {len(found.by_method)} formulas and paths:", shown.head(20))
    bars = bars[bars.abs().max(axis=1) > 0].map(_usd).reset_index()
    _say(f"\nwrote {', '.join(map(str, files))}", bars)


def _columns(pairs: list[str]) -> dict[str, str | None]:
    """Return the headings that --column names, by meaning."""
    meanings = ("code", "value", "weight", "period", "reporter", "partner", "flow", "estimated")
    found = dict(pair.partition("=")[::2] for pair in pairs)
    if odd := [name for name in found if name not in meanings or not found[name]]:
        raise UnknownCode(
            f"--column {odd[0]}", f"one of {', '.join(meanings)}", "write --column code=HS"
        )
    return {name: None if word.lower() == "none" else word for name, word in found.items()}


def _shell(text: str) -> str:
    """Return a message with the options that the shell has; what it has not is named Python."""
    text = re.sub(r"\b(currency|weight_unit|decimal|sheet)=('[^']*'|…)?",
                  lambda m: f"--{m[1].replace('_', '-')} {m[2] or ''}".rstrip(), text)  # fmt: skip
    text = re.sub(r"tf\.tidy\(frame, (.*?)\)", r"\1", text)
    text = re.sub(r"(?<![-\w] )\b(code|value|period|weight)=…", r"--column \1=…", text)
    names = "base|codes|current|flow|goods|partner|reporter|target"
    text = re.sub(rf"\b({names})= ?", r"--\1 ", text).rstrip()
    python = re.search(r"\btf\.\w+\(", text)
    return text + " (in Python: `import tradeflows as tf`)" * bool(python)


@app.command(rich_help_panel=READ)
def judge(
    claim: Annotated[str, typer.Argument(help="a, b1, b2, b3, b4 or c; all if left out")] = "",
    as_json: AsJson = False,
) -> None:
    """Judge the claims by the rules file."""
    from tradeflows.claims.judge import judge as judged
    from tradeflows.claims.judge import judge_all

    for verdict in (verdicts := [judged(claim)] if claim else list(judge_all())):
        if not as_json:
            number = escape(verdict.headline)
            out.print(f"[bold]{verdict.rule.claim}[/bold] {escape(verdict.sentence())} ({number})")
    if as_json:
        _print_json([
            {"claim": v.rule.claim, "question": v.rule.question, "grade": v.grade,
             "number": v.headline, "tier": v.rule.tier, "origins": v.origins}
            for v in verdicts
        ])  # fmt: skip


@app.command(rich_help_panel=READ)
def revisions(old: str, new: str, name: str = "trade", as_json: AsJson = False) -> None:
    """List what a publisher changed between two days, YYYY-MM-DD, in refreshed data."""
    from tradeflows.sources.revisions import revisions as revised

    found = revised(old, new, name)
    if as_json:
        _print_json(found.table)
        return
    _say(found.sentence())
    _say("", *[found.by_month()] * bool(len(found.table)))


def _written(found: Any, place: Path) -> list[Path]:
    """Write the chart of a result, where it has one, its table and its workbook."""
    from tradeflows.plot import Figure, show

    place.parent.mkdir(parents=True, exist_ok=True)
    files = [place.with_suffix(f".{kind}") for kind in ("png", "csv", "xlsx")]
    if isinstance(figure := show(found), Figure):
        figure.png(files[0])
    found.to_csv(files[1])
    found.to_excel(files[2])
    return [file for file in files if file.exists()]


@app.command(rich_help_panel=READ)
def screen(
    files: Annotated[
        str, typer.Argument(help="Parquet or a glob, or a table as `ask` reads; else stored BACI")
    ] = "",
    target: Annotated[str, typer.Option(help="Destination, ISO3, or all")] = "RUS",
    base: str = "2021",
    current: str = "2023",
    goods: Annotated[
        str, typer.Option(help="Version of the high-priority list, or HS codes with commas")
    ] = "2024-02",
    flow: Annotated[str, typer.Option(help="M imports, X exports")] = "X",
    to: Annotated[Path | None, typer.Option("--out", help="Folder for PNG, CSV and Excel.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rank growth of the high-priority goods among all pairs, false finds controlled."""
    import pandas as pd

    from tradeflows.measure.screen import screen as rank
    from tradeflows.readers import read
    from tradeflows.sources import baci
    from tradeflows.words import NONE, percent

    goal = None if target == "all" else target
    streams = not files or Path(files).suffix in ("", ".parquet") or "*" in files
    listed = goods if "-" in goods else _listed("goods", goods)
    with warnings.catch_warnings():
        if not files:  # BACI's weights are its own estimates, and make no price
            warnings.simplefilter("ignore", EstimatedQuantityWarning)
        rows = (files or baci.stored()) if streams else read(files)
        found = rank(rows, base, current, target=goal, goods=listed, flow=flow.upper())
    name = "-".join(["screen", target, base, current]).lower().replace("/", "-")
    paths = _written(found, to / name) if to else []
    if as_json:
        _say(found.sentence(), as_json=True, files=paths, table=found.table)
        return
    _say(found.sentence())
    table, known = found.table, found.table["unjudged"] == ""
    few = pd.concat([table[known].head(20), table[~known].head(10)])
    shown = few[["reporter", "partner", "value_base", "value_current"]].assign(
        growth=few["growth_percent"].div(100).map(lambda x: percent(x, sign=True)),
        corrected_p=few["q"].map("{:.3g}".format).replace("nan", NONE),
        stands_out=few["stands_out"],
        not_judged=few["unjudged"],
    )
    _say("", shown.assign(**{c: few[c].map(_usd) for c in ("value_base", "value_current")}))
    _say(f"wrote {', '.join(map(str, paths))}" if paths else "")


@app.command(rich_help_panel=READ)
def report(
    notebooks: Annotated[Path, typer.Option(help="Folder of notebooks.")] = Path("notebooks"),
    reports: Reports = Path("reports"),
) -> None:
    """Run every notebook and render its page; as `make report` does."""
    from tradeflows.report import needed

    needed()
    start = time.monotonic()
    err.print(f"{len([*notebooks.glob('*.ipynb')])} notebooks to run, two at a time")
    from tradeflows.report.build import build

    build(notebooks, reports)
    _say(f"wrote the pages, open {reports}/index.html ({time.monotonic() - start:.0f} s)")


@app.command(rich_help_panel=READ)
def trace(
    figure: Annotated[
        str, typer.Argument(help="Name of a figure, as on its page; lists all if left out")
    ] = "",
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Walk from a figure of the report to its table, raw files, publishers and hashes.

    Exits with 1 if a table or raw file is no longer the one that the report was built from.
    """
    from tradeflows.report.trace import INTACT, figures
    from tradeflows.report.trace import trace as traced

    if not figure:
        names = list(figures(reports))
        _print_json(names) if as_json else out.print("\n".join(names))
        return
    found = traced(figure, reports)
    every = {found["now"], *(raw["now"] for raw in found["origins"])}
    if as_json:
        _print_json(found)
    else:
        shown = yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=_WIDE)
        out.print(escape(shown))
    raise typer.Exit(0 if every == {INTACT} else 1)


def _said(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Print a warning as a line, without the place in the code that gave it."""
    err.print(f"[bold yellow]{category.__name__}[/bold yellow] {escape(str(message))}")


def main() -> None:
    """Run the command line; an expected error is a few lines, not a traceback."""
    warnings.showwarning = _said
    try:
        app()
    except TradeflowsError as error:
        err.print(f"[bold red]{type(error).__name__}[/bold red] {escape(_shell(str(error)))}")
        for note in getattr(error, "__notes__", ()):
            err.print(escape(note))
        raise SystemExit(LATER if isinstance(error, QuotaExhausted) else 1) from None
    except ValueError as error:  # an option that a measure refuses
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        err.print("stopped: what is stored is whole, the next run goes on")
        raise SystemExit(STOPPED) from None


if __name__ == "__main__":
    main()
