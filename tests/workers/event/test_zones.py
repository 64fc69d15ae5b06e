from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tzlocal.windows_tz import win_tz

from workers.event.zones import UnknownZone, instant, to_iana, to_windows, wall_clock


@pytest.mark.parametrize(
    ("name", "iana", "windows"),
    [
        ("Pacific Standard Time", "America/Los_Angeles", "Pacific Standard Time"),
        ("pacific standard time", "America/Los_Angeles", "Pacific Standard Time"),
        ("America/Los_Angeles", "America/Los_Angeles", "Pacific Standard Time"),
        ("america/los_angeles", "America/Los_Angeles", "Pacific Standard Time"),
        ("Europe/Vienna", "Europe/Vienna", "W. Europe Standard Time"),
        ("Asia/Calcutta", "Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "Asia/Kolkata", "India Standard Time"),
        ("UTC", "Etc/UTC", "UTC"),
        ("GMT", "Etc/UTC", "UTC"),
        ("Z", "Etc/UTC", "UTC"),
        ("tzone://Microsoft/Utc", "Etc/UTC", "UTC"),
        ("Kamchatka Standard Time", "Asia/Kamchatka", "Russia Time Zone 11"),
        ("Mid-Atlantic Standard Time", "Etc/GMT+2", "UTC-02"),
        ("EST5EDT", "America/New_York", "Eastern Standard Time"),
        ("CST6CDT", "America/Chicago", "Central Standard Time"),
        ("MST7MDT", "America/Denver", "Mountain Standard Time"),
        ("PST8PDT", "America/Los_Angeles", "Pacific Standard Time"),
        ("US/East-Indiana", "America/Indiana/Indianapolis", "US Eastern Standard Time"),
        ("Europe/Uzhgorod", "Europe/Kyiv", "FLE Standard Time"),
        ("Europe/Zaporozhye", "Europe/Kyiv", "FLE Standard Time"),
        ("Customized Time Zone", None, None),
        ("tzone://Microsoft/Custom", None, None),
        ("Mars/Olympus", None, None),
        ("../etc/passwd", None, None),
        ("America", None, None),
        ("localtime", None, None),
        ("", None, None),
        ("a\0b", None, None),
    ],
)
def test_a_zone_has_both_names(name: str, iana: str | None, windows: str | None) -> None:
    assert (to_iana(name), to_windows(name)) == (iana, windows)


@pytest.mark.parametrize("name", ["America/Scoresbysund", "Antarctica/Casey", "Antarctica/Vostok", "Europe/Dublin"])
def test_the_windows_name_of_a_zone_is_one_whose_clocks_show_the_same(name: str) -> None:
    for month in (1, 7):
        moment = datetime(2026, month, 1, tzinfo=UTC)
        shown = moment.astimezone(ZoneInfo(name)).replace(tzinfo=None).isoformat()
        assert wall_clock(moment, to_windows(name) or "") == shown == wall_clock(moment, name)


def test_every_windows_zone_has_rules_and_its_own_name_back() -> None:
    for name in win_tz:
        assert to_windows(name) == name
        assert wall_clock(datetime(2026, 7, 1, tzinfo=UTC), name)
        assert to_windows(to_iana(name) or "") == name


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2026-12-01T09:00:00", "Pacific Standard Time", "2026-12-01T17:00:00+00:00"),
        ("2026-07-01T09:00:00.0000000", "Europe/Berlin", "2026-07-01T07:00:00+00:00"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T02:30:00+01:00", "Europe/Berlin", "2026-10-25T01:30:00+00:00"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
    ],
    ids=["winter", "seven digits", "a fold is its first moment", "or its second", "a gap keeps the offset from before"],
)
def test_a_wall_clock_is_a_moment(wall: str, zone: str, moment: str) -> None:
    assert instant(wall, zone) == datetime.fromisoformat(moment)
    assert instant(wall, zone).tzinfo is UTC


def test_a_wall_clock_in_a_gap_shows_the_hour_after() -> None:
    assert wall_clock(instant("2026-03-29T02:30:00", "Europe/Berlin"), "Europe/Berlin") == "2026-03-29T03:30:00"


@pytest.mark.parametrize(
    ("wall", "zone"),
    [
        ("2026-12-01T09:00:00Z", "Tokyo Standard Time"),
        ("2026-12-01T09:00:00+09:00", "Tokyo Standard Time"),
        ("2026-10-25T02:30:00+02:00", "Europe/Berlin"),
        ("2026-10-25T02:30:00+09:00", "Europe/Berlin"),
        ("2026-03-29T02:30:00+01:00", "Europe/Berlin"),
        ("2026-12-01T09:00:00Z", "UTC"),
        ("0001-01-01T00:00:00+09:00", "UTC"),
        ("0001-01-01", "Tokyo Standard Time"),
        ("tomorrow", "UTC"),
        ("", "UTC"),
    ],
)
def test_what_is_no_wall_clock_is_refused(wall: str, zone: str) -> None:
    with pytest.raises(ValueError):
        instant(wall, zone)


def test_a_wall_clock_shows_whole_seconds() -> None:
    assert wall_clock(datetime(2026, 12, 1, 9, 0, 0, 500_000, tzinfo=UTC), "UTC") == "2026-12-01T09:00:00"


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(UnknownZone, match="there is no time zone named 'Mars/Olympus'"):
        instant("2026-12-01T09:00:00", "Mars/Olympus")
    with pytest.raises(UnknownZone, match="Mars/Olympus"):
        wall_clock(datetime(2026, 1, 1, tzinfo=UTC), "Mars/Olympus")


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        wall_clock(datetime(2026, 1, 1), "UTC")


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    zone=st.sampled_from(sorted(win_tz)),
)
def test_a_moment_survives_its_wall_clock(moment: datetime, zone: str) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert instant(wall_clock(aware, zone), zone) == aware


@given(minutes=st.integers(0, 240), zone=st.sampled_from(["Europe/Vienna", "Azores Standard Time", "Europe/London"]))
def test_a_moment_in_the_night_in_which_an_hour_happens_twice_survives_its_wall_clock(minutes: int, zone: str) -> None:
    moment = datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(minutes=minutes)
    assert instant(wall_clock(moment, zone), zone) == moment
