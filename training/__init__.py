"""Training and measuring the network on FER2013, and on people."""

import parts  # noqa: F401  # says what of requirements/train.txt is missing
