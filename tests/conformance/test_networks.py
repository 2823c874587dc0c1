"""What every pair of networks promises, checked over every exported pair function."""

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from steadygan import networks
from steadygan.networks import Discriminator, Generator, Pair

LATENT, CLASSES = 6, 3
PAIRS: dict[str, Callable[..., Pair]] = {
    name: getattr(networks, name) for name in networks.__all__ if name.islower()
}
# What a pair function must be told; a new one adds its line here.
SMALL: dict[str, dict[str, object]] = {
    "mlp": {"event": (1, 4, 3), "width": 16, "depth": 2},
    "dcgan": {"size": 16, "channels": 3, "width": 4},
    "resnet": {"size": 8, "channels": 3, "width": 4},
}
IMAGE_PAIRS = [name for name in PAIRS if "size" in SMALL[name]]


def norms(name: str, player: str) -> list[str]:
    """The names that the function's own annotation allows."""
    annotation = inspect.signature(PAIRS[name]).parameters[f"{player}_norm"].annotation
    return list(annotation.__args__)


D_CASES = [(name, norm) for name in PAIRS for norm in norms(name, "d")]
G_CASES = [(name, norm) for name in PAIRS for norm in norms(name, "g")]


def build(name: str, seed: int = 0, **changes: object) -> Pair:
    torch.manual_seed(seed)
    return PAIRS[name](LATENT, **{**SMALL[name], **changes})


def samples(g: Generator, count: int = 5, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, *g.event, generator=torch.Generator().manual_seed(1), dtype=dtype)


def latents(count: int = 5, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, LATENT, generator=torch.Generator().manual_seed(2), dtype=dtype)


def labels(count: int = 5) -> Tensor:
    return torch.arange(count) % CLASSES


def test_every_pair_function_is_covered() -> None:
    assert set(SMALL) == set(PAIRS)
    assert len(PAIRS) >= 3


@pytest.mark.parametrize("name", PAIRS)
def test_the_page_states_the_parameter_counts_of_32x32_colour(name: str) -> None:
    told = (32, 3) if name in IMAGE_PAIRS else ((3, 32, 32),)
    counts = (sum(p.numel() for p in n.parameters()) for n in PAIRS[name](128, *told))
    page = Path(__file__).parents[2] / "docs" / "networks.md"
    row = next(line for line in page.read_text().splitlines() if line.startswith(f"| `{name}`"))
    assert row.split("|")[3:5] == [f" {count:,} " for count in counts]


@pytest.mark.parametrize("name", PAIRS)
def test_every_option_is_a_scalar_or_a_short_list(name: str) -> None:
    plain = "int | tuple[int, ...] | list[int]"
    for parameter in inspect.signature(PAIRS[name]).parameters.values():
        kind = parameter.annotation
        is_name = getattr(kind, "__args__", None) and all(isinstance(a, str) for a in kind.__args__)
        assert kind in (int, float, bool) or is_name or str(kind) in (plain, plain[6:])


@pytest.mark.parametrize("classes", [0, CLASSES])
@pytest.mark.parametrize("name", PAIRS)
def test_shapes_and_declared_attributes(name: str, classes: int) -> None:
    g, d = build(name, classes=classes)
    y = labels() if classes else None
    x = g(latents(), y)
    assert g.latent == LATENT
    assert g.classes == d.classes == classes
    assert x.shape == (5, *g.event)
    assert g.event == d.event
    assert d(x, y).shape == (5,)
    assert d(x[:1], None if y is None else y[:1]).shape == (1,)


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("name", IMAGE_PAIRS)
def test_shapes_at_every_size(name: str, size: int) -> None:
    g, d = build(name, size=size, width=2, channels=1)
    x = g(latents(2))
    assert x.shape == (2, 1, size, size)
    assert d(x).shape == (2,)


@pytest.mark.parametrize(
    ("output", "bounds"), [("tanh", (-1, 1)), ("sigmoid", (0, 1)), ("linear", None)]
)
@pytest.mark.parametrize("name", PAIRS)
def test_output_range_is_what_comes_out(
    name: str, output: str, bounds: tuple[float, float] | None
) -> None:
    g, _ = build(name, output=output, g_norm="batch")
    with torch.no_grad():
        for weight in g.last.parameters():
            weight.mul_(1000).add_(torch.randn_like(weight))
    x = g(latents(64))
    assert g.output_range == bounds
    if bounds is None:
        assert x.abs().max() > 1
    else:
        assert (x.min().item(), x.max().item()) == pytest.approx(bounds, abs=1e-3)


@pytest.mark.parametrize("name", PAIRS)
def test_labels_matter_to_both_when_there_are_classes(name: str) -> None:
    g, d = build(name, classes=CLASSES)
    g.eval(), d.eval()
    z, x = latents(1).expand(CLASSES, -1), samples(g, 1).expand(CLASSES, *g.event)
    assert g(z, labels(CLASSES)).flatten(1).std(dim=0).max() > 1e-4
    assert d(x, labels(CLASSES)).std() > 1e-4


@pytest.mark.parametrize("name", PAIRS)
def test_labels_are_ignored_without_classes_and_demanded_with_them(name: str) -> None:
    g, d = build(name)
    g.eval(), d.eval()
    torch.testing.assert_close(g(latents(), labels()), g(latents()), rtol=0, atol=0)
    torch.testing.assert_close(d(samples(g), labels()), d(samples(g)), rtol=0, atol=0)
    g, d = build(name, classes=CLASSES)
    with pytest.raises(TypeError, match="classes=3 needs labels y, got None"):
        g(latents())
    with pytest.raises(TypeError, match="classes=3 needs labels y, got None"):
        d(samples(g))


@pytest.mark.parametrize(("name", "norm"), D_CASES)
def test_per_sample_is_true_exactly_where_samples_do_not_mix(name: str, norm: str) -> None:
    g, d = build(name, d_norm=norm)
    d.train()
    x = samples(g, 6, torch.float64)
    # Each answer comes from a fresh copy: spectral norm's state moves with every pass.
    together = copy.deepcopy(d).double()(x)
    apart = copy.deepcopy(d).double()(x[:3])
    mixes = (together[:3] - apart).abs().max().item() > 1e-9
    assert mixes is (norm == "batch")
    assert d.per_sample is not mixes


@pytest.mark.parametrize("name", PAIRS)
def test_dropout_keeps_per_sample_and_acts_in_train_mode_only(name: str) -> None:
    g, d = build(name, d_dropout=0.5)
    x = samples(g)
    assert build(name, d_dropout=0.5).d.per_sample
    assert not torch.equal(d.train()(x), d(x))
    torch.testing.assert_close(d.eval()(x), d(x), rtol=0, atol=0)


def directional(f: Callable[[], Tensor], weights: list[nn.Parameter]) -> tuple[float, float]:
    """The derivative of f along one direction of all weights: by autograd and by differences."""
    direction = [torch.randn_like(w) for w in weights]
    grads = torch.autograd.grad(f(), weights, allow_unused=True, materialize_grads=True)
    exact = sum((a * b).sum() for a, b in zip(grads, direction, strict=True))
    step, ends = 1e-7, []
    for sign in (1, -2):
        with torch.no_grad():
            for w, v in zip(weights, direction, strict=True):
                w.add_(v, alpha=sign * step)
        ends.append(f().item())
    return float(exact), (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize(("name", "norm"), D_CASES)
def test_d_is_exact_in_second_order(name: str, norm: str) -> None:
    g, d = build(name, d_norm=norm, classes=CLASSES, **attentive(name))
    d.double().train(norm != "spectral")  # in train mode each pass moves spectral norm's state
    leave_the_start(d)
    x = samples(g, 4, torch.float64).requires_grad_()

    def penalty() -> Tensor:
        (slope,) = torch.autograd.grad(d(x, labels(4)).sum(), x, create_graph=True)
        return slope.square().sum()

    exact, differences = directional(penalty, list(d.parameters()))
    assert exact == pytest.approx(differences, rel=1e-5)
    assert abs(exact) > 1e-6


@pytest.mark.parametrize(("name", "norm"), G_CASES)
def test_g_is_exact_in_second_order(name: str, norm: str) -> None:
    g, _ = build(name, g_norm=norm, classes=CLASSES, **attentive(name))
    g.double()
    leave_the_start(g)
    z = latents(4, torch.float64).requires_grad_()

    def path_length() -> Tensor:
        x = g(z, labels(4))
        weight = torch.linspace(-1, 1, x.numel(), dtype=x.dtype).view_as(x)
        (slope,) = torch.autograd.grad((x * weight).sum(), z, create_graph=True)
        return slope.square().sum()

    exact, differences = directional(path_length, list(g.parameters()))
    assert exact == pytest.approx(differences, rel=1e-5)
    assert abs(exact) > 1e-6


def attentive(name: str) -> dict[str, object]:
    return {"size": 16, "attention": [8]} if name in IMAGE_PAIRS else {}


def leave_the_start(network: nn.Module) -> None:
    """Biases start at 0, so that a rectifier whose inputs are all cut off sits on its kink."""
    wake_attention(network)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.05)


def wake_attention(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, networks.layers.SelfAttention):
            nn.init.constant_(layer.weight, 0.7)


@pytest.mark.parametrize("name", PAIRS)
def test_the_same_seed_gives_the_same_networks(name: str) -> None:
    first, again, other = build(name), build(name), build(name, seed=1)
    for a, b, c in zip(first, again, other, strict=True):
        assert_same_state(a.state_dict(), b.state_dict())
        weights = (nn.utils.parameters_to_vector(network.parameters()) for network in (a, c))
        assert not torch.equal(*weights)


def assert_same_state(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


@pytest.mark.parametrize(("name", "norm"), D_CASES)
def test_state_survives_safetensors(name: str, norm: str) -> None:
    changes = {"d_norm": norm, "g_norm": "batch", "classes": CLASSES}
    saved, fresh = build(name, **changes), build(name, seed=1, **changes)
    y = labels()
    saved.d(
        saved.g(latents(), y), y
    )  # moves running statistics and power iterations off their start
    for a, b in zip(saved, fresh, strict=True):
        b.load_state_dict(safetensors.torch.load(safetensors.torch.save(a.state_dict())))
        assert_same_state(a.state_dict(), b.state_dict())
        a.eval(), b.eval()
    x = saved.g(latents(), y)
    assert torch.equal(x, fresh.g(latents(), y))
    assert torch.equal(saved.d(x, y), fresh.d(x, y))


@pytest.mark.parametrize("name", IMAGE_PAIRS)
def test_channels_last_is_the_same_function(name: str) -> None:
    plain = build(name, size=16, attention=[8])
    wake_attention(plain.g), wake_attention(plain.d)
    g, d = (copy.deepcopy(network).to(memory_format=torch.channels_last) for network in plain)
    x = samples(plain.g)
    torch.testing.assert_close(g(latents()), plain.g(latents()), rtol=0, atol=1e-5)
    answer = d(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(answer, plain.d(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("classes", [0, CLASSES])
@pytest.mark.parametrize(("name", "norm"), G_CASES)
def test_g_starts_with_samples_of_a_sane_scale(name: str, norm: str, classes: int) -> None:
    g, _ = build(name, g_norm=norm, classes=classes)
    x = g(latents(256), labels(256) if classes else None)
    assert 0.02 < x.std().item() < 2
    assert abs(x.mean().item()) < 1


@pytest.mark.parametrize(("name", "norm"), D_CASES)
def test_d_starts_undecided_but_awake(name: str, norm: str) -> None:
    g, d = build(name, d_norm=norm)
    logits = d(samples(g, 256))
    assert logits.abs().max().item() < 10
    # Spectral norm bounds every layer's gain by 1; on random inputs a layer stays well below.
    assert logits.std().item() > (1e-5 if norm == "spectral" else 5e-3)


@pytest.mark.parametrize(("name", "norm"), D_CASES)
def test_no_weight_of_d_starts_dead(name: str, norm: str) -> None:
    g, d = build(name, d_norm=norm, classes=CLASSES)
    x = samples(g, 16, torch.float64)
    nn.functional.softplus(d.double()(x, labels(16))).mean().backward()
    assert_alive(d)


@pytest.mark.parametrize(("name", "norm"), G_CASES)
def test_no_weight_of_g_starts_dead(name: str, norm: str) -> None:
    g, d = build(name, g_norm=norm, classes=CLASSES)
    g.double(), d.double()
    y = labels(16)
    nn.functional.softplus(-d(g(latents(16, torch.float64), y), y)).mean().backward()
    assert_alive(g)


def assert_alive(network: nn.Module) -> None:
    """In float64, so that a gradient that is zero but for rounding counts as zero."""
    largest = max(p.grad.abs().max().item() for p in network.parameters() if p.grad is not None)
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.abs().max().item() > 1e-9 * largest, key
    assert math.isfinite(largest)


@pytest.mark.parametrize("name", PAIRS)
def test_eval_mode_leaves_the_state_alone_and_train_mode_moves_it(name: str) -> None:
    g, d = build(name, g_norm="batch", d_norm="spectral")
    for network, given in ((g, latents()), (d, samples(g))):
        assert network.training
        before = copy.deepcopy(network.state_dict())
        network.eval()(given)
        assert_same_state(before, network.state_dict())
        network.train()(given)
        with pytest.raises(AssertionError):
            assert_same_state(before, network.state_dict())


@pytest.mark.parametrize("name", PAIRS)
def test_g_exports_with_any_batch_size(name: str) -> None:
    g, d = build(name, g_norm="batch")
    assert isinstance(g, Generator)
    assert isinstance(d, Discriminator)
    g.eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(g, (latents(4),), dynamic_shapes={"z": {0: batch}})
    torch.testing.assert_close(program.module()(latents(7)), g(latents(7)))
