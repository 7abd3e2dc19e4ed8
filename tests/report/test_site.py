import dataclasses
import html
import json
import math
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from verdict_rows import REPRODUCED

from dimlaws.claims.judging import Verdict
from dimlaws.claims.table import write_verdicts
from dimlaws.errors import ConfigError, CorruptFileError
from dimlaws.report import wording
from dimlaws.report.site import build_site
from dimlaws.seals import read_sealed_json, sha256, write_sealed_json

VOID = {"meta", "link", "img", "br", "hr", "input"}
HOSTILE = """Loss < 1 & "x" > 'y' </p><script>alert(1)</script> {{ 7*7 }}"""

VERDICTS = [
    REPRODUCED,
    dataclasses.replace(REPRODUCED, claim="ratio", statement="Second claim of the same figure."),
    dataclasses.replace(
        REPRODUCED,
        claim="hostile",
        chapter=11,
        statement=HOSTILE,
        judge="two-sided",
        expected_low=-0.25,
        expected_high=0.25,
        published=None,
        published_source="none",
        estimate=0.01,
        ci_low=-0.1,
        ci_high=0.1,
        verdict="refuted",
        reason="inside <the> null band",
        experiment="other",
        figure="",
    ),
    dataclasses.replace(
        REPRODUCED,
        claim="undecided",
        chapter=2,
        estimate=math.nan,
        ci_low=math.nan,
        ci_high=math.nan,
        n=1,
        verdict="inconclusive",
        reason="too few seeds",
        figure="missing",
    ),
]


class Page(HTMLParser):
    """Records tags; fails where an end tag does not close the last open one."""

    def __init__(self, file: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.file = file
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"repeated attribute in {tag}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        raise AssertionError(f"self-closing {tag} is not HTML")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, tag: str, attribute: str) -> list[str]:
        return [a[attribute] or "" for t, a in self.tags if t == tag and attribute in a]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_plan(folder: Path, index: dict[str, object], claims: dict[str, object]) -> None:
    text = json.dumps(claims)
    write(folder / "claims.json", text)
    checksums = {"claims": sha256(text.encode())}
    write_sealed_json(folder / "index.json", {**index, "checksums": checksums})


def inputs(root: Path, verdicts: list[Verdict]) -> tuple[Path, Path, Path]:
    results, config = root / "results", root / "config"
    folder = results / "quick"
    write(
        config / "papers.yaml",
        "konz: {title: 'A <b>', authors: 'N Konz, M Mazurowski', year: 2024, "
        "identifier: 'arXiv:2401.08865'}\n",
    )
    experiments = {}
    for name in sorted({row.experiment for row in verdicts}):
        write(config / "experiment" / f"{name}.yaml", "")
        figures = {"curve": "dimlaws.figures.curve.draw"} if name == "scaling" else {}
        index = {"name": name, "description": "A & B", "figures": figures}
        claims = {r.claim: {"region_source": "ours"} for r in verdicts if r.experiment == name}
        write_plan(folder / name / "plan", index, claims)
        seconds = {"wall_seconds": 90.0, "cpu_seconds": 45.0}
        experiments[name] = {
            "runs": 6,
            "diverged_runs": 1,
            "seeds": [0, 1, 2],
            "data_sha256": {"mnist": "ab12"},
            "batches": {
                "a" * 12: {"train": seconds, "measure": seconds},
                "b" * 12: {"train": None, "simulate": seconds, "measure": None},
            },
        }
    provenance = {
        "git": {"commit": "c0ffee", "dirty": True},
        "packages": {"dimlaws": "0.1.0", "torch": "2.0", "absent": None},
        "machine": {
            "cpu": None,
            "cores": 8,
            "cores_usable": 2,
            "memory_bytes": 2**33,
            "platform": "Linux",
        },
        "threads": {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": None},
        "experiments": experiments,
    }
    write_sealed_json(folder / "provenance.json", provenance)
    write(folder / "figures" / "curve.svg", "<svg xmlns='http://www.w3.org/2000/svg'></svg>")
    write(folder / "figures" / "curve.csv", "x,y\n")
    write(folder / "figures" / "curve.pdf", "")
    write_verdicts(folder / "verdicts.csv", verdicts)
    return results, config, folder / "report" / "index.html"


@pytest.fixture
def site(tmp_path: Path) -> dict[str, Page]:
    results, config, output = inputs(tmp_path, VERDICTS)
    build_site("quick", results, config, output)
    return {file.name: Page(file) for file in output.parent.glob("*.html")}


def test_pages_are_those_with_claims(site):
    assert set(site) == {"index.html", "chapter-2.html", "chapter-11.html"}
    for page in site.values():
        assert len(page.ids) == len(set(page.ids))
        assert page.values("html", "lang") == ["en"]
        assert len([tag for tag, _ in page.tags if tag == "h1"]) == 1


def test_every_link_and_image_exists(site):
    for page in site.values():
        links = page.values("a", "href") + page.values("img", "src") + page.values("link", "href")
        for link in links:
            parts = urlsplit(link)
            if parts.scheme:
                assert link == "https://arxiv.org/abs/2401.08865"
                continue
            target = page.file.parent / parts.path if parts.path else page.file
            assert target.is_file(), link
            if parts.fragment:
                assert parts.fragment in site[target.name].ids, link


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(site):
    for page in site.values():
        tags = {tag for tag, _ in page.tags}
        assert not tags & {"script", "iframe", "object", "embed", "base"}
        loaded = page.values("img", "src") + page.values("link", "href")
        assert all(not urlsplit(link).scheme for link in loaded)
        assert not any(key.startswith("on") for _, a in page.tags for key in a)
    style = site["index.html"].file.with_name("style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_every_claim_stands_once_on_the_scoreboard_and_once_in_its_chapter(site):
    for row in VERDICTS:
        anchor = f"{row.experiment}-{row.claim}"
        link = f"chapter-{row.chapter}.html#{anchor}"
        assert site["index.html"].values("a", "href").count(link) == 1
        articles = [page.file.name for page in site.values() if anchor in page.ids]
        assert articles == [f"chapter-{row.chapter}.html"]


def test_scoreboard_stands_first_and_counts(site):
    page = site["index.html"]
    headings = [identifier for identifier in page.ids if identifier in page.text.lower()]
    assert headings.index("scoreboard") < headings.index("experiments")
    assert "4 claims were judged, 3 of them with an interval" in page.text
    # Three intervals, each of which misses the truth with probability 0.05.
    assert "at most 0.15 wrong verdicts are expected (5 % of 3)" in page.text
    for name, count in {"reproduced": 2, "refuted": 1, "inconclusive": 1}.items():
        assert f"{count} " in page.text
        assert page.text.count(name) >= count + 1
    # Claims, reproduced, refuted, inconclusive.
    assert "2. Data ID and generalization 3 2 0 1" in page.text
    assert "11. Latent recovery 1 0 1 0" in page.text
    shares = [style for style in page.values("span", "style") if style]
    assert shares == ["width: 66.67%", "width: 33.33%", "width: 100.00%"]


def test_hostile_text_is_shown_as_text(site):
    shown = " ".join(HOSTILE.split())
    for name in ("index.html", "chapter-11.html"):
        assert shown in site[name].text
        assert "<script" not in site[name].file.read_text()
    assert html.escape("inside <the> null band") in site["chapter-11.html"].file.read_text()


def test_chapter_says_all_that_belongs_to_a_claim(site):
    text = site["chapter-2.html"].text
    for part in (
        "1.2 (95 % interval 1.1 to 1.3, 5 seeds)",
        "at least 0.9 (source: ours)",
        "1.25 (Table 3)",
        "inconclusive: too few seeds",
        "(1 seed, no interval)",
        "exponent_ratio",
        "threshold",
        "The figure missing has not been drawn.",
        "snakemake --cores 2 --config scale=quick -- results/quick/scaling/verdicts.csv",
    ):
        assert part in text
    # A figure that two claims share is drawn once, and named at the second.
    assert site["chapter-2.html"].values("img", "src") == ["../figures/curve.svg"]
    assert all(site["chapter-2.html"].values("img", "alt"))
    other = site["chapter-11.html"].text
    assert f"outside {wording.MINUS}0.25 to 0.25" in other
    assert "no number" in other


def test_tables_have_captions_and_scoped_headers(site):
    page = site["index.html"]
    tags = [tag for tag, _ in page.tags]
    # Chapters, the claims of each of two chapters, experiments.
    assert tags.count("table") == tags.count("caption") == 4
    assert len(page.values("th", "scope")) == tags.count("th")


def test_provenance_is_summed_up(site):
    text = site["index.html"].text
    assert "commit c0ffee , with uncommitted changes" in text
    assert "2 of 8 cores, 8.0 GiB" in text
    assert "mnist: sha256 ab12" in text
    assert "absent" not in text
    # Three stages of 90 s wall and 45 s CPU time.
    assert "6 2 3 1 4.5 min 2.2 min" in text


def test_same_input_gives_same_bytes_and_stale_pages_go(tmp_path):
    results, config, output = inputs(tmp_path, VERDICTS)
    write(output.parent / "chapter-7.html", "old")
    build_site("quick", results, config, output)
    first = {file.name: file.read_bytes() for file in output.parent.iterdir()}
    build_site("quick", results, config, output)
    assert {file.name: file.read_bytes() for file in output.parent.iterdir()} == first
    assert set(first) == {"index.html", "style.css", "chapter-2.html", "chapter-11.html"}


def test_scale_without_decided_claims(tmp_path):
    undecided = [row for row in VERDICTS if row.verdict == "inconclusive"]
    results, config, output = inputs(tmp_path, undecided)
    build_site("quick", results, config, output)
    assert "no verdict can be wrong" in Page(output).text


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"paper": "kons"}, ConfigError, "did you mean 'konz'"),
        ({"chapter": 13}, ConfigError, "no chapter 13; valid: 1 to 12"),
    ],
)
def test_faults_are_named(tmp_path, change, error, words):
    results, config, output = inputs(tmp_path, [dataclasses.replace(REPRODUCED, **change)])
    with pytest.raises(error, match=words):
        build_site("quick", results, config, output)
    assert not output.exists()


def test_verdict_without_a_plan_is_refused(tmp_path):
    results, config, output = inputs(tmp_path, VERDICTS)
    folder = results / "quick" / "scaling" / "plan"
    write_plan(folder, read_sealed_json(folder / "index.json"), {})
    with pytest.raises(CorruptFileError, match="'exponent' is not in the plan"):
        build_site("quick", results, config, output)
