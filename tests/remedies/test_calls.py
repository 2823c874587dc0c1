"""What a module was called with is noted, and its calls, copies and pickles are what they were."""

import copy
import pickle
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from steadygan.remedies.calls import Calls
from steadygan.updates.compiled import is_compiled

LONG = 9  # calls


class Peculiar(nn.Linear):
    """A module with a ``__call__`` of its own."""

    def __call__(self, x: Tensor) -> Tensor:
        return super().__call__(2 * x)


def compiled() -> nn.Module:
    net = nn.Linear(2, 1)
    net.compile(backend="eager")
    return net


def usual() -> nn.Module:
    return nn.Linear(2, 1)


def peculiar() -> nn.Module:
    return Peculiar(2, 1)


@pytest.mark.parametrize(("make", "stays"), [(usual, False), (peculiar, True), (compiled, True)])
def test_the_last_calls_are_noted_and_nothing_else_is_different(
    make: Callable[[], nn.Module], stays: bool
) -> None:
    net = make()
    before, x = dict(vars(net)), [torch.randn(3, 2) for _ in range(3)]
    answers = [net(value) for value in x]
    calls = Calls(net, 2)
    assert calls.last() == []
    calls.set(True)
    factor = 2 if isinstance(net, Peculiar) else 1
    for _ in range(LONG):
        for value, answer in zip(x, answers, strict=True):
            assert torch.equal(net(value), answer)
        assert all(torch.equal(a, factor * b) for a, b in zip(calls.last(), x[1:], strict=True))
    assert bool(net._forward_pre_hooks) is stays
    assert is_compiled(net) is (make is compiled)
    calls.set(False)
    assert calls.last() == []
    assert vars(net).keys() == before.keys()
    assert not net._forward_pre_hooks
    assert torch.equal(net(x[0]), answers[0])


def begun(net: nn.Module, num: int = 4) -> Calls:
    """Noted for long enough to be no hook any more."""
    calls = Calls(net, num)
    calls.set(True)
    for _ in range(LONG):
        net(torch.zeros(1, 2))
    assert not net._forward_pre_hooks
    return calls


def test_keywords_reach_the_module() -> None:
    net = nn.Linear(2, 1)
    begun(net)
    x = torch.randn(3, 2)
    assert torch.equal(net(input=x), net.forward(x))


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("way", ["copy", "deepcopy", "pickle"])
def test_a_copy_notes_nothing_and_has_weights_of_its_own(way: str, is_long: bool) -> None:
    net, x = nn.Linear(2, 1), torch.randn(3, 2)
    calls = begun(net) if is_long else Calls(net, 4)
    calls.set(True)
    known = len(calls.last())
    if way == "pickle":
        twin = pickle.loads(pickle.dumps(net))
    else:
        twin = copy.copy(net) if way == "copy" and is_long else copy.deepcopy(net)
    twin._parameters = dict(twin._parameters, weight=nn.Parameter(torch.zeros(1, 2)))
    assert torch.equal(twin(x), twin.bias.expand(3, 1))
    assert torch.equal(net(x), net.forward(x))
    assert len(calls.last()) == min(known + 1, 4)
    assert calls.last()[-1] is x


def test_a_replica_in_another_thread_is_itself() -> None:
    net, x = nn.Linear(2, 1), torch.randn(3, 2)
    calls = begun(net)
    replica = net._replicate_for_data_parallel()
    replica.weight, replica.bias = torch.ones(1, 2), torch.zeros(1)
    found: list[Tensor] = []

    def call() -> None:
        found.extend((replica(x), net(x)))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert torch.allclose(found[0], x.sum(1, keepdim=True))
    assert torch.equal(found[1], net.forward(x))
    assert calls.last()[-2:] == [x, x]


def test_compiled_later_it_goes_on_by_a_hook() -> None:
    net, x = nn.Linear(2, 1), torch.randn(3, 2)
    calls = begun(net)
    net.compile(backend="eager")
    assert calls.last() == []  # what there was is of long ago
    net(x)
    assert len(calls.last()) == 1
    calls.set(False)
    assert net._compiled_call_impl is not None  # theirs
    assert not net._forward_pre_hooks


def test_calls_in_code_that_is_compiled_around_it_are_noted() -> None:
    net = nn.Linear(2, 1)
    calls = Calls(net, 1)
    calls.set(True)
    step = torch.compile(lambda value: net(value) * 2, backend="eager", fullgraph=True)
    for _ in range(LONG):
        x = torch.randn(3, 2)
        assert torch.equal(step(x), net.forward(x) * 2)
        assert calls.last()[0] is x
