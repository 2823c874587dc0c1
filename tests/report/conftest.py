"""A run directory as a training leaves it: calm losses, a late collapse, a few grids."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steadygan.record import RecordWriter

RECIPE = """\
name: {name}
seed: 7
steps: 4000
batch: 64
data: {{name: digits}}
latent: {{dim: 64, prior: normal}}
network: {{name: resnet, width: 64}}
objective: {{name: relativistic}}
penalties:
  r1: {{weight: 1.0, every: 16}}
optimizer:
  g: {{name: adam, lr: 2.0e-4, betas: [0.0, 0.99]}}
  d: {{name: adam, lr: 2.0e-4, betas: [0.0, 0.99]}}
"""

DIAGNOSIS = {
    "schema": 1,
    "verdict": "failing",
    "steps": 4000,
    "not_assessed": ["discriminator_overfitting", "memorization"],
    "findings": [
        {
            "kind": "mode_collapse",
            "severity": "critical",
            "step": 3100,
            "resolved": None,
            "evidence": [
                {
                    "signal": "dispersion",
                    "observed": 0.21,
                    "expected": "> 0.5",
                    "sentence": "Dispersion fell from 0.93 to 0.21 within 300 steps.",
                },
                {"signal": "coverage", "sentence": "Coverage is 0.18; its best was 0.81."},
            ],
            "causes": [
                "D outruns G: the logit gap tripled since step 2900.",
                {"cause": "R1 is too weak."},
            ],
            "remedies": ["raise_r1_weight", "lower_learning_rate_d"],
        },
        {
            "kind": "exploding_gradient",
            "severity": "warning",
            "step": 1500,
            "resolved": 1520,
            "evidence": [{"sentence": "grad_norm_d reached 40 times its median for one step."}],
            "causes": [],
            "remedies": ["clip_gradients"],
        },
    ],
}

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes the folder; ``parts`` chooses what is in it beside the record."""

    def make(
        num_steps: int = 4000,
        *,
        name: str = "digits",
        parts: tuple[str, ...] = ("recipe", "environment", "diagnosis", "metrics", "samples"),
    ) -> Path:
        run = tmp_path / "run"
        (run / "samples").mkdir(parents=True)
        _write_record(run / "record.jsonl", num_steps)
        if "recipe" in parts:
            (run / "recipe.yaml").write_text(RECIPE.format(name=json.dumps(name)))
        if "environment" in parts:
            environment = {
                "python": "3.11.7",
                "device": "cpu",
                "packages": {"torch": "2.6.0", "numpy": None},
            }
            (run / "environment.json").write_text(json.dumps(environment))
        if "diagnosis" in parts:
            (run / "diagnosis.json").write_text(json.dumps(DIAGNOSIS))
        if "metrics" in parts:
            rows = [
                {"step": 2000, "precision": 0.71, "recall": 0.64, "coverage": 0.7},
                {
                    "step": num_steps,
                    "precision": 0.83,
                    "recall": 0.12,
                    "coverage": 0.18,
                    "energy_distance": 0.0421,
                },
            ]
            (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        if "samples" in parts:
            for step in np.linspace(0, num_steps, 17).astype(int):
                _grid(int(step), num_steps).save(run / "samples" / f"{step:08d}.png")
        return run

    return make


def _write_record(path: Path, num_steps: int) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(num_steps + 1, 6))
    with RecordWriter(path, flush_every=1000) as writer:
        for step in range(1, num_steps + 1):
            spikes = step == round(0.375 * num_steps)
            t, n = step / num_steps, noise[step].tolist()
            gap = 0.4 + 3 * max(0.0, t - 0.72)
            row = {
                "loss_d": 0.69 * math.exp(-3 * t) + 0.45 + 0.05 * math.sin(40 * t) + 0.03 * n[0],
                "loss_g": 0.9 + gap / 2 - 0.06 * math.sin(40 * t) + 0.05 * n[1],
                "logit_real": gap + 0.1 * n[2],
                "logit_fake": -gap + 0.1 * n[3],
                "grad_norm_g": math.exp(-1.5 * t + 0.2 * n[4]) * (1 if t < 0.75 else 0.01),
                "grad_norm_d": math.exp(0.3 * n[5]) * (40 if spikes else 1),
                "lr_g": 2e-4,
                "lr_d": 2e-4,
                "step_s": 0.021 + 0.001 * abs(n[0]) + 0.05 * (step % 100 == 0),
            }
            if step % 16 == 0:
                row["r1"] = 0.02 + 0.004 * n[1]
            if step % 100 == 0 and not 0.4 < t < 0.45:
                collapsed = 1 / (1 + math.exp(-60 * (t - 0.78)))
                row["energy_distance"] = 0.6 * math.exp(-6 * t) + 0.02 + 0.3 * collapsed
                row["coverage"] = (1 - math.exp(-5 * t)) * 0.85 * (1 - 0.8 * collapsed)
                row["dispersion"] = min(1.0, 0.4 + 2 * t) * (1 - 0.77 * collapsed)
            if step == num_steps // 2:
                writer.event("resumed", steps=num_steps)
            writer.append(step, row)


def _grid(step: int, num_steps: int) -> Image.Image:
    """Rings that sharpen with the steps, 8 x 8 of 16 pixels."""
    rng = np.random.default_rng(step)
    y, x = np.mgrid[-1:1:16j, -1:1:16j]
    t = step / num_steps
    cells = []
    for _ in range(64):
        radius = rng.uniform(0.3, 0.8) if t < 0.8 else 0.5
        ring = np.exp(-(((np.hypot(x, y) - radius) / 0.2) ** 2))
        cells.append(t * ring + (1 - t) * rng.random((16, 16)))
    rows = [np.hstack(cells[8 * k : 8 * k + 8]) for k in range(8)]
    return Image.fromarray((255 * np.clip(np.vstack(rows), 0, 1)).astype(np.uint8))
