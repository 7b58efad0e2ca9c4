"""Readers of data sets' own files. Those with `read_test` go along with a bundle as `read_data.py`, with the files of this folder that they
import; so these need numpy and Pillow alone, and raise ValueError where a file is wrong."""
