"""The error function on blocks, to the last bits of float64 and float32.

float64: W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969),
631-637: ``x * R(x**2)`` up to 1/2 and ``1 - exp(-x**2) * S(x)`` beyond. Cody gives a third form beyond 4; in float64
the second is already exact there, since what it subtracts from 1 is below 2e-8. The error is at most 2.3e-16.

float32: ``1 - exp(-x * q(x))`` for ``x >= 0``, with ``q`` a polynomial. ``-log(erfc(x)) / x`` is smooth, and ``expm1``
keeps the relative precision near zero. ``q`` is our own minimax fit of degree 8 on [0, 3.95] (Lawson's iteration, each
point weighted by what an error there does to the result). The error is at most 1.0e-7, and 2e-7 of the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.runtimes.kernel import Array

ERF_SCRATCH = 5
"""How many scratch arrays `erf` takes."""

# Highest power first. The float32 coefficients are those of -q, so that the exponent needs no negation.
_FLOAT32 = (
    9.25577622e-06, -1.17636711e-04, 6.32819790e-04, -1.66699449e-03, 1.60360804e-04, 1.91530847e-02,
    -1.02777837e-01, -6.36619381e-01, -1.12837917e00,
)  # fmt: skip
# R is SMALL_TOP / SMALL_BOTTOM, S is LARGE_TOP / LARGE_BOTTOM.
SMALL_TOP = (
    1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02,
    3.20937758913846947e03,
)  # fmt: skip
SMALL_BOTTOM = (
    1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03,
)  # fmt: skip
LARGE_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e01,
    2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
    1.23033935479799725e03,
)  # fmt: skip
LARGE_BOTTOM = (
    1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
    3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
)  # fmt: skip


def erf(x: Array, out: Array, size: Array, sign: Array, *scratch: Array) -> None:
    """erf(x) of a float32 or float64 block; ``out`` may be ``x``, the other arrays are scratch of its type."""
    single = x.dtype == np.float32
    word = np.uint32 if single else np.uint64
    sign_bits, out_bits = sign.view(word), out.view(word)
    np.bitwise_and(x.view(word), word(1 << (31 if single else 63)), sign_bits)
    np.absolute(x, size)
    if single:
        _float32(size, out)
    else:
        _float64(size, out, *scratch)
    np.bitwise_or(out_bits, sign_bits, out_bits)


def _float32(x: Array, out: Array) -> None:
    x.clip(0.0, 3.95, x)
    _polynomial(_FLOAT32, x, out)
    np.multiply(out, x, out)
    np.expm1(out, out)
    np.negative(out, out)


def _float64(x: Array, out: Array, square: Array, top: Array, bottom: Array) -> None:
    x.clip(0.0, 6.0, x)
    np.multiply(x, x, square)
    _polynomial(SMALL_TOP, square, top)
    _polynomial(SMALL_BOTTOM, square, bottom)
    np.divide(top, bottom, out)
    np.multiply(out, x, out)
    _polynomial(LARGE_TOP, x, top)
    _polynomial(LARGE_BOTTOM, x, bottom)
    np.divide(top, bottom, top)
    np.negative(square, square)
    np.exp(square, square)
    np.multiply(top, square, top)
    np.subtract(1.0, top, top)
    large = bottom.view(np.bool_)[: x.size]
    np.greater(x, 0.5, large)
    np.copyto(out, top, where=large)


def _polynomial(coefficients: Sequence[float], x: Array, out: Array) -> None:
    first, second, *rest = coefficients
    np.multiply(x, first, out)
    np.add(out, second, out)
    for coefficient in rest:
        np.multiply(out, x, out)
        np.add(out, coefficient, out)
