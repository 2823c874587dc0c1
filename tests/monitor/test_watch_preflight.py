"""What preflight finds is part of a watched run's diagnosis, live and from its record."""

from pathlib import Path

import pytest
import torch
from torch import nn

from steadygan import diagnose, preflight, watch
from steadygan.doctor import examine
from steadygan.record import read


def parts(
    reals: torch.Tensor,
) -> tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer, torch.Tensor]:
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2), nn.Tanh())
    d = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Flatten(0))
    return (
        g,
        d,
        torch.optim.Adam(g.parameters(), 1e-3),
        torch.optim.Adam(d.parameters(), 1e-3),
        reals,
    )


def trained(record: Path, reals: torch.Tensor) -> str:
    g, d, opt_g, opt_d, real = parts(reals)
    with watch(g, d, opt_g, opt_d, real=real, latent=torch.randn(256, 4), record=record) as monitor:
        for _ in range(3):
            loss = d(g(torch.randn(8, 4))).mean()
            opt_g.zero_grad()
            loss.backward()
            opt_g.step()
    return monitor.diagnosis().to_json()


def test_a_range_out_of_reach_is_told_at_once_and_stays_told(tmp_path: Path) -> None:
    reals = 255 * torch.rand(512, 2)
    path = tmp_path / "record.jsonl"
    with pytest.warns(UserWarning, match="tanh reaches only"):
        live = trained(path, reals)
    replayed = examine(read(path))
    assert replayed.verdict == "failing"
    assert replayed.findings[0].kind == "preflight_data_range"
    assert replayed.to_json() == live == diagnose(path).to_json()


def test_it_is_remembered_by_a_record_that_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with pytest.warns(UserWarning, match="tanh reaches only"):
        trained(path, 255 * torch.rand(512, 2))
    again = trained(path, 255 * torch.rand(512, 2))
    assert "preflight_data_range" in again
    assert again == examine(read(path)).to_json()


def test_nothing_wrong_is_nothing_told(tmp_path: Path) -> None:
    reals = 2 * torch.rand(512, 2) - 1
    trained(tmp_path / "record.jsonl", reals)
    assert read(tmp_path / "record.jsonl").events[0].name == "finished"
    g, d, opt_g, opt_d, real = parts(reals)
    assert not preflight(g, d, opt_g, opt_d, real=real, latent=torch.randn(64, 4)).findings
