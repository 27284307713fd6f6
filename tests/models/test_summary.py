"""``model.summary()``: the table of the guides, with the behaviour of Keras 3."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import layers
from graphc.errors import ArgumentError
from graphc.summary import print_summary, summary_rows


@pytest.fixture(autouse=True)
def _fresh_names() -> None:
    graphc.utils.clear_session()


def summary(model: Any, **options: Any) -> str:
    texts: list[str] = []
    model.summary(print_fn=texts.append, **options)
    assert len(texts) == 1
    return texts[0]


def mlp() -> Any:
    inputs = graphc.Input((784,), name="input_1")
    x = layers.Dense(64, activation="relu", name="dense")(inputs)
    x = layers.Dense(64, activation="relu", name="dense_1")(x)
    return graphc.Model(inputs, layers.Dense(10, name="dense_2")(x), name="mnist_model")


def toy_resnet() -> Any:
    inputs = graphc.Input((32, 32, 3), name="img")
    x = layers.Conv2D(8, 3, name="conv2d_8")(inputs)
    block = layers.MaxPooling2D(3, name="max_pooling2d_2")(x)
    x = layers.Conv2D(8, 3, padding="same", name="conv2d_10")(block)
    return graphc.Model(inputs, layers.Add(name="add")([x, block]), name="toy_resnet")


def numbered(count: int) -> Any:
    inputs = graphc.Input((4,), name="i")
    x: Any = inputs
    for k in range(count):
        x = layers.Dense(4, name=f"d{k}")(x)
    return graphc.Model(inputs, x)


def nested(depth: int) -> Any:
    model = None
    for k in range(depth):
        inputs = graphc.Input((4,), name=f"in{k}")
        x = layers.Dense(4, name=f"d{k}")(inputs)
        model = graphc.Model(inputs, x if model is None else model(x), name=f"level{k}")
    return model


class Subclassed(graphc.Model):
    def __init__(self) -> None:
        super().__init__(name="sub")
        self.first = layers.Dense(4, name="first")
        self.second = layers.Dense(2, name="second")

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))


# --- the form ------------------------------------------------------------------------------------------------------------


def test_the_guides_first_model() -> None:
    """The table is the one that the guide prints; newer Keras adds the sizes in memory."""
    assert summary(mlp()) == "\n".join(
        [
            'Model: "mnist_model"',
            "_________________________________________________________________",
            "Layer (type)                 Output Shape              Param #   ",
            "=================================================================",
            "input_1 (InputLayer)         [(None, 784)]             0         ",
            "_________________________________________________________________",
            "dense (Dense)                (None, 64)                50240     ",
            "_________________________________________________________________",
            "dense_1 (Dense)              (None, 64)                4160      ",
            "_________________________________________________________________",
            "dense_2 (Dense)              (None, 10)                650       ",
            "=================================================================",
            "Total params: 55,050 (215.04 KB)",
            "Trainable params: 55,050 (215.04 KB)",
            "Non-trainable params: 0 (0.00 B)",
            "_________________________________________________________________",
        ]
    )


def test_a_model_with_branches_says_what_each_layer_is_connected_to() -> None:
    lines = summary(toy_resnet()).splitlines()
    assert len(lines[1]) == 98
    assert (
        lines[2] == "Layer (type)                    Output Shape         Param #     Connected to                     "
    )
    assert (
        lines[4] == "img (InputLayer)                [(None, 32, 32, 3)]  0                                            "
    )
    assert (
        lines[8] == "max_pooling2d_2 (MaxPooling2D)  (None, 10, 10, 8)    0           conv2d_8[0][0]                   "
    )
    assert lines[12:14] == [
        "add (Add)                       (None, 10, 10, 8)    0           conv2d_10[0][0]                  ",
        "                                                                 max_pooling2d_2[0][0]            ",
    ]


def test_connections_count_a_shared_layers_calls() -> None:
    a, b, shared = graphc.Input((3,), name="a"), graphc.Input((3,), name="b"), layers.Dense(3, name="s")
    once = shared(a)
    model = graphc.Model([a, b], layers.Concatenate(name="c")([once, shared(b), shared(once)]))
    rows = {row.name: row.sources for row in summary_rows(model)}
    assert rows["c (Concatenate)"] == ("s[0][0]", "s[1][0]", "s[2][0]")
    assert rows["s (Dense)"] == ("a[0][0]", "b[0][0]", "s[0][0]")


def test_connections_name_the_output() -> None:
    inner_in = graphc.Input((3,))
    inner = graphc.Model(inner_in, [layers.Dense(2)(inner_in), layers.Dense(5)(inner_in)], name="two")
    x = graphc.Input((3,), name="x")
    _, second = inner(x)
    model = graphc.Model(x, layers.Dense(1, name="end")(second))
    rows = {row.name: row for row in summary_rows(model)}
    assert rows["end (Dense)"].sources == ("two[0][1]",)
    assert rows["two (Functional)"].shape == "[(None, 2), (None, 5)]"


def test_different_shapes_of_one_layer_are_all_shown() -> None:
    short, long, relu = graphc.Input((3,)), graphc.Input((8,)), layers.ReLU(name="r")
    model = graphc.Model([short, long], layers.Concatenate()([relu(short), relu(long)]))
    assert {row.name: row.shape for row in summary_rows(model)}["r (ReLU)"] == "(None, 3) | (None, 8)"


def test_calls_of_ops_have_the_class_names_of_keras() -> None:
    x = graphc.Input((4,), name="x")
    model = graphc.Model(x, graphc.ops.expand_dims(x * 2, 1))
    assert [row.name for row in summary_rows(model)] == [
        "x (InputLayer)", "multiply (Multiply)", "expand_dims (ExpandDims)",
    ]  # fmt: skip


def test_a_sequential_model_does_not_list_its_input() -> None:
    model = graphc.Sequential([graphc.Input((4,)), layers.Dense(3, name="d"), layers.ReLU(name="r")])
    assert [row.name for row in summary_rows(model)] == ["d (Dense)", "r (ReLU)"]
    assert [row.shape for row in summary_rows(model)] == ["(None, 3)", "(None, 3)"]


# --- widths --------------------------------------------------------------------------------------------------------------


def test_long_texts_go_on_in_the_next_line() -> None:
    inputs = graphc.Input((8, 8, 2), name="x")
    model = graphc.Model(inputs, layers.GlobalAveragePooling2D(name="global_average_pooling2d_1")(inputs))
    lines = summary(model).splitlines()
    assert lines[6:8] == [
        "global_average_pooling2d_1   (None, 2)                 0         ",
        "(GlobalAveragePooling2D)                                         ",
    ]


def test_a_name_without_blanks_is_parted_and_nothing_is_lost() -> None:
    name = "".join(chr(ord("a") + k % 26) for k in range(100))
    inputs = graphc.Input((4,), name=name)
    lines = summary(graphc.Model(inputs, layers.ReLU()(inputs))).splitlines()[4:9]
    assert all(len(line) == 65 for line in lines)
    assert name in "".join(line[:28].rstrip() for line in lines)


def test_wide_letters_take_two_places() -> None:
    inputs = graphc.Input((4,), name="日本語の層の名前です")
    model = graphc.Model(inputs, layers.ReLU(name="e\u0301")(inputs))
    lines = summary(model).splitlines()
    # 20 places and 13 more do not fit into 28: the class goes on in the next line.
    assert lines[4].startswith("日本語の層の名前です" + " " * 9 + "[(None, 4)]")
    assert lines[5].startswith("(InputLayer)")
    assert lines[7].startswith("e\u0301 (ReLU)" + " " * 21 + "(None, 4)")


@pytest.mark.parametrize("length", [40, 65, 100, 150])
def test_line_length(length: int) -> None:
    lines = summary(toy_resnet(), line_length=length).splitlines()
    assert all(len(line) == length for line in lines[1:-4])


def test_positions_in_fractions_and_in_characters() -> None:
    header = "Layer (type)        Output Shape        Param #             "
    for positions in ([1 / 3, 2 / 3, 1.0], [20, 40, 60]):
        assert summary(mlp(), line_length=60, positions=positions).splitlines()[2] == header


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"line_length": 10}, "columns would be .* characters wide, and 4 are the least"),
        ({"positions": [0.5, 0.4, 1.0]}, "columns would be"),
        ({"positions": [0.5, 1.0]}, "`positions` must say where 3 columns end"),
    ],
)
def test_columns_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        summary(mlp(), **options)


# --- nested models ---------------------------------------------------------------------------------------------------------


def test_nested_models_are_framed_and_closed() -> None:
    assert summary(nested(3), expand_nested=True).splitlines()[8:27] == [
        "level1 (Functional)          (None, 4)                 40        ",
        "|¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯|",
        "| in1 (InputLayer)           [(None, 4)]               0        |",
        "| ______________________________________________________________|",
        "| d1 (Dense)                 (None, 4)                 20       |",
        "| ______________________________________________________________|",
        "| level0 (Functional)        (None, 4)                 20       |",
        "||¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯||",
        "|| in0 (InputLayer)          [(None, 4)]               0       ||",
        "|| ____________________________________________________________||",
        "|| d0 (Dense)                (None, 4)                 20      ||",
        "|¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯|",
        "¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯",
        "=================================================================",
        "Total params: 60 (240.00 B)",
        "Trainable params: 60 (240.00 B)",
        "Non-trainable params: 0 (0.00 B)",
        "_________________________________________________________________",
    ]


def test_the_layers_after_a_nested_model_stand_outside() -> None:
    inner_in = graphc.Input((4,), name="ni")
    inner = graphc.Model(inner_in, layers.ReLU(name="nr")(inner_in), name="nested")
    x = graphc.Input((4,), name="x")
    model = graphc.Model(x, layers.Dense(2, name="end")(inner(x)))
    assert [(row.name.split()[0], row.depth, row.opens) for row in summary_rows(model, expand_nested=True)] == [
        ("x", 0, False), ("nested", 0, True), ("ni", 1, False), ("nr", 1, False), ("end", 0, False),
    ]  # fmt: skip
    assert [row.name.split()[0] for row in summary_rows(model)] == ["x", "nested", "end"]


def test_a_nested_model_with_branches_shows_its_connections() -> None:
    inner = toy_resnet()
    x = graphc.Input((32, 32, 3), name="x")
    model = graphc.Model(x, inner(x))
    assert "Connected to" not in summary(model)
    assert "max_pooling2d_2[0][0]" in summary(model, expand_nested=True)


def test_a_model_that_is_used_twice_is_expanded_once() -> None:
    model = nested(1)
    for k in range(40):  # each level holds the one below twice: 2 ** 40 rows if each use were expanded
        x = graphc.Input((4,), name=f"x{k}")
        left = graphc.Model(x, model(x), name=f"left{k}")
        right = graphc.Model(x, model(x), name=f"right{k}")
        model = graphc.Model(x, layers.Add(name=f"add{k}")([left(x), right(x)]), name=f"both{k}")
    rows = summary_rows(model, expand_nested=True)
    assert len(rows) < 600
    assert sum(row.name == "d0 (Dense)" for row in rows) == 1


def test_two_hundred_nested_models() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)  # for building it
    try:
        model = nested(200)
    finally:
        sys.setrecursionlimit(limit)
    lines = summary(model, expand_nested=True).splitlines()
    assert all(len(line) == 65 for line in lines[1:-4])
    assert sum("(Dense)" in line for line in lines) == 200
    assert any(line.startswith("|199| d0 (Dense)") for line in lines)
    assert lines[-4] == "Total params: 4,000 (15.62 KB)"


def test_three_thousand_layers() -> None:
    model = numbered(1)
    x = model.outputs[0]
    for _ in range(3000):
        x = layers.ReLU()(x)
    text = summary(graphc.Model(model.inputs, x))
    assert text.count("(ReLU)") == 3000


# --- what is counted -------------------------------------------------------------------------------------------------------


def test_totals_are_those_of_keras() -> None:
    """Keras 3.15.1 prints these for the model compiled with Adam, its optimizer built, and the first layer frozen."""
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy")
    assert "Optimizer params" not in summary(model)
    model.train_on_batch(np.zeros((2, 784), np.float32), np.zeros(2, np.int32))
    model.get_layer("dense").trainable = False
    assert summary(model, show_trainable=True).splitlines()[-5:-1] == [
        "Total params: 165,152 (645.12 KB)",
        "Trainable params: 4,810 (18.79 KB)",
        "Non-trainable params: 50,240 (196.25 KB)",
        "Optimizer params: 110,102 (430.09 KB)",
    ]


def test_statistics_of_a_normalization_do_not_train() -> None:
    x = graphc.Input((5,))
    lines = summary(graphc.Model(x, layers.BatchNormalization()(x))).splitlines()
    assert lines[-4:-1] == [
        "Total params: 20 (80.00 B)",
        "Trainable params: 10 (40.00 B)",
        "Non-trainable params: 10 (40.00 B)",
    ]


def test_trainable_marks() -> None:
    model = mlp()
    model.get_layer("dense_1").trainable = False
    lines = summary(model, show_trainable=True).splitlines()
    assert len(lines[1]) == 77 and lines[2].rstrip().endswith("Trainable")
    marks = {line.split()[0]: line.split()[-1] for line in lines[4:11:2]}
    assert marks == {"input_1": "-", "dense": "Y", "dense_1": "N", "dense_2": "Y"}


# --- layer_range -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (("d1", "d3"), "d1 d2 d3"),
        (["d3", "d2"], "d2 d3"),
        (("i", "d0"), "i d0"),
        (("d2.*", "d.$"), "d2 d3 d4 d5 d6 d7 d8 d9"),
        (("d1", "d1"), "d1"),  # a name stands for itself, though as an expression it would match d10 too
        (("d1", "d1[01]"), "d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11"),
    ],
)
def test_layer_range(wanted: Any, shown: str) -> None:
    assert [row.name.split()[0] for row in summary_rows(numbered(12), layer_range=wanted)] == shown.split()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("d1", "dd"), "`layer_range` got 'dd', which no layer's name matches"),
        (("(", "d1"), r"`layer_range` got '\(', which is no regular expression"),
        (("d1",), "must hold two names"),
        ("d1", "must hold two names"),
        ((0, 1), "must hold two names"),
    ],
)
def test_a_wrong_layer_range_is_refused(wanted: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        summary(numbered(3), layer_range=wanted)


# --- models that are no graph of layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Subclassed, lambda: graphc.Sequential([layers.Dense(4, name="first")])])
def test_a_model_that_is_not_built_says_so(make: Callable[[], Any]) -> None:
    model = make()
    text = summary(model)
    assert "first (Dense)                ?                         0" in text
    assert "(unbuilt)" in text
    assert "The model is not built" in text
    assert all(len(line) <= 65 for line in text.splitlines())


def test_an_empty_model() -> None:
    assert "The model is not built" in summary(graphc.Sequential())


def test_a_subclassed_model_shows_the_shapes_that_it_saw() -> None:
    model = Subclassed()
    model(np.zeros((2, 3), np.float32))
    rows = summary_rows(model)
    assert [(row.name, row.shape, row.params) for row in rows] == [
        ("first (Dense)", "(2, 4)", "16"),
        ("second (Dense)", "(2, 2)", "10"),
    ]
    assert "not built" not in summary(model)


def test_a_layer_that_holds_other_things_in_layers_is_not_a_model() -> None:
    class Odd(layers.Layer):
        layers = ("not", "a layer")

        def call(self, x: Any) -> Any:
            return x

    x = graphc.Input((3,))
    assert [row.depth for row in summary_rows(graphc.Model(x, Odd()(x)), expand_nested=True)] == [0, 0]


def test_print_is_used_when_nothing_else_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(mlp())
    printed = capsys.readouterr().out
    assert printed.startswith('Model: "mnist_model"\n') and printed.endswith("_\n")
