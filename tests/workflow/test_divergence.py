"""A run that diverges is recorded, and its neighbours in the batch do not notice."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from dimlaws.claims.table import read_verdicts
from dimlaws.storage import read_arrays

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

WIDTHS = "results/quick/widths"


def test_a_diverging_run(finished, project):
    project.edit(
        "config/experiment/widths.yaml",
        "      seed: 0,1,2",
        "      training.learning_rate: 1.0e-3,1.0e+30\n      seed: 0,1,2",
    )
    shutil.rmtree(project / WIDTHS / "store")
    done = project.make()
    assert done.jobs["train"] == 2

    for log in (project / WIDTHS / "logs/train").glob("*.log"):
        text = log.read_text()
        assert "12 runs: 12 to train, 0 known" in text
        assert "6 of 12 runs diverged" in text
    for file in (finished / WIDTHS / "trained").iterdir():
        alone, known = read_arrays(file)
        together, metadata = read_arrays(project / WIDTHS / "trained" / file.name)
        ids = json.loads(metadata["ids"])
        place = [ids.index(run) for run in json.loads(known["ids"])]
        others = [i for i in range(12) if i not in place]
        assert (together["diverged_step"][place] == -1).all()
        assert (together["diverged_step"][others] >= 0).all()
        for name, array in alone.items():
            if name.startswith("params/"):
                # Sums in a batch of another size round differently; 100 steps let that grow.
                np.testing.assert_allclose(together[name][place], array, rtol=1e-3, atol=1e-5)
                assert np.isnan(together[name][others]).all()

    runs = pd.read_parquet(project / WIDTHS / "runs.parquet")
    diverged = runs["training.learning_rate"] == 1e30
    assert runs[diverged]["run"].nunique() == 12
    losses = runs["quantity"] == "test_loss"
    assert runs[diverged & losses]["value"].isna().all()
    assert runs[~diverged & losses]["value"].notna().all()
    before = pd.read_parquet(finished / WIDTHS / "runs.parquet")
    key = ["run", "measure", "quantity"]
    expected = before.set_index(key)["value"]
    found = runs.set_index(key)["value"].loc[expected.index]
    pd.testing.assert_series_equal(found, expected, rtol=1e-3, atol=1e-5)

    verdicts = {row.claim: row for row in read_verdicts(project / "results/quick/verdicts.csv")}
    verdict = verdicts["loss-falls-with-width"]
    assert verdict.verdict == "inconclusive"
    assert "diverged" in verdict.reason
    provenance = json.loads((project / "results/quick/provenance.json").read_text())
    assert provenance["experiments"]["widths"]["diverged_runs"] == 12
