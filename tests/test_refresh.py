"""A refresh: few calls, honest about gaps, safe to stop anywhere, silent about the key."""

import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

import filelock
import pandas as pd
import pytest

from standin import harness, server, trade
from standin.harness import HASTY, KEY, QUICK, live, small
from tradeflows import store
from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    TruncatedReply,
    UnknownCode,
)
from tradeflows.sources import refresh, stored, work
from tradeflows.sources.comtrade import pull, question
from tradeflows.sources.comtrade.question import pair, standard
from tradeflows.sources.work import Manners, Session

SPRING = {"start": "2022-02", "end": "2022-03", "manners": QUICK, "sources": ("comtrade",)}
YEAR = {"start": "2022-01", "end": "2022-12", "manners": QUICK, "sources": ("comtrade",)}


@pytest.fixture
def few_goods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data", trade.World(breadth=0, others=0)) as found:
        yield found


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data", trade.World(others=0)) as found:
        yield found


def table(**options: object) -> pd.DataFrame:
    return stored.refreshed("trade", **options)  # type: ignore[arg-type]


def data_of(tmp_path: Path) -> Path:
    return tmp_path / "data"


def same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    return left.to_csv(index=False).encode() == right.to_csv(index=False).encode()


def test_a_year_takes_one_call_and_a_second_refresh_none(few_goods: server.Site) -> None:
    site = few_goods
    russia = [pair("TUR", "RUS")]
    usual = {"start": "2021-01", "end": "2023-12", "manners": QUICK, "sources": ("comtrade",)}
    first = refresh.run(russia, **usual)
    assert first.calls["comtrade"] == {"availability": 1, "metadata": 1, "count": 3, "data": 3}
    site.asked.clear()
    again = refresh.run(russia, **usual)
    assert len(site.asked) <= 3
    assert site.counts()["data"] == 0
    assert not again.stored
    site.asked.clear()
    old = table()
    site.comtrade.revised[792, "202203"] = 1
    revised = refresh.run(russia, **usual)
    asked = [path for kind, path in site.asked if kind == "data"]
    assert len(asked) == 1
    assert "period=202203&" in asked[0]
    assert len(revised.stored) == 1
    new = table()
    march = [
        f[(f["period"] == "2022-03-01") & (f["code"] == "TOTAL")].sort_values("flow")
        for f in (old, new)
    ]
    before, after = (f["value_usd"].to_numpy() for f in march)
    assert after / before == pytest.approx(1.001)
    assert len(new) == len(old)
    assert march[1]["vintage"].min() > march[0]["vintage"].max()
    assert store.verify() == []


def test_months_not_published_are_not_yet_and_never_asked(site: server.Site) -> None:
    late = {**YEAR, "start": "2025-10", "end": "2026-06"}
    outcome = refresh.run(small(), **late)
    assert "has not published 2026-01" in outcome.sentence()
    assert table()["period"].max() == pd.Timestamp("2025-12-01")
    assert not any("202601" in path for kind, path in site.asked if kind == "data")


def test_every_file_holds_its_proof_and_a_plan_names_what_is_missing(site: server.Site) -> None:
    refresh.run(small(), **YEAR)
    (raw,) = live()
    assert raw.query["proof"]["rows"] == raw.query["proof"]["count"] == len(table())
    assert raw.query["generated"]
    site.comtrade.revised[792, "202203"] = 1
    drawn = refresh.plan(small(), start="2022-01", end="2022-12", manners=QUICK)
    assert [call.periods for call in drawn.calls] == [("202203",)]


def test_a_plan_says_what_it_will_cost_before_anything_is_fetched(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = refresh.plan(manners=QUICK)
    assert site.counts() == {"availability": 1}
    assert drawn.table["data_calls"].sum() > 30
    assert "with a key" in drawn.words
    monkeypatch.delenv("COMTRADE_API_KEY")
    keyless = refresh.plan([pair("TUR", "RUS")], manners=QUICK)
    assert all(len(c.periods) == 1 for c in keyless.calls)
    assert "without a key" in keyless.words
    first = keyless.calls[0]
    assert first.periods == ("202101",)
    assert first.box.codes == ("TOTAL", "AG2")


def test_without_a_key_the_table_is_the_same(
    site: server.Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = [c[0] for c in trade.listed()[:3]]
    parts = [pair("TUR", "RUS"), *standard(listed)[1:3]]
    span = {**YEAR, "start": "2022-06", "end": "2022-07"}
    refresh.run(parts, **span)
    keyed = table()
    monkeypatch.delenv("COMTRADE_API_KEY")
    (tmp_path / "other" / "raw").mkdir(parents=True)
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path / "other"))
    site.asked.clear()
    refresh.run(parts, **span)
    keyless = table()
    assert {"public"} == {path.split("/")[1] for _, path in site.asked}
    assert all("," not in path.split("period=")[1].split("&")[0] for k, path in site.asked
               if k == "data")  # fmt: skip
    assert same(keyed.drop(columns="origin"), keyless.drop(columns="origin"))
    monkeypatch.setenv("COMTRADE_API_KEY", KEY)
    site.asked.clear()
    refresh.run(parts, **span)
    assert site.counts() == {"availability": 1}


def test_a_lower_cap_than_known_is_noticed_and_split(few_goods: server.Site) -> None:
    site = few_goods
    site.comtrade.caps = (500, 120)
    refresh.run([pair("TUR", "RUS")], **YEAR)
    proofs = [r.query["proof"] for r in live()]
    assert all(p["count"] == p["rows"] and p["replies"] >= 12 for p in proofs)
    cut = table()
    asked = dict.fromkeys(("partner2code", "motcode"), "0") | {
        "reportercode": "792", "partnercode": "643", "customscode": "C00", "flowcode": "M,X",
        "cmdcode": "TOTAL,AG2,AG6", "period": ",".join(f"2022{n:02d}" for n in range(1, 13)),
    }  # fmt: skip
    assert len(cut) == site.comtrade.count(asked)


def test_an_empty_reply_is_kept_for_some_days_only(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = [pair("TUR", "RUS", ["X"], ["010613"])]
    refresh.run(nothing, **YEAR)
    assert table().empty
    (raw,) = live()
    assert raw.rows == 0
    assert raw.query["expires"] > raw.accessed[:10]
    site.asked.clear()
    refresh.run(nothing, **YEAR)
    assert site.counts() == {"availability": 1}

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime(2100, 1, 1, tzinfo=tz)

    monkeypatch.setattr(question, "datetime", Clock)
    monkeypatch.setattr(pull, "_today", lambda: date(2100, 1, 1))
    refresh.run(nothing, **YEAR)
    assert site.counts()["count"] == 1


RECOVERS = {
    "429": 1, "429-bare": 2, "500": 3, "500-html": 2, "503": 1, "html": 1, "cut-gzip": 1,
    "cut": 1, "cut-json": 1, "reset": 2, "silence": 1, "dropped": 1,
}  # fmt: skip
RAISES: dict[str, tuple[type[TradeflowsError], str]] = {
    "401": (SourceUnavailable, "401"),
    "403": (QuotaExhausted, "quota"),
    "policy": (SourceUnavailable, "rejected by policy"),
    "404": (SourceUnavailable, "404"),
    "429-long": (QuotaExhausted, "pause"),
    "500": (SourceUnavailable, "4 times"),
    "html": (SourceUnavailable, "page instead of data"),
    "cut-gzip": (SourceUnavailable, "gzip"),
    "cut-json": (SourceUnavailable, "cut"),
    "reset": (SourceUnavailable, "connection"),
    "silence": (SourceUnavailable, "silence"),
    "no-data": (SchemaMismatch, "data"),
    "types": (SchemaMismatch, "primaryValue"),
    "numbers": (SchemaMismatch, "10391"),
    "column": (SchemaMismatch, "netWgt"),
    "negative": (SchemaMismatch, "negative"),
    "nonsense": (SchemaMismatch, "reporterCode"),
    "doubled": (SchemaMismatch, "share a key"),
    "claim": (SchemaMismatch, "claims"),
    "dropped": (TruncatedReply, "cannot be split"),
}


def _hasty(fault: str) -> dict[str, object]:
    return SPRING | {"manners": HASTY if fault == "silence" else QUICK}


@pytest.mark.parametrize("fault", RECOVERS)
def test_faults_that_pass(site: server.Site, fault: str) -> None:
    site.silence = 0.8
    site.faults.append(server.Fault(fault, RECOVERS[fault]))
    refresh.run(small(), **_hasty(fault))
    assert store.verify() == []
    assert len(table()) == sum(raw.query["proof"]["count"] for raw in live())


@pytest.mark.parametrize("fault", RAISES)
def test_faults_that_stay(site: server.Site, fault: str, tmp_path: Path) -> None:
    kind, words = RAISES[fault]
    site.silence = 0.8
    site.faults.append(server.Fault(fault, 10_000))
    with pytest.raises(kind, match=words) as caught:
        refresh.run(small(), **_hasty(fault))
    assert KEY not in f"{caught.value!r} {caught.value}"
    assert live() == []
    assert store.verify() == []
    assert not list(data_of(tmp_path).rglob("*.part"))
    site.faults.clear()
    if kind is QuotaExhausted:  # the next run of the day does not ask
        site.asked.clear()
        with pytest.raises(QuotaExhausted, match="not asked again") as caught:
            refresh.run(small(), **SPRING)
        assert not site.asked
        note = data_of(tmp_path) / "processed" / "refresh" / "calls-comtrade.json"
        assert str(note) in caught.value.todo
        note.unlink()
    refresh.run(small(), **SPRING)
    assert len(table()) == sum(raw.query["proof"]["count"] for raw in live())


def test_a_new_column_is_no_fault(site: server.Site) -> None:
    site.faults.append(server.Fault("extra", 1))
    refresh.run(small(), **SPRING)
    assert len(table()) > 0


def test_no_address_is_too_long(site: server.Site) -> None:
    many = [f"{n:06d}" for n in range(840_000, 840_500)]
    refresh.run([pair("TUR", "RUS", ["X"], many)], **SPRING | {"end": "2022-02"})
    assert max(len(path) for _, path in site.asked) < 1900


@pytest.mark.parametrize("kind", ["availability", "count", "metadata"])
def test_faults_of_the_smaller_calls(site: server.Site, kind: str) -> None:
    site.faults += [server.Fault("500", 2, kind), server.Fault("html", 1, kind)]
    refresh.run(small(), **SPRING)
    assert set(table()["trade_system"]) == {"general"}
    site.comtrade.revised[792, "202203"] = 1
    site.faults.append(server.Fault("no-data", 1, kind))
    if kind != "metadata":
        with pytest.raises((SchemaMismatch, TruncatedReply)):
            refresh.run(small(), **SPRING)
    refresh.run(small(), **SPRING)


def test_the_key_is_nowhere(
    site: server.Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts = []
    for fault in ("401", "403", "500", "html", "claim", "types", "reset", "cut"):
        site.faults[:] = [server.Fault(fault, 10_000)]
        with pytest.raises(TradeflowsError) as caught:
            refresh.run(small(), **SPRING)
        for note in tmp_path.rglob("calls-comtrade.json"):
            texts.append(note.read_text())
            note.unlink()
        error: BaseException | None = caught.value
        while error:
            texts.append(f"{error} {error!r}")
            error = error.__cause__ or error.__context__
    site.faults.clear()
    outcome = refresh.run(small(), **SPRING)
    texts += [
        caplog.text,
        repr(outcome),
        outcome.sentence(),
        repr(pull.connect(refresh.work_of(small(), "2022", None, QUICK))),
    ]
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(files) > 4
    texts += [p.read_bytes().decode("latin-1") for p in files] + [str(p) for p in files]
    texts += [path for _, path in site.asked]
    assert not any(KEY in text for text in texts)


@pytest.mark.usefixtures("site")
def test_a_reply_that_repeats_the_key_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMTRADE_API_KEY", "primaryValue")
    with pytest.raises(SourceUnavailable, match="repeats the key"):
        refresh.run(small(), **SPRING)
    assert live() == []


@pytest.mark.parametrize("key", ["two words", "line\nend", "ключ", "x" * 300])
def test_odd_keys_are_refused_without_being_shown(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMTRADE_API_KEY", key)
    with pytest.raises(UnknownCode) as caught:
        work.key_from("COMTRADE_API_KEY")
    assert key not in str(caught.value)


def test_a_redirect_never_takes_the_key_along(site: server.Site) -> None:
    site.others["/data/v1"] = lambda _path, _asked: (302, {"Location": "http://127.0.0.2:9/x"}, b"")
    with pytest.raises(SourceUnavailable, match="redirect"):
        refresh.run(small(), **YEAR)


def test_two_refreshes_at_once(site: server.Site) -> None:
    with work.locked(), pytest.raises(SourceUnavailable, match="another refresh"):
        refresh.run(small(), **YEAR)
    refresh.run(small(), **YEAR)
    assert site.counts()["data"] == 1


@pytest.mark.parametrize(
    ("fault", "until"), [("403", "in 03:14:17"), ("429-long", "40000"), ("403-bare", "midnight")]
)
def test_a_quota_is_asked_again_when_it_is_renewed(
    site: server.Site, monkeypatch: pytest.MonkeyPatch, fault: str, until: str
) -> None:
    site.faults.append(server.Fault(fault, 1))
    with pytest.raises(QuotaExhausted):
        refresh.run(small(), **SPRING)
    asked = len(site.asked)
    for run in (lambda: refresh.run(small(), **SPRING), lambda: refresh.plan(small())):
        with pytest.raises(QuotaExhausted, match="not asked again"):
            run()
    assert len(site.asked) == asked, until
    now = datetime.now(UTC)
    later = {"403": timedelta(hours=3, minutes=15), "429-long": timedelta(seconds=40_001)}
    soon = now + later.get(fault, timedelta(days=1))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return soon.astimezone(tz)

    monkeypatch.setattr(work, "datetime", Clock)
    refresh.run(small(), **SPRING)
    assert len(live()) == 1


def test_another_address_or_no_key_has_a_quota_of_its_own(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.faults.append(server.Fault("403", 1))
    with pytest.raises(QuotaExhausted):
        refresh.run(small(), **SPRING)
    with monkeypatch.context() as keyless:
        keyless.setenv("COMTRADE_API_KEY", "")
        refresh.run(small(), **SPRING)
    with server.Server(harness.site_of(site.world)) as other:
        monkeypatch.setenv("TRADEFLOWS_COMTRADE_URL", other.url)
        refresh.run([pair("TUR", "KAZ", codes=["TOTAL"])], **SPRING)
    assert set(table()["partner"]) == {"RUS", "KAZ"}


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("number", [13, 30])
def test_a_data_folder_that_may_not_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    for owner, name in ((filelock.FileLock, "acquire"), (Path, "mkdir")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, refused)
            with pytest.raises(SourceUnavailable, match=os.strerror(number)) as caught:
                refresh.run(small(), **SPRING)
        assert "may be written" in caught.value.expected


def test_a_year_is_all_its_months(site: server.Site) -> None:
    refresh.run(small(), **SPRING | {"start": "2022", "end": "2022"})
    assert table()["period"].nunique() == 12
    asked = len(site.asked)
    for start, end in (("2023-01", "2022-01"), ("2023", "2022-12"), ("2199", None)):
        with pytest.raises(UnknownCode, match="ends before it starts"):
            refresh.run(small(), **SPRING | {"start": start, "end": end})
    for start, end in (("2022Q1", "2022"), ("2022-13", "2022"), ("2022", "soon")):
        with pytest.raises(UnknownCode, match="window"):
            refresh.run(small(), **SPRING | {"start": start, "end": end})
    assert len(site.asked) == asked


@pytest.mark.usefixtures("site")
def test_who_does_not_report_and_what_is_not_published_is_said() -> None:
    for run in (refresh.run, refresh.plan):
        usual = {k: v for k, v in SPRING.items() if run is refresh.run or k != "sources"}
        with pytest.raises(SourceUnavailable, match=r"(?s)Dem. People's Rep. of Korea reports"):
            run([pair("PRK", "RUS", codes=["TOTAL"])], **usual)
        with pytest.raises(SourceUnavailable, match=r"Turkey has not published.*newest is 2025-12"):
            run(small(), **usual | {"start": "2026-03", "end": "2026-05"})
    both = [pair("TUR,PRK", "RUS", codes=["TOTAL"])]
    words = refresh.run(both, **SPRING).sentence()
    assert "1 new files" in words
    assert "Korea reports nothing to UN Comtrade" in words
    late = refresh.run(small(), **SPRING | {"start": "2025-12", "end": "2026-02"}).sentence()
    assert "Turkey has not published 2026-01, 2026-02; its newest is 2025-12." in late
    usual = refresh.run(small(), **SPRING | {"start": "2025-12", "end": None}).sentence()
    assert "Nothing new: all that is published is stored" in usual
    assert "has not published" not in usual
    empty = refresh.run([pair("TUR", "RUS", ["X"], ["010613"])], **SPRING).sentence()
    assert "0 rows: the publisher counts no trade" in empty


def test_retry_after_is_honoured_and_pace_is_kept(site: server.Site) -> None:
    site.faults.append(server.Fault("429", 1))
    began = time.monotonic()
    refresh.run(small(), **YEAR)
    assert time.monotonic() - began >= 1
    url = os.environ["TRADEFLOWS_COMTRADE_URL"]
    paced = Session("x", url, Manners(interval=0.1))
    began = time.monotonic()
    for _ in range(4):
        paced.get("public/v1/getDA/C/M/HS", "reporterCode=792&period=202201")
    assert time.monotonic() - began >= 0.3


def test_addresses_with_credentials_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("ftp://x", "https://user:pass@host", "nothing"):
        monkeypatch.setenv("TRADEFLOWS_COMTRADE_URL", wrong)
        with pytest.raises(UnknownCode) as caught:
            work.root_from("TRADEFLOWS_COMTRADE_URL", "https://comtradeapi.un.org")
        assert "pass" not in str(caught.value)


@pytest.mark.usefixtures("site")
def test_the_stand_in_runs_on_its_own() -> None:
    command = [sys.executable, "-m", "tests.standin", "--port", "0", "--scenario", "volume"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        url = next(line for line in lines if "COMTRADE_URL" in line).strip().partition("=")[2]
        reply = Session("x", url, QUICK).get("public/v1/getDA/C/M/HS", "reporterCode=792")
        assert reply.generated
        assert url.startswith("http://127.0.0.1:")
        process.terminate()


def test_one_bad_reply_does_not_stop_the_others(site: server.Site) -> None:
    parts = [*small(), pair("TUR", "KAZ", codes=["TOTAL"]), pair("TUR", "GEO", codes=["TOTAL"])]
    site.faults.append(server.Fault("doubled", 1))
    with pytest.raises(SchemaMismatch, match="share a key"):
        refresh.run(parts, **SPRING)
    assert set(table()["partner"]) == {"KAZ", "GEO"}
    site.asked.clear()
    refresh.run(parts, **SPRING)
    assert site.counts()["data"] == 1
    assert set(table()["partner"]) == {"KAZ", "GEO", "RUS"}


def test_metadata_that_is_not_there_leaves_the_system_unknown(site: server.Site) -> None:
    site.faults.append(server.Fault("404", 9, "metadata"))
    refresh.run(small(), **SPRING)
    assert set(table()["trade_system"]) == {"unknown"}


def test_a_revision_on_the_day_of_the_release_is_the_newest(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh.run(small(), **SPRING)
    plain = site.comtrade.availability

    def same_day(asked: dict[str, str]) -> dict[str, object]:
        told = plain(asked)
        for record in told["data"]:
            record["lastReleased"] = "2022-10-11T09:00:00"
        return told

    monkeypatch.setattr(site.comtrade, "availability", same_day)
    for times in (1, 2, 3):
        time.sleep(1.1)
        site.comtrade.revised[792, "202203"] = times
        refresh.run(small(), **SPRING)
        total = table(keep={"code": ["TOTAL"]})
        total = total[total["period"] == "2022-03-01"]
        asked = {"reportercode": "792", "partnercode": "643", "period": "202203",
                 "flowcode": "M,X", "cmdcode": "TOTAL"}  # fmt: skip
        frames = pd.concat(site.comtrade._frames(asked))
        assert sorted(total["value_usd"]) == sorted(frames["value"].unique())


def test_an_unknown_source_is_named() -> None:
    with pytest.raises(UnknownCode, match="wto"):
        refresh.run(small(), sources=("wto",))


class Killed(BaseException):
    """What no handler of ours catches."""


@pytest.fixture
def many_goods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data", trade.World(breadth=4, others=0)) as found:
        yield found


def test_what_was_answered_before_a_kill_is_not_asked_again(
    many_goods: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = many_goods
    monkeypatch.setenv("COMTRADE_API_KEY", "")  # splits, and prefixes that are stored together
    parts = [pair("TUR", "RUS"), pair("TUR", "KAZ", codes=["TOTAL", "010613"])]
    usual = {**SPRING, "end": "2022-02"}
    ask = Session.get
    left = 0

    def mortal(self: Session, *args: object, **options: object) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return ask(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "get", mortal)
    runs, done = 0, False
    while not done:
        left, runs = 6, runs + 1  # availability, and five more calls that are answered
        assert runs < 100
        try:
            refresh.run(parts, **usual)
            done = True
        except Killed:
            assert store.verify() == []
    assert runs > 3
    kinds = ("count", "data")
    asked = [path for kind, path in site.asked if kind in kinds]
    assert len(asked) == len(set(asked))
    left = 6
    site.asked.clear()
    assert not refresh.run(parts, **usual).stored
    assert site.counts() == {"availability": 1}
    assert any("*" in path for path in asked)
    asked_for = dict.fromkeys(("partner2code", "motcode"), "0") | {
        "reportercode": "792", "partnercode": "643", "customscode": "C00", "flowcode": "M,X",
        "cmdcode": "TOTAL,AG2,AG6", "period": "202202",
    }  # fmt: skip
    assert (table()["partner"] == "RUS").sum() == site.comtrade.count(asked_for)
    assert not list((store.folder().parent / "processed" / "refresh").glob("replies*"))


KILLED = """
from tradeflows.sources import refresh
from tradeflows.sources.comtrade.question import pair
from tradeflows.sources.work import Manners
refresh.run([pair("TUR", "RUS"), pair("TUR", "KAZ", codes=["TOTAL", "AG2"])], sources=("comtrade",),
            start="2022-01", end="2022-12", manners=Manners(interval=0, timeout=30, backoff=0.05))
"""


def _started(folder: Path) -> subprocess.Popen[bytes]:
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "TRADEFLOWS_DATA": str(folder)}
    return subprocess.Popen([sys.executable, "-c", KILLED], env=env, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_killed_anywhere_the_store_verifies_and_the_next_run_goes_on(
    few_goods: server.Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = few_goods
    site.comtrade.caps = (500, 700)  # splits, so that a kill may fall between the pieces
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path / "calm"))
    assert _started(tmp_path / "calm").wait(120) == 0
    expected, folder = table(), tmp_path / "torn"
    draw = random.Random(20220224)  # noqa: S311 - moments, not secrets
    kills, between = int(os.environ.get("TRADEFLOWS_KILLS", "2")), 0
    for number in range(kills):
        monkeypatch.setenv("TRADEFLOWS_DATA", str(folder))
        site.asked.clear()
        torn = _started(folder)
        while not site.asked and torn.poll() is None:
            time.sleep(0.005)  # it takes a while to start: that is no moment worth a kill
        time.sleep(draw.uniform(0, 0.5 if kills < 8 else 1.5))
        torn.send_signal(signal.SIGKILL)
        finished = torn.wait() == 0
        between += not finished
        assert store.verify() == []
        assert all(store.read(raw.id) for raw in live())
        if finished:
            assert same(table(), expected)
            folder = tmp_path / f"torn-{number}"
    assert between >= kills / 2
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("TRADEFLOWS_DATA", str(folder))
    site.asked.clear()
    before = {raw.url.partition("//")[2].partition("/")[2] for raw in live()}
    assert _started(folder).wait(120) == 0
    assert not before & {path.lstrip("/") for kind, path in site.asked if kind == "data"}
    assert store.verify() == []
    assert same(table(), expected)
    assert not list(folder.rglob("*.part"))
