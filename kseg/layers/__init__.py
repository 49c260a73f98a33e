"""Building blocks that the models share; each block is written here once."""
