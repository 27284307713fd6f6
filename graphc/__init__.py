"""graphc: write models with the Keras functional API, train them with NumPy, ship them as ONNX."""
