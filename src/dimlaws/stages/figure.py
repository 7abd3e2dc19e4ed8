"""Drawing one figure in three formats, with the numbers drawn beside it."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

from dimlaws.figures.style import FORMATS, STYLE
from dimlaws.instantiate import configured
from dimlaws.plan.checked import read_plan_file
from dimlaws.stages.records import read_records
from dimlaws.storage import replacing


def draw_figure(plan: Path, runs: Sequence[Path], output: Path) -> None:
    """Draw the figure of a plan file from the tables of its experiments.

    Writes ``output`` with each suffix of ``FORMATS``, and ``.csv``; equal input gives equal bytes.
    Raises ``CorruptFileError`` if a file that it reads is damaged.
    """
    node = read_plan_file(plan)
    # The experiment that the table belongs to is the name of its folder.
    tables = {file.parent.name: read_records(file)[0] for file in runs}
    draw = configured({key: value for key, value in node.items() if key != "experiments"})
    matplotlib.use("Agg")
    with plt.style.context(STYLE):
        figure, numbers = draw(tables)
        for suffix, metadata in FORMATS.items():
            with replacing(output.with_suffix(f".{suffix}")) as temporary:
                figure.savefig(temporary, format=suffix, metadata=metadata)
        plt.close(figure)
    with replacing(output.with_suffix(".csv")) as temporary:
        numbers.to_csv(temporary, index=False, float_format="%.6g")
