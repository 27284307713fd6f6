"""Callbacks: the order of hooks, lazy logs, the progress line, and each callback on a model that only records."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc
from graphc import callbacks
from graphc.callbacks import progress
from graphc.errors import ArgumentError, CheckpointError, ExecutionError
from graphc.optimizers import SGD, schedules


class FakeModel:
    """What callbacks use of a model."""

    def __init__(self, rate: Any = 0.5) -> None:
        self.optimizer = SGD(rate)
        self.stop_training = False
        self.metrics: list[Any] = []
        self.history: Any = None
        self.weights = 0
        self.saved: list[str] = []

    def get_weights(self) -> list[int]:
        return [self.weights]

    def set_weights(self, weights: list[int]) -> None:
        (self.weights,) = weights

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        Path(path).write_text(str(self.weights))
        self.saved.append(os.path.basename(path))

    save = save_weights


def run(
    model: FakeModel, given: Any, epochs: Sequence[dict[str, float]], steps: int = 2, **options: Any
) -> callbacks.CallbackList:
    """Drive callbacks as ``fit`` does; ``model.weights`` is the number of epochs done."""
    runner = callbacks.CallbackList(
        given, model=model, **{"epochs": len(epochs), "steps": steps, "verbose": 0, **options}
    )
    model.stop_training = False
    runner.on_train_begin()
    logs: dict[str, float] = {}
    for epoch, logs in enumerate(epochs):
        runner.on_epoch_begin(epoch)
        for batch in range(steps):
            runner.on_train_batch_begin(batch)
            runner.on_train_batch_end(batch, dict(logs))
        model.weights = epoch + 1
        runner.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    runner.on_train_end(logs)
    return runner


# -- the list ---------------------------------------------------------------------------------------------------------


class Recorder(callbacks.Callback):
    """Writes down what it is told."""

    def __init__(self, name: str, told: list[str]) -> None:
        super().__init__()
        self.name, self.told = name, told

    def on_train_begin(self, logs: Any = None) -> None:
        self.told.append(f"{self.name} begin")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.told.append(f"{self.name} epoch {epoch} {dict(logs)}")
        logs[self.name] = 1.0

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.told.append(f"{self.name} batch {batch} {dict(logs)}")


def test_hooks_run_in_order_with_sorted_plain_logs() -> None:
    told: list[str] = []
    model = FakeModel()
    runner = callbacks.CallbackList([Recorder("a", told), [Recorder("b", told)]], model=model, epochs=1)
    runner.on_train_begin()
    runner.on_train_batch_end(0, {"loss": np.float32(0.5)})
    runner.on_epoch_end(0, {"loss": np.array(0.25), "acc": np.float64(1)})
    assert told == [
        *("a begin", "b begin", "a batch 0 {'loss': 0.5}", "b batch 0 {'loss': 0.5}"),
        *("a epoch 0 {'acc': 1.0, 'loss': 0.25}", "b epoch 0 {'acc': 1.0, 'loss': 0.25, 'a': 1.0}"),
    ]
    assert [c.model for c in runner] == [model, model]
    assert runner.callbacks[0].params == {"epochs": 1}


def test_logs_are_computed_once_and_only_for_those_who_look() -> None:
    told: list[str] = []
    computed = []

    def logs() -> dict[str, float]:
        computed.append(1)
        return {"loss": 0.5}

    deaf = callbacks.CallbackList([callbacks.History()], model=FakeModel())
    assert not deaf.watches_batches
    deaf.on_train_batch_end(0, logs)
    assert computed == []
    listening = callbacks.CallbackList([Recorder("a", told), Recorder("b", told)], model=FakeModel())
    assert listening.watches_batches
    listening.on_train_batch_end(0, logs)
    listening.on_test_batch_end(0, logs)
    assert computed == [1]
    assert len(told) == 2


def test_outputs_in_logs_are_left_alone() -> None:
    seen: list[Any] = []
    callback = callbacks.LambdaCallback(on_predict_batch_end=lambda _, logs: seen.append(logs["outputs"]))
    outputs = np.ones((1, 1))
    callbacks.CallbackList(callback, model=FakeModel()).on_predict_batch_end(0, {"outputs": outputs})
    assert seen == [outputs]


def test_history_and_progress_are_added_once() -> None:
    own = callbacks.History()
    model = FakeModel()
    runner = callbacks.CallbackList([own], add_history=True, add_progbar=True, model=model, verbose=0)
    assert [type(c) for c in runner] == [callbacks.History, callbacks.ProgbarLogger]
    assert runner.history is own is model.history
    both = callbacks.CallbackList(None, add_history=True, model=model)
    assert [type(c) for c in both] == [callbacks.History]


def test_an_exception_names_its_callback() -> None:
    class Broken(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyError("accuracy")

    with pytest.raises(KeyError, match="accuracy") as caught:
        run(FakeModel(), Broken(), [{"loss": 1.0}])
    assert caught.value.__notes__ == ["Raised in on_epoch_end of the callback Broken."]


@pytest.mark.parametrize("nonsense", [callbacks.EarlyStopping, print, "EarlyStopping", 3])
def test_what_is_no_callback_is_refused(nonsense: Any) -> None:
    with pytest.raises(ArgumentError, match="must hold"):
        callbacks.CallbackList([nonsense])


def test_history() -> None:
    model = FakeModel()
    runner = run(model, None, [{"loss": 2.0, "acc": 0.5}, {"loss": 1.0, "acc": 0.75}], add_history=True)
    assert model.history is runner.history
    assert model.history.history == {"acc": [0.5, 0.75], "loss": [2.0, 1.0]}
    assert list(model.history.history) == ["acc", "loss"]
    assert model.history.epoch == [0, 1]
    assert model.history.params == {"epochs": 2, "steps": 2, "verbose": 0}


def test_lambda_callback() -> None:
    seen: list[Any] = []
    callback = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"])),
        on_train_batch_begin=lambda batch, logs: seen.append(batch),
        on_train_end=lambda logs: seen.append("end"),
    )
    run(FakeModel(), callback, [{"loss": 1.0}], steps=2)
    assert seen == [0, 1, (0, 1.0), "end"]
    with pytest.raises(ArgumentError, match=r"no hook 'on_epoch_start'\. Did you mean \"on_epoch"):
        callbacks.LambdaCallback(on_epoch_start=print)
    with pytest.raises(ArgumentError, match="must be a function"):
        callbacks.LambdaCallback(on_epoch_end=3)  # type: ignore[arg-type]


# -- the progress line ------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that the test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def output_of(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> Callable[[], str]:
    monkeypatch.delenv("PYCHARM_HOSTED", raising=False)
    monkeypatch.setattr("sys.stdout", stream)
    return stream.getvalue


def epoch_of(clock: Clock, verbose: Any, target: int | None, seconds: float = 0.1, steps: int = 4) -> None:
    runner = callbacks.CallbackList(None, add_progbar=True, model=FakeModel(), verbose=verbose, epochs=2, steps=target)
    runner.on_train_begin()
    runner.on_epoch_begin(0)
    for step in range(steps):
        clock.now += seconds
        runner.on_train_batch_end(step, {"loss": 2.0 - step / 4, "accuracy": 0.0})
    clock.now += seconds
    runner.on_epoch_end(0, {"loss": 0.125, "accuracy": 0.75, "val_loss": 1234.5, "val_accuracy": 0.0009})


FULL = "━" * 20
FINAL_VALUES = "accuracy: 0.7500 - loss: 0.1250 - val_accuracy: 9.0000e-04 - val_loss: 1234.5000"


def test_plain_text_where_a_line_cannot_be_redrawn(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, io.StringIO())
    epoch_of(clock, "auto", 4)
    # 0.1 s for the first step, then 0.4 s for three more: the first one does not count.
    assert text() == f"Epoch 1/2\n4/4 {FULL} 0s 133ms/step - {FINAL_VALUES}\n"


def test_one_line_per_epoch(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, Terminal())
    epoch_of(clock, 2, 4)
    assert text() == f"Epoch 1/2\n4/4 - 0s - 125ms/step - {FINAL_VALUES}\n"


def test_silence(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, Terminal())
    epoch_of(clock, 0, 4)
    assert text() == ""


def test_a_terminal_sees_every_step_in_colour(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, Terminal())
    epoch_of(clock, 1, 4)
    drawn = text().removeprefix("Epoch 1/2\n").split("\r")
    bold, green, white, plain = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"
    first = (
        f"{bold}1/4{plain} {green}{'━' * 5}{plain}{white}{'━' * 15}{plain} {bold}0s{plain} 100ms/step"
        " - accuracy: 0.0000e+00 - loss: 2.0000"
    )
    width = len(re.sub(r"\x1b\[\d+m", "", first))
    assert drawn[1] == first + "\b" * width
    assert len(drawn) == 6, "four steps, the end of the epoch, and what is in front of the first"
    last = re.sub(r"\x1b\[\d+m", "", drawn[-1])
    assert last == f"4/4 {FULL} 0s 133ms/step - {FINAL_VALUES}\n"
    assert f"{green}{FULL}{plain}{white}{plain} {bold}0s" in drawn[-1]


def test_a_shorter_line_wipes_the_longer_one(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, Terminal())
    bar = callbacks.Progbar(2)
    bar.update(1, [("loss", 123456.0)])
    clock.now += 1
    bar.update(2, [("loss", 1.0)])
    lines = [re.sub(r"\x1b\[\d+m", "", line).replace("\b", "").rstrip("\n") for line in text().split("\r")[1:]]
    assert len(lines[0]) == len(lines[1])
    assert lines[1].endswith("loss: 1.0000" + " " * (len(lines[0]) - len(lines[1].rstrip())))


def test_steps_that_follow_fast_are_not_drawn(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, Terminal())
    epoch_of(clock, 1, 100, seconds=0.001, steps=100)
    assert text().count("\r") < 6
    assert "100/100" in text()
    assert re.search(r" {2}1/100", text()), "the count is as wide as the total"


def test_the_number_of_steps_is_found_in_the_first_epoch(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, Terminal())
    epoch_of(clock, 1, None)
    assert "      1/Unknown" in text()
    assert re.sub(r"\x1b\[\d+m", "", text().split("\r")[-1]).startswith(f"4/4 {FULL} ")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0s/step"), (2.4, "2s/step"), (0.0123, "12ms/step"), (0.0000456, "46us/step")],
)
def test_time_per_step(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float, shown: str) -> None:
    text = output_of(monkeypatch, io.StringIO())
    bar = callbacks.Progbar(1, verbose=2)
    clock.now += seconds
    bar.update(1)
    assert text() == f"1/1 - {seconds:.0f}s - {shown}\n"


@pytest.mark.parametrize(("seconds", "shown"), [(5.0, "45s"), (10.0, "1:30"), (500.0, "1:15:00")])
def test_time_that_is_left(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float, shown: str) -> None:
    text = output_of(monkeypatch, Terminal())
    bar = callbacks.Progbar(10)
    clock.now += seconds
    bar.update(1)
    assert f"{progress._BOLD}{shown}{progress._PLAIN}" in text()


def test_progbar_averages_unless_told(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, io.StringIO())
    bar = callbacks.Progbar(4, verbose=2, stateful_metrics=["last"])
    bar.update(1, [("mean", 1.0), ("last", 1.0)])
    bar.add(2, [("mean", 4.0), ("last", 4.0)])
    assert bar._values == {"mean": (9.0, 3.0), "last": (4.0, 1.0)}
    bar.add(1)
    assert text().endswith(" - mean: 3.0000 - last: 4.0000\n")
    with pytest.raises(ArgumentError, match="not both"):
        callbacks.Progbar(4, stateful_metrics=[], stateless_metrics=[])


def test_an_encoding_without_the_bars_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    callbacks.Progbar(1).update(1)
    stream.flush()
    assert raw.getvalue().startswith(b"1/1 ====================")


def test_validation_in_fit_is_silent_and_evaluate_is_not(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    text = output_of(monkeypatch, io.StringIO())
    runner = callbacks.CallbackList(None, add_progbar=True, model=FakeModel(), verbose=2, epochs=1, steps=1)
    runner.on_train_begin()
    runner.on_epoch_begin(0)
    runner.on_train_batch_end(0, {"loss": 1.0})
    runner.on_test_begin()
    runner.on_test_batch_end(0, {"loss": 2.0})
    runner.on_test_end({"loss": 2.0})
    runner.on_epoch_end(0, {"loss": 1.0})
    runner.on_train_end()
    assert text() == "1/1 - 0s - 0s/step - loss: 1.0000\n", "one epoch is not numbered"
    runner.on_test_begin()
    runner.on_test_batch_end(0, {"loss": 2.0})
    runner.on_test_end({"loss": 2.0})
    runner.on_predict_begin()
    runner.on_predict_batch_end(0, {"outputs": np.ones(3)})
    runner.on_predict_end()
    assert text().splitlines()[1:] == ["1/1 - 0s - 0s/step - loss: 2.0000", "1/1 - 0s - 0s/step"]


# -- watching a value -------------------------------------------------------------------------------------------------


def falling(*values: float, name: str = "val_loss") -> list[dict[str, float]]:
    return [{name: v} for v in values]


def test_early_stopping_waits() -> None:
    model = FakeModel()
    stop = callbacks.EarlyStopping(patience=2)
    run(model, stop, falling(3, 2, 2.5, 2.4, 1))
    assert (model.weights, stop.stopped_epoch, stop.best, stop.best_epoch) == (4, 3, 2.0, 1)
    run(model, stop, falling(5, 4, 3, 2))
    assert (model.weights, stop.stopped_epoch, stop.best) == (4, 0, 2.0), "one object serves several runs"


def test_early_stopping_restores(capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel()
    run(model, callbacks.EarlyStopping(patience=1, restore_best_weights=True, verbose=1), falling(3, 2, 2.5, 1))
    assert model.weights == 2
    assert capsys.readouterr().out == (
        "Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


def test_early_stopping_options() -> None:
    model = FakeModel()
    run(model, callbacks.EarlyStopping(min_delta=0.5), falling(3, 2.8, 0))
    assert model.weights == 2, "an improvement below min_delta is none"
    run(model, callbacks.EarlyStopping(start_from_epoch=3), falling(1, 2, 3, 4, 5, 6))
    assert model.weights == 5
    run(model, callbacks.EarlyStopping(baseline=1.0, patience=2), falling(3, 2.9, 2.8, 2.7))
    assert model.weights == 3 + 1, "what improves but misses the baseline uses the patience up"
    run(model, callbacks.EarlyStopping("score", mode="max"), falling(1, 2, 1.5, 9, name="score"))
    assert model.weights == 3
    run(model, callbacks.EarlyStopping(patience=1), falling(2, math.nan, math.nan, 1))
    assert model.weights == 2, "NaN is no improvement"


def test_the_direction_comes_from_the_metric() -> None:
    model = FakeModel()
    model.metrics = [graphc.metrics.BinaryAccuracy(name="acc"), graphc.metrics.MeanSquaredError(name="mse")]
    for monitor, best in (("val_acc", 3.0), ("acc", 3.0), ("val_mse", 1.0), ("dept_acc", 3.0), ("val_dept_loss", 1.0)):
        stop = callbacks.EarlyStopping(monitor, patience=9)
        run(model, stop, falling(2, 1, 3, name=monitor))
        assert stop.best == best, monitor
    with pytest.raises(ArgumentError, match="mode='max' or mode='min'"):
        run(model, callbacks.EarlyStopping("val_strange"), falling(1, name="val_strange"))
    with pytest.raises(ArgumentError, match="`mode` must be"):
        callbacks.EarlyStopping(mode="lowest")


def test_a_missing_value_is_a_warning() -> None:
    with pytest.warns(UserWarning, match="`val_loss`, which is not available. Available: accuracy, loss"):
        run(FakeModel(), callbacks.EarlyStopping(), [{"loss": 1.0, "accuracy": 0.5}])


# -- learning rates ---------------------------------------------------------------------------------------------------


def rate_of(model: FakeModel) -> float:
    return float(np.asarray(model.optimizer.learning_rate))


def test_learning_rate_scheduler(capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel()
    scheduler = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate, verbose=1)
    run(model, scheduler, falling(1, 1, 1), add_history=True)
    assert rate_of(model) == 0.125
    assert model.history.history["learning_rate"] == [0.5, 0.25, 0.125]
    assert capsys.readouterr().out.splitlines()[1] == "Epoch 1: LearningRateScheduler setting learning rate to 0.5."
    run(model, callbacks.LearningRateScheduler(lambda epoch: 0.75), falling(1))
    assert rate_of(model) == 0.75


def test_errors_of_a_schedule_are_not_hidden() -> None:
    def broken(epoch: int, rate: float) -> float:
        raise TypeError("mine")

    def pick(value: Any, epoch: int) -> Any:
        return value

    with pytest.raises(TypeError, match="mine"):
        run(FakeModel(), callbacks.LearningRateScheduler(broken), falling(1))
    for nonsense in (None, "0.1", True):
        with pytest.raises(ArgumentError, match="should be a float"):
            run(FakeModel(), callbacks.LearningRateScheduler(partial(pick, nonsense)), falling(1))
    with pytest.raises(ArgumentError, match="at least 0"):
        run(FakeModel(), callbacks.LearningRateScheduler(lambda epoch: -1.0), falling(1))
    with pytest.raises(ArgumentError, match="must be a function"):
        callbacks.LearningRateScheduler(0.1)  # type: ignore[arg-type]
    scheduled = FakeModel(schedules.ExponentialDecay(0.1, 3, 0.5))
    with pytest.raises(ArgumentError, match="not settable"):
        run(scheduled, callbacks.LearningRateScheduler(lambda epoch: 0.1), falling(1))


def test_reduce_on_plateau(capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel(1.0)
    reduce = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.2, verbose=1)
    run(model, reduce, falling(*[1.0] * 12), add_history=True)
    # The best comes first; two epochs of patience, then a fall, and one epoch of rest that does not count.
    assert model.history.history["learning_rate"] == pytest.approx(
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2]
    )
    assert capsys.readouterr().out.splitlines()[1::2] == [
        "Epoch 3: ReduceLROnPlateau reducing learning rate to 0.5.",
        "Epoch 5: ReduceLROnPlateau reducing learning rate to 0.25.",
        "Epoch 7: ReduceLROnPlateau reducing learning rate to 0.2.",
    ]
    with pytest.raises(ArgumentError, match="`factor`"):
        callbacks.ReduceLROnPlateau(factor=1.0)


# -- files ------------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_csv_logger(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    run(FakeModel(), callbacks.CSVLogger(path), [{"loss": 2.0, "acc": 0.5}, {"loss": 1.0}])
    assert rows_of(path) == [
        ["epoch", "acc", "loss", "val_acc", "val_loss"],
        ["0", "0.5", "2.0", "NA", "NA"],
        ["1", "NA", "1.0", "NA", "NA"],
    ]
    run(FakeModel(), callbacks.CSVLogger(path, append=True), [{"loss": 0.5, "val_loss": 0.25}])
    assert rows_of(path)[3:] == [["0", "0.5", "0.25"]]
    other = tmp_path / "other.csv"
    run(FakeModel(), callbacks.CSVLogger(other, separator=";", append=True), [{"loss": 0.5, "val_loss": 0.25}])
    assert other.read_text().splitlines() == ["epoch;loss;val_loss", "0;0.5;0.25"]


def test_a_csv_file_that_cannot_be_written_fails_before_training(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"CSVLogger cannot write .*Is a directory"):
        run(FakeModel(), callbacks.CSVLogger(tmp_path), falling(1))


def test_checkpoints_by_epoch(tmp_path: Path) -> None:
    model = FakeModel()
    path = tmp_path / "deep" / "m.{epoch:02d}-{val_loss:.1f}.weights.h5"
    run(model, callbacks.ModelCheckpoint(path, save_weights_only=True), falling(3, 2.25))
    assert model.saved == ["m.01-3.0.weights.h5", "m.02-2.2.weights.h5"]
    assert (tmp_path / "deep" / "m.02-2.2.weights.h5").read_text() == "2"


def test_the_best_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel()
    path = tmp_path / "best.weights.h5"
    best = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True, verbose=1)
    run(model, best, falling(3, 2, 2.5))
    assert path.read_text() == "2"
    assert [line for line in capsys.readouterr().out.splitlines() if line] == [
        f"Epoch 1: val_loss improved from None to 3.00000, saving model to {path}",
        f"Epoch 1: finished saving model to {path}",
        f"Epoch 2: val_loss improved from 3.00000 to 2.00000, saving model to {path}",
        f"Epoch 2: finished saving model to {path}",
        "Epoch 3: val_loss did not improve from 2.00000",
    ]
    bounded = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True, initial_value_threshold=1.0)
    model.saved.clear()
    run(model, bounded, falling(3, 0.5))
    assert len(model.saved) == 1
    with pytest.warns(UserWarning, match="only with 'val_loss' available"):
        run(model, callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True), [{"loss": 1.0}])


def test_checkpoints_by_batch(tmp_path: Path) -> None:
    model = FakeModel()
    path = tmp_path / "m.{epoch}-{batch}.weights.h5"
    run(model, callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=3), falling(3, 2), steps=4)
    assert model.saved == ["m.1-3.weights.h5", "m.2-2.weights.h5"]


def test_checkpoints_that_cannot_work_fail_before_training(tmp_path: Path) -> None:
    class Unsaveable(FakeModel):
        save = property()  # type: ignore[assignment]

    with pytest.raises(ArgumentError, match="save_weights_only=True"):
        run(Unsaveable(), callbacks.ModelCheckpoint(tmp_path / "m.keras"), falling(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot make the folder"):
        run(FakeModel(), callbacks.ModelCheckpoint(tmp_path / "file" / "m.keras"), falling(1))
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(CheckpointError, match="is a directory"):
        run(FakeModel(), callbacks.ModelCheckpoint(tmp_path / "m.keras"), falling(1))
    with pytest.raises(ArgumentError, match=r"cannot fill in .*'accuracy'.*Available: epoch, val_loss"):
        run(FakeModel(), callbacks.ModelCheckpoint(tmp_path / "{accuracy}.keras"), falling(1))


@pytest.mark.parametrize(
    "arguments",
    [
        {"filepath": "m.h5", "save_weights_only": True},
        {"filepath": "m.onnx"},
        {"filepath": "m.keras", "save_freq": 0},
        {"filepath": "m.keras", "save_freq": "batch"},
        {"filepath": "m.keras", "save_freq": True},
        {"filepath": "m.keras", "mode": "best"},
    ],
)
def test_senseless_checkpoints_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        callbacks.ModelCheckpoint(**arguments)


def test_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    model = FakeModel()
    run(model, callbacks.TerminateOnNaN(), [{"loss": 1.0}, {"loss": math.inf}, {"loss": 1.0}])
    assert model.weights == 2
    assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.raises(ExecutionError, match="encountered at batch 0"):
        run(model, callbacks.TerminateOnNaN(raise_error=True), [{"loss": math.nan}])


# -- with a model -----------------------------------------------------------------------------------------------------


def test_callbacks_of_a_real_fit(tmp_path: Path) -> None:
    inputs = graphc.Input((3,))
    model = graphc.Model(inputs, graphc.layers.Dense(1)(inputs))
    model.compile(SGD(0.01), "mse", metrics=["mae"])
    random = np.random.RandomState(0)
    x, y = random.random_sample((12, 3)), random.random_sample((12, 1))
    seen: list[dict[str, float]] = []
    watched = [
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.ReduceLROnPlateau(monitor="loss", patience=1, min_delta=100.0),
        callbacks.EarlyStopping(monitor="val_mae", patience=99, restore_best_weights=True),
        callbacks.ModelCheckpoint(tmp_path / "m.weights.h5", save_weights_only=True, save_best_only=True),
        callbacks.TerminateOnNaN(),
        callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs))),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(x, y, batch_size=5, epochs=2, validation_split=0.25, callbacks=watched, verbose=0)
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae", "learning_rate"}
    assert len(seen) == 4
    assert set(seen[0]) == {"loss", "mae"}
    assert rows_of(tmp_path / "log.csv")[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert (tmp_path / "m.weights.h5").stat().st_size > 0


# -- against a live Keras ---------------------------------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("verbose", [1, 2])
def test_a_terminal_sees_what_keras_shows(monkeypatch: pytest.MonkeyPatch, verbose: int) -> None:
    keras = pytest.importorskip("keras")
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr("time.time", lambda: now[0])
    texts = []
    for make in (callbacks.Progbar, keras.utils.Progbar):
        now[0] = 100.0
        text = output_of(monkeypatch, Terminal())
        bar = make(12, verbose=verbose, stateless_metrics=["mean"])
        for step in range(1, 13):
            now[0] += 0.03 if step % 3 else 0.4
            bar.update(step, [("loss", 1000.0 / step**4), ("mean", 1.0 * step)])
        texts.append(text())
    assert texts[0] == texts[1]
