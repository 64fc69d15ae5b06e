"""The data of a job; its moves are tested with the store."""

from workers.job import TITLES


def test_every_class_of_the_contract_has_a_title() -> None:
    assert TITLES.keys() == {
        "conflict", "refused", "notFound", "accessDenied", "throttled", "unavailable", "unknownOutcome", "expired",
        "internal",
    }  # fmt: skip
