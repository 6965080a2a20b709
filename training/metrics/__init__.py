"""How good a network is: accuracy, recall and calibration, in worse and turned pictures, on people, and the plots.

What is measured on is in `training.data`.
"""
