"""A run, or a whole experiment, as one file: written, read elsewhere, and checked on the way.

The file is a zip without anything that is run when it is read (no pickle): the runs' events, results and models as they are, and a manifest
with the version of the form, the versions of the programs, and the size and SHA-256 of every file. The manifest's own digest covers all of
it, so damage shows. It is no signature: whoever changes a file can write a new digest, too.
"""
