"""Parity cases of convolutions."""

from __future__ import annotations

from parity.spec import IMAGE, IMAGE_EVEN, IMAGE_FIRST, SEQUENCE, VOLUME, VOLUME_FIRST

from .case import L1L2, L2, Case, of

STEPS: tuple[int, int] = (8, 3)
STEPS_FIRST: tuple[int, int] = (3, 8)

CONV1D = (
    of("Conv1D", "valid", SEQUENCE, filters=5, kernel_size=3),
    of("Conv1D", "same-stride", STEPS, filters=5, kernel_size=3, strides=2, padding="same", activation="relu"),
    of("Conv1D", "causal", SEQUENCE, filters=5, kernel_size=3, padding="causal"),
    of("Conv1D", "causal-dilated", STEPS, filters=4, kernel_size=2, dilation_rate=3, padding="causal", use_bias=False),
    of("Conv1D", "causal-stride", STEPS, filters=4, kernel_size=3, strides=2, padding="causal"),
    of("Conv1D", "causal-first", STEPS_FIRST, filters=4, kernel_size=3, padding="causal", data_format="channels_first"),
    of("Conv1D", "groups", SEQUENCE, filters=6, kernel_size=2, groups=2, padding="same"),
    of("Conv1D", "channels-first", STEPS_FIRST, filters=5, kernel_size=3, strides=3, data_format="channels_first"),
    of("Conv1D", "stride-beyond-kernel", STEPS, filters=4, kernel_size=2, strides=3),
    of("Conv1D", "dynamic", STEPS, declared=((None, 3),), filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv1D", "dynamic-causal", STEPS, declared=((None, 3),), filters=5, kernel_size=3, padding="causal"),
)

CONV2D = (
    of("Conv2D", "valid", IMAGE, filters=5, kernel_size=3),
    of("Conv2D", "same", IMAGE, filters=5, kernel_size=3, padding="same", activation="relu"),
    of("Conv2D", "same-even-kernel", IMAGE, filters=5, kernel_size=(2, 4), padding="same"),
    of("Conv2D", "stride2-valid", IMAGE, filters=5, kernel_size=3, strides=2),
    of("Conv2D", "stride2-same-odd", IMAGE, filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv2D", "stride2-same-even", IMAGE_EVEN, filters=5, kernel_size=3, strides=2, padding="same"),
    of("Conv2D", "stride-2-3-same", IMAGE_EVEN, filters=5, kernel_size=(3, 2), strides=(2, 3), padding="same"),
    of("Conv2D", "stride-beyond-kernel", IMAGE, filters=5, kernel_size=1, strides=(3, 2), padding="same"),
    of("Conv2D", "kernel-beyond-image", (3, 4, 2), filters=5, kernel_size=5, padding="same"),
    of("Conv2D", "pointwise-no-bias", IMAGE, filters=6, kernel_size=1, use_bias=False, activation="tanh"),
    of("Conv2D", "dilated", IMAGE, filters=5, kernel_size=3, dilation_rate=2),
    of("Conv2D", "dilated-same", IMAGE, filters=5, kernel_size=(3, 2), dilation_rate=(1, 3), padding="same"),
    of("Conv2D", "groups", IMAGE, filters=6, kernel_size=3, groups=2),
    of("Conv2D", "groups-depthwise", IMAGE, filters=8, kernel_size=(3, 2), groups=4, strides=2, padding="same"),
    of("Conv2D", "channels-first", IMAGE_FIRST, filters=5, kernel_size=3, data_format="channels_first"),
    of(
        "Conv2D",
        "channels-first-groups",
        IMAGE_FIRST,
        filters=6,
        kernel_size=(3, 2),
        strides=2,
        padding="same",
        groups=2,
        data_format="channels_first",
        activation="relu",
    ),
    of("Conv2D", "dynamic", IMAGE, declared=((None, None, 4),), filters=5, kernel_size=3),
    of(
        "Conv2D",
        "dynamic-same-stride",
        IMAGE,
        declared=((None, None, 4),),
        filters=5,
        kernel_size=3,
        strides=2,
        padding="same",
    ),
    of(
        "Conv2D",
        "regularised",
        IMAGE,
        filters=3,
        kernel_size=2,
        kernel_regularizer=L1L2,
        kernel_initializer="he_uniform",
    ),
    of("Conv2D", "integers", IMAGE, dtype="int32", filters=3, kernel_size=2),
    of(
        "Conv2D",
        "activity-regularised",
        IMAGE,
        filters=3,
        kernel_size=2,
        bias_regularizer=L2,
        activity_regularizer=L1L2,
        bias_initializer="ones",
    ),
)

CONV3D = (
    of("Conv3D", "valid", VOLUME, filters=3, kernel_size=2),
    of("Conv3D", "same-stride", VOLUME, filters=3, kernel_size=(3, 2, 3), strides=(2, 1, 2), padding="same"),
    of("Conv3D", "dilated", VOLUME, filters=3, kernel_size=(2, 1, 3), dilation_rate=(2, 1, 2), activation="tanh"),
    of("Conv3D", "groups", VOLUME, filters=4, kernel_size=2, groups=2, padding="same", use_bias=False),
    of("Conv3D", "channels-first", VOLUME_FIRST, filters=3, kernel_size=2, data_format="channels_first"),
    of("Conv3D", "dynamic", VOLUME, declared=((None, None, None, 2),), filters=3, kernel_size=2, padding="same"),
)


def transposed(
    layer: str, last: tuple[int, ...], first: tuple[int, ...], kernel: int | tuple[int, ...]
) -> tuple[Case, ...]:
    """Every rule by which a transposed convolution finds its lengths, in each number of dimensions."""
    rank = len(last) - 1
    free = ((*(None,) * rank, last[-1]),)
    twos = (3, 2, 2)[:rank]
    return (
        of(layer, "valid", last, filters=3, kernel_size=kernel),
        of(layer, "valid-stride", last, filters=3, kernel_size=kernel, strides=2),
        of(layer, "valid-stride-beyond-kernel", last, filters=3, kernel_size=2, strides=3),
        of(layer, "valid-output-padding", last, filters=3, kernel_size=kernel, strides=twos, output_padding=1),
        of(layer, "valid-dilated", last, filters=3, kernel_size=2, dilation_rate=2, use_bias=False),
        of(layer, "same", last, filters=3, kernel_size=kernel, padding="same", activation="relu"),
        of(layer, "same-stride", last, filters=3, kernel_size=kernel, strides=twos, padding="same"),
        of(layer, "same-stride-even", last, filters=3, kernel_size=4, strides=2, padding="same"),
        of(layer, "same-stride-beyond-kernel", last, filters=3, kernel_size=1, strides=twos, padding="same"),
        of(layer, "same-output-padding-0", last, filters=3, kernel_size=3, strides=2, padding="same", output_padding=0),
        of(layer, "same-output-padding-1", last, filters=3, kernel_size=3, strides=2, padding="same", output_padding=1),
        of(layer, "same-even-output-padding", last, filters=3, kernel_size=2, strides=3, padding="same",
           output_padding=2),
        of(layer, "same-dilated", last, filters=3, kernel_size=3, dilation_rate=2, padding="same"),
        of(layer, "channels-first", first, filters=3, kernel_size=kernel, strides=2, padding="same",
           data_format="channels_first"),
        of(layer, "channels-first-valid", first, filters=3, kernel_size=kernel, strides=2,
           data_format="channels_first", output_padding=0),
        of(layer, "dynamic", last, declared=free, filters=3, kernel_size=kernel, strides=2),
        of(layer, "dynamic-same", last, declared=free, filters=3, kernel_size=kernel, strides=2, padding="same"),
    )  # fmt: skip


TRANSPOSED = (
    *transposed("Conv1DTranspose", (5, 4), (4, 5), 3),
    *transposed("Conv2DTranspose", (3, 4, 2), (2, 3, 4), (3, 4)),
    *transposed("Conv3DTranspose", (2, 3, 2, 2), (2, 2, 3, 2), (2, 3, 2)),
    of("Conv2DTranspose", "regularised", (3, 4, 2), filters=3, kernel_size=2, kernel_regularizer=L1L2,
       activity_regularizer=L2),
)  # fmt: skip

DEPTHWISE = (
    of("DepthwiseConv1D", "valid", SEQUENCE, kernel_size=3),
    of("DepthwiseConv1D", "multiplied", SEQUENCE, kernel_size=2, depth_multiplier=3, padding="same", strides=2),
    of("DepthwiseConv1D", "dilated", STEPS, kernel_size=3, dilation_rate=2, activation="relu", use_bias=False),
    of("DepthwiseConv1D", "channels-first", STEPS_FIRST, kernel_size=3, depth_multiplier=2,
       data_format="channels_first"),
    of("DepthwiseConv1D", "dynamic", STEPS, declared=((None, 3),), kernel_size=3, padding="same", strides=2),
    of("DepthwiseConv2D", "valid", IMAGE, kernel_size=3),
    of("DepthwiseConv2D", "same-stride", IMAGE, kernel_size=3, strides=2, padding="same", activation="relu"),
    of("DepthwiseConv2D", "multiplied", IMAGE, kernel_size=(2, 3), depth_multiplier=3),
    of("DepthwiseConv2D", "dilated-same", IMAGE, kernel_size=(3, 2), dilation_rate=(2, 3), padding="same"),
    of("DepthwiseConv2D", "channels-first", IMAGE_FIRST, kernel_size=3, depth_multiplier=2, padding="same", strides=2,
       data_format="channels_first", use_bias=False),
    of("DepthwiseConv2D", "dynamic", IMAGE, declared=((None, None, 4),), kernel_size=3, padding="same", strides=2),
    of("DepthwiseConv2D", "regularised", IMAGE, kernel_size=2, depthwise_regularizer=L1L2, bias_regularizer=L2,
       depthwise_initializer="he_normal", activity_regularizer=L2),
)  # fmt: skip

SEPARABLE = (
    of("SeparableConv1D", "valid", SEQUENCE, filters=5, kernel_size=3),
    of("SeparableConv1D", "multiplied", SEQUENCE, filters=5, kernel_size=2, depth_multiplier=3, padding="same", strides=2),
    of("SeparableConv1D", "dilated", STEPS, filters=4, kernel_size=3, dilation_rate=2, activation="relu", use_bias=False),
    of("SeparableConv1D", "channels-first", STEPS_FIRST, filters=5, kernel_size=3, depth_multiplier=2,
       data_format="channels_first"),
    of("SeparableConv1D", "dynamic", STEPS, declared=((None, 3),), filters=5, kernel_size=3, padding="same", strides=2),
    of("SeparableConv2D", "valid", IMAGE, filters=5, kernel_size=3),
    of("SeparableConv2D", "same-stride", IMAGE, filters=5, kernel_size=3, strides=2, padding="same", activation="relu"),
    of("SeparableConv2D", "multiplied", IMAGE, filters=3, kernel_size=(2, 3), depth_multiplier=3),
    of("SeparableConv2D", "dilated-same", IMAGE, filters=3, kernel_size=(3, 2), dilation_rate=(2, 3), padding="same"),
    of("SeparableConv2D", "channels-first", IMAGE_FIRST, filters=5, kernel_size=3, depth_multiplier=2, padding="same",
       strides=2, data_format="channels_first", use_bias=False),
    of("SeparableConv2D", "dynamic", IMAGE, declared=((None, None, 4),), filters=5, kernel_size=3, padding="same",
       strides=2),
    of("SeparableConv2D", "regularised", IMAGE, filters=3, kernel_size=2, depthwise_regularizer=L1L2,
       pointwise_regularizer=L2, bias_regularizer=L2, activity_regularizer=L2),
)  # fmt: skip

CASES = (*CONV1D, *CONV2D, *CONV3D, *TRANSPOSED, *DEPTHWISE, *SEPARABLE)
