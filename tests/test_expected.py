"""Numbers and figures are as stored, and a planted change of one number is found."""

import json

import pytest

from expected import numbers, stored
from pages import FOLDER, NOTEBOOKS
from quiet import SAME_EVERYWHERE

MEANT = "if this is meant: `make expected`, and a reason in CHANGELOG.md"
SHOWN = 40


def nothing(changes):
    more = [f"and {len(changes) - SHOWN} more"] * (len(changes) > SHOWN)
    assert not changes, "\n".join(["", *changes[:SHOWN], *more, MEANT])


def comparable(values):
    """Leave out what is simulated where another linear algebra draws other paths."""
    return {k: x for k, x in values.items() if SAME_EVERYWHERE or "excess_both" not in k}


def statements(part):
    found = stored.read(stored.STATEMENTS)
    return {k: x for k, x in found.items() if f"/{part}/" in k}


# what the code gives is what is stored


def test_every_number_of_the_snapshot_is_as_stored(shown):
    old = statements("snapshot") | statements("panel/absent")
    new = numbers.of_snapshot(map(shown, NOTEBOOKS))
    nothing(stored.differences("statements.json", old, new))


# backwards: tests beside these ask for the worlds from the front
@pytest.mark.parametrize("name", [*reversed(numbers.WORLDS)])
def test_every_number_of_a_generated_world_is_as_stored(world, name):
    old, new = statements(f"panel/{name}"), numbers.of_world(name, world)
    nothing(stored.differences("statements.json", comparable(old), comparable(new)))


def test_every_bound_is_as_stored(shown):
    new = numbers.of_bounds(shown(FOLDER / "02-energy.ipynb"))
    nothing(stored.differences("b2_bounds.json", stored.read(stored.BOUNDS), new))


def test_every_table_behind_a_figure_is_as_stored(shown):
    new = numbers.of_figures(map(shown, NOTEBOOKS))
    nothing(stored.table_differences(stored.read_tables(), new))


def test_nothing_is_stored_of_worlds_that_nobody_judges():
    tiers = {tuple(k.split("/")[1:3]) for k in stored.read(stored.STATEMENTS)}
    worlds = {name for tier, name in tiers if tier == "panel"}
    assert worlds == {"absent", *numbers.WORLDS}


# a planted change is found, rounding is not


def planted(value, by):
    """Change one number of a value, its last."""
    return [*value[:-1], planted(value[-1], by)] if isinstance(value, list) else value * (1 + by)


def has_number(value):
    last = value[-1] if isinstance(value, list) and value else value
    return isinstance(last, int | float) and last not in (0, float("inf"))


@pytest.mark.parametrize("file", [stored.STATEMENTS, stored.BOUNDS], ids=lambda f: f.name)
def test_a_planted_change_of_one_number_is_found(file):
    old = stored.read(file)
    there = [k for k, x in old.items() if has_number(x)]
    assert len(there) > 40
    for key in there:
        new = old | {key: planted(old[key], 1e-6)}
        (found,) = stored.differences(file.name, old, new)
        assert found.startswith(f"{file.name}: {key}: ")
        assert json.dumps(old[key]) in found
        assert json.dumps(new[key]) in found
        assert not stored.differences(file.name, old, old | {key: planted(old[key], 1e-12)})


def test_a_planted_change_of_one_number_of_a_figure_is_found():
    old = stored.read_tables()
    assert len(old) > 15
    for name, (head, *rows) in old.items():
        line, column = next(
            (i, j) for i, row in enumerate(rows) for j, x in enumerate(row) if has_number(x)
        )
        for by, many in ((1e-6, 1), (1e-12, 0)):
            row = rows[line].copy()
            row[column] = planted(row[column], by)
            new = old | {name: [head, *rows[:line], row, *rows[line + 1 :]]}
            found = stored.table_differences(old, new)
            assert len(found) == many
            for words in found:
                assert words.startswith(f"figures/{name}.csv: line {line + 2}, {head[column]}: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"grade": "supported"}, {"grade": "contradicted"}),
        ({"x": [1.0, 2.0]}, {"x": None}),
        ({"x": [1.0, float("inf")]}, {"x": [1.0, 2.0]}),
        ({"x": 0.0}, {"x": 1e-300}),
        ({"x": 1.0}, {}),
        ({}, {"x": 1.0}),
        ({"x": None}, {}),
        ({"reasons": ["a"]}, {"reasons": []}),
    ],
)
def test_what_is_no_change_of_a_number_is_found_too(old, new):
    assert len(stored.differences("f", old, new)) == 1
    assert stored.differences("f", old, old) == []


def test_a_figure_that_comes_or_goes_is_found():
    table = {"a": [["x"], [1.0]]}
    assert stored.table_differences(table, {}) == [
        "figures/a.csv: no figure of this name is shown any more"
    ]
    assert stored.table_differences({}, table) == ["figures/a.csv: a figure that is not stored"]
    (found,) = stored.table_differences(table, {"a": [["y"], [1.0]]})[:1]
    assert found.startswith('figures/a.csv: columns: ["x"] -> ["y"]')


# what is written is read back, and written again to the byte


def test_stored_files_are_as_they_would_be_written(tmp_path):
    for file in (stored.STATEMENTS, stored.BOUNDS):
        stored.write(tmp_path / file.name, stored.read(file))
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_tables_keep_every_digit_and_every_kind(tmp_path):
    table = [["what", "x, y"], ["0123", 0.1 + 0.2], ['"=a', -1e-300], [None, None], ["é", 1e22]]
    stored.write_tables({"t": table}, tmp_path)
    assert stored.read_tables(tmp_path) == {"t": table}
