"""The download: one trained network as something that runs without NAScope.

`export` writes the folder, `verify` repeats its score in a fresh process, `archive` packs it. `source` writes `model.py` from any
module tree: it looks at one forward pass, so a new search space needs nothing here (a module may set `source_name`, the name that
its class gets in the generated code).
"""
