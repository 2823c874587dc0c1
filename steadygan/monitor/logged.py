"""What a loop hands to ``monitor.log``, as a row takes it."""

from torch import Tensor

from steadygan.errors import ContractError


def scalar(name: str, value: Tensor | float | int) -> Tensor | float:
    """The value as a row takes it, or at once why it cannot, and not when the row is written."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        # Loops add up losses in place; the copy is what this iteration saw.
        return value.detach().clone().reshape(())
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        shown = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)[:40]
        raise ContractError(
            f"monitor.log {name} must be a number or a tensor of one real element, got {shown}; "
            "log its mean."
        ) from None
