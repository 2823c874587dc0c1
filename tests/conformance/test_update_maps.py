"""Every update rule's real step, with plain descent on a small game, is its map."""

import inspect

import pytest
import torch
from updates.toys import dirac

from steadygan import updates
from steadygan.updates import GameField, Point, Rates, UpdateRule

RULES = [
    member
    for name in updates.__all__
    if inspect.isclass(member := getattr(updates, name))
    and issubclass(member, UpdateRule)
    and not inspect.isabstract(member)
]
OPTIONS: dict[str, list[dict[str, object]]] = {
    "Alternating": [{}, {"d_steps": 3}, {"d_steps": 2, "share_fakes": True}],
    "Optimistic": [{}, {"weight": 0.5}],
    "SymplecticAdjustment": [{}, {"align": False}],
    "RungeKutta2": [{}, {"weight": 0.3}],
    "RungeKutta4": [{}, {"weight": 0.3}],
    "Implicit": [{"iterations": 40, "tolerance": 1e-14}],
    "Lookahead": [{}, {"every": 3, "weight": 0.3, "d_steps": 2}],
    "NegativeMomentum": [{}, {"d_steps": 2}],
    "Unrolled": [{}, {"steps": 2, "rate": 0.7}],
}
CASES = [(rule, options) for rule in RULES for options in OPTIONS.get(rule.__name__, [{}])]


@pytest.mark.parametrize(
    ("rule", "options"), CASES, ids=lambda x: x.__name__ if inspect.isclass(x) else str(x)
)
def test_step_is_map(rule: type[UpdateRule], options: dict[str, object]) -> None:
    game, batch = dirac()
    rates = Rates(0.3, 0.4)
    trained = rule(
        torch.optim.SGD(game.g.parameters(), rates.g),
        torch.optim.SGD(game.d.parameters(), rates.d),
        **options,
    )
    on_paper = rule.on_paper(**options)
    other, _ = dirac()
    field = GameField(other, batch)
    point = field.point
    state = on_paper.begin(field, point)
    for step in range(1, 14):
        before = point
        trained.step(game, lambda: batch, step)
        point, state = on_paper.map(field, point, state, rates, step)
        here = GameField(game, batch).point
        assert not torch.equal(before.g, point.g)
        torch.testing.assert_close(here.g, point.g, rtol=0, atol=1e-12)
        torch.testing.assert_close(here.d, point.d, rtol=0, atol=1e-12)
        assert not any(part.requires_grad for part in (point.g, point.d, *state))


@pytest.mark.parametrize(
    ("rule", "options"), CASES, ids=lambda x: x.__name__ if inspect.isclass(x) else str(x)
)
def test_map_can_be_differentiated(rule: type[UpdateRule], options: dict[str, object]) -> None:
    """Derivatives of two steps, memory included, against central differences."""
    game, batch = dirac()
    field = GameField(game, batch)
    start = field.point
    on_paper = rule.on_paper(**options)
    rates = Rates(0.3, 0.4)
    memory = on_paper.map(field, start, on_paper.begin(field, start), rates, 1)[1]
    sizes = [2, 2, *map(len, memory)]

    def run(whole: torch.Tensor) -> torch.Tensor:
        g, d, *state = torch.split(whole, sizes)
        here, carried = Point(g, d), tuple(state)
        for step in (2, 3):
            here, carried = on_paper.map(field, here, carried, rates, step)
        return torch.cat([here.g, here.d, *carried])

    whole = torch.cat([start.g, start.d, *memory]).detach()
    exact = torch.autograd.functional.jacobian(run, whole)
    eye = 1e-5 * torch.eye(len(whole), dtype=whole.dtype)
    numeric = torch.stack([(run(whole + e) - run(whole - e)).detach() / 2e-5 for e in eye], dim=1)
    torch.testing.assert_close(exact, numeric, rtol=0, atol=2e-8)
    assert float(exact.abs().max()) > 0.1
