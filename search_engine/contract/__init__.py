"""The contract suite: what every algorithm must keep to, checked on one of them without knowing which it is.

`searches` runs it, `rules` are the promises, one function each. The tests run them on all built-in algorithms; `nascope check ID` (or
`python -m search_engine contract ID`) on one that an installed package brings.
"""
