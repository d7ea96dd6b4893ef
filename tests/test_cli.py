"""The command line says what is wrong in two lines and exits with it."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from tradeflows import cli, store

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
    assert {r["id"] for r in listed} == {r.id for r in store.catalogue()}


def test_judge_prints_grade():
    result = run.invoke(cli.app, ["judge", "b1", "--json"])
    assert json.loads(result.output) == [{"claim": "b1", "grade": "supported", "number": "+96 %"}]


def test_an_expected_error_is_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["tradeflows", "judge", "z"])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    shown = capsys.readouterr().err
    assert "UnknownCode" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("command", [[], ["verify"], ["status"], ["judge"]])
def test_help_reads(command):
    result = run.invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
