"""compile, fit, evaluate, predict: Keras's training interface over compiled steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from graphc import callbacks as callbacks_module
from graphc import optimizers
from graphc.batch_sources import ArraySource, GeneratorSource
from graphc.class_weight import class_weights_of
from graphc.compile_arguments import CompiledMetric, OutputTarget, check_names, resolve_targets
from graphc.data import (
    ArrayData,
    as_data_array,
    batches,
    check_count,
    fill,
    fit_to_type,
    is_generator,
    split_validation,
    unpack_x_y_sample_weight,
)
from graphc.errors import ArgumentError, DataError
from graphc.interrupts import interrupts_between_steps
from graphc.ir.dims import Dim
from graphc.ir.dtypes import standardize_dtype
from graphc.ir.types import TensorType
from graphc.metrics import Mean
from graphc.ops.functional.variable import Variable
from graphc.seeding import next_seed
from graphc.structure import flatten, map_structure, ordered_keys, pack_like
from graphc.train_step import LossTrackers, Step, StepRequest, build_step

if TYPE_CHECKING:
    from graphc.model import Model
    from graphc.runtimes.np_plan import Plan

Array = np.ndarray[Any, Any]


class Trainer:
    """The training half of a model."""

    optimizer: Any
    stop_training: bool

    def __init__(self) -> None:
        self.optimizer = None
        self.history: Any = None
        self.stop_training = False
        self._random_key: Variable | None = None
        self._compile_arguments: dict[str, Any] | None = None
        self._targets: list[OutputTarget] = []
        self._trackers: LossTrackers | None = None
        self._compiled: dict[Any, Any] = {}
        self._metrics: list[CompiledMetric] | None = None
        self._seen_signature: Any = None

    def _model(self) -> Any:
        """The model that this is the training half of."""
        return self

    # -- compile ----------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: an object, name or configuration.
            loss: an object, name or function; a list or dict of them for several outputs.
            loss_weights: a number for each output.
            metrics: a list of objects, names or functions; a list of lists or a dict for several outputs.
            weighted_metrics: metrics that see sample weights.
            run_eagerly: accepted for Keras's sake, as are ``steps_per_execution``, ``jit_compile`` and
                ``auto_scale_loss``: graphc always compiles.

        Raises:
            ArgumentError: an unknown name, or counts and keys that do not fit the outputs.
        """
        del auto_scale_loss
        check_names(loss, metrics)
        self.optimizer = optimizers.get(optimizer)
        self._compile_arguments = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._random_key = Variable(np.array([next_seed(), 0], np.uint32), name="random_key", trainable=False)
        self._targets, self._trackers, self._metrics = [], None, None
        self._forget_steps()
        if hasattr(self, "layer_graph"):
            self._resolve_targets(len(self._model().outputs))

    def _forget_steps(self) -> None:
        """Everything is traced anew: layers may have been changed since."""
        self._compiled.clear()

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compile_arguments is not None

    def _need_compiled(self) -> None:
        if not self.compiled:
            raise ArgumentError("You must call `compile()` before training or evaluating the model.")

    def _log_names(self, count: int) -> list[str]:
        structure = getattr(self, "_output_structure", None)
        loss = (self._compile_arguments or {}).get("loss")
        if isinstance(structure, Mapping) and len(structure) == count:
            names, layer_names = (
                [str(k) for k in ordered_keys(cast("dict[Any, Any]", structure))],
                self._model().output_names,
            )
            by_layer = isinstance(loss, Mapping) and set(loss) <= set(layer_names) and not set(loss) <= set(names)
            return list(layer_names) if by_layer else names
        if hasattr(self, "layer_graph"):
            return list(self._model().output_names)
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]

    def _resolve_targets(self, count: int) -> None:
        arguments = self._compile_arguments
        assert arguments is not None
        names = self._log_names(count)
        self._targets = resolve_targets(
            names, arguments["loss"], arguments["loss_weights"], arguments["metrics"], arguments["weighted_metrics"]
        )
        trained = [t.name for t in self._targets if t.loss is not None]
        per_output = {n: Mean(name=f"{n}_loss") for n in trained} if len(trained) > 1 else {}
        self._trackers = LossTrackers(Mean(name="loss"), per_output)

    @property
    def metrics(self) -> list[Any]:
        """The loss trackers and the metrics, once they are known."""
        trackers = list(self._trackers.all().values()) if self._trackers else []
        return trackers + [entry.metric for entry in self._metrics or ()]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the numbers that `evaluate` returns, in order."""
        return self._result_order()

    def reset_metrics(self) -> None:
        """Start all running means and metrics from nothing."""
        for metric in self.metrics:
            metric.reset_state()

    # -- steps ------------------------------------------------------------------------------------------------------

    def _targets_as_arrays(self, y: Any) -> list[Array | None]:
        """Targets given as an array, list or dict, one for each output."""
        names = [t.name for t in self._targets]
        if y is None:
            return [None] * len(names)
        if isinstance(y, Mapping):
            aliases = dict(zip(names, names, strict=True))
            structure = getattr(self, "_output_structure", None)
            if isinstance(structure, Mapping):
                aliases |= dict(zip(self._model().output_names, names, strict=True))
                aliases |= dict(zip(map(str, ordered_keys(cast("dict[Any, Any]", structure))), names, strict=True))
            if unknown := [k for k in y if k not in aliases]:
                raise ArgumentError(
                    f"Targets name {unknown[0]!r}, which is no output of the model; outputs are {names}."
                )
            given = {aliases[k]: v for k, v in y.items()}
            flat = [given.get(n) for n in names]
        elif isinstance(y, list | tuple) and len(names) > 1:
            flat = list(y)
        elif isinstance(y, list | tuple) and len(y) == 1 and np.ndim(y[0]) > 1:
            flat = [y[0]]
        else:
            flat = [y]
        if len(flat) != len(names):
            raise ArgumentError(f"The model has {len(names)} outputs {names}, but {len(flat)} targets were given.")
        return [None if v is None else as_data_array(v, f"Target {n!r}") for n, v in zip(names, flat, strict=True)]

    def _weights_as_arrays(self, sample_weight: Any) -> list[Array | None]:
        names = [t.name for t in self._targets]
        if sample_weight is None:
            return [None] * len(names)
        if isinstance(sample_weight, Mapping):
            if unknown := [k for k in sample_weight if k not in names]:
                raise ArgumentError(f"`sample_weight` names {unknown[0]!r}, which is no output; outputs are {names}.")
            flat = [sample_weight.get(n) for n in names]
        elif isinstance(sample_weight, list | tuple) and len(names) > 1:
            flat = list(sample_weight)
        else:
            flat = [sample_weight] * len(names)
        if len(flat) != len(names):
            raise ArgumentError(
                f"`sample_weight` must have one entry for each of the outputs {names}; got {len(flat)}."
            )
        return [
            None if v is None else as_data_array(v, f"Sample weights of {n!r}")
            for n, v in zip(names, flat, strict=True)
        ]

    def _inputs_as_arrays(self, x: Any) -> dict[str, Array]:
        if x is None:
            raise ArgumentError("`x`, the input data, is missing.")
        if isinstance(x, list | tuple) and len(self._input_leaves()) == 1 and not _is_single_wrapped(x):
            x = as_data_array(x, "Input data")
        convert = (
            {k: as_data_array(v, f"Input {k!r}") for k, v in x.items()}
            if isinstance(x, Mapping)
            else map_structure(lambda a: as_data_array(a, "Input data"), x)
        )
        model = self._model()
        model.see(convert)
        names, types, _, _ = model._signature()
        flat = self._model().flatten_inputs(convert) if hasattr(self, "layer_graph") else flatten(convert)
        if len(flat) != len(names):
            raise ArgumentError(f"The model expects {len(names)} inputs {names}, but {len(flat)} were given.")
        return {n: fit_to_type(a, t, f"Input {n!r}") for n, t, a in zip(names, types, flat, strict=True)}

    def fixed_batch(self) -> int | None:
        """The batch size that the model was built for, if its inputs say one."""
        _, types, _, _ = self._model()._signature()
        return next((t.shape[0] for t in types if t.shape and isinstance(t.shape[0], int)), None)

    def _input_leaves(self) -> list[Any]:
        return flatten(self._model()._input_structure) if hasattr(self, "layer_graph") else [None]

    def prepare_data(self, x: Any, y: Any, sample_weight: Any, class_weight: Any = None) -> ArrayData:
        """All arrays of a call by graph input name, checked."""
        arrays = self._inputs_as_arrays(x)
        if not self._targets:
            self._resolve_targets(len(self._output_types()))
        ys = self._targets_as_arrays(y)
        ws = self._weights_as_arrays(sample_weight)
        if class_weight is not None:
            ws = class_weights_of(class_weight, ys, ws, [t.name for t in self._targets])
        for target, array, weight in zip(self._targets, ys, ws, strict=True):
            if array is not None:
                arrays[f"target/{target.feed}"] = array
            if weight is not None and array is not None:
                arrays[f"sample_weight/{target.feed}"] = weight
        return ArrayData.of(arrays)

    def _output_types(self) -> list[TensorType]:
        if hasattr(self, "layer_graph"):
            return [t.type for t in self._model().outputs]
        return [v.type for v in cast("Model", self).lower().graph.outputs.values()]

    def check_targets(self, data: ArrayData) -> None:
        """Let each loss look at its whole target once, before anything is updated."""
        for target, type_ in zip(self._targets, self._output_types(), strict=True):
            array = data.arrays.get(f"target/{target.feed}")
            if target.loss is None:
                continue
            if array is None:
                raise ArgumentError(f"Output {target.name!r} has a loss, but no targets were given for it (`y`).")
            target.loss.check_targets(array, type_)

    def step_for(self, arrays: Mapping[str, Array], training: bool) -> Step:
        def type_of(name: str) -> TensorType | None:
            array = arrays.get(name)
            if array is None:
                return None
            dtype = standardize_dtype(array.dtype)
            return TensorType("float32" if dtype == "float64" else dtype, (Dim("batch"), *array.shape[1:]))

        y_types = tuple(type_of(f"target/{t.feed}") for t in self._targets)
        w_types = tuple(
            t and t.with_dtype("float32") for t in (type_of(f"sample_weight/{t.feed}") for t in self._targets)
        )
        model = self._model()
        trainable = (*(layer.trainable for layer in model._flatten_layers()), *(v.trainable for v in model.variables))
        key = ("step", training, y_types, w_types, trainable if training else ())
        step: Step | None = self._compiled.get(key)
        if step is None:
            assert self._trackers is not None
            # The same metric objects serve training and evaluation, as in Keras.
            request = StepRequest(self._targets, y_types, w_types, self._trackers, self._metrics, training)
            step = self._compiled[key] = build_step(cast("Model", self), request)
            self._metrics = step.metrics
        return step

    # -- results ----------------------------------------------------------------------------------------------------

    def _result_order(self) -> list[str]:
        """Keras's order of a list of results."""
        trackers = list(self._trackers.all()) if self._trackers else []
        keys = [entry.key for entry in self._metrics or ()]
        return trackers + (sorted(keys) if len(self._targets) > 1 else keys)

    def _results(self) -> dict[str, float]:
        """The current value of every tracker and metric, sorted by name as in Keras's logs."""
        found: dict[str, float] = {}
        metrics = {**(self._trackers.all() if self._trackers else {}), **{e.key: e.metric for e in self._metrics or ()}}
        for key in sorted(metrics):
            value = np.asarray(metrics[key].result())
            found[key] = float(value) if value.ndim == 0 else value  # type: ignore[assignment]
        return found

    def _as_returned(self, results: Mapping[str, float], return_dict: bool) -> Any:
        if return_dict:
            return dict(results)
        values = [results[key] for key in self._result_order() if key in results]
        return values[0] if len(values) == 1 else values

    # -- fit --------------------------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train.

        Args:
            x: inputs: an array, a list, or a dict by name; or a generator of ``(x, y)`` or ``(x, y, sample_weight)`` batches.
            y: targets, in the same forms.
            batch_size: samples per step; 32 by default. The last batch of an epoch may be short.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch.
            callbacks: a list of callbacks.
            validation_split: the fraction at the end of the data that is kept for validation.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``.
            shuffle: whether to shuffle the samples before each epoch.
            class_weight: class number to weight of its samples.
            sample_weight: a weight for each sample.
            initial_epoch: the number of epochs that are done already.
            steps_per_epoch: how many batches make an epoch; needed for endless generators.
            validation_freq: validate every so many epochs, or after the epochs of a list.

        Returns:
            The `History` callback, whose ``history`` maps names to one number per epoch.

        Raises:
            ArgumentError: an argument makes no sense, or the model is not compiled.
            DataError: the data is empty, of unequal lengths, not numeric, or a label is out of range.
        """
        self._need_compiled()
        epochs, initial_epoch = check_count(epochs, "epochs", 0), check_count(initial_epoch, "initial_epoch", 0)
        batch_size = 32 if batch_size is None else check_count(batch_size, "batch_size", 1)
        counts = {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps}
        for name, count in {**counts, "validation_batch_size": validation_batch_size}.items():
            if count is not None:
                check_count(count, name, 1)
        _validates(validation_freq, 0)
        source = self._source(x, y, sample_weight, class_weight, batch_size, steps_per_epoch)
        validation: ArraySource | GeneratorSource | None = None
        by = validation_batch_size or batch_size
        if validation_data is not None:
            data = tuple(validation_data) if isinstance(validation_data, list) else validation_data
            x_val, y_val, w_val = (data, None, None) if is_generator(data) else unpack_x_y_sample_weight(data)
            validation = self._source(x_val, y_val, w_val, None, by, validation_steps)
        elif validation_split:
            if not isinstance(source, ArraySource):
                raise ArgumentError("`validation_split` needs data in arrays; pass `validation_data` with a generator.")
            source.data, held_out = split_validation(source.data, validation_split)
            validation = ArraySource(self, held_out, by, validation_steps)
        source.check()
        if validation is not None:  # before anything is updated, like everything that can be told in advance
            validation.check()
        run = callbacks_module.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            verbose=_verbosity(verbose),
            epochs=epochs,
            steps=source.steps,
        )
        self.stop_training = False
        run.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            run.on_epoch_begin(epoch)
            self._run_epoch(source, run, shuffle=bool(shuffle), training=True)
            logs = self._results()
            if validation is not None and _validates(validation_freq, epoch):
                logs |= self._validate(validation, callbacks=run)
            run.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(self._model().trainable_variables)
        run.on_train_end(logs)
        return self.history

    def _validate(self, source: ArraySource | GeneratorSource, callbacks: Any) -> dict[str, float]:
        self.reset_metrics()
        callbacks.on_test_begin()
        self._run_epoch(source, callbacks, shuffle=False, training=False)
        results = self._results()
        callbacks.on_test_end(results)
        return {f"val_{key}": value for key, value in results.items()}

    def _source(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any, batch_size: int, steps: int | None
    ) -> ArraySource | GeneratorSource:
        if is_generator(x):
            if y is not None or sample_weight is not None:
                raise ArgumentError("With a generator as `x`, targets and weights come from it: leave `y` out.")
            return GeneratorSource(self, x, steps, class_weight)
        return ArraySource(self, self.prepare_data(x, y, sample_weight, class_weight), batch_size, steps)

    def _run_epoch(self, source: Any, run: Any, *, shuffle: bool, training: bool) -> None:
        begin = run.on_train_batch_begin if training else run.on_test_batch_begin
        end = run.on_train_batch_end if training else run.on_test_batch_end
        watched = run.watches_batches
        with interrupts_between_steps() as interrupts:
            for number, (step, fillers) in enumerate(source.batches(shuffle, training)):
                if watched:
                    begin(number)
                _run_step(step, fillers)
                interrupts.check()
                if watched:
                    end(number, self._results)
                if self.stop_training and training:
                    break

    # -- evaluate, predict ------------------------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data, in inference mode.

        Returns:
            A number, a list in the order of `metrics_names`, or with ``return_dict`` a dict.

        Raises:
            ArgumentError: the model is not compiled, or an argument makes no sense.
            DataError: the data cannot be used.
        """
        if kwargs:
            raise ArgumentError(f"Unexpected keyword arguments of evaluate: {sorted(kwargs)}.")
        self._need_compiled()
        batch_size = 32 if batch_size is None else check_count(batch_size, "batch_size", 1)
        if steps is not None:
            check_count(steps, "steps", 1)
        source = self._source(x, y, sample_weight, None, batch_size, steps)
        source.check()
        run = callbacks_module.CallbackList(
            callbacks, add_progbar=verbose != 0, model=self, verbose=_verbosity(verbose), epochs=1, steps=source.steps
        )
        self.reset_metrics()
        run.on_test_begin()
        self._run_epoch(source, run, shuffle=False, training=False)
        results = self._results()
        run.on_test_end(results)
        return self._as_returned(results, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for data, batch by batch, in inference mode.

        Returns:
            Arrays in the nesting of the model's outputs.

        Raises:
            ArgumentError: ``batch_size`` makes no sense.
            DataError: the data cannot be used.
        """
        batch_size = 32 if batch_size is None else check_count(batch_size, "batch_size", 1)
        if steps is not None:
            check_count(steps, "steps", 1)
        if is_generator(x):
            return self._predict_generator(x, steps)
        data = ArrayData.of(self._inputs_as_arrays(x))
        forward = self._model()._forward(training=False)
        ranges = list(batches(data.size, batch_size))[:steps]
        run = callbacks_module.CallbackList(
            callbacks, add_progbar=verbose != 0, model=self, verbose=_verbosity(verbose), epochs=1, steps=len(ranges)
        )
        run.on_predict_begin()
        results: dict[str, Array] = {}
        total = ranges[-1][1]
        for number, (start, stop) in enumerate(ranges):
            run.on_predict_batch_begin(number)
            with forward.executable.lock:
                plan = forward.executable.plan({n: (stop - start, *a.shape[1:]) for n, a in data.arrays.items()})
                for name, buffer in plan.inputs.items():
                    fill(buffer, data.arrays[name], start, stop, None)
                plan.execute()
                for name, output in plan.outputs.items():
                    if output.shape[:1] != (stop - start,):
                        raise DataError(
                            f"Output {name!r} has shape {output.shape} for a batch of {stop - start}: `predict` joins outputs "
                            "along the batch. Use `model(x)` for outputs without a batch axis."
                        )
                    if name not in results:
                        results[name] = np.empty((total, *output.shape[1:]), output.dtype)
                    results[name][start:stop] = output
            run.on_predict_batch_end(number, partial(_copies, plan))
        run.on_predict_end()
        names = flatten(forward.lowered.outputs)
        return pack_like(forward.lowered.outputs, [results[name] for name in names])

    def _predict_generator(self, x: Iterator[Any], steps: int | None) -> Any:
        stream = GeneratorSource(self, x, steps, None).stream()
        parts = [self.predict_on_batch(unpack_x_y_sample_weight(batch)[0]) for batch in islice(stream, steps)]
        if not parts:
            raise DataError("The generator gave no batches.")
        flat = [flatten(p) for p in parts]
        return pack_like(parts[0], [np.concatenate(column) for column in zip(*flat, strict=True)])

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One update on one batch; returns the loss and metrics of this batch, from before the update."""
        return self._on_batch(x, y, sample_weight, class_weight, return_dict, training=True)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch, in inference mode."""
        return self._on_batch(x, y, sample_weight, None, return_dict, training=False)

    def _on_batch(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool, training: bool
    ) -> Any:
        self._need_compiled()
        data = self.prepare_data(x, y, sample_weight, class_weight)
        self.check_targets(data)
        step = self.step_for(data.arrays, training)
        self.reset_metrics()
        _run_step(step, {name: (a, 0, data.size, None) for name, a in data.arrays.items()})
        return self._as_returned(self._results(), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, in inference mode."""
        arrays = self._inputs_as_arrays(x)
        forward = self._model()._forward(training=False)
        types = {v.producer.name: v.type.dtype for v in forward.executable.graph.inputs}
        results = forward.run({n: a.astype(types[n], copy=False) for n, a in arrays.items()})
        return pack_like(forward.lowered.outputs, [results[name] for name in flatten(forward.lowered.outputs)])


Filler = tuple[Array, int, int, Array | None]


def _run_step(step: Step, fillers: Mapping[str, Filler]) -> None:
    if step.optimizer is not None:
        step.optimizer.refresh_learning_rate()  # a rate that is a function is asked anew for each step
    with step.executable.lock:
        plan = step.plan({name: (stop - start, *a.shape[1:]) for name, (a, start, stop, _) in fillers.items()})
        for name, buffer in plan.inputs.items():
            fill(buffer, *fillers[name])
        plan.execute()


def _copies(plan: Plan) -> dict[str, Any]:
    return {"outputs": {name: array.copy() for name, array in plan.outputs.items()}}


def _is_single_wrapped(x: Sequence[Any]) -> bool:
    """True for ``[array]``: a list that holds the one input, rather than the samples themselves."""
    return len(x) == 1 and getattr(x[0], "ndim", 0) >= 1


def _verbosity(verbose: Any) -> int:
    if verbose == "auto":
        return 1
    if verbose in (0, 1, 2, True, False):
        return int(verbose)
    raise ArgumentError(f"`verbose` must be 'auto', 0, 1 or 2; got {verbose!r}.")


def _validates(frequency: Any, epoch: int) -> bool:
    if isinstance(frequency, int) and not isinstance(frequency, bool) and frequency >= 1:
        return (epoch + 1) % frequency == 0
    if isinstance(frequency, list | tuple | set):
        return epoch + 1 in frequency
    raise ArgumentError(f"`validation_freq` must be a positive integer or a list of epoch numbers; got {frequency!r}.")
