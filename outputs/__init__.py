"""Live faces for other programs: OSC, MQTT and the Lab Streaming Layer, one module each, none in the way of a frame.

Streams over HTTP are the matter of `web`.
"""
