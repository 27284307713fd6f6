"""The version of graphc, read by the build and by ``graphc.__version__``."""

__version__ = "0.1.0"
