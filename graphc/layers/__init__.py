"""Keras's layers. Every name is imported here, so that this file is the table of what there is."""

from graphc.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from graphc.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from graphc.layers.attention import AdditiveAttention, Attention
from graphc.layers.bidirectional import Bidirectional
from graphc.layers.category_encoding import CategoryEncoding
from graphc.layers.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from graphc.layers.convolution import Conv1D, Conv2D, Conv3D
from graphc.layers.core import Activation, Dense, Identity
from graphc.layers.cropping import Cropping1D, Cropping2D, Cropping3D
from graphc.layers.depthwise_convolution import DepthwiseConv1D, DepthwiseConv2D
from graphc.layers.discretization import Discretization
from graphc.layers.dot import Dot, dot
from graphc.layers.einsum_dense import EinsumDense
from graphc.layers.embedding import Embedding, ReversibleEmbedding
from graphc.layers.feature_normalization import Normalization
from graphc.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from graphc.layers.group_normalization import GroupNormalization
from graphc.layers.grouped_query_attention import GroupQueryAttention
from graphc.layers.gru import GRU, GRUCell
from graphc.layers.input_layer import Input, InputLayer
from graphc.layers.input_spec import InputSpec
from graphc.layers.lambda_layer import Lambda
from graphc.layers.layer import Layer
from graphc.layers.layer_normalization import LayerNormalization, RMSNormalization
from graphc.layers.lstm import LSTM, LSTMCell
from graphc.layers.masking import Masking
from graphc.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from graphc.layers.multi_head_attention import MultiHeadAttention
from graphc.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from graphc.layers.normalization import BatchNormalization
from graphc.layers.padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from graphc.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from graphc.layers.recurrent import RNN
from graphc.layers.regularization import (
    ActivityRegularization,
    Dropout,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from graphc.layers.rescaling import Rescaling
from graphc.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from graphc.layers.resizing import CenterCrop, Resizing
from graphc.layers.separable_convolution import SeparableConv1D, SeparableConv2D
from graphc.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from graphc.layers.spectral_normalization import SpectralNormalization
from graphc.layers.stacked_cells import StackedRNNCells
from graphc.layers.time_distributed import TimeDistributed
from graphc.layers.transposed_convolution import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from graphc.layers.unit_normalization import UnitNormalization
from graphc.layers.upsampling import UpSampling1D, UpSampling2D, UpSampling3D
from graphc.layers.wrapper import Wrapper
from graphc.serialization import deserialize_keras_object as deserialize
from graphc.serialization import serialize_keras_object as serialize

# Keras's second names; files hold the first.
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Activation,
        ActivityRegularization,
        AdaptiveAveragePooling1D,
        AdaptiveAveragePooling2D,
        AdaptiveAveragePooling3D,
        AdaptiveMaxPooling1D,
        AdaptiveMaxPooling2D,
        AdaptiveMaxPooling3D,
        Add,
        AdditiveAttention,
        AlphaDropout,
        Attention,
        Average,
        AveragePooling1D,
        AveragePooling2D,
        AveragePooling3D,
        BatchNormalization,
        Bidirectional,
        CategoryEncoding,
        CenterCrop,
        Concatenate,
        Conv1D,
        Conv1DTranspose,
        Conv2D,
        Conv2DTranspose,
        Conv3D,
        Conv3DTranspose,
        ConvLSTM1D,
        ConvLSTM2D,
        ConvLSTM3D,
        Cropping1D,
        Cropping2D,
        Cropping3D,
        Dense,
        DepthwiseConv1D,
        DepthwiseConv2D,
        Discretization,
        Dot,
        Dropout,
        ELU,
        EinsumDense,
        Embedding,
        Flatten,
        GRU,
        GRUCell,
        GaussianDropout,
        GaussianNoise,
        GlobalAveragePooling1D,
        GlobalAveragePooling2D,
        GlobalAveragePooling3D,
        GlobalMaxPooling1D,
        GlobalMaxPooling2D,
        GlobalMaxPooling3D,
        GroupNormalization,
        GroupQueryAttention,
        Identity,
        InputLayer,
        LSTM,
        LSTMCell,
        Lambda,
        LayerNormalization,
        LeakyReLU,
        Masking,
        MaxPooling1D,
        MaxPooling2D,
        MaxPooling3D,
        Maximum,
        Minimum,
        MultiHeadAttention,
        Multiply,
        Normalization,
        PReLU,
        Permute,
        RMSNormalization,
        RNN,
        ReLU,
        RepeatVector,
        Rescaling,
        Reshape,
        Resizing,
        ReversibleEmbedding,
        SeparableConv1D,
        SeparableConv2D,
        SimpleRNN,
        SimpleRNNCell,
        Softmax,
        SpatialDropout1D,
        SpatialDropout2D,
        SpatialDropout3D,
        SpectralNormalization,
        StackedRNNCells,
        Subtract,
        TimeDistributed,
        UnitNormalization,
        UpSampling1D,
        UpSampling2D,
        UpSampling3D,
        Wrapper,
        ZeroPadding1D,
        ZeroPadding2D,
        ZeroPadding3D,
    )
}
"""Class name to class: the closed table from which files make layers."""

__all__ = [  # noqa: RUF022 - classes, then functions
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "LSTM",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RNN",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
