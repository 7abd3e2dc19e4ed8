from pathlib import Path

import pytest

from dimlaws.claims.chapters import CHAPTERS
from dimlaws.errors import ConfigError
from dimlaws.report.content import read_papers

CONFIG = Path(__file__).parents[2] / "config"


def test_committed_papers_are_whole():
    papers = read_papers(CONFIG / "papers.yaml")
    assert papers["konz-intrinsic"].short == "Konz & Mazurowski 2024"
    assert papers["facco-twonn"].url == "https://doi.org/10.1038/s41598-017-11873-y"
    for key, paper in papers.items():
        assert paper.url is not None or key == "dimlaws", key
        assert 1950 <= paper.year <= 2026
        assert all(paper.authors.split(", "))


def test_paper_with_an_unknown_field_is_refused(tmp_path):
    (tmp_path / "papers.yaml").write_text("a: {title: t, authors: b, yeer: 2000, identifier: c}")
    with pytest.raises(ConfigError, match="a: exactly title"):
        read_papers(tmp_path / "papers.yaml")


def test_identifier_that_is_no_address_is_not_linked(tmp_path):
    (tmp_path / "papers.yaml").write_text(
        "a: {title: t, authors: b, year: 2000, identifier: 'javascript:alert(1)'}"
    )
    assert read_papers(tmp_path / "papers.yaml")["a"].url is None


def test_chapters_are_twelve():
    assert list(CHAPTERS) == list(range(1, 13))
