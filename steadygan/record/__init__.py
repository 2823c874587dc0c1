"""The record, `record.jsonl`: the append-only log of a run. Write, read, follow or cut it.

One JSON object a line, one line a step: `{"step": 40, "loss_d": 0.61}`. A signal that is absent was not measured.
What happened before a step is listed in its row: `"events": [{"event": "extended", "detail": {"by": 10}}]`. A line
counts once its newline is there, so a line torn by a crash is no line. docs/signals.md says what each signal means.
"""

from steadygan.record.reader import Event as Event
from steadygan.record.reader import Record as Record
from steadygan.record.reader import follow as follow
from steadygan.record.reader import read as read
from steadygan.record.truncate import truncate_after as truncate_after
from steadygan.record.writer import RecordWriter as RecordWriter

__all__ = ["Event", "Record", "RecordWriter", "follow", "read", "truncate_after"]
