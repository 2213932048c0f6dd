"""What tests of whole runs share: tiny settings, one fork server for a file, and what a run shows."""

from bench.process.forkserver import SERVE
from bench.schedule.progress import Planned, Progress
from results.schema.lines.record import Record
from results.schema.lines.static import Static

QUICK = {"target": 0.5, "budget_s": 0.2, "timeout_s": 60}
TINY = {"model": ["cifar_resnet20"], "batch_size": [1], "threads": [1]}


class Shared:
    """Stands in for a fork server of one's own: starting one costs seconds of importing torch."""

    def __init__(self, server):
        self.server, self.target = server, SERVE

    def spawn(self, target=SERVE):
        """Fork a worker; the next one runs `self.target` where that was set."""
        target, self.target = (target if self.target == SERVE else self.target), SERVE
        return self.server.spawn(target)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Recorder:
    """Keeps what it is shown."""

    def __init__(self, interrupt_after=None):
        self.path, self.records, self.statics, self.states = None, [], [], []
        self.interrupt_after = interrupt_after

    def __call__(self, event):
        match event:
            case Planned():
                self.path = event.path
            case Progress():
                self.states.append(event)
            case Static():
                self.statics.append(event)
            case Record():
                self.records.append(event)
                if len(self.records) == self.interrupt_after:
                    raise KeyboardInterrupt
