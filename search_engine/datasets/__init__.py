BUILT_IN = (
    "digits", "idx_images", "nb201_table", "learn_to_count", "breast_cancer",
    "wine", "polynomial", "linear_gaussian", "sincos", "thesis_toy", "switched_column", "echo", "cifar", "tiny_imagenet", "time_series",
)
"""Modules of this room; each has one ENTRY (or a tuple of entries)."""
