"""Trained models for other runtimes: `export(config)` writes, compares and reports one format."""

from kseg.export.artifact import Artifact
from kseg.export.everything import export_all
from kseg.export.graph import ExportGraph, make_graph
from kseg.export.run import export
from kseg.export.source import Source, load_source

__all__ = ["Artifact", "ExportGraph", "Source", "export", "export_all", "load_source", "make_graph"]
