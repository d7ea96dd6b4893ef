"""The picture of the rooms is what the imports are, and every import leads one way."""

import importlib.util
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 600


def script(*place: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(place[-1].split(".")[0], ROOT.joinpath(*place))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def picture() -> ModuleType:
    return script("docs", "architecture.py")


def _arcs(text: str) -> set[str]:
    root = ET.fromstring(text)  # noqa: S314 - our own file
    titles = [t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}title")]
    return {t.split(":")[0] for t in titles}


def test_the_picture_shows_the_imports_of_today(picture: ModuleType) -> None:
    stored = (ROOT / "docs" / "architecture.svg").read_text("utf-8")
    assert _arcs(stored) == _arcs(picture.drawn()), "run `python docs/architecture.py`"


def test_the_list_of_modules_is_that_of_today(picture: ModuleType) -> None:
    stored, today = ((ROOT / "docs" / "modules.md").read_text("utf-8"), picture.listed())
    rows = [dict(re.findall(r"^\| (.+) \| (\d+) \|$", t, re.M)) for t in (stored, today)]
    assert list(rows[0]) == list(rows[1]), "run `python docs/architecture.py`"
    counts = [
        [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", t)] for t in (stored, today)
    ]
    assert counts[0][:3] == pytest.approx(counts[1][:3], rel=0.02)


def test_lines_of_code_are_neither_blank_nor_comment_nor_docstring(
    picture: ModuleType, tmp_path: Path
) -> None:
    file = tmp_path / "module.py"
    text = ['"""About.', "", 'More."""', "", "# why", 'X = """a', 'b"""  # three', "", ""]
    text += ["def f():", '    "Say."', "    return X", ""]
    file.write_text("\n".join(text), "utf-8")
    assert picture.code(file) == 4  # X takes two lines, f and its body one each
    file.write_text('"""Nothing."""\n', "utf-8")
    assert picture.code(file) == 0


def test_every_import_leads_to_an_earlier_room(picture: ModuleType) -> None:
    order = picture.rooms()
    wrong = [(a, b) for a, b in picture.imports() if order.index(b) > order.index(a)]
    assert wrong == []
    folders = {p.name for p in picture.PACKAGE.iterdir() if (p / "__init__.py").is_file()}
    assert folders <= set(order), "a room that the contract does not know"


def test_the_import_contract_holds() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_no_module_is_long() -> None:
    files = (ROOT / "src").rglob("*.py")
    long = {p.name: n for p in files if (n := len(p.read_text("utf-8").splitlines())) > LONGEST}
    assert long == {}


def test_the_pages_of_faults_hold_the_counts_that_were_run() -> None:
    table = script("soak", "table.py")
    page = table.PAGE.read_text("utf-8")
    assert "\n".join(table.rows()) in page, "run `python soak/table.py`"
    named = re.findall(r"^\| ((?:claims|measure)\.\S+)", page, re.MULTILINE)
    assert named
    for module in named:  # none that has left
        assert (ROOT / "src/tradeflows" / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("given", [["mesure"], ["measure", "claim"], ["-left"]])
def test_mutants_of_an_unknown_room_are_not_those_of_every_room(
    given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mutants = script("soak", "mutants.py")
    monkeypatch.setattr(mutants, "_tested", lambda *_: pytest.fail("a room was run"))
    assert mutants.main(given) == 2
    assert f"no room {given[-1]}: expected measure, claims" in capsys.readouterr().err
