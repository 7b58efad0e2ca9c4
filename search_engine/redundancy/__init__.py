"""How many of a trained network's weights can go, and what noise does to it.

The pictures of Bakhteev's lectures on model selection: likelihood hardly changes while redundant parameters are removed, and a model is
robust where noise in inputs or parameters costs little likelihood. Measured on validation data; the network itself is never changed.
"""
