"""The report: a run directory in, one self-contained HTML file out.

`contents` gathers plain data, `curves` decides which signals share a chart, `charts` draws, `page`
writes HTML.
"""

from steadygan.report.contents import Contents as Contents
from steadygan.report.contents import gather as gather
from steadygan.report.page import render as render
from steadygan.report.page import write_report as write_report

__all__ = ["Contents", "gather", "render", "write_report"]
