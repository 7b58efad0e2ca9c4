"""A compiled kernel for depthwise convolutions, where a C compiler is found: built at first use, kept in the user's cache, optional.

`depthwise.c` is the kernel, `build` makes a library of it, `kernel` calls it on tensors, `choice` says which arithmetic a run uses and
keeps to. Without a compiler, a writable cache or a sound result everything is computed by torch alone.
"""
