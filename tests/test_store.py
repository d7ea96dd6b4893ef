"""Raw files are read whole and unchanged, or not at all."""

import shutil

import pytest

from tradeflows import store
from tradeflows.errors import ChecksumMismatch, SchemaMismatch, SourceUnavailable, UnknownCode
from tradeflows.sources import snapshot

FILE = "tuik/imports_from_russia_monthly.csv"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Copy the snapshot, so that a test may damage it."""
    shutil.copytree(store.folder(), tmp_path / "raw")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    return tmp_path / "raw"


def about(**changed):
    words = ("publisher", "title", "url", "licence", "terms", "accessed", "vintage", "coverage")
    plain = {word: word for word in (*words, "obtained")}
    return {**plain, "table": "prices", "rows": 1, **changed}


def test_the_snapshot_is_as_its_sidecars_say():
    assert store.verify() == []


@pytest.mark.parametrize("raw", store.catalogue(), ids=lambda raw: raw.id)
def test_every_raw_file_loads_as_the_table_it_says(raw):
    frame = snapshot.parse(store.read(raw.id), raw)
    assert len(frame) == raw.rows
    assert set(frame["origin"]) == {raw.id}


@pytest.mark.parametrize("raw", store.catalogue(), ids=lambda raw: raw.id)
def test_every_sidecar_names_publisher_terms_and_coverage(raw):
    for word in ("publisher", "title", "url", "licence", "terms", "coverage", "obtained"):
        assert getattr(raw, word).strip(), word


@pytest.mark.usefixtures("data")
def test_one_changed_byte_in_any_file_is_refused_and_named():
    for raw in store.catalogue():
        good = raw.path.read_bytes()
        raw.path.write_bytes(good[:-2] + bytes([good[-2] ^ 1]) + good[-1:])
        with pytest.raises(ChecksumMismatch, match="sha256"):
            store.read(raw.id)
        assert [p.id for p in store.verify()] == [raw.id]
        raw.path.write_bytes(good)
    assert store.verify() == []


def test_a_missing_sidecar_is_named(data):
    (data / f"{FILE}.yml").unlink()
    with pytest.raises(SchemaMismatch, match="no sidecar"):
        store.read(FILE)
    assert [p.id for p in store.verify()] == [FILE]


def test_a_sidecar_without_its_file_is_named(data):
    (data / FILE).unlink()
    assert [p.id for p in store.verify()] == [f"{FILE}.yml"]


@pytest.mark.parametrize(
    "text", [b"", b"[1, 2]", b"a: !!python/object/apply:os.system [true]", b"\xff"]
)
def test_a_damaged_sidecar_is_an_error_of_ours(data, text):
    (data / f"{FILE}.yml").write_bytes(text)
    with pytest.raises(SchemaMismatch, match="yml"):
        store.describe(FILE)


@pytest.mark.usefixtures("data")
def test_an_empty_file_is_refused():
    raw = store.describe(FILE)
    raw.path.write_bytes(b"")
    with pytest.raises(ChecksumMismatch, match="0 bytes"):
        store.read(FILE)


@pytest.mark.parametrize("file", ["../outside.csv", "/etc/passwd", "tuik/../../x", "", "a\\b"])
@pytest.mark.usefixtures("data")
def test_no_path_leaves_the_folder(file):
    with pytest.raises(UnknownCode):
        store.put(file, b"x", about())


@pytest.mark.usefixtures("data")
def test_what_is_stored_comes_back_and_is_never_changed():
    stored = store.put("x/y@2026-01-01.csv", b"one", about(traps=["beware"]))
    assert store.read(stored.id) == b"one"
    assert store.describe(stored.id) == stored
    with pytest.raises(ChecksumMismatch, match="other bytes"):
        store.put(stored.id, b"two", about())
    assert store.read(stored.id) == b"one"


def test_a_sidecar_that_lacks_a_field_stores_nothing(data):
    lacking = about()
    del lacking["licence"]
    with pytest.raises(SchemaMismatch, match="licence"):
        store.put("x/z.csv", b"one", lacking)
    assert not (data / "x" / "z.csv").exists()


def test_a_data_folder_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(SourceUnavailable, match="nowhere"):
        store.folder()
