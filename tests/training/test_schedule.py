import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from dimlaws.training.schedule import rate_factor

STEPS = 40
TORCH = {
    "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "linear": lambda o: lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=STEPS),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS),
    "step": lambda o: lr_scheduler.MultiStepLR(o, [STEPS // 2, 3 * STEPS // 4], gamma=0.1),
}


@pytest.mark.parametrize("name", TORCH)
def test_equals_torch(name):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = TORCH[name](optimizer)
    expected = []
    for _ in range(STEPS):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    ours = rate_factor(name, np.arange(STEPS)[:, None], np.array([STEPS, 2 * STEPS]))
    np.testing.assert_allclose(ours[:, 0], expected, rtol=1e-9, atol=1e-12)
    # The second run has twice the steps: half as far at every step.
    np.testing.assert_allclose(ours[::2, 1], ours[: STEPS // 2, 0], rtol=1e-12)
