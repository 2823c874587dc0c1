"""Importers: logs that others wrote, as rows of signals: CSV files, TensorBoard event files, and our own record.

Every one is a ``Log``: ask it for rows, and again for those that came since.
"""

from steadygan.record.importers.csv_log import CsvLog as CsvLog
from steadygan.record.importers.log import Log as Log
from steadygan.record.importers.names import SIGNALS as SIGNALS
from steadygan.record.importers.names import signal_of as signal_of
from steadygan.record.importers.open_log import open_log as open_log
from steadygan.record.importers.record_log import RecordLog as RecordLog
from steadygan.record.importers.tensorboard_log import TensorBoardLog as TensorBoardLog

__all__ = ["SIGNALS", "CsvLog", "Log", "RecordLog", "TensorBoardLog", "open_log", "signal_of"]
