"""A believable year of a wholesale company from a seed, and the walk through it that ``tieout demo`` is."""
