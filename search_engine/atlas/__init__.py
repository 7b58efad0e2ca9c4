"""The atlas: what published work shows, figure by figure and table by table, and what there is of it here.

- `entry`: the form of a data file, and the reading of all of them.
- `entries/`, `sources/`: the data files. A figure or a table is one file (docs/add-to-the-atlas.md).
- `published`: cells of tables by their names, and what follows from them by arithmetic.
- `resolve`: which of the algorithms, spaces, options, data sets, pictures and ready-made searches that an entry names are installed.
- `ours`: the same quantities from finished runs, with intervals over pairs of equal seeds.

Only facts and figures are taken over, each with its source; what is said about them is said in words of our own.
"""
