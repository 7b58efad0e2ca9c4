"""Searches as an earlier version left them: an installation with one open run of every kind, and a run of the command line.

    python -m tests.upgrades make          save the present version's, under the next number
    python -m tests.upgrades ends          write the ends anew: after a change of science that CHANGELOG.md explains

**What is saved** (`saved/<number>/`): the database as SQL (`database.sql.gz`), the files that its rows name (`home/`), the form of every
state in them (`forms.json`), and how the searches ended that went on undisturbed (`ends.json`). `<number>-table` needs data files.

**What the tests ask** (`test_upgrades.py`): this version migrates the database, reads every checkpoint, and takes every run to the end that
it had undisturbed; or it ends the run and says that its state is of another version, blaming nothing else. A state whose form has changed
although its version has not is refused: raise the version, write the step from the one before (`search_engine.base.migrations`) or let
such runs end, and save the new form beside the old ones, which stay.

**Between machines** the last bits of arithmetic differ. So the whole science is compared where this machine computes as the one that saved
(`tests.golden.machine`), and for the searches that are answered by a formula or a table, without torch; for the others what does not hang
on bits: which trials, phases, finalists and models there were, and that the run ended.
"""
