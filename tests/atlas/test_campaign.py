"""Members through slots: order changes nothing, an explosion ends one member, signals are the probes'."""

import pytest
import torch

from steadygan.atlas import Ensemble, play
from steadygan.atlas.looks import Looks, area
from steadygan.probes.discriminator import Discriminator
from steadygan.probes.probe import GameView
from steadygan.probes.sample_space import SampleSpace
from tests.atlas.recipes import members, small


def test_results_do_not_depend_on_order_or_neighbours() -> None:
    recipe = small("network.width=16")
    changes = [(f"seed={n % 2}", f"optimizer.g.lr={10.0 ** (n / 2 - 4)}") for n in range(12)]
    family, own = members(recipe, *changes)
    first = {r.number: r for r in play(family, own, slots=8, look_every=20, num=32)}
    again = {r.number: r for r in play(family, own[::-1], slots=8, look_every=20, num=32)}
    few = {r.number: r for r in play(family, own[:1], slots=8, look_every=20, num=32)}
    assert first == again
    assert few[0] == first[0]
    assert set(first) == set(range(12))


def test_an_explosion_ends_a_member_and_no_other() -> None:
    recipe = small("objective=wasserstein", "penalties={}", "optimizer.d.name=sgd", "steps=200")
    wild = ("optimizer.d={name: sgd, lr: 1e6}", "optimizer.g={name: sgd, lr: 1e6}")
    tame = ("optimizer.d={name: sgd, lr: 1e-4}", "optimizer.g={name: sgd, lr: 1e-4}")
    family, own = members(recipe, wild, tame)
    made: list[int] = []
    found = {
        r.number: r
        for r in play(family, own, slots=2, look_every=20, num=32, on_stretch=made.append)
    }
    assert found[0].outcome == "exploded"
    assert "non_finite" in found[0].findings
    assert found[0].steps < 40
    assert (found[1].outcome, found[1].steps) != ("exploded", found[0].steps)
    assert sum(made) <= 200 + 40


def test_looks_are_the_probes_of_a_training() -> None:
    """The signals of a slot are those that ``SampleSpace`` and ``Discriminator`` give of the same weights."""
    recipe = small()
    family, own = members(recipe, ("seed=0",), ("seed=3",))
    ensemble = Ensemble(family, own, stretch=20)
    looks = Looks(family, 64)
    looks.measure(ensemble)
    ensemble.advance()
    rows = looks.measure(ensemble)
    for slot, member in enumerate(own):
        real, _ = family.source.reference(128, seed=member.seed)
        latents = family.latent.sample(64, seed=member.seed, position=2**40)
        g, d = family.pair(member.seed, 1.0)
        space, judge = SampleSpace(real, latents), Discriminator(real[64:], latents)
        space.measure(GameView(g, d, 0))
        for network, player in ((g, "g"), (d, "d")):
            for p, w in zip(network.parameters(), ensemble.weights(slot, player), strict=True):
                p.data.copy_(w)
        view = GameView(g, d, 20)
        expected = {**space.measure(view), "auc": judge.measure(view)["auc"]}
        for name, value in rows[slot].items():
            assert value == pytest.approx(float(expected[name]), abs=1e-4), name


def test_area_counts_pairs() -> None:
    real, fake = torch.randn(3, 20), torch.randn(3, 30).round(decimals=1)
    real = real.round(decimals=1)
    slow = (real[:, :, None] > fake[:, None]).double() + 0.5 * (real[:, :, None] == fake[:, None])
    torch.testing.assert_close(area(real, fake), slow.mean((1, 2)))
    real[1, 2] = torch.nan
    assert area(real, fake).isnan().tolist() == [False, True, False]
