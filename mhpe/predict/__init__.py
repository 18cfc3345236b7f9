"""Using a trained network: photographs, pictures, expected errors and ONNX."""
