import numpy as np
import pytest

from dimlaws.claims.quantities.extremes import largest_ratio_of_minimizers, place_of_largest
from dimlaws.claims.records import Records, Undecidable

RATES = 2.0 ** np.arange(-3, 4)
OPTIONS = {"measure": "loss", "quantity": "test", "x": "rate"}


def records(rows, places):
    """Losses whose logarithm is a parabola in the logarithm of the rate, lowest at ``places``."""
    keys = [{"data.width": w, "rate": r} for w in range(len(places)) for r in RATES]
    losses = [0.5 * np.exp(np.log(rate / place) ** 2) for place in places for rate in RATES]
    return Records(rows(keys, np.array(losses)[:, None] * [[1.0, 3.0]]))


def test_ratio_of_places_of_parabolas(rows):
    found = largest_ratio_of_minimizers(records(rows, [0.7, 1.9, 1.1]), **OPTIONS)
    assert found == pytest.approx(1.9 / 0.7, rel=1e-9)
    found = largest_ratio_of_minimizers(records(rows, [0.7]), **OPTIONS)
    assert found == pytest.approx(1)


def test_equal_losses_lie_in_the_middle(rows):
    keys = [{"rate": rate} for rate in RATES]
    values = np.array([3.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0])[:, None]
    assert largest_ratio_of_minimizers(Records(rows(keys, values)), **OPTIONS) == pytest.approx(1)


def test_undecidable(rows):
    with pytest.raises(Undecidable, match="at an end of rate"):
        largest_ratio_of_minimizers(records(rows, [1.0, 100.0]), **OPTIONS)
    keys = [{"rate": rate} for rate in (-1.0, 1.0, 2.0)]
    with pytest.raises(Undecidable, match="no logarithm"):
        largest_ratio_of_minimizers(Records(rows(keys, [[1.0], [0.5], [1.0]])), **OPTIONS)


def test_place_of_largest(rows):
    """The mean over seeds decides, and every line along x counts once."""
    keys = [{"alpha": alpha, "snr": snr} for snr in (1, 5) for alpha in (0.5, 1.0, 2.0)]
    means = np.array([1.0, 3.0, 2.0, 1.0, 2.0, 3.0])
    # A single seed whose largest value lies elsewhere does not move the largest mean.
    noise = np.array([[0, 0, 0], [0, 0, 0], [1.5, -0.75, -0.75]] * 2)
    table = Records(rows(keys, means[:, None] + noise, "dynamics", "error"))
    arguments = {"measure": "dynamics", "quantity": "error", "x": "alpha"}
    assert place_of_largest(table, **arguments, where={"snr": 1}) == 1.0
    assert place_of_largest(table, **arguments) == pytest.approx((1.0 + 2.0) / 2)
