BUILT_IN = ("digits", "idx_images", "nb201_table", "learn_to_count")
"""Modules of this room; each has one ENTRY (or a tuple of entries)."""
