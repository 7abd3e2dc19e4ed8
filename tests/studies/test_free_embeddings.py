import pytest
import torch

from dimlaws.studies.free_embeddings import FreeEmbeddings, Setting, subsets

SETTINGS = [Setting(4, 3, subsets(4, 2, 0)), Setting(6, 5, subsets(6, 3, 0, 8))]


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_step_follows_the_gradient_of_the_loss(loss):
    """The first step of Adam is the rate times the sign of the gradient, here by autograd."""
    found = FreeEmbeddings(SETTINGS, 1, loss=loss, temperature=0.5, learn_temperature=True)
    tensors = [*found._vectors, found._scaling]
    starts = [tensor.clone() for tensor in tensors]
    for tensor in tensors:
        tensor.requires_grad_(True)
    found.losses().sum().backward()
    slopes = [tensor.grad.clone() for tensor in tensors]
    for tensor in tensors:
        tensor.requires_grad_(False)
        tensor.grad = None
    found.step(1e-4)
    for start, slope, tensor in zip(starts, slopes, tensors, strict=True):
        assert tensor.grad == pytest.approx(slope.numpy(), abs=1e-5)
        moved = start - 1e-4 * torch.sign(slope) * (slope != 0)
        if tensor.shape[-1] > 1:
            moved = moved / moved.norm(dim=2, keepdim=True).clamp_min(1e-12)
        clear = slope.abs() > 1e-4
        assert tensor[clear] == pytest.approx(moved[clear].numpy(), abs=1e-5)


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_padding_and_company_change_nothing(loss):
    together = FreeEmbeddings(SETTINGS, 1, loss=loss, learn_temperature=True)
    for m, setting in enumerate(SETTINGS):
        alone = FreeEmbeddings([setting], 1, loss=loss, learn_temperature=True)
        company = FreeEmbeddings(SETTINGS, 1, loss=loss, learn_temperature=True)
        for _ in range(50):
            alone.step(0.01)
            company.step(0.01)
        for quantity in ("losses", "gaps", "margins"):
            value, other = getattr(alone, quantity)()[0], getattr(company, quantity)()[m]
            assert float(value) == pytest.approx(float(other), abs=1e-4)
    assert (together.losses() > 0).all()


def test_gap_and_margin_by_a_slow_loop():
    found = FreeEmbeddings(SETTINGS, 2)
    queries, documents = (tensor.numpy() for tensor in found._vectors)
    for m, setting in enumerate(SETTINGS):
        inside, outside, gaps = [], [], []
        for row, chosen in enumerate(setting.queries):
            scores = documents[m, : setting.documents] @ queries[m, row]
            others = [i for i in range(setting.documents) if i not in chosen]
            inside.append(min(scores[i] for i in chosen))
            outside.append(max(scores[i] for i in others))
            gaps.append(inside[-1] - outside[-1])
        assert float(found.gaps()[m]) == pytest.approx(min(gaps), abs=1e-6)
        assert float(found.margins()[m]) == pytest.approx(
            (min(inside) - max(outside)) / 2, abs=1e-6
        )


def test_subsets():
    assert subsets(5, 2, 0) == subsets(5, 2, 0, 10)
    drawn = subsets(12, 3, 0, 40)
    assert len(set(drawn)) == 40
    assert all(len(set(subset)) == 3 for subset in drawn)
    assert drawn != subsets(12, 3, 1, 40)
