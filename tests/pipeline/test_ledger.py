import pytest

from tamis.hashing.errors import LedgerError, LossAlarm
from tamis.pipeline.config import Alarm
from tamis.pipeline.ledger import Amount, Ledger, SourceLedger


def source(read, kept, exact=0, bad=0):
    return SourceLedger(
        Amount(read, read * 10, read * 2),
        Amount(kept, kept * 10, kept * 2),
        {"exact": Amount(exact, exact * 10, exact * 2)},
        {"null-text": Amount(bad, bad * 10, bad * 2)},
        emitted=Amount(kept, kept * 10, kept * 2),
    )


def sampled(read, unsampled, repeated, emitted):
    """Return a source of which nothing was dropped, in rows of ten bytes and two tokens."""
    amounts = [Amount(n, n * 10, n * 2) for n in (read, read, unsampled, repeated, emitted)]
    return SourceLedger(amounts[0], amounts[1], unsampled=amounts[2], repeated=amounts[3], emitted=amounts[4])


def test_a_balanced_ledger_passes():
    ledger = Ledger({"a": source(10, 6, 3, 1), "b": source(5, 5)}, emitted_rows=11)
    ledger.check(rows_read=15)
    assert ledger.total.read == Amount(15, 150, 30)
    assert ledger.total.accounted == Amount(15, 150, 30)


@pytest.mark.parametrize(
    ("ledger", "rows_read", "message"),
    [
        (Ledger({"a": source(10, 6, 3, 0)}, emitted_rows=6), 10, "source 'a'"),
        (
            Ledger({"a": source(10, 7, 3, 0)}, emitted_rows=6),
            10,
            "is in the shards; found 7 rows against 6",
        ),
        (
            Ledger({"a": sampled(10, 4, 1, 6)}, emitted_rows=6),
            10,
            "source 'a' was written or not sampled",
        ),
        (Ledger({"a": source(10, 7, 3, 0)}, emitted_rows=7), 11, "every physical record became a row; found 11"),
    ],
)
def test_an_unbalanced_ledger_fails(ledger, rows_read, message):
    with pytest.raises(LedgerError, match=message):
        ledger.check(rows_read=rows_read)


def test_what_is_left_out_and_repeated_balances():
    Ledger({"a": sampled(10, 4, 3, 9), "b": source(5, 5)}, emitted_rows=14).check(rows_read=15)


def test_bytes_must_balance_too():
    lost = source(10, 7, 3)
    lost.kept.bytes -= 1
    with pytest.raises(LedgerError):
        Ledger({"a": lost}, emitted_rows=7).check()


def test_the_alarm_rings_above_its_share_only():
    ledger = Ledger({"gone": source(100, 9, 91), "edge": source(100, 10, 90), "small": source(99, 0, 99)})
    assert ledger.alarms(Alarm()) == ["gone"]
    with pytest.raises(LossAlarm, match="'gone' lost 91 of 100 rows .91.0%.*--allow-loss 'gone'"):
        ledger.raise_alarm(Alarm(), allowed=("edge",))
    ledger.raise_alarm(Alarm(), allowed=("gone",))


def test_quarantined_rows_ring_the_alarm_too():
    ledger = Ledger({"unread": source(100, 4, 50, 46), "read": source(100, 60, 0, 40)})
    assert ledger.alarms(Alarm()) == ["unread"]
    with pytest.raises(LossAlarm, match="'unread' lost 96 of 100 rows .96.0%, 46 of them quarantined."):
        ledger.raise_alarm(Alarm(), allowed=())


def test_an_allowance_for_a_source_that_is_not_there_is_told_of():
    ledger = Ledger({"gone.jsonl": source(100, 0, 100)})
    with pytest.raises(LossAlarm, match="no source is called 'gone', 'b'"):
        ledger.raise_alarm(Alarm(), allowed=("gone", "b"))


def test_plain_data_and_back():
    ledger = Ledger({"b": source(5, 5), "a": source(10, 6, 3, 1)}, emitted_rows=11, capped_rows=2)
    assert Ledger.from_dict(ledger.as_dict()) == ledger
    assert list(ledger.as_dict()["sources"]) == ["a", "b"]
