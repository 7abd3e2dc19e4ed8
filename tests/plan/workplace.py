"""A configuration with one small experiment, and its plan."""

import shutil
from pathlib import Path

from dimlaws.plan.files import plan_all
from dimlaws.storage import read_json

SHIPPED = Path(__file__).parents[2] / "config"

EXPERIMENT = """\
# @package _global_
defaults:
  - /measure@measures.generalization: generalization
  - override /data: manifold
  - override /model: mlp
  - override /training: adam

description: Test loss against width.

sizes:
  smoke: {widths: "4,8"}
  quick: {widths: "4,8,16"}
  paper: {widths: "4,8,16"}
size: ${sizes.${scale.name}}

data:
  kind: torus
  intrinsic_dim: 2
  ambient_dim: 8
model:
  depth: 1
training:
  loss: mse
  steps: 50

hydra:
  sweeper:
    params:
      model.width: ${size.widths}
      data.train_size: 32,64
      seed: 0,1

claims:
  loss-falls:
    paper: bahri
    chapter: 2
    statement: Test loss falls with width.
    quantity:
      _target_: dimlaws.claims.quantities.exponents.log_slope
      measure: generalization
      quantity: test_loss
      x: model.width
    judge: sign
    expected: [null, 0]
    region_source: theory
    figure: widths

figures:
  widths:
    _target_: dimlaws.figures.generalization_vs_width.draw
    intrinsic_dim: 2
    wide: [4, 8]
    resolved: [4, 8]
"""


class Workplace:
    """A configuration with one small experiment ``widths``, and its plan."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config"
        self.results = folder / "results"
        self.experiment = self.config / "experiment" / "widths.yaml"

    @classmethod
    def new(cls, folder: Path) -> "Workplace":
        workplace = cls(folder)
        ignored = shutil.ignore_patterns("experiment")
        shutil.copytree(SHIPPED, workplace.config, ignore=ignored)
        workplace.experiment.parent.mkdir()
        workplace.experiment.write_text(EXPERIMENT)
        return workplace

    def edit(self, old: str, new: str, file: Path | None = None) -> None:
        path = file or self.experiment
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        path.write_text(text.replace(old, new))

    def plan(self, scale: str = "smoke"):
        return plan_all(self.config, self.results, scale, write=True)

    def files(self) -> dict[str, bytes]:
        """Return the plan files by name, but for the indices, which hold a digest of it all."""
        return {
            str(file.relative_to(self.results)): file.read_bytes()
            for file in sorted(self.results.rglob("*.json"))
            if file.name != "index.json"
        }

    def batches(self) -> dict[str, list[dict]]:
        """Return the runs of each batch at scale smoke."""
        folder = self.results / "smoke" / "widths" / "plan"
        index = read_json(folder / "index.json")
        return {batch: read_json(folder / f"{batch}.json")["runs"] for batch in index["batches"]}

    def ids(self) -> set[str]:
        return {run["id"] for runs in self.batches().values() for run in runs}
