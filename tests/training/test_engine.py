import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.optim import lr_scheduler

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.models.cnn import CNN
from dimlaws.models.mlp import MLP
from dimlaws.seeds import stream
from dimlaws.training import engine
from dimlaws.training.engine import train
from dimlaws.training.order import MinibatchOrder
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

CLASSES = 3


def make_data(shape, regression=False, sizes=(40, 40, 40)):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, *shape)).astype(np.float32)
    y = x.reshape(100, -1)[:, :CLASSES]
    labels = np.ascontiguousarray(y) if regression else y.argmax(1)
    rows = [rng.permutation(100).astype(np.int64) for _ in sizes]
    return [Realization(x, labels, r[:n], r[90:]) for r, n in zip(rows, sizes, strict=True)]


def make_runs(recipe, rates=(1.0, 0.3, 2.0), seeds=(5, 6, 7)):
    return [
        Run(f"run{i}", seed, replace(recipe, learning_rate=recipe.learning_rate * rate))
        for i, (seed, rate) in enumerate(zip(seeds, rates, strict=True))
    ]


def torch_module(model, params):
    """Build the same network from torch.nn, in textbook order."""
    if isinstance(model, MLP):
        layers: list[nn.Module] = []
        for i in range(model.depth + 1):
            linear = nn.Linear(*params[f"layer{i}.weight"].shape)
            linear.weight.data = params[f"layer{i}.weight"].T.contiguous()
            linear.bias.data = params[f"layer{i}.bias"].clone()
            layers += [linear, nn.ReLU()]
        return nn.Sequential(nn.Flatten(), *layers[:-1])
    layers = []
    for name in ("conv0", "conv1", "dense", "output"):
        shape = params[f"{name}.weight"].shape
        if name.startswith("conv"):
            layer = nn.Conv2d(shape[1], shape[0], shape[2], padding="same")
            layers += [layer, nn.ReLU(), nn.MaxPool2d(2)]
        else:
            layer = nn.Linear(shape[1], shape[0])
            layers += [nn.Flatten(), layer, nn.ReLU()]
        layer.weight.data = params[f"{name}.weight"].clone()
        layer.bias.data = params[f"{name}.bias"].clone()
    return nn.Sequential(*layers[:-1])


def torch_weights(module, model):
    layers = [layer for layer in module if isinstance(layer, (nn.Linear, nn.Conv2d))]
    names = model.prunable({})
    weights = {}
    for name, layer in zip(names, layers, strict=True):
        weight = layer.weight.detach()
        weights[name] = weight.T if isinstance(model, MLP) else weight
        weights[name.replace("weight", "bias")] = layer.bias.detach()
    return weights


def torch_training(model, part, run, params, masks=None):
    """The plain loop: one module, torch.optim, torch schedulers, torch pruning."""
    recipe = run.recipe
    module = torch_module(model, params)
    layers = [layer for layer in module if isinstance(layer, (nn.Linear, nn.Conv2d))]
    for name, layer in zip(model.prunable({}), layers, strict=True):
        if masks is not None:
            mask = masks[name].T if isinstance(model, MLP) else masks[name]
            prune.custom_from_mask(layer, "weight", mask)
    if recipe.optimizer == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            module.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
    else:
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
    scheduler = {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        "linear": lambda: lr_scheduler.LinearLR(optimizer, 1.0, 0.0, recipe.steps),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, recipe.steps),
        "step": lambda: lr_scheduler.MultiStepLR(
            optimizer, [recipe.steps // 2, recipe.steps * 3 // 4]
        ),
    }[recipe.schedule]()
    x, y = torch.from_numpy(part.x), torch.from_numpy(part.y)
    order = MinibatchOrder(part.train, recipe.batch_size, run.seed).batches(0, recipe.steps)
    losses = []
    for rows in torch.from_numpy(order):
        target = y[rows]
        if recipe.loss == "mse" and y.ndim == 1:
            target = nn.functional.one_hot(target, CLASSES).float()
        criterion = nn.MSELoss() if recipe.loss == "mse" else nn.CrossEntropyLoss()
        loss = criterion(module(x[rows]), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    with torch.no_grad():
        module(x[:1])  # pruning hooks refresh the masked weights in forward
    return torch_weights(module, model), losses


def initial(model, part, seed):
    return model.init(np.random.default_rng(stream(seed, "init", "m")), part.x.shape[1:], CLASSES)


def random_masks(model, part, runs):
    rng = np.random.default_rng(1)
    params = initial(model, part, 0)
    return {
        name: torch.from_numpy(rng.random((runs, *params[name].shape)) < 0.6)
        for name in model.prunable(params)
    }


OPTIMIZERS = {
    "sgd": Recipe(optimizer="sgd", learning_rate=0.05),
    "momentum": Recipe(optimizer="sgd", learning_rate=0.05, momentum=0.9, weight_decay=0.01),
    "adam": Recipe(optimizer="adam", learning_rate=3e-3),
    "adamw": Recipe(optimizer="adam", learning_rate=3e-3, weight_decay=0.1),
}


@pytest.mark.parametrize(
    ("schedule", "masked"),
    [("constant", False), ("linear", True), ("cosine", False), ("step", True)],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "regression"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_every_run_equals_a_plain_torch_loop(kind, optimizer, loss, masked, schedule):
    model = MLP(width=8) if kind == "mlp" else CNN(channels=2, kernel=3, hidden=5)
    parts = make_data((5,) if kind == "mlp" else (1, 4, 5), loss == "regression")
    recipe = replace(
        OPTIMIZERS[optimizer],
        loss="cross_entropy" if loss == "cross_entropy" else "mse",
        schedule=schedule,
        steps=20,
        batch_size=16,
        history_points=20,
    )
    runs = make_runs(recipe)
    masks = random_masks(model, parts[0], 3) if masked else None
    data = EnsembleData.of(parts, CLASSES)
    trained = train(model, data, runs, init_content="m", masks=masks)
    for m in (1, 2):
        own = None if masks is None else {name: mask[m] for name, mask in masks.items()}
        start = initial(model, parts[m], runs[m].seed)
        expected, losses = torch_training(model, parts[m], runs[m], start, own)
        for name, value in expected.items():
            torch.testing.assert_close(trained.params[name][m], value, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(trained.history_loss[m], losses, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(trained.history_step[m], np.arange(1, 21))


@pytest.mark.parametrize("count", [3, 8])
def test_a_run_does_not_depend_on_its_company(count):
    recipe = Recipe(steps=60, batch_size=16)
    seeds = list(range(count))
    runs = [Run(str(s), s, replace(recipe, learning_rate=1e-3 * (1 + s))) for s in seeds]
    parts = make_data((5,), sizes=range(20, 20 + count))
    together = train(MLP(width=8), EnsembleData.of(parts, CLASSES), runs)
    split = train(MLP(width=8), EnsembleData.of(parts, CLASSES), runs, pack=2)
    for m in (0, count - 1):
        alone = train(MLP(width=8), EnsembleData.of([parts[m]], CLASSES), [runs[m]])
        for name, value in alone.params.items():
            for other in (together, split):
                torch.testing.assert_close(other.params[name][m], value[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(together.history_loss[m], alone.history_loss[0], rtol=1e-4)


def test_two_executions_are_bitwise_equal():
    data = EnsembleData.of(make_data((5,)), CLASSES)
    runs = make_runs(Recipe(steps=70, batch_size=16))
    one, two = (train(MLP(width=16), data, runs) for _ in range(2))
    assert all(torch.equal(one.params[name], two.params[name]) for name in one.params)
    np.testing.assert_array_equal(one.history_loss, two.history_loss)


def test_chunk_length_does_not_change_the_numbers(monkeypatch):
    data = EnsembleData.of(make_data((5,)), CLASSES)
    runs = make_runs(Recipe(steps=50, batch_size=16, rewind_step=10))
    one = train(MLP(width=16), data, runs)
    monkeypatch.setattr(engine, "_CHUNK_STEPS", 7)
    two = train(MLP(width=16), data, runs)
    assert all(torch.equal(one.params[name], two.params[name]) for name in one.params)
    assert all(torch.equal(one.rewind[name], two.rewind[name]) for name in one.rewind)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_run_stops_at_its_own_budget(optimizer):
    recipe = replace(OPTIMIZERS[optimizer], batch_size=16, history_points=4)
    budgets = [70, 3, 20]
    runs = [
        Run(run.id, run.seed, replace(run.recipe, steps=steps))
        for run, steps in zip(make_runs(recipe), budgets, strict=True)
    ]
    parts = make_data((5,))
    done: list[int] = []
    trained = train(
        MLP(width=8), EnsembleData.of(parts, CLASSES), runs, init_content="m", progress=done.append
    )
    assert sum(done) == sum(budgets)
    assert trained.history_step.tolist() == [[17, 35, 52, 70], [1, 1, 2, 3], [5, 10, 15, 20]]
    for m in range(3):
        start = initial(MLP(width=8), parts[m], runs[m].seed)
        expected, losses = torch_training(MLP(width=8), parts[m], runs[m], start)
        for name, value in expected.items():
            torch.testing.assert_close(trained.params[name][m], value, rtol=1e-4, atol=1e-5)
        last = np.mean(losses[trained.history_step[m, -2] :])
        np.testing.assert_allclose(trained.history_loss[m, -1], last, rtol=1e-4)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_diverging_run_leaves_its_neighbours_bitwise_alone(optimizer):
    recipe = replace(OPTIMIZERS[optimizer], loss="mse", steps=40, batch_size=16, rewind_step=1)
    calm = make_runs(recipe)
    wild = [calm[0], replace(calm[1], recipe=replace(recipe, learning_rate=1e15)), calm[2]]
    parts = make_data((5,))
    data = EnsembleData.of(parts, CLASSES)
    expected = train(MLP(width=8), data, calm, init_content="m")
    trained = train(MLP(width=8), data, wild, init_content="m")
    start = initial(MLP(width=8), parts[1], wild[1].seed)
    _, losses = torch_training(MLP(width=8), parts[1], wild[1], start)
    first = int(np.flatnonzero(~np.isfinite(losses))[0])
    assert first > 0
    assert trained.diverged_step.tolist() == [-1, first, -1]
    assert all(value[1].isnan().all() for value in trained.params.values())
    assert np.isnan(trained.history_loss[1, -1])
    for m in (0, 2):
        for name in trained.params:
            assert torch.equal(trained.params[name][m], expected.params[name][m])
            assert torch.equal(trained.rewind[name][m], expected.rewind[name][m])
        np.testing.assert_array_equal(trained.history_loss[m], expected.history_loss[m])


def test_an_overflow_in_the_last_update_counts_as_diverged():
    recipe = Recipe(optimizer="sgd", learning_rate=3e38, schedule="constant", steps=1)
    data = EnsembleData.of(make_data((5,))[:1], CLASSES)
    big = {
        name: value[None] * 1e3
        for name, value in initial(MLP(width=8), make_data((5,))[0], 0).items()
    }
    trained = train(MLP(width=8), data, [Run("a", 0, recipe)], start=big)
    assert np.isfinite(trained.history_loss).all()
    assert trained.diverged_step.tolist() == [1]
    assert all(value.isnan().all() for value in trained.params.values())


def test_rewinding_continues_schedule_and_order():
    # Without optimizer state, restarting from step 25 is the same as never having stopped.
    recipe = Recipe(
        optimizer="sgd",
        learning_rate=0.05,
        schedule="cosine",
        steps=60,
        batch_size=16,
        rewind_step=25,
    )
    data = EnsembleData.of(make_data((5,)), CLASSES)
    runs = make_runs(recipe)
    whole = train(MLP(width=8), data, runs)
    again = train(MLP(width=8), data, runs, start=whole.rewind, start_step=25)
    for name in whole.params:
        assert torch.equal(again.params[name], whole.params[name])
        assert torch.equal(again.rewind[name], whole.rewind[name])
    short = [replace(run, recipe=replace(recipe, schedule="constant")) for run in runs]
    stopped = [replace(run, recipe=replace(run.recipe, steps=25, rewind_step=0)) for run in short]
    reached = train(MLP(width=8), data, short).rewind
    expected = train(MLP(width=8), data, stopped).params
    assert all(torch.equal(reached[name], expected[name]) for name in expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_pruned_weights_stay_zero_and_others_live(optimizer):
    parts = make_data((5,))
    masks = random_masks(MLP(width=8), parts[0], 3)
    recipe = replace(OPTIMIZERS[optimizer], steps=30, batch_size=16, rewind_step=7)
    trained = train(MLP(width=8), EnsembleData.of(parts, CLASSES), make_runs(recipe), masks=masks)
    for name, mask in masks.items():
        assert torch.equal(trained.params[name] != 0, mask)
        assert torch.equal(trained.rewind[name] != 0, mask)


def test_initial_values_and_order_follow_the_seed_alone():
    data = EnsembleData.of(make_data((5,))[:1] * 2, CLASSES)
    recipe = Recipe(steps=10, batch_size=16)
    same = train(MLP(width=8), data, [Run("a", 3, recipe), Run("b", 3, recipe)], init_content="m")
    other = train(MLP(width=8), data, [Run("a", 3, recipe), Run("b", 4, recipe)], init_content="n")
    for name, value in same.params.items():
        assert torch.equal(value[0], value[1])
        assert not torch.equal(other.params[name][0], other.params[name][1])
    weight = "layer0.weight"
    assert not torch.equal(same.rewind[weight][0], other.rewind[weight][0])


def test_bad_batches_are_refused():
    data = EnsembleData.of(make_data((5,))[:2], CLASSES)
    recipe = Recipe(steps=2)
    pair = [Run("a", 0, recipe), Run("b", 0, replace(recipe, batch_size=3))]
    with pytest.raises(ConfigError, match="a and b cannot train together"):
        train(MLP(), data, pair)
    with pytest.raises(ConfigError, match="one each is needed"):
        train(MLP(), data, pair[:1])
    with pytest.raises(ConfigError, match="rewind_step, which is 0"):
        train(MLP(), data, [pair[0]] * 2, start_step=1)
    numbers = EnsembleData.of(make_data((5,), regression=True)[:2], CLASSES)
    with pytest.raises(ConfigError, match="use mse"):
        train(MLP(), numbers, [pair[0]] * 2)


def test_pack_size_falls_with_the_working_set():
    sizes = [engine.pack_size(MLP(width=w), (64,), 1, 128) for w in (4, 64, 256, 2048)]
    assert all(a > b for a, b in itertools.pairwise(sizes))
    assert sizes[-1] == 1
