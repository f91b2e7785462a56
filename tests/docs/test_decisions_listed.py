"""docs/decisions/README.md lists every page by its number and title, and no others."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"


def test_every_decision_is_listed_by_its_title() -> None:
    pages = sorted(FOLDER.glob("[0-9]*.md"))
    titles = [(page.name, page.read_text().splitlines()[0].removeprefix("# ")) for page in pages]
    expected = [f"{number}. [{title}]({name})" for name, (number, title) in ((n, t.split(". ", 1)) for n, t in titles)]
    listed = [line for line in (FOLDER / "README.md").read_text().splitlines() if line[:1].isdigit()]
    assert listed == expected, "each page has its line in docs/decisions/README.md: <number>. [<title>](<file>)"
