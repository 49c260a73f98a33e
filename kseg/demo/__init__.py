"""A local web page to try trained models on images."""
