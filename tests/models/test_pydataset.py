"""`PyDataset` as data for training, evaluation and prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphc
from graphc.errors import ArgumentError, GraphcError
from graphc.utils import PyDataset

Array = np.ndarray[Any, Any]


class Batches(PyDataset):
    """Batches of arrays in memory, counting the epochs."""

    def __init__(self, *arrays: Array, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arrays, self.size, self.epochs = arrays, size, 0

    def __len__(self) -> int:
        return math.ceil(len(self.arrays[0]) / self.size)

    def __getitem__(self, index: int) -> Any:
        part = tuple(array[index * self.size : (index + 1) * self.size] for array in self.arrays)
        return part if len(part) > 1 else part[0]

    def on_epoch_end(self) -> None:
        self.epochs += 1


def data() -> tuple[Array, Array, Array]:
    random = np.random.RandomState(0)
    x = random.random_sample((11, 3)).astype(np.float32)
    return x, x @ np.array([[1.0], [-2.0], [0.5]], np.float32), random.random_sample(11).astype(np.float32)


def model() -> Any:
    graphc.utils.set_random_seed(3)
    made = graphc.Sequential([graphc.Input((3,)), graphc.layers.Dense(4, activation="tanh"), graphc.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("parts", [2, 3], ids=["without weights", "with weights"])
def test_trains_as_on_arrays(parts: int) -> None:
    # Batches of 11 are never reordered, so the two must agree to the bit.
    arrays = data()[:parts]
    one, other = model(), model()
    batches = Batches(*arrays, size=11)
    found = one.fit(batches, epochs=3, verbose=0)
    weights = {"sample_weight": arrays[2]} if parts == 3 else {}
    expected = other.fit(arrays[0], arrays[1], batch_size=11, epochs=3, shuffle=False, verbose=0, **weights)
    assert found.history == expected.history


def test_is_told_of_the_end_of_each_epoch() -> None:
    x, y, _ = data()
    batches = Batches(x, y, size=4)
    model().fit(batches, epochs=3, verbose=0)
    assert batches.epochs == 3


def test_the_order_of_batches_is_shuffled_unless_asked_otherwise() -> None:
    seen: list[int] = []

    class Noted(Batches):
        def __getitem__(self, index: int) -> Any:
            seen.append(index)
            return super().__getitem__(index)

    x, y, _ = data()
    graphc.utils.set_random_seed(5)
    model().fit(Noted(x, y, size=1), epochs=2, verbose=0, shuffle=False)
    assert seen == [*range(11), *range(11)]
    seen.clear()
    model().fit(Noted(x, y, size=1), epochs=2, verbose=0)
    assert sorted(seen[:11]) == sorted(seen[11:]) == list(range(11))
    assert seen[:11] != list(range(11))
    assert seen[:11] != seen[11:]


def test_evaluates_and_predicts_as_on_arrays() -> None:
    x, y, _ = data()
    made = model()
    np.testing.assert_allclose(
        made.evaluate(Batches(x, y, size=4), verbose=0), made.evaluate(x, y, batch_size=4, verbose=0), rtol=1e-6
    )
    expected = made.predict(x, batch_size=4, verbose=0)
    np.testing.assert_array_equal(made.predict(Batches(x, size=4), verbose=0), expected)
    np.testing.assert_array_equal(made.predict(Batches(x, y, size=4), verbose=0), expected)


def test_as_validation_data() -> None:
    x, y, _ = data()
    made = model()
    history = made.fit(x, y, validation_data=Batches(x, y, size=4), verbose=0).history
    np.testing.assert_allclose(history["val_loss"], [made.evaluate(x, y, verbose=0)], rtol=1e-6)


def test_batches_may_be_lists() -> None:
    class Lists(Batches):
        def __getitem__(self, index: int) -> Any:
            return list(super().__getitem__(index))

    x, y, _ = data()
    one, other = model(), model()
    assert one.fit(Lists(x, y, size=11), verbose=0).history == other.fit(Batches(x, y, size=11), verbose=0).history


def test_iteration_and_arguments() -> None:
    x, y, _ = data()
    batches = Batches(x, y, size=4, workers=2, use_multiprocessing=True, max_queue_size=3)
    assert [len(part[0]) for part in batches] == [4, 4, 3]
    assert (batches.num_batches, batches.workers, batches.use_multiprocessing, batches.max_queue_size) == (
        3,
        2,
        True,
        3,
    )
    assert graphc.utils.Sequence is PyDataset
    for arguments in ({"workers": -1}, {"workers": "2"}, {"max_queue_size": 1.5}):
        with pytest.raises(ArgumentError, match=next(iter(arguments))):
            Batches(x, size=4, **arguments)


def test_unfinished_classes() -> None:
    class Unfinished(PyDataset):
        pass

    with pytest.raises(GraphcError, match="Unfinished does not define `__getitem__"):
        Unfinished()[0]
    with pytest.raises(GraphcError, match="Unfinished does not define `__len__"):
        _ = Unfinished().num_batches
