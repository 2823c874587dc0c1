"""A training whose game can be put under the microscope at any moment."""

from collections.abc import Iterable, Sequence

import torch

from steadygan.errors import ConfigError
from steadygan.monitor.bedside import Bedside, class_names
from steadygan.monitor.chart import Chart
from steadygan.monitor.microscope import Dynamics, Fixed, Loss, chosen_losses, examine_game
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.probes import Probe
from steadygan.probes.foreign import Discriminator, Generator


class Inspected(Bedside):
    """A bedside at which the game's own dynamics can be asked for.

    Args:
        g, d: the networks as probes call them.
        probes: which.
        chart: the record and the doctor who reads it.
        optimizers: G's and D's; one, if it moves both.
        at_once: the most samples that probes send through a network together; None: all.

    Attributes:
        fixed: the samples on which the game is looked at.
    """

    def __init__(
        self,
        g: Generator,
        d: Discriminator,
        probes: Sequence[Probe],
        chart: Chart,
        optimizers: Sequence[torch.optim.Optimizer],
        at_once: int | None,
    ) -> None:
        super().__init__(g, d, probes, chart, class_names(g, d, optimizers), at_once)
        self.fixed: Fixed | None = None
        self._optimizers = tuple(optimizers)
        self._step = chart.last_step

    def dynamics(
        self,
        objective: Objective | None = None,
        *,
        loss_d: Loss | None = None,
        loss_g: Loss | None = None,
        penalties: Iterable[Penalty] = (),
        num: int = 64,
        d_steps: int = 1,
        seed: int = 0,
    ) -> Dynamics:
        """The game's own dynamics now: eigenvalues of a step, rotation, verdict, largest stable rates.

        Of alternating plain steps at the optimizers' rates, on copies of the networks in float64 and the fixed
        samples; nothing of the training changes. The losses are the loop's, which the monitor does not know: an
        objective of this package, or both as ``loss(d, real, fake)``, where no player may be detached; with labels
        ``real`` and ``fake`` are tuples. While the training is under way it stands at no equilibrium, and
        "diverges" says that neighbouring trainings part, which is common and no failure. An adaptive optimizer
        rescales each weight's rate and momentum turns steps: then read signs and rotation, not sizes.
        Cost: about a second up to some thousand parameters, growing with the networks; memory for two graphs of both.

        Args:
            objective, penalties: the loop's; penalties at their mean strength.
            loss_d, loss_g: instead of an objective, the loop's two losses.
            num: samples of each side, at most those fixed.
            d_steps: D's steps for each of G's.
            seed: of what is random inside.

        Raises:
            ConfigError: without losses, or for networks that are not finite.
            ContractError: for losses that cannot be computed in float64 or differentiated twice.

        Source: Mescheder, Nowozin, Geiger (2017), arXiv 1705.10461, section 3, for the flow's eigenvalues.
        """
        if self.fixed is None:
            raise ConfigError(
                "monitor.dynamics must have fixed samples, got none; get the monitor from watch."
            )
        if num < 2:
            raise ConfigError(f"monitor.dynamics num must be >= 2, got {num}; 64 is usual.")
        return examine_game(
            self._g,
            self._d,
            self.fixed,
            chosen_losses(objective, loss_d, loss_g),
            penalties,
            step=self._step,
            optimizers=self._optimizers,
            num=num,
            d_steps=d_steps,
            seed=seed,
        )
