BUILT_IN = ("digits", "idx_images", "nb201_table")
"""Modules of this room; each has one ENTRY (or a tuple of entries)."""
