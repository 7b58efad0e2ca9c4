"""Network morphisms on weights: a grown network that computes what the narrower or shallower one computed.

- `operators`: one morph at a time, on the state of a `growing_network`.
- `growing`: a whole list of them, as a trial needs it.
- `adoption`: finished networks of other spaces as growing ones.
"""
