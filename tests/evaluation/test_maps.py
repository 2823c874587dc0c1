"""Feature maps: what they compute, that they leave no trace, and that their fingerprints tell them apart."""

import sys
import types
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation import (
    PCA,
    EfficientNet,
    Inception,
    Module,
    Pixels,
    Preparation,
    RandomFeatures,
    from_array,
)
from steadygan.evaluation.maps.efficientnet import _Lite0
from steadygan.evaluation.maps.inception import as_bytes
from steadygan.evaluation.maps.sample_map import features_of
from steadygan.recipes.features import make_feature_map

HOW = Preparation()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("n", "d"), [(300, 20), (15, 40)])
def test_pca_is_the_singular_vectors_of_centred_data(n: int, d: int) -> None:
    x = noise(n, d) * torch.linspace(3, 0.1, d, dtype=torch.float64) + 5
    real = from_array(x, "real", HOW)
    found = PCA(4).fitted(real)
    _, _, v = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    expected = (x - x.mean(0)) @ v[:4].T
    torch.testing.assert_close(found(x).abs(), expected.abs(), rtol=1e-8, atol=1e-8)
    share = expected.square().sum() / (x - x.mean(0)).square().sum()
    assert found.about()["explained_variance"] == pytest.approx(float(share), abs=1e-5)


def test_pca_of_many_pixels_keeps_almost_all_that_can_be_kept() -> None:
    x = noise(1200, 1300) * torch.arange(1, 1301, dtype=torch.float64).rsqrt()
    found = PCA(16).fitted(from_array(x, "real", Preparation(num=None)))
    singular = torch.linalg.svdvals(x - x.mean(0))
    best = float(singular[:16].square().sum() / singular.square().sum())
    assert best - 1e-3 < found.about()["explained_variance"] <= best + 1e-6


def test_pca_says_what_it_needs() -> None:
    with pytest.raises(ConfigError, match="at least one component"):
        PCA(0)
    with pytest.raises(DataError, match="at least two real samples"):
        PCA(3).fitted(None)


def test_random_features_are_a_function_of_the_seed() -> None:
    x = torch.rand(3, 1, 16, 16)
    before = torch.get_rng_state()
    a, b, c = RandomFeatures(0), RandomFeatures(0), RandomFeatures(1)
    assert torch.equal(a(x), b(x))
    assert not torch.equal(a(x), c(x))
    assert a.fingerprint() == b.fingerprint() != c.fingerprint()
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(DataError, match="need images"):
        a(torch.rand(3, 5))


class Norm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.conv(x))
        return out


def test_a_module_is_left_as_it_was() -> None:
    network = Norm().train()
    network.norm.eval()
    state = {k: v.clone() for k, v in network.state_dict().items()}
    out = Module(network, size=12, rgb=True)(torch.rand(5, 1, 8, 8))
    assert out.shape == (5, 4)
    assert network.training
    assert not network.norm.training
    assert all(torch.equal(v, state[k]) for k, v in network.state_dict().items())


def test_a_module_takes_images_in_its_own_range() -> None:
    seen: list[Tensor] = []

    def look(x: Tensor) -> Tensor:
        seen.append(x)
        return x.flatten(1)

    Module(look, range=(0, 1))(torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2))
    assert seen[0].flatten().tolist() == [0, 1]


def test_fingerprints_follow_the_weights() -> None:
    torch.manual_seed(0)
    a, b = nn.Linear(3, 2), nn.Linear(3, 2)
    assert Module(a).fingerprint() != Module(b).fingerprint()
    b.load_state_dict(a.state_dict())
    assert Module(a).fingerprint() == Module(b).fingerprint()
    assert Module(a).is_comparable
    assert not Module(lambda x: x).is_comparable


def test_wrong_outputs_and_nan_are_named() -> None:
    x = from_array(torch.rand(4, 3), "fake", HOW)
    with pytest.raises(DataError, match=r"must return a tensor \(b, f\)"):
        features_of(x, Module(lambda x: x.sum()))
    with pytest.raises(DataError, match="1 of 4 fake samples that are not, the first is 2"):
        features_of(x, Module(lambda x: torch.where(torch.arange(4)[:, None] == 2, torch.nan, x)))


def test_efficientnet_from_a_file(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = {k: v.half() for k, v in _Lite0().state_dict().items()}
    save_file(state, str(tmp_path / "net.safetensors"))
    found = make_feature_map(f"imagenet:{tmp_path / 'net.safetensors'}@32")
    assert isinstance(found, EfficientNet)
    x = torch.rand(2, 1, 20, 20) * 2 - 1
    assert found(x).shape == (2, 1280)
    torch.testing.assert_close(found.probabilities(x).sum(1), torch.ones(2))
    assert "32 px" in found.describe()["resizing"]
    del state["stem.weight"]
    save_file(state, str(tmp_path / "net.safetensors"))
    with pytest.raises(DataError, match="must be EfficientNet-Lite0"):
        EfficientNet(tmp_path / "net.safetensors")


class FakeExtractor(nn.Module):
    """Stands for torch-fidelity's: bytes in, one tensor for each feature asked for out."""

    def __init__(
        self, name: str, features: list[str], feature_extractor_weights_path: str | None = None
    ) -> None:
        super().__init__()
        assert features == ["2048", "logits_unbiased"]
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        assert x.dtype == torch.uint8
        assert x.shape[1] == 3
        flat = x.flatten(1).float()
        return flat[:, :8], flat[:, :4] / 255


def test_inception_by_torch_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.FeatureExtractorInceptionV3 = FakeExtractor  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = make_feature_map("inception")
    x = as_bytes(torch.rand(2, 1, 4, 4) * 2 - 1).float() / 127.5 - 1
    assert found(x).shape == (2, 8)
    assert torch.equal(found(x)[:, 0], (x[:, 0, 0, 0] + 1) * 127.5)
    torch.testing.assert_close(found.probabilities(x).sum(1), torch.ones(2))


def test_inception_without_torch_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(ConfigError, match=r"pip install 'steadygan\[inception\]'"):
        Inception()


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_inception_from_a_script(tmp_path: Path) -> None:
    class Mean(nn.Module):
        def forward(self, x: Tensor, return_features: bool = False) -> Tensor:
            return x.float().mean(dim=(2, 3))

    torch.jit.script(Mean()).save(str(tmp_path / "net.pt"))
    found = make_feature_map(f"inception:{tmp_path / 'net.pt'}")
    assert found(torch.ones(2, 1, 4, 4)).tolist() == [[255.0] * 3] * 2
    with pytest.raises(DataError, match="must be a file"):
        Inception(tmp_path / "nowhere.pt")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pcaa:3", "unknown feature map 'pcaa:3'"),
        ("pca:many", "whole number"),
        ("pixels:3", "no option"),
        ("imagenet", "need a weights file"),
        ("random:-1", "whole number"),
    ],
)
def test_names_that_are_wrong(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make_feature_map(name)


def test_names_that_are_right() -> None:
    assert make_feature_map("pca").name == "pca:64"
    assert make_feature_map("random").name == "random:0"
    assert isinstance(make_feature_map("pixels"), Pixels)
    assert isinstance(make_feature_map(nn.Linear(2, 2)), Module)
