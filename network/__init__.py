"""What reads and runs a network's files: ONNX by OpenVINO, `model.json` and `model_weights.h5` by Keras.

What their answers mean is the matter of `model`; how they are made, of `training`.
"""
