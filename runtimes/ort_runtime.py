"""ONNX Runtime, on the CPU or on CUDA: runs graphs, models in memory and ONNX files.

CUDA never falls back to the CPU silently: where the provider is missing or does not start, `prepare` says so.
TensorFloat-32 is off by default, since its 10 bits of mantissa would differ from the other runtimes by 1e-3. ONNX
Runtime is told to compute deterministically and to keep quiet; what it has to say comes as an exception.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import stat
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, fields
from importlib import metadata
from io import StringIO
from threading import Lock
from typing import Any

import numpy as np

from graphc.errors import (
    ArgumentError,
    ExecutionError,
    GraphError,
    MissingDependencyError,
    ModelFileError,
    did_you_mean,
)
from graphc.ir import dtypes
from graphc.ir.graph import Graph
from graphc.runtimes.base import NEW_STATE
from graphc.runtimes.feeds import FeedType, check_feeds, fits, native
from graphc.runtimes.kernel import Array

OLDEST = (1, 20)
"""The oldest release that is supported: the first for Python 3.13."""

MAX_SESSIONS = 4
"""Sessions kept for files and models that may be prepared again; the one used longest ago goes first."""

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_DTYPES = {
    "tensor(bool)": "bool",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    **{f"tensor({name})": name for name in dtypes.INT_DTYPES},
}
_SILENT = 4  # fatal errors only: all others come as exceptions
_ORT_SEVERITY = 2  # warnings: what ONNX Runtime's own logger starts with

# What ONNX Runtime puts before its messages: a code, how it came there, a place in its source.
_NOISE = (
    re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : "),
    re.compile(r"^(Load model from \S+ failed:|Failed to load model with error: )"),
    re.compile(r"^Non-zero status code returned while running \w+ node\. Name:'[^']*' Status Message: "),
    re.compile(r"^\S*onnxruntime/core/\S+:\d+ .*?( was false\. |\) (?=[A-Z]))"),
    re.compile(r"^\S+\.(cc|h):\d+ \S+ (?=[A-Z])"),
)
_INSTALL = 'pip install "graphc[cpu]"'
_REINSTALL = 'pip install --force-reinstall "graphc[cpu]"'
_UPGRADE = 'pip install -U "graphc[cpu]"'
_LEVELS = {"off": "ORT_DISABLE_ALL", "basic": "ORT_ENABLE_BASIC", "all": "ORT_ENABLE_ALL"}


@dataclass(frozen=True, slots=True)
class OrtOptions:
    """How ONNX Runtime is to run.

    Attributes:
        provider: "cpu" or "cuda".
        device: which GPU.
        threads: threads for one operator; None lets ONNX Runtime take one for each core.
        optimization: how much ONNX Runtime may rewrite: "all", "basic" or "off".
        tf32: let CUDA round float32 operands to 10 bits of mantissa, which is faster.
    """

    provider: str = "cpu"
    device: int = 0
    threads: int | None = None
    optimization: str = "all"
    tf32: bool = False

    def __post_init__(self) -> None:
        if self.provider not in PROVIDERS:
            raise ArgumentError(f"provider must be one of {list(PROVIDERS)}; got {self.provider!r}.")
        if self.optimization not in _LEVELS:
            raise ArgumentError(f"optimization must be one of {list(_LEVELS)}; got {self.optimization!r}.")
        if self.threads is not None and (not isinstance(self.threads, int) or self.threads < 1):
            raise ArgumentError(f"threads must be None or a positive integer; got {self.threads!r}.")


class OrtExecutable:
    """A session, and the states that it carries from run to run.

    Attributes:
        provider: "cpu" or "cuda".
        inputs: input name to type, states left out.
        outputs: output names, new states left out.
    """

    def __init__(self, session: Any, options: OrtOptions, state: Mapping[str, Array], updated: Iterable[str]) -> None:
        """Take over a session.

        Args:
            session: an ``onnxruntime.InferenceSession``.
            options: the options it was made with.
            state: the values of the states, which are inputs of the model.
            updated: the states that have an output ``<state>:new``.
        """
        self.provider = options.provider
        self._session = session
        self._device = (options.provider, options.device if options.provider == "cuda" else 0)
        self._new = {name: name + NEW_STATE for name in updated}
        self._lock = Lock()  # states are read and replaced by one run at a time
        types = {a.name: FeedType(_DTYPES.get(a.type, ""), _shape(a)) for a in session.get_inputs()}
        for a in session.get_overridable_initializers():
            types[a.name] = FeedType(_DTYPES.get(a.type, ""), _shape(a), required=False)
        self.inputs = {name: t for name, t in types.items() if name not in state}
        self.outputs = tuple(a.name for a in session.get_outputs() if a.name not in self._new.values())
        self._read = tuple(name for name in types if name in state)
        self._state = {name: self._to_device(array) for name, array in state.items()}

    @property
    def state(self) -> dict[str, Array]:
        """State name to a copy of its value after the last run; empty where the states are part of the session."""
        with self._lock:
            return {name: np.array(value.numpy()) for name, value in self._state.items()}

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Array]:
        """Run once and give each state its update.

        Args:
            feeds: input name to array, of the declared dtype and a shape that fits the declared one.

        Returns:
            Output name to array.

        Raises:
            GraphcError: a feed is missing, unknown, or of another dtype or shape than declared.
            ExecutionError: ONNX Runtime failed; the message names the node.
        """
        arrays = check_feeds(self.inputs, feeds)
        try:
            if self._state or self._new:
                with self._lock:
                    return self._run_with_states(arrays)
            results = self._session.run(list(self.outputs), arrays)
        except _ort_errors() as error:
            node = re.search(r"Name:'([^']+)'", str(error))
            where = f" in node {node.group(1)!r}" if node else ""
            raise ExecutionError(f"ONNX Runtime failed{where}: {_reason(error)}") from error
        return dict(zip(self.outputs, results, strict=True))

    def _run_with_states(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Run with the states bound where they lie, so that only feeds and outputs move to and from a device."""
        binding = self._session.io_binding()
        for name, array in arrays.items():
            binding.bind_cpu_input(name, np.asarray(array, order="C"))
        for name in self._read:
            binding.bind_ortvalue_input(name, self._state[name])
        for name in self.outputs:
            binding.bind_output(name)
        for name in self._new.values():
            binding.bind_output(name, *self._device)
        self._session.run_with_iobinding(binding)
        results = dict(zip([*self.outputs, *self._new.values()], binding.get_outputs(), strict=True))
        self._state |= {name: results[new] for name, new in self._new.items()}
        return {name: np.array(results[name].numpy()) for name in self.outputs}

    def _to_device(self, array: Array) -> Any:
        # Copied first: on the CPU the value would share the caller's memory.
        return _onnxruntime().OrtValue.ortvalue_from_numpy(np.array(array, order="C"), *self._device)


def prepare(
    source: Graph | str | os.PathLike[str] | bytes | Any, state: Mapping[str, Array] | None = None, **options: Any
) -> OrtExecutable:
    """Make a graph, an ONNX model or an ONNX file ready to run.

    Args:
        source: a graph, which is exported; the path of an ONNX file; a serialised model; or an ``onnx.ModelProto``.
        state: state name to value; copied. Those of a graph without updates become part of the session. The states of a
            model or file are its inputs ``<state>`` that have an output ``<state>:new``; those that are not given here
            are plain inputs and outputs.
        **options: see `OrtOptions`: provider, device, threads, optimization, tf32.

    Raises:
        MissingDependencyError: ONNX Runtime or its CUDA provider is missing; the message says what to install.
        ModelFileError: the file is missing or is not a model that ONNX Runtime can load.
        ExportError: the graph cannot be written in ONNX.
        ExecutionError: ONNX Runtime cannot load what the graph was exported to.
    """
    known = {field.name for field in fields(OrtOptions)}
    if unknown := sorted(options.keys() - known):
        raise ArgumentError(f"There is no option {unknown[0]!r}.{did_you_mean(unknown[0], known)}")
    chosen = OrtOptions(**options)
    if isinstance(source, Graph):
        return _prepare_graph(source, state or {}, chosen)
    session = _cached_session(source, chosen)
    inputs = {a.name for a in (*session.get_inputs(), *session.get_overridable_initializers())}
    outputs = {a.name for a in session.get_outputs()}
    for name in state or {}:
        if name not in inputs or name + NEW_STATE not in outputs:
            raise ArgumentError(
                f"{name!r} is not a state of the model: a state is an input with an output {name + NEW_STATE!r}."
            )
    return OrtExecutable(session, chosen, state or {}, state or {})


def _prepare_graph(graph: Graph, state: Mapping[str, Array], options: OrtOptions) -> OrtExecutable:
    from graphc.runtimes.onnx_export import draft_onnx
    from graphc.runtimes.onnx_weights import embedded, external, is_external

    held: dict[str, Array] = {}
    for name, value in graph.states().items():
        if name not in state:
            raise GraphError(f"State {name!r} of graph {graph.name!r} has no array; pass it in `state`.")
        held[name] = native(np.asarray(state[name]))
        if not fits(held[name], value.type):
            found = f"{held[name].dtype}{list(held[name].shape)}"
            raise GraphError(f"State {name!r} must be {value.type}; its array is {found}.")
    draft = draft_onnx(graph, None if graph.updates else held)
    # ONNX Runtime copies the arrays from where they are; a message that held them would end at 2 GiB.
    memory: dict[str, Array] = {}
    for name, array in draft.weights.items():
        if is_external(array):
            memory[name] = np.asarray(array, order="C")
            draft.model.graph.initializer.append(external(name, array, "memory", 0))
        else:
            draft.model.graph.initializer.append(embedded(name, array))
    try:
        session = _make_session(draft.model.SerializeToString(), options, memory)
    except _ort_errors() as error:
        raise ExecutionError(f"ONNX Runtime cannot load graph {graph.name!r}: {_reason(error)}") from error
    return OrtExecutable(session, options, held if graph.updates else {}, graph.updates)


# -- sessions ---------------------------------------------------------------------------------------------------------

_sessions: OrderedDict[tuple[object, ...], Any] = OrderedDict()
_sessions_lock = Lock()


def release_sessions() -> None:
    """Forget the sessions kept for files and models; those in use live on."""
    with _sessions_lock:
        _sessions.clear()


def _cached_session(source: Any, options: OrtOptions) -> Any:
    """The session for a model, kept under its content, so that the same file is loaded once and a changed one anew."""
    _onnxruntime()
    path = ""
    if isinstance(source, str | os.PathLike):
        path = os.path.abspath(source)
        content = _read(path)
        shown = f"{os.fspath(source)!r}"
    elif isinstance(source, bytes):
        content, shown = source, "The model"
    elif hasattr(source, "SerializeToString"):
        content, shown = source.SerializeToString(), "The model"
    else:
        raise ArgumentError(
            f"A graph, the path of an ONNX file, bytes or a ModelProto can be prepared; got {type(source).__name__}."
        )
    key: tuple[object, ...] = (hashlib.blake2b(content).digest(), options)
    model: bytes | str = content
    if path and b"location" in content and (files := _external_files(path)):
        key += (path, *files)
        model = path
    with _sessions_lock:
        if key in _sessions:
            _sessions.move_to_end(key)
            return _sessions[key]
    try:
        session = _make_session(model, options, {})
    except _ort_errors() as error:
        raise ModelFileError(f"{shown} cannot be loaded by ONNX Runtime: {_reason(error)}") from error
    with _sessions_lock:
        _sessions[key] = session
        while len(_sessions) > MAX_SESSIONS:
            _sessions.popitem(last=False)
    return session


def _read(path: str) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe or device would never end
            raise ModelFileError(f"Cannot read {path!r}: it is not a file.")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ModelFileError(f"Cannot read {path!r}: {error.strerror or error}.") from error


def _external_files(path: str) -> list[tuple[str, int, int]]:
    """The files in which a model keeps weights, each with its size and time of change."""
    from graphc.runtimes.onnx_weights import external_files

    try:
        found = [(name, os.stat(name)) for name in external_files(path)]
    except OSError as error:
        raise ModelFileError(f"{path!r} keeps weights in a file that cannot be read: {error}.") from error
    return [(name, status.st_size, status.st_mtime_ns) for name, status in found]


def _make_session(model: bytes | str, options: OrtOptions, memory: Mapping[str, Array]) -> Any:
    """A session of the wanted provider, or an error: never of another one."""
    ort = _onnxruntime()
    settings = ort.SessionOptions()
    settings.log_severity_level = _SILENT
    settings.use_deterministic_compute = True
    settings.graph_optimization_level = getattr(ort.GraphOptimizationLevel, _LEVELS[options.optimization])
    if options.threads is not None:
        settings.intra_op_num_threads = options.threads
    if memory:
        values = [ort.OrtValue.ortvalue_from_numpy(array) for array in memory.values()]
        settings.add_external_initializers(list(memory), values)
    if options.provider == "cuda":
        return _make_cuda_session(ort, model, settings, options)
    return ort.InferenceSession(model, settings, providers=[PROVIDERS["cpu"]], enable_fallback=0)


def _make_cuda_session(ort: Any, model: bytes | str, settings: Any, options: OrtOptions) -> Any:
    wanted = PROVIDERS["cuda"]
    available = ort.get_available_providers()
    if wanted not in available:
        clash = "pip uninstall -y onnxruntime && " if "onnxruntime" in _distributions() else ""
        raise MissingDependencyError(
            f"ONNX Runtime {ort.__version__} is here without {wanted} (it has {', '.join(available)}); "
            f'install it with: {clash}pip install "graphc[gpu]"'
        )
    if hasattr(ort, "preload_dlls"):
        with redirect_stdout(StringIO()):  # it prints what it does not find; CUDA may well be elsewhere
            ort.preload_dlls()
    cuda = (wanted, {"device_id": str(options.device), "use_tf32": str(int(options.tf32))})
    # A provider that does not start says so on the process's logger, which a session's settings do not reach.
    ort.set_default_logger_severity(_SILENT)
    try:
        # The CPU provider takes what CUDA has no kernel for, such as the computation of shapes.
        session = ort.InferenceSession(model, settings, providers=[cuda, PROVIDERS["cpu"]], enable_fallback=0)
    finally:
        ort.set_default_logger_severity(_ORT_SEVERITY)
    if session.get_providers()[:1] != [wanted]:
        raise MissingDependencyError(
            f"{wanted} of ONNX Runtime {ort.__version__} did not start{_missing_library(ort)}: it needs an NVIDIA GPU "
            "with its driver, CUDA and cuDNN 9; install the libraries with: "
            'pip install "onnxruntime-gpu[cuda,cudnn]"'
        )
    return session


def _missing_library(ort: Any) -> str:
    """Names the library without which the CUDA provider cannot be loaded; "" where that is not the reason."""
    provider = os.path.join(os.path.dirname(ort.__file__ or ""), "capi", "libonnxruntime_providers_cuda.so")
    try:
        ctypes.CDLL(provider)
    except OSError as error:
        found = re.match(r"(\S+\.so\S*): cannot open shared object file", str(error))
        if found and found.group(1) != provider:
            return f" ({found.group(1)} is missing)"
    return ""


# -- the package ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Description:
    """What is installed.

    Attributes:
        version: ONNX Runtime's version, "" when it cannot be used.
        packages: the installed distributions of it with their versions; more than one is a clash.
        providers: what it can run on, as it says itself; CUDA may still lack a GPU or libraries.
        problem: why it cannot be used, or "".
    """

    version: str
    packages: dict[str, str]
    providers: tuple[str, ...]
    problem: str


def describe() -> Description:
    """What is installed of ONNX Runtime; raises nothing when that is nothing."""
    packages = _distributions()
    try:
        ort = _onnxruntime()
    except MissingDependencyError as error:
        return Description("", packages, (), str(error))
    return Description(ort.__version__, packages, tuple(ort.get_available_providers()), "")


def providers() -> tuple[str, ...]:
    """The names under which `prepare` takes the providers that are installed: "cpu", "cuda"."""
    available = describe().providers
    return tuple(name for name, provider in PROVIDERS.items() if provider in available)


def _distributions() -> dict[str, str]:
    found = {}
    for name in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _onnxruntime() -> Any:
    """The package.

    Raises:
        MissingDependencyError: it is missing, broken or too old.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise MissingDependencyError(
                f"ONNX Runtime is installed but needs {error.name!r}, which is not."
            ) from error
        raise MissingDependencyError(f"ONNX Runtime is not installed; install it with: {_INSTALL}") from None
    except ImportError as error:
        raise MissingDependencyError(
            f"ONNX Runtime is installed but does not load ({error}); install it again with: {_REINSTALL}"
        ) from error
    version = getattr(onnxruntime, "__version__", "")
    if not version:  # what is left of the folder when one of two clashing packages is removed
        raise MissingDependencyError(f"ONNX Runtime is damaged; install it again with: {_REINSTALL}")
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
        raise MissingDependencyError(
            f"ONNX Runtime {version} is too old, {OLDEST[0]}.{OLDEST[1]} or later is needed; upgrade with: {_UPGRADE}"
        )
    return onnxruntime


def _ort_errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's own exceptions, which have no common base, and those of its Python layer."""
    state = _onnxruntime().capi.onnxruntime_pybind11_state
    own = [v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception)]
    return (*own, RuntimeError, ValueError)


def _reason(error: Exception) -> str:
    """What ONNX Runtime says, without its codes and its source files, in one line."""
    text = " ".join(str(error).split())
    for noise in _NOISE:
        text = noise.sub("", text)
    return text.rstrip(".") + "."


def _shape(argument: Any) -> list[int | str | None] | None:
    """The declared shape of an input."""
    if not argument.type.startswith("tensor("):
        return None
    return list(argument.shape)
