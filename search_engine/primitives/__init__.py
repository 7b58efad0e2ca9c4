"""Primitives: the operations that an edge of a model family chooses from.

`names` describes them without torch (ids, titles, families, parameter counts); `modules` builds them as torch modules.
"""
