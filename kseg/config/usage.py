"""What a wrong flag or key raises."""


class UsageError(ValueError):
    """A flag or a key of a config file is unknown or has a value outside its range."""
