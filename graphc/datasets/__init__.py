"""Data sets as NumPy arrays, with Keras's ``load_data()`` interface. All but `digits` are downloaded at the first call."""

from graphc.datasets import boston_housing as boston_housing
from graphc.datasets import california_housing as california_housing
from graphc.datasets import cifar10 as cifar10
from graphc.datasets import cifar100 as cifar100
from graphc.datasets import digits as digits
from graphc.datasets import fashion_mnist as fashion_mnist
from graphc.datasets import imdb as imdb
from graphc.datasets import mnist as mnist
from graphc.datasets import reuters as reuters
