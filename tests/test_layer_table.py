"""The table of layers is current, and holds every class that Keras has in the groups that graphc covers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import graphc

ROOT = Path(__file__).resolve().parents[1]

# Keras 3.15's classes, by group (its documentation's names).
KERAS = """
InputLayer Dense EinsumDense Embedding ReversibleEmbedding Activation Lambda Identity Masking Wrapper
Flatten Reshape Permute RepeatVector Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D
ZeroPadding1D ZeroPadding2D ZeroPadding3D
Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D DepthwiseConv2D SeparableConv1D
SeparableConv2D
MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D GlobalMaxPooling1D
GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D
AdaptiveMaxPooling3D
RNN SimpleRNN SimpleRNNCell LSTM LSTMCell GRU GRUCell StackedRNNCells Bidirectional TimeDistributed ConvLSTM1D ConvLSTM2D
ConvLSTM3D
BatchNormalization LayerNormalization GroupNormalization RMSNormalization UnitNormalization SpectralNormalization
Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise AlphaDropout
ActivityRegularization
Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
Add Subtract Multiply Average Maximum Minimum Concatenate Dot
ReLU LeakyReLU PReLU ELU Softmax
Normalization Rescaling Resizing CenterCrop Discretization CategoryEncoding
""".split()

# A class's second name in Keras.
ALIASES = {
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    **{f"Convolution{n}DTranspose": f"Conv{n}DTranspose" for n in (1, 2, 3)},
    **{f"SeparableConvolution{n}D": f"SeparableConv{n}D" for n in (1, 2)},
}


def test_the_table_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "layer_table.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_class_of_keras_is_there() -> None:
    assert [name for name in KERAS if name not in graphc.layers.LAYERS] == []
    assert sorted(set(graphc.layers.LAYERS) - set(KERAS)) == []


def test_second_names_are_the_same_classes() -> None:
    for alias, name in ALIASES.items():
        assert getattr(graphc.layers, alias) is getattr(graphc.layers, name)
        assert alias in graphc.layers.__all__
