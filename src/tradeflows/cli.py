"""The command line: verify, status, judge, and more as the rooms grow."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradeflows import store
from tradeflows.errors import TradeflowsError

__all__ = ["main"]

app = typer.Typer(
    help="Did this trade grow because prices rose, or because more was shipped?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out, err = Console(), Console(stderr=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Compare every raw file with its sidecar and name what differs."""
    problems = store.verify()
    if as_json:
        out.print_json(json.dumps([vars(p) for p in problems]))
    elif problems:
        for problem in problems:
            err.print(f"[bold]{escape(problem.id)}[/bold]: {escape(problem.found)}")
            err.print(f"  what to do: {escape(problem.todo)}")
    else:
        out.print(f"{len(store.catalogue())} raw files are as their sidecars say.")
    raise typer.Exit(1 if problems else 0)


@app.command()
def status(as_json: AsJson = False) -> None:
    """List the raw files: publisher, coverage, vintage, rows."""
    raws = store.catalogue()
    if as_json:
        fields = ("id", "publisher", "title", "coverage", "vintage", "rows", "sha256", "complete")
        out.print_json(json.dumps([{f: getattr(r, f) for f in fields} for r in raws]))
        return
    table = Table("file", "publisher", "coverage", "vintage", "rows", box=None)
    for raw in raws:
        row = (raw.id, raw.publisher, raw.coverage, raw.vintage, str(raw.rows))
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


@app.command()
def judge(
    claim: Annotated[str, typer.Argument(help="a, b1, b2, b3, b4 or c; all if left out")] = "",
    as_json: AsJson = False,
) -> None:
    """Judge the claims by the rules file."""
    from tradeflows.claims.judge import judge as judged
    from tradeflows.claims.judge import judge_all

    verdicts = [judged(claim)] if claim else list(judge_all())
    if as_json:
        rows = [{"claim": v.rule.claim, "grade": v.grade, "number": v.headline} for v in verdicts]
        out.print_json(json.dumps(rows))
        return
    for verdict in verdicts:
        out.print(f"[bold]{verdict.rule.claim}[/bold] {escape(verdict.sentence())}")


def main() -> None:
    """Run the command line; an expected error is two lines, not a traceback."""
    try:
        app()
    except TradeflowsError as error:
        err.print(f"[bold red]{type(error).__name__}[/bold red] {escape(str(error))}")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
