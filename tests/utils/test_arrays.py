"""`to_categorical`, `pad_sequences` and `normalize` give what Keras gives, and say what is wrong where Keras fails oddly."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from utils.make_fixtures import FIXTURE, LABELS, NORMS, PADDINGS, SEQUENCES, vectors

import graphc
from graphc.errors import ArgumentError, DataError
from graphc.utils import normalize, pad_sequences, to_categorical

KERAS: dict[str, Any] = json.loads(FIXTURE.read_text(encoding="utf-8"))


class TestToCategorical:
    @pytest.mark.parametrize(("case", "expected"), [*zip(LABELS, KERAS["categorical"], strict=True)])
    def test_same_as_keras(self, case: Any, expected: Any) -> None:
        found = to_categorical(*case)
        assert found.dtype == np.float64
        assert found.tolist() == expected

    @pytest.mark.parametrize(
        ("labels", "count", "complaint"),
        [
            ([-1, 2], 3, "Class -1 is out of range"),
            ([5], 3, "Class 5 is out of range: with 3 classes they run from 0 to 2"),
            ([1.5], 3, "whole class numbers"),
            ([float("nan")], 3, "whole class numbers"),
            (["1"], 3, "whole class numbers"),
            ([], None, "pass `num_classes`"),
        ],
    )
    def test_refused(self, labels: Any, count: Any, complaint: str) -> None:
        with pytest.raises(DataError, match=complaint):
            to_categorical(labels, count)

    def test_no_labels_of_a_known_number_of_classes(self) -> None:
        assert to_categorical([], 3).shape == (0, 3)


class TestPadSequences:
    @pytest.mark.parametrize(("arguments", "expected"), [*zip(PADDINGS, KERAS["pad"], strict=True)])
    def test_same_as_keras(self, arguments: Any, expected: Any) -> None:
        found = pad_sequences(SEQUENCES, **arguments)
        assert found.dtype == arguments.get("dtype", "int32")
        assert found.tolist() == expected

    def test_vectors(self) -> None:
        found = pad_sequences([np.ones((2, 3)), np.zeros((0, 3)), 2 * np.ones((1, 3))], dtype="float32", value=9.0)
        assert found.shape == (3, 2, 3)
        assert found[2].tolist() == [[9.0] * 3, [2.0] * 3]

    def test_strings(self) -> None:
        found = pad_sequences([["a"], ["b", "cd"]], dtype=object, value="")
        assert found.tolist() == [["", "a"], ["b", "cd"]]

    @pytest.mark.parametrize("truncating", ["pre", "post"])
    def test_of_length_zero(self, truncating: str) -> None:
        assert pad_sequences(SEQUENCES, maxlen=0, truncating=truncating).shape == (4, 0)
        assert pad_sequences([[], []]).shape == (2, 0)

    @pytest.mark.parametrize(
        ("sequences", "arguments", "error", "complaint"),
        [
            (5, {}, DataError, "must be a list of sequences; got int"),
            ([[1], 2], {}, DataError, "sequence 1 is 2"),
            ([], {}, DataError, "pass `maxlen`"),
            ([[[1, 2]], [[1]]], {}, DataError, r"sequence 1 have shape \(1,\); those of the first one have \(2,\)"),
            ([[1]], {"padding": "both"}, ArgumentError, "`padding` must be 'pre' or 'post'"),
            ([[1]], {"truncating": "x"}, ArgumentError, "`truncating` must be"),
            ([[1]], {"maxlen": -1}, ArgumentError, "`maxlen`"),
            ([[1]], {"maxlen": "3"}, ArgumentError, "`maxlen`"),
            ([[1]], {"value": "pad"}, ArgumentError, "dtype=object"),
        ],
    )
    def test_refused(self, sequences: Any, arguments: Any, error: Any, complaint: str) -> None:
        with pytest.raises(error, match=complaint):
            pad_sequences(sequences, **arguments)


class TestNormalize:
    @pytest.mark.parametrize(("case", "expected"), [*zip(NORMS, KERAS["normalize"], strict=True)])
    def test_same_as_keras(self, case: Any, expected: Any) -> None:
        shape, axis, order = case
        np.testing.assert_allclose(normalize(vectors(shape), axis, order), expected, rtol=1e-14)

    def test_columns(self) -> None:  # where Keras divides by the norms of other columns
        x = np.array([[3.0, 0.0], [4.0, 0.0], [0.0, 2.0]], np.float32)
        found = normalize(x, axis=0)
        np.testing.assert_allclose(found, [[0.6, 0], [0.8, 0], [0, 1]], rtol=1e-7)
        assert found.dtype == np.float32

    def test_in_a_model(self) -> None:
        inputs = graphc.Input((3,))
        model = graphc.Model(inputs, normalize(inputs))
        x = vectors((2, 3)).astype(np.float32)
        np.testing.assert_allclose(model.predict(x, verbose=0), normalize(x), rtol=1e-6)

    @pytest.mark.parametrize("axis", [2, -3, None, True, 1.0])
    def test_axes(self, axis: Any) -> None:
        with pytest.raises(ArgumentError, match="which has 2 of them"):
            normalize(np.ones((2, 3)), axis)
