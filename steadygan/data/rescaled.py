"""A source seen in another range: for generators whose last activation is not tanh."""

from steadygan.data.scale import Interval
from steadygan.data.source import Fingerprint, Source
from steadygan.errors import ConfigError
from steadygan.types import Labels, Samples


class Rescaled(Source):
    """The same samples in another network range, such as [0, 1] for a sigmoid output.

    x ← (x + 1)/2·(hi - lo) + lo. ``to_data`` leads to the same units as before.

    Use it to match the data to G's output; a range centred at 0 trains better. Cost: two passes
    over a batch.

    Args:
        source: a source with a range, that is, images.
        network_range: (lo, hi), lo < hi.

    Raises:
        ConfigError: if the source is unbounded or the range is empty.

    >>> from steadygan.data.digits import Digits
    >>> x, _ = Rescaled(Digits(), (0.0, 1.0)).draw(0, 64, seed=0)
    >>> x.min().item(), x.max().item()
    (0.0, 1.0)
    """

    def __init__(self, source: Source, network_range: tuple[float, float]) -> None:
        scale = source.scale
        if not isinstance(scale, Interval):
            raise ConfigError(
                f"Rescaled.source must have a range, but {type(source).__name__} is unbounded; "
                "use the source itself, under an unbounded generator."
            )
        if not network_range[0] < network_range[1]:
            raise ConfigError(
                f"Rescaled.network_range must be (lo, hi) with lo < hi, got {network_range}; "
                "use (0, 1) for a sigmoid output."
            )
        self.source = source
        self._scale = scale.seen_as(network_range)
        # From the range as it was to the new one: exact at both ends.
        self._step = Interval(*scale.network, network_range)

    @property
    def event(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.source.event

    @property
    def classes(self) -> int:
        """As of the source."""
        return self.source.classes

    @property
    def size(self) -> int | None:
        """As of the source."""
        return self.source.size

    @property
    def scale(self) -> Interval:
        """The source's own units, seen in the new range."""
        return self._scale

    def draw(self, position: int, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """The source's samples in the new range; see ``Source.draw``."""
        x, y = self.source.draw(position, num, seed=seed)
        return self._step.to_network(x), y

    def reference(self, num: int, *, seed: int) -> tuple[Samples, Labels | None]:
        """The source's reference samples in the new range."""
        x, y = self.source.reference(num, seed=seed)
        return self._step.to_network(x), y

    def fingerprint(self) -> Fingerprint:
        """The source's own, and the range."""
        return {**self.source.fingerprint(), "network_range": list(self._scale.network)}
