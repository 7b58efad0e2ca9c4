"""What a run's events add up to, as a pure fold over them: curves, candidates, the time line, steps that grew, the log.

Nothing here knows a database. Everything is bounded however long the run: what comes by the thousand is thinned evenly, what is told in
words keeps its newest. The same events give the same past however they are cut into chunks.
"""
