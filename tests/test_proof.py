from pathlib import Path

from tests.proof import machine, put, today


def test_only_its_own_part_of_the_page_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "PROOF.md"
    page.write_text("# Proof\n\nbefore\n\n<!-- bench -->\nof last week\n<!-- /bench -->\n\nafter\n")
    put(page, "bench", "of today\n")
    assert page.read_text() == "# Proof\n\nbefore\n\n<!-- bench -->\nof today\n<!-- /bench -->\n\nafter\n"


def test_a_part_that_is_new_comes_last_and_a_page_that_is_new_has_a_title(tmp_path: Path) -> None:
    page = tmp_path / "PROOF.md"
    put(page, "chaos", "first")
    put(page, "bench", "second")
    put(page, "chaos", "third")
    assert page.read_text() == (
        "# Proof\n\n<!-- chaos -->\nthird\n<!-- /chaos -->\n\n<!-- bench -->\nsecond\n<!-- /bench -->\n"
    )


def test_a_page_says_when_and_on_what_it_was_made() -> None:
    assert today().startswith("20")
    told = machine(["redis", "no-such-package"])
    assert "cores" in told and "no-such-package not installed" in told
