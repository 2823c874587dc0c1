"""What every penalty promises, over every exported one; a new one is tested with no edit here."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from steadygan import penalties
from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.names import snake_case
from steadygan.objectives import NonSaturating
from steadygan.penalties import DRAGAN, LP, WGANGP, Penalty
from steadygan.types import Batch, Judged

PARTS = [part for part in map(vars(penalties).get, penalties.__all__) if part is not Penalty]
ONE_CENTRED = [WGANGP, LP, DRAGAN]

every_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)


class Flat(nn.Module):
    """A smooth critic, or generator, of flattened samples; steep enough for one-sided penalties."""

    per_sample = True

    def __init__(self, inputs: int, outputs: int = 1, width: int = 5) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, width).double()
        self.out = nn.Linear(width, outputs).double()
        self.outputs = outputs
        with torch.no_grad():
            self.hidden.weight.mul_(4)
            self.out.weight.mul_(4)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(torch.tanh(self.hidden(x.flatten(1))))
        return out.squeeze(1) if self.outputs == 1 else out


def value(
    penalty: Penalty,
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    *,
    concatenate: bool = False,
    seed: int = 0,
) -> Tensor:
    """The penalty per sample, called as a host calls it, with its random draws repeatable."""
    real = real.detach().requires_grad_("real" in penalty.input_grad)
    fake = fake.detach().requires_grad_("fake" in penalty.input_grad)
    if concatenate:
        logits = critic(torch.cat([real, fake])).split([len(real), len(fake)])
    else:
        logits = critic(real), critic(fake)
    torch.manual_seed(seed)
    return penalty(critic, Judged(real, logits[0]), Judged(fake, logits[1]))


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    real, fake = torch.randn(2, *shape, dtype=dtype)
    return real, fake


def test_something_is_covered() -> None:
    assert len(PARTS) >= 5


@every_part
def test_is_a_frozen_value(part: type[Penalty]) -> None:
    penalty = part(weight=2.0, every=4)
    assert penalty == part(weight=2.0, every=4)
    assert hash(penalty) == hash(part(weight=2.0, every=4))
    assert penalty != part(weight=3.0, every=4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        penalty.weight = 1.0


@every_part
def test_says_what_it_computes_and_where_from(part: type[Penalty]) -> None:
    doc = inspect.getdoc(part)
    for needed in (
        "Cost: ",
        "Args:",
        "Shape: ",
        "Dtype: ",
        "Raises:",
        "Source: ",
        "arXiv ",
        ">>> ",
    ):
        assert needed in doc, needed
    assert "use " in doc.lower()
    assert all(f"{field.name}: " in doc for field in dataclasses.fields(part))


@every_part
def test_has_a_test_file_of_its_own(part: type[Penalty]) -> None:
    folder = Path(__file__).parents[1] / "penalties"
    assert (folder / f"test_{snake_case(part.__name__)}.py").is_file()


@every_part
@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"weight": -1.0}, "weight must be >= 0 and finite, got -1.0; use weight=0 to switch"),
        ({"weight": math.nan}, "weight must be >= 0 and finite, got nan; use weight=0 to switch"),
        ({"weight": math.inf}, "weight must be >= 0 and finite, got inf; use weight=0 to switch"),
        ({"every": 0}, "every must be >= 1, got 0; use weight=0 to switch"),
    ],
)
def test_refuses_settings_out_of_range(
    part: type[Penalty], settings: dict[str, float], rule: str
) -> None:
    with pytest.raises(ConfigError) as error:
        part(**settings)
    assert str(error.value).startswith(f"{part.__name__}.{rule}")
    assert "\n" not in str(error.value)


@every_part
def test_due_on_multiples_and_never_when_switched_off(part: type[Penalty]) -> None:
    assert [step for step in range(9) if part(every=4).is_due(step)] == [0, 4, 8]
    assert not any(part(weight=0.0).is_due(step) for step in range(9))


@every_part
@pytest.mark.parametrize("event", [(3,), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_value_per_sample_in_the_samples_dtype(
    part: type[Penalty], event: tuple[int, ...], dtype: torch.dtype
) -> None:
    critic = Flat(math.prod(event)).to(dtype)
    for size in (1, 2, 5):
        penalty = value(part(), critic, *draw(size, *event, dtype=dtype))
        assert penalty.shape == (size,)
        assert penalty.dtype == dtype
        assert (penalty >= 0).all()


@every_part
def test_float32_agrees_with_float64(part: type[Penalty]) -> None:
    """Random draws differ between the dtypes, so the critic's slope is the same everywhere."""
    real, fake = draw(4, 30)
    u = torch.randn(30, dtype=torch.float64)
    double = value(part(), lambda x: x @ u, real, fake)
    single = value(part(), lambda x: x @ u.float(), real.float(), fake.float())
    assert torch.allclose(single.double(), double, rtol=1e-5)


@pytest.mark.parametrize("part", ONE_CENTRED)
def test_slope_one_costs_nothing_at_any_batch_size(part: type[Penalty]) -> None:
    """A norm over the whole batch would give (sqrt(b) − 1)² here."""
    u = torch.tensor([0.5, -0.5, 0.5, 0.5])  # of length one, exactly
    for size in range(1, 258):
        real, fake = draw(size, 4, dtype=torch.float32)
        assert not value(part(), lambda x: x @ u, real, fake).any(), size


@every_part
def test_batch_size_does_not_matter(part: type[Penalty]) -> None:
    u = 2 * torch.randn(4, dtype=torch.float64)
    alone = value(part(), lambda x: x @ u, *draw(1, 4))
    assert alone.item() > 0
    for size in (2, 3, 64, 257):
        together = value(part(), lambda x: x @ u, *draw(size, 4))
        assert torch.allclose(together, alone.expand(size), rtol=1e-12)


@every_part
def test_samples_do_not_touch_each_other(part: type[Penalty]) -> None:
    """Changing sample 2 changes its penalty alone; reversed, it leaves the batch's spread alone too."""
    real, fake = draw(5, 6)
    critic = Flat(6)
    before = value(part(), critic, real, fake)
    real[2], fake[2] = real[2].flip(0), fake[2].flip(0)
    after = value(part(), critic, real, fake)
    others = [0, 1, 3, 4]
    assert torch.allclose(after[others], before[others], rtol=1e-12)
    assert abs(after[2] - before[2]) > 1e-6


@every_part
def test_one_pass_over_both_sides_gives_the_same(part: type[Penalty]) -> None:
    real, fake = draw(5, 3)
    critic = Flat(3)
    apart = value(part(), critic, real, fake)
    assert torch.allclose(value(part(), critic, real, fake, concatenate=True), apart, rtol=1e-12)


@every_part
@pytest.mark.parametrize("relative", [False, True])
def test_gradient_in_the_weights_equals_finite_differences(
    part: type[Penalty], relative: bool
) -> None:
    real, fake = draw(3, 3)
    critic = Flat(3)
    names = [name for name, _ in critic.named_parameters()]

    def mean(*weights: Tensor) -> Tensor:
        def at(x: Tensor) -> Tensor:
            named = dict(zip(names, weights, strict=True))
            return torch.func.functional_call(critic, named, (x,))

        return value(part(relative=relative), at, real, fake).mean()

    weights = [p.detach().clone().requires_grad_() for p in critic.parameters()]
    assert mean(*weights).item() > 1e-3
    assert torch.autograd.gradcheck(mean, weights)


@every_part
def test_leaves_no_gradient_behind(part: type[Penalty]) -> None:
    critic = Flat(3)
    penalty = value(part(), critic, *draw(4, 3))
    assert penalty.requires_grad
    assert all(p.grad is None for p in critic.parameters())


@every_part
def test_flat_critic_has_finite_gradients(part: type[Penalty]) -> None:
    """‖∇‖ = 0, where the norm has no derivative: the first and second order must not be NaN."""
    critic = Flat(3)
    nn.init.zeros_(critic.out.weight)
    penalty = value(part(), critic, *draw(4, 3)).mean()
    weights: Sequence[nn.Parameter] = list(critic.parameters())
    first = torch.autograd.grad(penalty, weights, create_graph=True, allow_unused=True)
    known = [g for g in first if g is not None]
    assert known
    assert all(torch.isfinite(g).all() for g in known)
    total = sum(g.square().sum() for g in known)
    if total.requires_grad:
        second = torch.autograd.grad(total, weights, allow_unused=True)
        assert all(torch.isfinite(g).all() for g in second if g is not None)


@every_part
def test_relative_strength_does_not_depend_on_the_image_size(part: type[Penalty]) -> None:
    weight = 6 * torch.randn(2, 4, 4, dtype=torch.float64)

    def enlarge(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)

    def small(x: Tensor) -> Tensor:
        return (x * weight).mean((1, 2, 3))

    def large(x: Tensor) -> Tensor:
        return (x * enlarge(weight)).mean((1, 2, 3))

    real, fake = draw(3, 2, 4, 4)
    assert torch.allclose(small(real), large(enlarge(real)))
    at = value(part(relative=True), small, real, fake)
    assert at.min() > 0
    assert torch.allclose(value(part(relative=True), large, enlarge(real), enlarge(fake)), at)
    raw = value(part(), small, real, fake)
    assert not torch.allclose(value(part(), large, enlarge(real), enlarge(fake)), raw)


@every_part
@pytest.mark.parametrize("concatenate", [False, True])
def test_game_applies_weight_and_laziness_once(part: type[Penalty], concatenate: bool) -> None:
    penalty = part(weight=0.7, every=3)
    g, d = Flat(2, outputs=3), Flat(3)
    game = Game(g, d, NonSaturating(), [penalty], concatenate=concatenate)
    z = torch.randn(4, 2, dtype=torch.float64)
    batch = Batch(torch.randn(4, 3, dtype=torch.float64), z)

    expected_value = value(penalty, d, batch.x, g(z), seed=5).mean()
    expected = torch.autograd.grad(expected_value, list(d.parameters()), allow_unused=True)
    torch.manual_seed(5)
    due = game.gradient("d", batch, step=3)
    idle = game.gradient("d", batch, step=4)

    name = snake_case(part.__name__)
    assert torch.allclose(due.terms[name], expected_value)
    assert name not in idle.terms
    for with_term, without, extra in zip(due.grads, idle.grads, expected, strict=True):
        added = torch.zeros_like(without) if extra is None else 0.7 * 3 * extra
        assert torch.allclose(with_term - without, added, atol=1e-12)


@every_part
def test_is_computed_in_float32_under_autocast(part: type[Penalty]) -> None:
    g, d = Flat(2, outputs=3).float(), Flat(3).float()
    batch = Batch(torch.randn(4, 3), torch.randn(4, 2))
    fake = torch.randn(4, 3)
    terms = []
    for autocast in (None, lambda: torch.autocast("cpu", torch.bfloat16)):
        game = Game(g, d, NonSaturating(), [part()], autocast=autocast)
        torch.manual_seed(5)
        gradient = game.gradient("d", batch, 0, fake=fake)
        assert gradient.finite
        terms.append(gradient.terms[snake_case(part.__name__)])
    assert terms[1].dtype == torch.float32
    assert torch.allclose(terms[0], terms[1], rtol=1e-6)
