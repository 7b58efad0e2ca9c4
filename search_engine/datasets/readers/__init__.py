"""Readers of data sets' own files that stand alone: a bundle takes the file along as `read_data.py`."""
