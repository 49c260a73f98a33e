"""Options that make each model small enough for a quick test."""

OPTIONS = {"unet": {"filters": 4, "levels": 3}}


def tiny_options(name):
    return OPTIONS.get(name, {})
