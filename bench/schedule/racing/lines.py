"""What a person reads of a search while it runs: a line for each candidate that leaves, or that is confirmed."""

from bench.schedule.progress import Event, Note, Planned, outcome
from results.schema.axes import setting_texts
from results.schema.lines.record import Record
from results.text import printable


class SearchLines:
    """Words the lines of a search."""

    def of(self, event: Event) -> str | None:
        """Return the line of an event, None for an event without a line."""
        match event:
            case Planned(path=path):
                return f"a search, into {printable(str(path))}"
            case Note(line=line):
                return printable(line)
            case Record():
                what = "left" if event.stop == "eliminated" else "confirmed" if event.replicate else "stayed"
                name = f"{event.case.model} b{event.case.batch_size} {' '.join(setting_texts(event.case))}"
                return f"{what if event.status == 'ok' else 'failed'}: {printable(name)}  {outcome(event)}"
        return None
