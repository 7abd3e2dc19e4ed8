import numpy as np
import pytest
import skdim
from clouds import cube, ideal_neighbors, sphere
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from dimlaws.errors import ConfigError, EstimationError
from dimlaws.measures.intrinsic_dimension import MLE, nearest_neighbors

CLOUDS = {
    "sphere": sphere(0, 800, 5, 40),
    "cube": cube(1, 500, 3),
    "digits": load_digits().data,
}


@pytest.mark.filterwarnings("ignore:1 of 150 rows are duplicates")
@parametrize_with_checks([MLE(n_neighbors=4), MLE(n_neighbors=4, average="mean", normalizer="k-2")])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("k", [3, 20])
@pytest.mark.parametrize(("average", "comb"), [("inverse", "mle"), ("mean", "mean")])
@pytest.mark.parametrize("normalizer", ["k-1", "k-2"])
def test_agrees_with_scikit_dimension(cloud, k, average, comb, normalizer):
    X = CLOUDS[cloud]
    ours = MLE(n_neighbors=k, average=average, normalizer=normalizer).fit(X)
    reference = skdim.id.MLE(unbiased=normalizer == "k-2").fit(X, n_neighbors=k, comb=comb)
    assert ours.dimension_ == pytest.approx(reference.dimension_, rel=1e-6)
    np.testing.assert_allclose(ours.dimension_pw_, reference.dimension_pw_, rtol=1e-6)


@pytest.mark.parametrize("average", ["inverse", "mean"])
@pytest.mark.parametrize("k", [3, 5, 20])
def test_normalizers_differ_by_their_ratio(average, k):
    X = CLOUDS["sphere"]
    low = MLE(n_neighbors=k, average=average, normalizer="k-2").fit(X)
    high = MLE(n_neighbors=k, average=average).fit(X)
    ratio = (k - 2) / (k - 1)
    assert low.dimension_ / high.dimension_ == pytest.approx(ratio, rel=1e-14)
    assert low.dimension_se_ / high.dimension_se_ == pytest.approx(ratio, rel=1e-12)
    np.testing.assert_allclose(low.dimension_pw_ / high.dimension_pw_, ratio, rtol=1e-14)


@pytest.mark.parametrize("k", [3, 5, 20])
def test_bias_on_the_law_itself(k):
    """1/d_i is unbiased with k-1, d_i with k-2; the other pairs are off by known factors."""
    d, n = 6, 20_000
    neighbors = ideal_neighbors(np.random.default_rng(2), n, k, d)

    def fit(average, normalizer):
        return MLE(n_neighbors=k, average=average, normalizer=normalizer).fit(
            np.zeros((n, 1)), neighbors=neighbors
        )

    for average, normalizer, factor in [
        ("inverse", "k-1", 1),
        ("inverse", "k-2", (k - 2) / (k - 1)),
        ("mean", "k-2", 1),
        ("mean", "k-1", (k - 1) / (k - 2)),
    ]:
        if k == 3 and average == "mean":
            continue  # d_i has no variance at k = 3
        found = fit(average, normalizer)
        assert abs(found.dimension_ - factor * d) < 4 * found.dimension_se_
        # The local 1/d_i are Gamma(k - 1), so the closed forms of the errors are known.
        closed = factor * d / np.sqrt(n) / np.sqrt(k - 1 if average == "inverse" else k - 3)
        assert found.dimension_se_ == pytest.approx(closed, rel=0.05)


@pytest.mark.parametrize("d", [1, 2, 5, 10])
def test_standard_error_is_calibrated(d):
    """The spread of 250 repetitions is itself known to 4.5 %; s/√n would be 20 % too small."""
    variants = {
        MLE(n_neighbors=3): 0.15,
        MLE(n_neighbors=5): 0.15,
        MLE(n_neighbors=20): 0.25,  # as documented: overlapping balls
        MLE(n_neighbors=10, average="mean", normalizer="k-2"): 0.25,
    }
    estimates = {estimator: [] for estimator in variants}
    errors = {estimator: [] for estimator in variants}
    for seed in range(250):
        X = sphere(seed, 200, d)
        neighbors = nearest_neighbors(X, 20)
        for estimator in variants:
            estimator.fit(X, neighbors=neighbors)
            estimates[estimator].append(estimator.dimension_)
            errors[estimator].append(estimator.dimension_se_)
    for estimator, tolerance in variants.items():
        ratio = np.mean(errors[estimator]) / np.std(estimates[estimator], ddof=1)
        assert ratio == pytest.approx(1, abs=tolerance), estimator


@pytest.mark.parametrize("k", [5, 20])
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("cloud", [sphere, cube])
def test_known_dimension(k, d, cloud):
    fit = MLE(n_neighbors=k).fit(cloud(4, 2000, d))
    # Bias at the boundary of the cube: below 6 % at d <= 3 and n = 2000.
    assert abs(fit.dimension_ - d) < 4 * fit.dimension_se_ + 0.06 * d


def test_documented_bias_in_ten_dimensions():
    fit = MLE().fit(cube(5, 3000, 10))
    assert fit.dimension_ + 4 * fit.dimension_se_ > 7.5
    assert fit.dimension_ - 4 * fit.dimension_se_ < 8.5


def test_local_estimates_tell_a_line_from_a_sheet():
    rng = np.random.default_rng(6)
    line = np.c_[rng.uniform(0, 10, 600), np.zeros((600, 2))]
    sheet = np.c_[np.full(600, 50.0), rng.uniform(0, 10, (600, 2))]
    fit = MLE().fit(np.concatenate([line, sheet]))
    assert fit.dimension_pw_.shape == (1200,)
    for part, d in ((fit.dimension_pw_[:600], 1), (fit.dimension_pw_[600:], 2)):
        assert 1 / np.mean(1 / part) == pytest.approx(d, rel=0.08)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), scale=st.floats(1e-6, 1e6), shift=st.floats(-10, 10))
def test_invariance(seed, scale, shift):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 4))
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    order = rng.permutation(80)
    plain = MLE(n_neighbors=7).fit(X)
    other = MLE(n_neighbors=7).fit((scale * X @ rotation + scale * shift)[order])
    assert other.dimension_ == pytest.approx(plain.dimension_, rel=1e-7)
    assert other.dimension_se_ == pytest.approx(plain.dimension_se_, rel=1e-6)
    np.testing.assert_allclose(other.dimension_pw_, plain.dimension_pw_[order], rtol=1e-7)


def test_neighbors_given_equal_neighbors_found():
    X = CLOUDS["sphere"].reshape(800, 2, 20)
    found = MLE(n_neighbors=6).fit(X)
    given_ = MLE(n_neighbors=6).fit(X, neighbors=nearest_neighbors(X, 20))
    assert given_.dimension_ == found.dimension_
    assert given_.dimension_se_ == found.dimension_se_
    assert (found.n_features_in_, found.n_samples_) == (40, 800)


def test_anchors():
    X = sphere(7, 3000, 4)
    anchors = np.random.default_rng(8).permutation(3000)[:300]
    fit = MLE().fit(X, neighbors=nearest_neighbors(X, 20, anchors=anchors))
    full = MLE().fit(X)
    np.testing.assert_array_equal(fit.dimension_pw_, full.dimension_pw_[anchors])
    assert abs(fit.dimension_ - full.dimension_) < 4 * fit.dimension_se_


@pytest.mark.parametrize("copies", [1, 40, 400])
def test_duplicates_do_no_harm(copies):
    X = sphere(9, 2000, 5)
    X[2000 - copies :] = X[:copies]
    with pytest.warns(UserWarning, match=f"{copies} of 2000"):
        fit = MLE().fit(X)
    assert fit.dimension_ == MLE().fit(X[: 2000 - copies]).dimension_


def test_equally_far_neighbours():
    X = np.concatenate([np.eye(12) * 0.5, 5 + np.random.default_rng(10).random((40, 12))])
    fit = MLE(n_neighbors=5).fit(X)
    assert np.isinf(fit.dimension_pw_[:12]).all()
    assert np.isfinite(fit.dimension_)
    assert np.isfinite(fit.dimension_se_)
    with pytest.raises(EstimationError, match="12 of n_samples = 52"):
        MLE(n_neighbors=5, average="mean").fit(X)
    with pytest.raises(EstimationError, match="12 of n_samples = 12"):
        MLE(n_neighbors=5).fit(np.eye(12))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_neighbors": 1}, "n_neighbors = 1 .* valid: 2"),
        ({"n_neighbors": 2, "normalizer": "k-2"}, "valid: 3"),
        ({"average": "median"}, "average = 'median'; valid: inverse, mean"),
        ({"normalizer": "k"}, "normalizer = 'k'"),
    ],
)
def test_refused_settings(wrong, message):
    with pytest.raises(ConfigError, match=message):
        MLE(**wrong).fit(CLOUDS["cube"])


def test_refused_data():
    with pytest.raises(EstimationError, match="at least 21 distinct rows"):
        MLE().fit(CLOUDS["cube"][:20])
