"""Mistakes in the wiring of layers: told when the model is built, in one message that names the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError, GraphcError, ModelFileError, ShapeError


def inputs(*lengths: int) -> list[Any]:
    return [graphc.Input((n,), name=name) for n, name in zip(lengths, "abc", strict=False)]


def disconnected() -> None:
    a, b = inputs(2, 2)
    graphc.Model(a, layers.Dense(1, name="head")(layers.add([a, b])))


def from_another_model() -> None:
    a, b = inputs(2, 2)
    other = graphc.Model(b, layers.Dense(2)(b))
    graphc.Model(a, other.output)


def two_of_a_name() -> None:
    (a,) = inputs(2)
    graphc.Model(a, layers.Dense(2, name="same")(layers.ReLU(name="same")(a)))


def an_input_twice() -> None:
    (a,) = inputs(2)
    graphc.Model([a, a], layers.Dense(2)(a))


def arrays() -> None:
    (a,) = inputs(2)
    graphc.Model(a, [1.0, 2.0])


def pair() -> Any:
    a, b = inputs(2, 3)
    return graphc.Model([a, b], layers.concatenate([a, b]), name="pair")


def one_input_for_two() -> None:
    pair()(graphc.Input((2,)))


def three_inputs_for_two() -> None:
    pair()([graphc.Input((2,)), graphc.Input((3,)), graphc.Input((2,))])


def a_missing_key() -> None:
    pair()({"a": graphc.Input((2,))})


def wrong_width() -> None:
    pair()([graphc.Input((2,)), graphc.Input((4,))])


def wrong_rank() -> None:
    pair()([graphc.Input((2,)), graphc.Input((5, 3))])


def a_sequential_in_itself() -> None:
    model = graphc.Sequential(name="loop")
    model.add(model)


def a_sequential_in_what_it_holds() -> None:
    inner = graphc.Sequential(name="inner")
    outer = graphc.Sequential([inner], name="outer")
    inner.add(outer)


def twice_in_a_stack() -> None:
    dense = layers.Dense(2, name="again")
    graphc.Sequential([graphc.Input((2,)), dense, dense])


MISTAKES: list[tuple[Callable[[], None], type[GraphcError], str]] = [
    (disconnected, ArgumentError, r"layer 'head' \(Dense\) is not connected.*depends on input 'b'.*\['a'\]"),
    (from_another_model, ArgumentError, r"is not connected.*depends on input 'b'.*\['a'\]"),
    (two_of_a_name, ArgumentError, "'same' is used by two layers.*(ReLU and Dense|Dense and ReLU)"),
    (an_input_twice, ArgumentError, "different tensors"),
    (arrays, ArgumentError, "symbolic tensors"),
    (one_input_for_two, ArgumentError, r"'pair' expects 2 input\(s\) \['a', 'b'\], but it received 1"),
    (three_inputs_for_two, ArgumentError, "'pair' expects 2.*received 3"),
    (a_missing_key, ArgumentError, "Missing data for input 'b' of model 'pair'"),
    (wrong_width, ShapeError, r"Input 'b' of model 'pair'.*expected shape=\(None, 3\), found shape=\(None, 4\)"),
    (wrong_rank, ShapeError, r"Input 'b' of model 'pair'.*expected shape=\(None, 3\), found shape=\(None, 5, 3\)"),
    (a_sequential_in_itself, ArgumentError, "'loop'.*a cycle"),
    (a_sequential_in_what_it_holds, ArgumentError, "'inner' cannot hold 'outer'.*a cycle"),
    (twice_in_a_stack, ArgumentError, "unique names; 'again'"),
]


@pytest.mark.parametrize(("make", "error", "words"), MISTAKES, ids=[make.__name__ for make, _, _ in MISTAKES])
def test_a_mistake_is_told_in_one_message(make: Callable[[], None], error: type[GraphcError], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_a_cycle_in_a_file() -> None:
    (a,) = inputs(2)
    model = graphc.Model(a, layers.Dense(2, name="second")(layers.Dense(2, name="first")(a)))
    config = model.get_config()
    config["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["second", 0, 0]
    with pytest.raises(ModelFileError, match=r"\['first', 'second'\] can never be made. They go in a circle"):
        graphc.Model.from_config(config)
