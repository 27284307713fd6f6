"""The table of NumPy kernels of `graphc.ops.recurrent`. float16 passes through float32."""

from __future__ import annotations

from graphc.runtimes.kernel import Kernel
from graphc.runtimes.np_gru import gru, gru_grad
from graphc.runtimes.np_half import in_float32
from graphc.runtimes.np_lstm import lstm, lstm_grad
from graphc.runtimes.np_rnn import rnn, rnn_grad

KERNELS: dict[str, Kernel] = {
    "LSTM": Kernel(in_float32(lstm)),
    "LSTMGrad": Kernel(in_float32(lstm_grad)),
    "GRU": Kernel(in_float32(gru)),
    "GRUGrad": Kernel(in_float32(gru_grad)),
    "RNN": Kernel(in_float32(rnn)),
    "RNNGrad": Kernel(in_float32(rnn_grad)),
}
