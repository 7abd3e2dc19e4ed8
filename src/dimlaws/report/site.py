"""The site: an index with the scoreboard, and a page for each chapter that has claims."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dimlaws.report import wording
from dimlaws.report.content import gather
from dimlaws.storage import write_text

TEMPLATES = Path(__file__).parent / "templates"


def build_site(scale: str, results: Path, config: Path, output: Path) -> None:
    """Write the pages of a scale; ``output`` is the index, the others stand beside it.

    Pages link to the figures and tables of ``results/<scale>`` by relative paths, so the folder
    can be copied whole and read offline.

    Raises
    ------
    ConfigError
        if a claim names a paper or a chapter that does not exist.
    CorruptFileError
        if a file is damaged, or the verdicts and the plans do not belong together.
    """
    content = gather(scale, results, config)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["memory"] = wording.memory
    page = environment.get_template("chapter.html.j2")
    pages = {
        chapter.page: page.render(content=content, chapter=chapter) for chapter in content.chapters
    }
    index = environment.get_template("index.html.j2").render(content=content)
    folder = output.parent
    write_text(folder / "style.css", (TEMPLATES / "style.css").read_text(encoding="utf-8"))
    for name, text in pages.items():
        write_text(folder / name, text)
    for file in folder.glob("chapter-*.html"):
        if file.name not in pages:
            file.unlink()
    # Written last: its presence says that every page that it links to is in place.
    write_text(output, index)
