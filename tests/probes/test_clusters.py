"""Clusters of the reals: found where they are, the same every time, robust against outliers."""

import pytest
import torch
from torch import Tensor

from steadygan.data.synthetic.ring import Ring
from steadygan.probes.clusters import Clusters


def blobs(num_each: int, centres: Tensor, std: float = 0.05) -> Tensor:
    noise = torch.randn(num_each * len(centres), 2, generator=torch.Generator().manual_seed(3))
    return centres.repeat_interleave(num_each, dim=0).double() + std * noise.double()


CORNERS = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]])


def test_blobs_are_not_mixed() -> None:
    x = blobs(30, CORNERS)
    clusters = Clusters(x)
    nearest = torch.cdist(clusters.centres, CORNERS.double()).amin(dim=1)
    assert float(nearest.max()) < 0.5, "no centre lies between two blobs"
    of = torch.cdist(clusters.centres, CORNERS.double()).argmin(dim=1)
    shares = torch.zeros(4).double().index_add(0, of, clusters.shares)
    assert shares.tolist() == pytest.approx([0.25] * 4)


def test_shares_against_a_slow_count() -> None:
    clusters, y = Clusters(blobs(30, CORNERS)), blobs(20, CORNERS, std=1.0)
    counts = [0] * len(clusters.centres)
    for point in y:
        counts[
            min(range(len(counts)), key=lambda c: float((clusters.centres[c] - point).norm()))
        ] += 1
    assert clusters.shares_of(y).tolist() == pytest.approx([c / len(y) for c in counts])


def test_the_same_clusters_every_time() -> None:
    x = torch.randn(256, 8).double()
    first = Clusters(x).centres
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert torch.equal(Clusters(x).centres, first)
    assert torch.equal(torch.get_rng_state(), before)


def test_centres_are_the_means_of_their_points() -> None:
    x = blobs(60, CORNERS, std=0.5)
    clusters = Clusters(x)
    members = torch.cdist(x, clusters.centres).argmin(dim=1)
    means = torch.stack([x[members == c].mean(dim=0) for c in range(len(clusters.centres))])
    assert float((means - clusters.centres).abs().max()) < 0.2


def test_an_outlier_is_no_cluster() -> None:
    x = torch.cat([blobs(60, CORNERS), torch.tensor([[100.0, 100.0]]).double()])
    clusters = Clusters(x)
    assert float(clusters.centres.max()) < 10
    assert float(clusters.shares.min()) * len(x) >= 4


def test_few_values_make_few_clusters() -> None:
    x = torch.tensor([[0.0], [1.0]]).double().repeat(50, 1)
    assert len(Clusters(x).centres) == 2


@pytest.mark.parametrize("num", [3, 6, 7])
def test_a_handful_of_points_still_has_clusters(num: int) -> None:
    x = torch.randn(num, 3, generator=torch.Generator().manual_seed(num)).double()
    clusters = Clusters(x)
    assert len(clusters.centres) >= 1
    assert float(clusters.shares.sum()) == pytest.approx(1.0)


def test_a_narrow_mode_is_one_cluster() -> None:
    """k-means cuts the eight narrow modes of a ring into about twenty; a sample set misses modes, not pieces."""
    for seed in range(4):
        x = Ring().reference(256, seed=seed)[0]
        clusters = Clusters(x)
        of = torch.cdist(Ring().to_data(clusters.centres), Ring().centres).argmin(dim=1)
        assert sorted(of.tolist()) == list(range(8))
        members = torch.cdist(x, clusters.centres).argmin(dim=1)
        means = torch.stack([x[members == c].mean(dim=0) for c in range(8)])
        torch.testing.assert_close(means, clusters.centres)


def test_what_has_no_narrow_modes_keeps_its_clusters() -> None:
    x = torch.randn(256, 2, generator=torch.Generator().manual_seed(3))
    assert len(Clusters(x).centres) > 12
    assert len(Clusters(x[:, :1]).centres) > 12
