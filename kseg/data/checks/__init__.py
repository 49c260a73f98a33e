"""The checker of data sets: all faults of a folder, and a corrected copy."""

from kseg.data.checks.command import check_and_fix
from kseg.data.checks.finding import KINDS, Finding
from kseg.data.checks.fix import write_fixed
from kseg.data.checks.report import Report
from kseg.data.checks.run import CheckOptions, check_folder

__all__ = [
    "KINDS",
    "CheckOptions",
    "Finding",
    "Report",
    "check_and_fix",
    "check_folder",
    "write_fixed",
]
