from __future__ import annotations

from graphc.passes.cse import cse

from .harness import check


def test_equal_expressions_are_computed_once() -> None:
    notes = check(
        cse,
        """
        %x: float32[n, 2] = Input()
        %a: float32[n, 2] = Tanh(%x)
        %b: float32[n, 2] = Tanh(%x)
        %c: float32[n, 2] = Neg(%a)
        %d: float32[n, 2] = Neg(%b)
        %y: float32[n, 2] = Mul(%c, %d)
        output y = %y
        output a = %a
        output b = %b
        """,
        """
        %x: float32[n, 2] = Input()
        %a: float32[n, 2] = Tanh(%x)
        %c: float32[n, 2] = Neg(%a)
        %y: float32[n, 2] = Mul(%c, %c)
        output y = %y
        output a = %a
        output b = %a
        """,
    )
    assert notes == ("%b is %a", "%d is %c")


def test_operands_of_commutative_ops_have_no_order() -> None:
    check(
        cse,
        """
        %x: float32[2] = Input()
        %z: float32[2] = Input()
        %a: float32[2] = Add(%x, %z)
        %b: float32[2] = Add(%z, %x)
        %c: float32[2] = Sub(%x, %z)
        %d: float32[2] = Sub(%z, %x)
        output a = %a
        output b = %b
        output c = %c
        output d = %d
        """,
        """
        %x: float32[2] = Input()
        %z: float32[2] = Input()
        %a: float32[2] = Add(%x, %z)
        %c: float32[2] = Sub(%x, %z)
        %d: float32[2] = Sub(%z, %x)
        output a = %a
        output b = %a
        output c = %c
        output d = %d
        """,
        special=True,
    )


def test_attributes_count() -> None:
    check(
        cse,
        """
        %x: float32[2, 2] = Input()
        %a: float32[2, 2] = CumSum(%x) {axis = 0}
        %b: float32[2, 2] = CumSum(%x) {axis = 1}
        %c: float32[2, 2] = LeakyRelu(%x) {alpha = 0.0}
        %d: float32[2, 2] = LeakyRelu(%x) {alpha = -0.0}
        output a = %a
        output b = %b
        output c = %c
        output d = %d
        """,
        None,
    )


def test_constants_are_merged_by_their_bits() -> None:
    check(
        cse,
        """
        %x: float32[2] = Input()
        %a: float32[] = Constant() {value = 0.0}
        %b: float32[] = Constant() {value = 0.0}
        %negative: float32[] = Constant() {value = -0.0}
        %double: float64[] = Constant() {value = 0.0}
        %vector: float32[1] = Constant() {value = [0.0]}
        %p: float32[2] = Add(%x, %a)
        %q: float32[2] = Sub(%p, %b)
        %r: float32[2] = Mul(%q, %negative)
        %s: float32[2] = Add(%r, %vector)
        output s = %s
        output double = %double
        """,
        """
        %x: float32[2] = Input()
        %a: float32[] = Constant() {value = 0.0}
        %negative: float32[] = Constant() {value = -0.0}
        %double: float64[] = Constant() {value = 0.0}
        %vector: float32[1] = Constant() {value = [0.0]}
        %p: float32[2] = Add(%x, %a)
        %q: float32[2] = Sub(%p, %a)
        %r: float32[2] = Mul(%q, %negative)
        %s: float32[2] = Add(%r, %vector)
        output s = %s
        output double = %double
        """,
        special=True,
    )


def test_inputs_and_states_stay_apart() -> None:
    check(
        cse,
        """
        %x: float32[2] = Input()
        %z: float32[2] = Input()
        %a: float32[2] = State() {state = "a"}
        %b: float32[2] = State() {state = "b"}
        %p: float32[2] = Add(%x, %a)
        %q: float32[2] = Add(%z, %b)
        output p = %p
        output q = %q
        """,
        None,
    )


def test_absent_operands_are_operands() -> None:
    check(
        cse,
        """
        %x: float32[2] = Input()
        %c: float32[] = Constant() {value = 1.0}
        %low: float32[2] = Clip(%x, %c)
        %low2: float32[2] = Clip(%x, %c, _)
        %high: float32[2] = Clip(%x, _, %c)
        output low = %low
        output low2 = %low2
        output high = %high
        """,
        """
        %x: float32[2] = Input()
        %c: float32[] = Constant() {value = 1.0}
        %low: float32[2] = Clip(%x, %c)
        %high: float32[2] = Clip(%x, _, %c)
        output low = %low
        output low2 = %low
        output high = %high
        """,
    )


def test_all_outputs_of_a_node_are_merged() -> None:
    check(
        cse,
        """
        %x: float32[2, 3] = Input()
        %a: (float32[1, 3], float32[1, 3]) = Split(%x) {sizes = (1, 1)}
        %b: (float32[1, 3], float32[1, 3]) = Split(%x) {sizes = (1, 1)}
        %y: float32[1, 3] = Sub(%a, %b:1)
        output y = %y
        """,
        """
        %x: float32[2, 3] = Input()
        %a: (float32[1, 3], float32[1, 3]) = Split(%x) {sizes = (1, 1)}
        %y: float32[1, 3] = Sub(%a, %a:1)
        output y = %y
        """,
    )


def test_random_numbers_of_one_key_and_index_are_the_same_numbers() -> None:
    check(
        cse,
        """
        %key: uint32[2] = Input()
        %a: float32[4] = RandomUniform(%key) {shape = (4,), index = 0}
        %b: float32[4] = RandomUniform(%key) {shape = (4,), index = 0}
        %c: float32[4] = RandomUniform(%key) {shape = (4,), index = 1}
        %y: float32[4] = Sub(%a, %b)
        output y = %y
        output c = %c
        """,
        """
        %key: uint32[2] = Input()
        %a: float32[4] = RandomUniform(%key) {shape = (4,), index = 0}
        %c: float32[4] = RandomUniform(%key) {shape = (4,), index = 1}
        %y: float32[4] = Sub(%a, %a)
        output y = %y
        output c = %c
        """,
    )
