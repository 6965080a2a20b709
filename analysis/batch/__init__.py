"""Many files: what a run is given, the processes or the cluster that analyse it, and its tables.

What the tables show together is the matter of `analysis.study`.
"""
