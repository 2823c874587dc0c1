"""A penalty is per sample: what D must not contain under one."""

from collections.abc import Iterable

from torch import nn

from steadygan.errors import ConfigError
from steadygan.penalties.penalty import Penalty


def require_no_batch_norm(d: nn.Module, penalties: Iterable[Penalty]) -> None:
    """Refuse batch normalisation in D under an active penalty: samples must not influence each other's penalty.

    Raises:
        ConfigError: naming the layer.
    """
    kinds = (nn.modules.batchnorm._BatchNorm,)
    names = [name for name, module in d.named_modules() if isinstance(module, kinds)]
    active = [type(p).__name__ for p in penalties if p.weight > 0]
    if names and active:
        raise ConfigError(
            f"{active[0]} is computed per sample, but D has batch normalisation (layer {names[0]!r}); "
            "use norm 'layer', 'instance' or 'none' in D, or drop the penalty."
        )
