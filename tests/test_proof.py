import subprocess
from pathlib import Path

from tests.proof import commit, machine, put, today


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


def test_code_that_differs_from_its_commit_is_told_as_such_and_a_page_that_differs_is_not(tmp_path: Path) -> None:
    def git(*asked: str) -> None:
        who = ("-c", "user.name=Anna", "-c", "user.email=anna@contoso.com")
        subprocess.run(("git", *who, *asked), cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "ops" / "proof").mkdir(parents=True)
    code, page, picture = (tmp_path / name for name in ("code.py", "ops/PROOF.md", "ops/proof/idle.svg"))
    git("init")
    for file in (code, page, picture):
        file.write_text("before")
    git("add", ".")
    git("commit", "--message", "The first")
    clean = commit(tmp_path)
    assert len(clean) >= 7
    for file in (page, picture):
        file.write_text("after")
    assert commit(tmp_path) == clean
    code.write_text("after")
    assert commit(tmp_path) == f"{clean}-dirty"


def test_where_there_is_no_history_the_commit_is_unknown(tmp_path: Path) -> None:
    assert commit(tmp_path) == "unknown"
