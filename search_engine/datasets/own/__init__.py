"""A person's own data: a file is examined, its columns and its split are settled, and it is kept as a data set like any other.

`importing` is the door: it reads a file in a process of its own with bounds on memory and time. What is kept lies in `stored`, is opened by
`samples`, and stands in the registry as `own-…`.
"""
