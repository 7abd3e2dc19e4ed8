import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from dimlaws.training.pruning import dense_masks, kept, magnitude_masks, surviving


def random_params(rng, runs=3):
    shapes = {"a": (7, 5), "b": (5, 11), "c": (11, 2)}
    return {
        name: torch.from_numpy(rng.standard_normal((runs, *shape))).float()
        for name, shape in shapes.items()
    }


def test_first_level_equals_torch_prune():
    params = random_params(np.random.default_rng(0))
    masks = magnitude_masks(
        params, dense_masks(params, list(params)), fraction=0.2, level=1, scope="global"
    )
    total = 35 + 55 + 22
    for m in range(3):
        modules = {}
        for name, value in params.items():
            modules[name] = nn.Linear(*value.shape[:0:-1], bias=False)
            modules[name].weight.data = value[m].clone()
        prune.global_unstructured(
            [(module, "weight") for module in modules.values()],
            pruning_method=prune.L1Unstructured,
            amount=total - round(0.8 * total),
        )
        for name, module in modules.items():
            torch.testing.assert_close(masks[name][m].float(), module.weight_mask)


@given(
    fraction=st.floats(0.01, 0.9),
    scope=st.sampled_from(["global", "layer"]),
    seed=st.integers(0, 100),
    values=st.sampled_from(["normal", "ties", "nan"]),
)
@settings(max_examples=30, deadline=None)
def test_counts_are_exact_and_masks_nested_whatever_the_values(fraction, scope, seed, values):
    rng = np.random.default_rng(seed)
    params = random_params(rng)
    masks = dense_masks(params, list(params))
    for level in range(1, 6):
        params = random_params(rng)
        if values == "ties":
            params = {name: value.round() for name, value in params.items()}
        if values == "nan":
            params["b"][1] = torch.nan
        new = magnitude_masks(params, masks, fraction=fraction, level=level, scope=scope)
        assert all((masks[name] | ~new[name]).all() for name in masks)
        masks = new
        groups = [list(params)] if scope == "global" else [[name] for name in params]
        for names in groups:
            total = sum(params[name][0].numel() for name in names)
            expected = max(1, round((1 - fraction) ** level * total))
            assert surviving(masks, names).tolist() == [expected] * 3


def test_the_smallest_survivor_goes_first():
    params = {"w": torch.tensor([[0.1, -4.0, 3.0, -0.2]])}
    masks = {"w": torch.tensor([[False, True, True, True]])}
    new = magnitude_masks(params, masks, fraction=0.5, level=1, scope="global")
    assert new["w"].tolist() == [[False, True, True, False]]


@pytest.mark.parametrize(("level", "expected"), [(0, 1000), (1, 800), (2, 640), (16, 28), (99, 1)])
def test_kept(level, expected):
    assert kept(1000, 0.2, level) == expected
