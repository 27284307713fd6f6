"""Cases of `graphc.ops.recurrent`. The oracles run each sample by itself, step by step, over the steps that it has.

Gradients' oracles go back through the same steps, one sample after another, and add up the weights' gradients step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from op_cases.case import Array, Case
from op_cases.values import numbers

FORWARD, REVERSE, BIDIRECTIONAL = "forward", "reverse", "bidirectional"

Function = tuple[Callable[[Array], Array], Callable[[Array], Array]]
"""A function, and its derivative."""


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _function(name: str, alpha: float | None, beta: float | None) -> Function:
    """An activation and its derivative, both of its operand."""
    a = {"LeakyRelu": 0.01, "HardSigmoid": 0.2}.get(name, 1.0) if alpha is None else alpha
    b = {"HardSigmoid": 0.5, "ScaledTanh": 1.0}.get(name, 0.0) if beta is None else beta
    table: dict[str, Function] = {
        "Tanh": (np.tanh, lambda x: 1.0 / np.cosh(x) ** 2),
        "Sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
        "Relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0) * 1.0),
        "Softsign": (lambda x: x / (1.0 + np.abs(x)), lambda x: (1.0 + np.abs(x)) ** -2.0),
        "Softplus": (lambda x: np.logaddexp(x, 0.0), _sigmoid),
        "LeakyRelu": (lambda x: np.where(x > 0, x, a * x), lambda x: np.where(x > 0, 1.0, a)),
        "ThresholdedRelu": (lambda x: np.where(x > a, x, 0.0), lambda x: (x > a) * 1.0),
        "Elu": (lambda x: np.where(x > 0, x, a * np.expm1(x)), lambda x: np.where(x > 0, 1.0, a * np.exp(x))),
        "HardSigmoid": (lambda x: np.clip(a * x + b, 0, 1), lambda x: a * ((a * x + b > 0) & (a * x + b < 1))),
        "ScaledTanh": (lambda x: a * np.tanh(b * x), lambda x: a * b / np.cosh(b * x) ** 2),
        "Affine": (lambda x: a * x + b, lambda x: a + 0.0 * x),
    }
    return table[name]


_DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
_STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_KEPT = {"LSTM": (4, 1), "GRU": (3, 1), "RNN": ()}


def _functions(op: str, attributes: dict[str, Any], direction: int) -> list[Function]:
    each = len(_DEFAULTS[op])
    names = list(attributes.get("activations") or _DEFAULTS[op])
    alphas, betas = (list(attributes.get(f"activation_{k}") or [None] * len(names)) for k in ("alpha", "beta"))
    start = direction * each if len(names) > each else 0
    return [_function(names[i], alphas[i], betas[i]) for i in range(start, start + each)]


def _order(length: int, attributes: dict[str, Any], direction: int) -> list[int]:
    """The steps of a sample in the order in which states flow."""
    steps = list(range(length))
    return steps[::-1] if attributes.get("direction", FORWARD) == REVERSE or direction == 1 else steps


# -- forward ----------------------------------------------------------------------------------------------------------

States = tuple[Array, ...]
Stepped = tuple[States, States]
"""The new states, and what is kept for the gradient."""


def _lstm_step(f: list[Function], x: Array, w: Array, r: Array, b: Array, state: States, _after: bool) -> Stepped:
    (h, c), (sigma, g, squash) = state, (one[0] for one in f)
    z_i, z_o, z_f, z_g = np.split(w @ x + r @ h + b[: len(w)] + b[len(w) :], 4)
    cell = sigma(z_f) * c + sigma(z_i) * g(z_g)
    return (sigma(z_o) * squash(cell), cell), (np.concatenate([sigma(z_i), sigma(z_o), sigma(z_f), g(z_g)]), cell)


def _gru_step(f: list[Function], x: Array, w: Array, r: Array, b: Array, state: States, after: bool) -> Stepped:
    (h,), (sigma, g) = state, (one[0] for one in f)
    (w_z, w_r, w_n), (r_z, r_r, r_n), (b_z, b_r, b_n, rb_z, rb_r, rb_n) = np.split(w, 3), np.split(r, 3), np.split(b, 6)
    update, reset = sigma(w_z @ x + r_z @ h + b_z + rb_z), sigma(w_r @ x + r_r @ h + b_r + rb_r)
    if after:
        inner = r_n @ h + rb_n
        candidate = g(w_n @ x + b_n + reset * inner)
    else:
        inner = reset * h
        candidate = g(w_n @ x + r_n @ inner + b_n + rb_n)
    return ((1.0 - update) * candidate + update * h,), (np.concatenate([update, reset, candidate]), inner)


def _rnn_step(f: list[Function], x: Array, w: Array, r: Array, b: Array, state: States, _after: bool) -> Stepped:
    return (f[0][0](w @ x + r @ state[0] + b[: len(w)] + b[len(w) :]),), ()


_STEP = {"LSTM": _lstm_step, "GRU": _gru_step, "RNN": _rnn_step}


def _forward(op: str) -> Callable[..., tuple[Array, ...]]:
    def oracle(
        x: Array, w: Array, r: Array, b: Array | None = None, lengths: Array | None = None, *initial: Array | None,
        **attributes: Any,
    ) -> tuple[Array, ...]:  # fmt: skip
        time, batch, _ = x.shape
        directions, gates, hidden = r.shape
        b = np.zeros((directions, 2 * gates)) if b is None else b
        y = np.zeros((time, directions, batch, hidden))
        finals = [np.zeros((directions, batch, hidden)) for _ in range(_STATES[op])]
        kept = [np.zeros((directions, time, batch, n * hidden)) for n in _KEPT[op]]
        for d in range(directions):
            functions = _functions(op, attributes, d)
            for s in range(batch):
                state = tuple(np.zeros(hidden) if one is None else one[d, s] for one in (*initial, None, None))
                state = state[: _STATES[op]]
                for t in _order(time if lengths is None else int(lengths[s]), attributes, d):
                    after = bool(attributes.get("linear_before_reset", 0))
                    state, saved = _STEP[op](functions, x[t, s], w[d], r[d], b[d], state, after)
                    y[t, d, s] = state[0]
                    for array, values in zip(kept, saved, strict=True):
                        array[d, t, s] = values
                for array, values in zip(finals, state, strict=True):
                    array[d, s] = values
        return (y, *finals, *kept)

    return oracle


# -- gradients: default activations only ------------------------------------------------------------------------------

Back = tuple[Array, Array, Array, States]
"""Gradients by the sums, by R, by the recurrent bias, and by the states before the step."""


def _lstm_back(r: Array, before: States, kept: States, by: States, by_kept: States, _after: bool) -> Back:
    (gates, c), (h, c_before), (by_h, by_c) = kept, before, by
    i, o, f, g = np.split(gates, 4)
    squashed = np.tanh(c)
    by_c = by_c + by_h * o * (1.0 - squashed**2) + by_kept[1]
    by_gates = np.concatenate([by_c * g, by_h * squashed, by_c * c_before, by_c * i]) + by_kept[0]
    by_z = by_gates * np.concatenate([i * (1 - i), o * (1 - o), f * (1 - f), 1 - g**2])
    return by_z, np.outer(by_z, h), by_z, (r.T @ by_z, by_c * f)


def _gru_back(r: Array, before: States, kept: States, by: States, by_kept: States, after: bool) -> Back:
    (gates, inner), (h,), (by_h,) = kept, before, by
    u, s, n = np.split(gates, 3)
    add_u, add_s, add_n = np.split(by_kept[0], 3)
    r_u, r_s, r_n = np.split(r, 3)
    z_u = (by_h * (h - n) + add_u) * u * (1 - u)
    z_n = (by_h * (1 - u) + add_n) * (1 - n**2)
    by_inner = (z_n * s if after else r_n.T @ z_n) + by_kept[1]
    z_s = (add_s + (z_n * inner if after else by_inner * h)) * s * (1 - s)
    by_before = by_h * u + r_u.T @ z_u + r_s.T @ z_s + (r_n.T @ by_inner if after else by_inner * s)
    reaching = by_inner if after else z_n
    by_r = np.concatenate([np.outer(z_u, h), np.outer(z_s, h), np.outer(reaching, h if after else inner)])
    return np.concatenate([z_u, z_s, z_n]), by_r, np.concatenate([z_u, z_s, reaching]), (by_before,)


def _rnn_back(r: Array, before: States, kept: States, by: States, _by_kept: States, _after: bool) -> Back:
    by_z = by[0] * (1.0 - kept[0] ** 2)
    return by_z, np.outer(by_z, before[0]), by_z, (r.T @ by_z,)


_BACK = {"LSTM": _lstm_back, "GRU": _gru_back, "RNN": _rnn_back}


def _backward(op: str) -> Callable[..., tuple[Array, ...]]:
    def oracle(r: Array, lengths: Array | None, *rest: Array | None, **attributes: Any) -> tuple[Array, ...]:
        states, count = _STATES[op], len(_KEPT[op])
        initial, y, kept, by = rest[:states], rest[states], rest[states + 1 :][:count], rest[states + 1 + count :]
        by = (*by, *[None] * (1 + states + count - len(by)))
        assert y is not None
        time, directions, batch, hidden = y.shape
        gates = r.shape[1]
        by_z, by_r, by_b = (
            np.zeros((directions, time, batch, gates)),
            np.zeros(r.shape),
            np.zeros((directions, 2 * gates)),
        )
        by_initial = [np.zeros((directions, batch, hidden)) for _ in range(states)]
        zero = np.zeros(hidden)
        for d in range(directions):
            for s in range(batch):
                order = _order(time if lengths is None else int(lengths[s]), attributes, d)
                flow = tuple(zero if g is None else g[d, s] for g in by[1 : 1 + states])
                for k in range(len(order) - 1, -1, -1):
                    t = order[k]
                    first = [zero if one is None else one[d, s] for one in initial]
                    after = [one[:, d, s] for one in (y,)] + [one[d, :, s] for one in kept[-1:]]
                    before = tuple(a[order[k - 1]] if k else f for a, f in zip(after, first, strict=False))
                    saved = tuple(one[d, t, s] for one in kept if one is not None) or (y[t, d, s],)
                    arriving = by[1 + states :]
                    by_kept = tuple(
                        np.zeros(n * hidden) if g is None else g[d, t, s]
                        for g, n in zip(arriving, _KEPT[op], strict=True)
                    )
                    flow = (flow[0] + (0.0 if by[0] is None else by[0][t, d, s]), *flow[1:])
                    is_after = bool(attributes.get("linear_before_reset", 0))
                    z, at_r, at_bias, flow = _BACK[op](r[d], before, saved, flow, by_kept, is_after)
                    by_z[d, t, s] = z
                    by_r[d] += at_r
                    by_b[d] += np.concatenate([z, at_bias])
                for array, values in zip(by_initial, flow, strict=True):
                    array[d, s] = values
        return (by_z, by_r, by_b, *by_initial)

    return oracle


# -- rows -------------------------------------------------------------------------------------------------------------

TIME, BATCH, INPUTS, HIDDEN = 4, 3, 5, 2
NO_STEPS = "ONNX Runtime gives zeros as the last state of no steps, and ends the process in GRU"


def _lengths(*lengths: int) -> Array:
    return np.array(lengths, np.int32)


LENGTHS: tuple[tuple[str, Array | None], ...] = (
    ("", None),
    ("lengths", _lengths(2, 4, 1)),
    ("empty", _lengths(3, 0, 2)),
)


def _case(
    op: str,
    direction: str,
    name: str,
    lengths: Array | None = None,
    *,
    bias: bool = True,
    initial: bool = True,
    time: int = TIME,
    onnx: str = "",
    **attributes: Any,
) -> Case:
    directions, gates, states = 1 + (direction == BIDIRECTIONAL), _GATES[op] * HIDDEN, _STATES[op]
    inputs: list[Array | None] = [
        numbers((time, BATCH, INPUTS)),
        numbers((directions, gates, INPUTS), -0.7, 0.7),
        numbers((directions, gates, HIDDEN), -0.7, 0.7),
        numbers((directions, 2 * gates)) if bias else None,
        lengths,
        *(numbers((directions, BATCH, HIDDEN)) if initial else None for _ in range(states)),
    ]
    given = {"hidden_size": HIDDEN, "direction": direction, **attributes}
    return Case(op, inputs, _forward(op), given, rtol=1e-5, atol=1e-5, onnx=onnx, id=name)


def _variants(op: str, **attributes: Any) -> list[Case]:
    """Directions, lengths, absent operands, and no steps at all."""
    stem = f"reset{attributes['linear_before_reset']}-" if attributes else ""
    return [
        *(
            _case(op, direction, f"{stem}{direction}{name and '-'}{name}", lengths, **attributes)
            for direction in (FORWARD, REVERSE, BIDIRECTIONAL)
            for name, lengths in LENGTHS
        ),
        _case(op, FORWARD, f"{stem}plain", bias=False, initial=False, **attributes),
        _case(op, REVERSE, f"{stem}reverse-plain-empty", _lengths(3, 0, 2), bias=False, initial=False, **attributes),
        _case(op, BIDIRECTIONAL, f"{stem}one_step", time=1, **attributes),
        _case(op, FORWARD, f"{stem}no_steps", time=0, onnx=NO_STEPS, **attributes),
    ]


def _activations(op: str, *names: str, alpha: Sequence[float] = (), beta: Sequence[float] = ()) -> Case:
    given = {"activations": names, "activation_alpha": tuple(alpha), "activation_beta": tuple(beta)}
    bidirectional = len(names) > len(_DEFAULTS[op])
    return _case(op, BIDIRECTIONAL if bidirectional else FORWARD, "_".join(names), **given)


def _grad_case(op: str, direction: str, name: str, lengths: Array | None, absent: str = "", **attributes: Any) -> Case:
    directions, gates, states = 1 + (direction == BIDIRECTIONAL), _GATES[op] * HIDDEN, _STATES[op]
    given = {"hidden_size": HIDDEN, "direction": direction, **attributes}
    sequence, state = (TIME, directions, BATCH, HIDDEN), (directions, BATCH, HIDDEN)
    kept = [(directions, TIME, BATCH, n * HIDDEN) for n in _KEPT[op]]
    by: list[Array | None] = [numbers(sequence), *(numbers(state) for _ in range(states)), *(numbers(k) for k in kept)]
    if absent == "all but y":
        by = by[:1]
    elif absent == "y":
        by[0] = None
    inputs: list[Array | None] = [
        numbers((directions, gates, HIDDEN), -0.7, 0.7),
        lengths,
        *(None if absent == "y" else numbers(state) for _ in range(states)),
        numbers(sequence, 0.1, 0.9),
        *(numbers(k, 0.1, 0.9) for k in kept),
        *by,
    ]
    return Case(f"{op}Grad", inputs, _backward(op), given, rtol=1e-5, atol=1e-5, second_order=False, id=name)


def _grad_variants(op: str, **attributes: Any) -> list[Case]:
    stem = f"reset{attributes['linear_before_reset']}-" if attributes else ""
    return [
        *(
            _grad_case(op, direction, f"{stem}{direction}{name and '-'}{name}", lengths, **attributes)
            for direction in (FORWARD, REVERSE, BIDIRECTIONAL)
            for name, lengths in LENGTHS
        ),
        _grad_case(op, FORWARD, f"{stem}by_y", None, "all but y", **attributes),
        _grad_case(op, REVERSE, f"{stem}by_state", _lengths(3, 0, 2), "y", **attributes),
    ]


CASES = [
    *_variants("LSTM"),
    _activations("LSTM", "HardSigmoid", "Relu", "Affine", alpha=(1 / 6, 0, 0.5), beta=(0.5, 0, 0.1)),
    _activations("LSTM", "HardSigmoid", "Softsign", "Elu", alpha=(0.3, 0, 0.7), beta=(0.4, 0, 0)),
    _activations("LSTM", "Softplus", "ScaledTanh", "LeakyRelu", alpha=(0, 1.3, 0.3), beta=(0, 0.8, 0)),
    _activations("LSTM", "Sigmoid", "Tanh", "ThresholdedRelu", "HardSigmoid", "Softsign", "Tanh",
                 alpha=(0, 0, 0.05, 0.25, 0, 0), beta=(0, 0, 0, 0.5, 0, 0)),
    _activations("LSTM", "HardSigmoid", "Elu", "LeakyRelu"),
    *_variants("GRU", linear_before_reset=0),
    *_variants("GRU", linear_before_reset=1),
    _activations("GRU", "HardSigmoid", "Softsign", alpha=(1 / 6, 0), beta=(0.5, 0)),
    _activations("GRU", "Softplus", "Elu", "Sigmoid", "Affine", alpha=(0, 0.5, 0, 0.9), beta=(0, 0, 0, 0.2)),
    *_variants("RNN"),
    *(_activations("RNN", name) for name in ("Relu", "Sigmoid", "HardSigmoid", "Softsign", "Softplus", "Elu")),
    _activations("RNN", "LeakyRelu", "ThresholdedRelu", alpha=(0.2, 0.1)),
    _activations("RNN", "ScaledTanh", "Affine", alpha=(1.2, 0.8), beta=(0.7, 0.3)),
    *_grad_variants("LSTM"),
    *_grad_variants("GRU", linear_before_reset=0),
    *_grad_variants("GRU", linear_before_reset=1),
    *_grad_variants("RNN"),
]  # fmt: skip
