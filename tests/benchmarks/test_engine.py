import pytest

from tests.benchmarks.measure.engine import Cost


def test_the_store_is_counted_only_where_it_is_said() -> None:
    cost = Cost(put_in=0.3, worked=1.0, store=0.6, per_second=500)
    assert cost.cpu == pytest.approx(1.3) and cost.with_store == pytest.approx(1.9)
