"""Foreign networks and data in the form that probes expect."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from steadygan.errors import ContractError, DataError
from steadygan.probes.foreign import (
    Discriminator,
    drawn,
    first_tensor,
    unwrapped,
    unwrapped_optimizer,
)


def images(x: Tensor) -> Tensor:
    return x.flatten(1).mean(dim=1)


class Says(nn.Module):
    """A discriminator that answers in a shape of one's choice."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> object:
        return self.answer(images(x))


@pytest.mark.parametrize(
    "shape",
    [
        lambda v: v,
        lambda v: v[:, None],
        lambda v: v[:, None, None, None].expand(-1, 1, 3, 3),
        lambda v: (v[:, None], v),
        lambda v: [[v, v], v],
        lambda v: {"logits": v, "features": v},
    ],
    ids=["vector", "column", "patches", "tuple", "nested", "mapping"],
)
def test_every_answer_becomes_a_logit_a_sample(shape: object) -> None:
    x = torch.randn(5, 1, 4, 4)
    logits = Discriminator(Says(shape), None)(x)
    assert torch.allclose(logits, images(x))


def test_one_number_for_the_batch_is_refused() -> None:
    with pytest.raises(ContractError, match="one number for the batch"):
        Discriminator(Says(lambda v: v.mean()), None)(torch.randn(5, 2))


def test_no_tensor_is_refused() -> None:
    with pytest.raises(ContractError, match="got str"):
        first_tensor("logits")


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()), True),
        (nn.Sequential(nn.Linear(3, 1), nn.Sigmoid(), nn.Flatten(0)), True),
        (Says(lambda v: torch.sigmoid(v).view(-1, 1).squeeze(1)), True),
        (nn.Sequential(nn.Linear(3, 1)), False),
        (nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 1)), False),
        (Says(F.softplus), False),
    ],
    ids=["last", "flattened", "functional", "logits", "inside", "positive logits"],
)
def test_probabilities_are_recognised_and_turned_back(network: nn.Module, expected: bool) -> None:
    d = Discriminator(network, None)
    x = torch.randn(6, 3)
    d.recognise(x)
    assert d.gives_probabilities is expected
    raw = first_tensor(network(x)).reshape(-1)
    logits = torch.logit(raw) if expected else raw
    assert torch.allclose(d(x), logits, atol=1e-4)


def test_a_certain_probability_stays_finite() -> None:
    d = Discriminator(nn.Sequential(nn.Flatten(0), nn.Sigmoid()), None)
    d.recognise(torch.randn(2, 1))
    assert torch.isfinite(d(torch.tensor([[100.0], [-200.0]]))).all()


def test_recognising_leaves_no_trace() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    before = {name: t.clone() for name, t in network.state_dict().items()}
    state = torch.get_rng_state()
    Discriminator(network, None).recognise(torch.randn(6, 3, generator=torch.Generator()))
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None for p in network.parameters())


def test_wrappers_are_taken_off() -> None:
    class Compiled(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self._orig_mod = inner

    inner = nn.Linear(1, 1)
    assert unwrapped(Compiled(nn.DataParallel(Compiled(inner)))) is inner
    assert unwrapped(inner) is inner
    own = nn.Module()
    own.module = inner  # a child that happens to be called so
    assert unwrapped(own) is own


def test_the_optimizer_inside_is_found() -> None:
    class Wrapper(torch.optim.SGD):
        optimizer: torch.optim.Optimizer

    inner = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)
    outer = Wrapper(nn.Linear(1, 1).parameters(), 0.1)
    outer.optimizer = inner
    assert unwrapped_optimizer(outer) is inner
    assert unwrapped_optimizer(inner) is inner


def test_a_sorted_tensor_is_drawn_from_all_over() -> None:
    (x,) = drawn("real", torch.arange(1000.0)[:, None], 100)
    assert len(x) == 100
    assert len(x.unique()) == 100
    assert 350 < float(x[:50].mean()) < 650


def test_small_batches_are_collected() -> None:
    (x,) = drawn("real", lambda n: torch.randn(10, 2), 64)
    assert x.shape == (64, 2)


def test_the_same_batch_again_and_again_is_taken_once() -> None:
    batch = torch.randn(10, 2)
    (x,) = drawn("real", lambda n: batch[:n], 64)
    assert torch.equal(x, batch)


def test_labels_stay_with_their_samples() -> None:
    x = torch.arange(100.0)[:, None]
    drawn_x, y = drawn("real", (x, torch.arange(100)), 20)
    assert torch.equal(drawn_x[:, 0].long(), y)


def test_large_samples_are_fewer() -> None:
    (x,) = drawn("real", torch.zeros(200, 3, 256, 256), 512)
    assert len(x) == 2**24 // (3 * 256 * 256)


def test_drawing_leaves_randomness_alone() -> None:
    state = torch.get_rng_state()
    drawn("latent", lambda n: torch.randn(n, 4), 64)
    assert torch.equal(torch.get_rng_state(), state)


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"watch real must be floating point .* torch.uint8"):
        drawn("real", torch.zeros(100, 4, dtype=torch.uint8), 64)
