import numpy as np
import pytest
import skdim
from clouds import cube, ideal_neighbors, sphere
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from dimlaws.errors import ConfigError, EstimationError
from dimlaws.measures.intrinsic_dimension import Neighbors, TwoNN, nearest_neighbors

METHODS = [("linear", "linear"), ("maximum-likelihood", "mle")]
CLOUDS = {
    "sphere": sphere(0, 800, 5, 40),
    "cube": cube(1, 500, 3),
    "digits": load_digits().data,
}


@pytest.mark.filterwarnings("ignore:1 of 150 rows are duplicates")
@parametrize_with_checks([TwoNN(), TwoNN(discard_fraction=0, method="maximum-likelihood")])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
@pytest.mark.parametrize(("method", "theirs"), METHODS)
def test_agrees_with_scikit_dimension(cloud, fraction, method, theirs):
    X = CLOUDS[cloud]
    ours = TwoNN(discard_fraction=fraction, method=method).fit(X).dimension_
    reference = skdim.id.TwoNN(discard_fraction=fraction, method=theirs).fit(X).dimension_
    assert ours == pytest.approx(reference, rel=1e-6)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning:skdim")
def test_nothing_discarded():
    X = CLOUDS["sphere"]
    ours = TwoNN(discard_fraction=0, method="maximum-likelihood").fit(X).dimension_
    reference = skdim.id.TwoNN(discard_fraction=0, method="mle").fit(X).dimension_
    assert ours == pytest.approx(reference, rel=1e-6)


def test_by_hand():
    distances = np.array([[1.0, np.exp(x)] for x in (0.4, 0.1, 0.9, 0.2)])
    neighbors = Neighbors(distances, np.zeros((4, 2), np.int64), np.arange(4), 4, 0)
    X = np.zeros((4, 1))
    fit = TwoNN(discard_fraction=0).fit(X, neighbors=neighbors)
    x, y = np.array([0.1, 0.2, 0.4]), np.log([4 / 3, 2, 4])
    assert fit.dimension_ == pytest.approx((x * y).sum() / (x * x).sum(), rel=1e-12)
    fit = TwoNN(discard_fraction=0, method="maximum-likelihood").fit(X, neighbors=neighbors)
    assert fit.dimension_ == pytest.approx(3 / 1.6, rel=1e-12)
    fit = TwoNN(discard_fraction=0.5, method="maximum-likelihood").fit(X, neighbors=neighbors)
    assert fit.dimension_ == pytest.approx(1 / (0.1 + 0.2 + 2 * 0.2), rel=1e-12)


@pytest.mark.parametrize("fraction", [0, 0.1, 0.5])
def test_likelihood_is_unbiased_on_the_law_itself(fraction):
    rng = np.random.default_rng(2)
    estimator = TwoNN(discard_fraction=fraction, method="maximum-likelihood")
    X = np.zeros((20, 1))
    found = [
        estimator.fit(X, neighbors=ideal_neighbors(rng, 20, 2, 7)).dimension_ for _ in range(2000)
    ]
    assert abs(np.mean(found) - 7) < 4 * np.std(found) / np.sqrt(2000)


@pytest.mark.parametrize(("fraction", "method"), [(0, "maximum-likelihood"), (0, "linear")])
def test_standard_error_without_shared_distances(fraction, method):
    """Closed forms: d/√N for the rate of an exponential; d √(5/4)/√N for the slope, q → ∞."""
    N, d = 20_000, 7
    neighbors = ideal_neighbors(np.random.default_rng(3), N, 2, d)
    fit = TwoNN(discard_fraction=fraction, method=method).fit(np.zeros((N, 1)), neighbors=neighbors)
    expected = d / np.sqrt(N) * (1 if method == "maximum-likelihood" else np.sqrt(5 / 4))
    # Both are sample standard deviations; the fourth power of an exponential converges slowly.
    assert fit.dimension_se_ == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("d", [1, 2, 5, 10])
@pytest.mark.parametrize("estimator", [TwoNN(), TwoNN(method="maximum-likelihood")], ids=str)
def test_standard_error_is_calibrated(d, estimator):
    estimates, errors = [], []
    for seed in range(250):
        fit = clone(estimator).fit(sphere(seed, 200, d))
        estimates.append(fit.dimension_)
        errors.append(fit.dimension_se_)
    # The spread of 250 repetitions is itself known to 4.5 %; d/√N would be 20 % too small.
    assert np.mean(errors) / np.std(estimates, ddof=1) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("method", "_"), METHODS)
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("cloud", [sphere, cube])
def test_known_dimension(method, _, d, cloud):
    fit = TwoNN(method=method).fit(cloud(4, 2000, d))
    # Bias at the boundary of the cube and by curvature: below 3 % at d <= 3 and n = 2000.
    assert abs(fit.dimension_ - d) < 4 * fit.dimension_se_ + 0.03 * d


def test_documented_bias_in_ten_dimensions():
    fit = TwoNN().fit(cube(5, 3000, 10))
    assert fit.dimension_ + 4 * fit.dimension_se_ > 8.0
    assert fit.dimension_ - 4 * fit.dimension_se_ < 9.0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), scale=st.floats(1e-6, 1e6), shift=st.floats(-10, 10))
def test_invariance(seed, scale, shift):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 4))
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    moved = (scale * X @ rotation + scale * shift)[rng.permutation(80)]
    for method, _ in METHODS:
        plain, other = TwoNN(method=method).fit(X), TwoNN(method=method).fit(moved)
        assert other.dimension_ == pytest.approx(plain.dimension_, rel=1e-7)
        assert other.dimension_se_ == pytest.approx(plain.dimension_se_, rel=1e-6)


def test_neighbors_given_equal_neighbors_found():
    X = CLOUDS["sphere"].reshape(800, 2, 20)
    found = TwoNN().fit(X)
    given_ = TwoNN().fit(X, neighbors=nearest_neighbors(X, 6))
    assert given_.dimension_ == found.dimension_
    assert given_.dimension_se_ == found.dimension_se_
    assert (found.n_features_in_, found.n_samples_) == (40, 800)


def test_anchors_keep_the_scale_and_widen_the_error():
    X = sphere(6, 4000, 4)
    some = nearest_neighbors(X, 2, anchors=np.arange(0, 4000, 16))
    fit, full = TwoNN().fit(X, neighbors=some), TwoNN().fit(X)
    assert fit.n_samples_ == 250
    assert abs(fit.dimension_ - full.dimension_) < 4 * fit.dimension_se_
    # Sparse anchors share few distances: between √16 and √16 over the 1.27 of shared distances.
    assert 2.6 < fit.dimension_se_ / full.dimension_se_ < 4.8


@pytest.mark.parametrize("copies", [1, 40, 400])
def test_duplicates_do_no_harm(copies):
    X = sphere(7, 2000, 5)
    X[2000 - copies :] = X[:copies]
    with pytest.warns(UserWarning, match=f"{copies} of 2000"):
        fit = TwoNN().fit(X)
    assert fit.dimension_ == TwoNN().fit(X[: 2000 - copies]).dimension_


@pytest.mark.parametrize(
    "settings_", [{"discard_fraction": 1.0}, {"discard_fraction": -0.1}, {"method": "mle"}]
)
def test_refused_settings(settings_):
    with pytest.raises(ConfigError, match=f"TwoNN: {next(iter(settings_))}"):
        TwoNN(**settings_).fit(CLOUDS["cube"])


def test_refused_data():
    with pytest.raises(EstimationError, match="distinct rows"):
        TwoNN().fit([[0.0], [1.0]])
    with pytest.raises(EstimationError, match="1 ratios left"):
        TwoNN(discard_fraction=0.5).fit([[0.0], [1.0], [3.0]])
    with pytest.raises(EstimationError, match="equally far"):
        TwoNN().fit(np.eye(10))
    with pytest.raises(EstimationError, match="NaN"):
        TwoNN().fit([[0.0], [np.nan], [3.0]])


def test_refused_neighbors():
    X = CLOUDS["cube"]
    found = nearest_neighbors(X, 2)
    with pytest.raises(EstimationError, match="among 500 rows, but X has 499"):
        TwoNN().fit(X[1:], neighbors=found)
    with pytest.raises(EstimationError, match="hold 1 per row"):
        TwoNN().fit(X, neighbors=nearest_neighbors(X, 1))
    zero = Neighbors(found.distances * [0, 1], found.indices, found.anchors, 500, 0)
    with pytest.raises(EstimationError, match="zero"):
        TwoNN().fit(X, neighbors=zero)
