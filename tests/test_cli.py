"""The command line says what is wrong in two lines and exits with it."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import tradeflows as tf
import world
from standin import harness
from tradeflows import cli, store
from tradeflows.claims import judge
from tradeflows.codes.countries import EU27
from tradeflows.errors import QuotaExhausted, SourceUnavailable
from tradeflows.load import load
from tradeflows.report import NEEDED
from tradeflows.sources import refresh

run = CliRunner()


def test_verify_is_quiet_when_all_is_well():
    result = run.invoke(cli.app, ["verify"])
    assert result.exit_code == 0
    assert "as their sidecars say" in result.output


def test_verify_names_the_file_and_exits_with_one(tmp_path, monkeypatch):
    shutil.copytree(store.folder(), tmp_path / "raw")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    broken = store.catalogue()[0]
    broken.path.write_bytes(b"x")
    result = run.invoke(cli.app, ["verify", "--json"])
    assert result.exit_code == 1
    assert [p["id"] for p in json.loads(result.output)] == [broken.id]


def test_status_lists_every_file():
    listed = json.loads(run.invoke(cli.app, ["status", "--json"]).output)
    assert {r["id"] for r in listed["files"]} == {r.id for r in store.catalogue()}
    words = run.invoke(cli.app, ["status"]).output
    assert store.catalogue()[0].id in words
    assert "tradeflows refresh" in words


def test_judge_prints_the_grade_of_what_a_page_stated(tmp_path, monkeypatch):
    numbers = {"turnover_growth": 0.96, "growth_gap": 0.7}
    told = judge.state("b1", (2021, 2022), headline="+96 %", origins=["x.csv"], **numbers)
    (tmp_path / judge.FILE).write_text(json.dumps([told.statement() | {"page": "01.html"}]))
    monkeypatch.setattr(store, "processed", lambda: tmp_path)
    found = json.loads(run.invoke(cli.app, ["judge", "b1", "--json"]).output)[0]
    assert (found["claim"], found["grade"], found["number"]) == ("b1", "supported", "+96 %")
    assert found["origins"] == ["x.csv"]
    assert "Supported" in run.invoke(cli.app, ["judge", "b1"]).output


def test_judge_says_what_brings_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "processed", lambda: tmp_path)
    with pytest.raises(SourceUnavailable, match="tradeflows report"):
        run.invoke(cli.app, ["judge", "b1"], catch_exceptions=False)


def test_any_pair_is_refreshed_and_its_proof_is_shown(tmp_path, monkeypatch, capfd):
    words = ["refresh", "--reporter", "TUR", "--partner", "RUS", "--codes", "TOTAL,AG2"]
    with harness.asked(monkeypatch, tmp_path):
        months = ["--start", "2022-01", "--end", "2022-03", "--source", "comtrade"]
        found = json.loads(run.invoke(cli.app, [*words, *months, "--dry-run", "--json"]).output)
        assert [row["part"] for row in found["plan"]] == ["tur-rus-total-ag2"]
        shown = run.invoke(cli.app, [*words, *months, "--dry-run"]).output
        assert "tur-rus-total-ag2" in shown
        assert "data calls" in shown
        done = run.invoke(cli.app, [*words, *months])
        assert done.exit_code == 0, done.output
        assert "1 new files" in done.output
        again = json.loads(run.invoke(cli.app, [*words, *months, "--json"]).output)
        assert again["stored"] == []
        found = json.loads(run.invoke(cli.app, ["status", "--json"]).output)
        proofs = [r["proof"] for r in found["files"] if r["proof"]]
        assert len(proofs) == 1
        assert proofs[0]["rows"] == proofs[0]["count"]
        assert "counted by the publisher" in run.invoke(cli.app, ["status"]).output
    assert harness.KEY not in done.output + capfd.readouterr().err


def test_the_example_of_the_help_works(tmp_path, monkeypatch):
    shown = run.invoke(cli.app, ["refresh", "--help"], terminal_width=80).output
    (line,) = [x.strip() for x in shown.splitlines() if "tradeflows refresh --" in x]
    words = shlex.split(line)[1:]
    with harness.asked(monkeypatch, tmp_path):
        done = run.invoke(cli.app, [*words, "--source", "comtrade", "--end", "2021-06"])
        assert done.exit_code == 0, done.output
        found = load("trade", reporter="TUR", partner="KAZ", source="UN Comtrade", flow="X")
        assert found["value_usd"].sum() > 0
        assert found["period"].min() == pd.Timestamp("2021-01-01")


@pytest.mark.parametrize("partner", ["World", "EU27", "kaz,russian federation", "ALL"])
def test_partners_are_named_as_publishers_do(tmp_path, monkeypatch, partner):
    words = ["refresh", "--reporter", "turkey", "--partner", partner, "--codes", "total"]
    months = ["--start", "2022-01", "--end", "2022-02", "--source", "Comtrade"]
    with harness.asked(monkeypatch, tmp_path) as site:
        done = run.invoke(cli.app, [*words, *months])
        assert done.exit_code == 0, done.output
        found = set(load("trade", reporter="TUR", source="UN Comtrade", code="TOTAL")["partner"])
        asked = " ".join(path for _, path in site.asked)
    assert ("partnerCode=" in asked) == (partner != "ALL")
    assert ("World" in found) == (partner in ("World", "ALL"))
    assert partner != "EU27" or found <= set(EU27)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reporter", "PRK", "--partner", "TUR"], "reports nothing to UN Comtrade"),
        (["--reporter", "TUR", "--partner", "RUS", "--start", "2026"], "newest is 2025-12"),
        (["--reporter", "TUR", "--partner", "RUS", "--codes", "AG6/8542a"], "no HS code"),
        (["--reporter", "TUR", "--partner", "RUS", "--codes", ","], "--codes ','"),
        (["--reporter", "TUR"], "--partner"),
        (["--reporter", "TUR", "--partner", "Atlantis"], "no country or area"),
        (["--source", ","], "--source ','"),
        (["--source", "wto"], "wto"),
        (["--start", "2023-01", "--end", "2022-01"], "ends before it starts"),
    ],
)
def test_what_cannot_be_brought_is_an_error_and_nothing_is_stored(
    tmp_path, monkeypatch, capsys, words, said
):
    with harness.asked(monkeypatch, tmp_path):
        monkeypatch.setattr("sys.argv", ["tradeflows", "refresh", *words])
        with pytest.raises(SystemExit, match="1"):
            cli.main()
        assert harness.live() == []
    shown = capsys.readouterr()
    assert said in shown.err
    assert "what to do:" in shown.err
    assert "Nothing new" not in shown.out


def test_a_warning_is_a_line_without_the_place_in_the_code(tmp_path, monkeypatch, capsys):
    with harness.asked(monkeypatch, tmp_path):
        run.invoke(cli.app, ["refresh", "--source", "worldbank"])
        (raw,) = harness.live()
        raw.path.with_name(raw.path.name + store.SIDECAR).write_bytes(b"no sidecar")
        monkeypatch.setattr("sys.argv", ["tradeflows", "status"])
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            with pytest.raises(SystemExit):
                cli.main()
    shown = capsys.readouterr().err
    assert "UnreadableFileWarning" in shown
    assert raw.id in shown
    assert ".py" not in shown


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (QuotaExhausted("quota", "more", "wait"), 3),
        (SourceUnavailable("away", "there", "try later"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes_tell_what_to_do(monkeypatch, capsys, raised, code):
    monkeypatch.setattr(refresh, "run", lambda *_, **__: (_ for _ in ()).throw(raised))
    monkeypatch.setattr("sys.argv", ["tradeflows", "refresh"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == code
    assert "Traceback" not in capsys.readouterr().err


def test_importing_the_package_is_light_and_load_is_the_function():
    code = (
        "import sys, tradeflows as tf;"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'duckdb', 'yaml'} & set(sys.modules);"
        "import tradeflows.load; from tradeflows.load import load;"
        "assert tf.load is load and callable(tf.bridge);"
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_but_the_report_works_without_its_packages(tmp_path):
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    extra = tomllib.loads(text)["project"]["optional-dependencies"]["report"]
    assert sorted(re.split("[><=]", one)[0] for one in extra) == sorted(NEEDED)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({NEEDED}));"
        "import tradeflows as tf; from tradeflows import cli;"
        "assert sys.argv[1] != 'ask' or all(hasattr(tf, name) for name in tf.__all__); cli.main()"
    )

    def said(*words):
        return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True,
                              check=False)  # fmt: skip

    words = ["--reporter", "TUR", "--partner", "RUS", "--codes", "coal", "--base", "2021"]
    asked = said("ask", *words, "--current", "2022", "--out", str(tmp_path))
    assert asked.returncode == 0, asked.stderr
    assert len(list(tmp_path.iterdir())) == 3
    refused = said("report", "--reports", str(tmp_path / "none"))
    assert refused.returncode == 1
    assert "pip install 'tradeflows[report]'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_expected_error_is_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["tradeflows", "judge", "z"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    shown = capsys.readouterr().err
    assert "UnknownCode" in shown
    assert "Traceback" not in shown


def test_help_reads_and_the_version_is_said():
    listed = run.invoke(cli.app, ["--help"]).output
    for command in ("refresh", "status", "verify", "ask", "judge", "report", "trace", "screen"):
        assert command in listed
        assert run.invoke(cli.app, [command, "--help"]).exit_code == 0
    assert run.invoke(cli.app, ["--version"]).output == f"tradeflows {tf.__version__}\n"


@pytest.mark.filterwarnings("ignore::tradeflows.errors.EstimatedQuantityWarning")
def test_the_screen_reads_parquet_and_csv_and_writes_what_a_question_writes(tmp_path):
    made = world.world(1, members=30, products=300, rows=20_000, surges=3, to="RUS", surge=3)
    file = made.file(tmp_path / "world.parquet")
    windows = ["--base", "2021", "--current", "2022"]
    result = run.invoke(cli.app, ["screen", str(file), *windows, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    table = [line for line in result.output.splitlines() if " m USD " in line[:60]]
    assert 0 < len(table) <= 30
    assert all(line[:3].isupper() for line in table)  # a row is a line
    stored = pd.read_csv(tmp_path / "screen-rus-2021-2022.csv")
    assert set(stored["partner"]) == {"RUS"}
    assert (tmp_path / "screen-rus-2021-2022.xlsx").exists()
    plain = pd.read_parquet(file)[["reporter", "partner", "period", "code", "value_usd", "flow"]]
    plain = plain.assign(period=pd.to_datetime(plain["period"]).dt.year).query("flow == 'X'")
    plain.to_csv(tmp_path / "own.csv", index=False)
    own = ["screen", str(tmp_path / "own.csv"), *windows, "--json"]
    found = json.loads(run.invoke(cli.app, own).output)
    assert {row["reporter"] for row in found["table"]} == set(stored["reporter"])
    other = json.loads(run.invoke(cli.app, [*own, "--goods", "85,8471"]).output)
    assert "of 2 listed codes" in other["words"]
    assert run.invoke(cli.app, ["screen", str(file), *windows, "--target", "all"]).exit_code == 0


def test_the_shell_advises_in_options_of_its_own():
    assert cli._shell("found\n  what to do: check goods= and target=") == (
        "found\n  what to do: check --goods and --target"
    )
    assert cli._shell("pass decimal=',' or decimal='.'") == "pass --decimal ',' or --decimal '.'"
    assert cli._shell("tf.concord(trade) joins").endswith("(in Python: `import tradeflows as tf`)")


@pytest.mark.filterwarnings("ignore::tradeflows.errors.EstimatedQuantityWarning")
@pytest.mark.parametrize("option", [("--target", ""), ("--base", "soon")])
def test_a_bad_option_of_the_screen_is_a_line_and_no_traceback(
    tmp_path, monkeypatch, capsys, option
):
    file = world.world(1, members=30, products=300, rows=20_000).file(tmp_path / "w.parquet")
    monkeypatch.setattr("sys.argv", ["tradeflows", "screen", str(file), *option])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = str(stopped.value.code) + capsys.readouterr().err
    assert "expected" in said
    assert "Traceback" not in said


def test_a_screen_without_a_panel_says_what_brings_one():
    with pytest.raises(SourceUnavailable, match="tradeflows refresh"):
        run.invoke(cli.app, ["screen"], catch_exceptions=False)


def test_revisions_of_a_snapshot_are_none():
    words = ["revisions", "2020-01-01", "2030-01-01"]
    assert json.loads(run.invoke(cli.app, [*words, "--json"]).output) == []
    assert run.invoke(cli.app, words).exit_code == 0


def test_a_question_is_answered_in_words_a_picture_and_spreadsheets(tmp_path):
    words = ["ask", "--reporter", "Turkey", "--partner", "RUS", "--codes", "coal", "--base", "2021",
             "--current", "2022", "--out", str(tmp_path)]  # fmt: skip
    shown = run.invoke(cli.app, words)
    assert shown.exit_code == 0
    said = " ".join(shown.output.split())
    assert "Imports of Turkey from Russia (coal) rose from 1.60 bn USD" in said
    assert "Range over 8 formulas and paths" in said
    name = "tur-rus-m-coal-2021-2022"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"{name}.{k}" for k in ("csv", "png", "xlsx")
    ]
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(run.invoke(cli.app, [*words, "--json"]).output)
    assert found["words"] in said
    assert {r["bar"] for r in found["range"]} >= {"price", "volume", "change"}


def test_a_file_of_ones_own_is_asked_and_what_is_missing_is_named(tmp_path, monkeypatch, capsys):
    file = tmp_path / "mine.csv"
    file.write_text("code,period,value_usd,net_weight_kg\n"
                    "270900,202101,1000,100\n270900,202201,1500,100\n")  # fmt: skip
    words = ["ask", "--reporter", "India", "--partner", "Russia", "--codes", "2709", "--base",
             "2021-01", "--file", str(file), "--out", str(tmp_path), "--current"]  # fmt: skip
    assert "price accounts for 500 USD" in " ".join(
        run.invoke(cli.app, [*words, "2022-01"]).output.split()
    )
    monkeypatch.setattr("sys.argv", ["tradeflows", *words, "2022-02"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "2022-02 not in it" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["tradeflows", "ask", "--reporter", "TUR", "--partner", "KAZ",
                                     "--flow", "X", "--codes", "8542", "--base", "2021",
                                     "--current", "2022"])  # fmt: skip
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert "tradeflows refresh --reporter TUR --partner KAZ --flows X" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--decimal"),
        (["--decimal", ","], "make no price unless asked with estimated='accepted' (--estimated)"),
        (["--decimal", ",", "--estimated"], "price accounts for 250 USD"),
    ],
)
def test_a_file_with_a_decimal_comma_and_estimated_weights_is_asked(
    tmp_path, monkeypatch, capsys, options, said
):
    file = tmp_path / "mine.csv"
    file.write_text("code;period;value_usd;net_weight_kg;weight_status\n"
                    "270900;202101;1250;100,125;estimated\n"
                    "270900;202201;1500;100,125;estimated\n")  # fmt: skip
    words = ["ask", "--reporter", "India", "--partner", "Russia", "--codes", "2709", "--base",
             "2021-01", "--current", "2022-01", "--file", str(file), "--out", str(tmp_path),
             *options]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["tradeflows", *words])
    with pytest.raises(SystemExit):
        cli.main()
    shown = capsys.readouterr()
    assert said in " ".join((shown.out + shown.err).split())


def test_the_shell_names_columns_units_and_sheet(tmp_path, monkeypatch, capsys):
    table = pd.DataFrame({"HS": ["270900"] * 2, "Month": ["Jan-21", "Jan-22"],
                          "Worth": [1, 3], "Tons": [1, 2]})  # fmt: skip
    with pd.ExcelWriter(tmp_path / "own.xlsx") as book:
        table.to_excel(book, sheet_name="oil", index=False)
        table.to_excel(book, sheet_name="gas", index=False)
    words = ["tradeflows", "ask", "--reporter", "India", "--partner", "Russia", "--codes", "2709",
             "--base", "2021-01", "--current", "2022-01", "--file", str(tmp_path / "own.xlsx"),
             "--out", str(tmp_path)]  # fmt: skip
    columns = ["code=HS", "value=Worth", "weight=Tons", "period=Month"]
    named = [word for column in columns for word in ("--column", column)]

    def said(*options):
        monkeypatch.setattr("sys.argv", [*words, *options])
        with pytest.raises(SystemExit):
            cli.main()
        shown = capsys.readouterr()
        return " ".join((shown.out + shown.err).split())

    assert "--sheet 'oil'" in said()
    assert "--column code=HS" in said("--sheet", "oil")
    assert "pass --currency" in said("--sheet", "oil", *named)
    answer = said("--sheet", "oil", *named, "--currency", "thousand USD")
    assert "from 1,000 USD in 2021-01 to 3,000 USD" in answer
    assert "--column kind" in said("--column", "kind=HS")
