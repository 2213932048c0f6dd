"""Simulated devices with a real queue, to plant a missing synchronisation."""

import queue
import threading


class Event:
    time_s = None


class AsyncDevice:
    """A device with a real queue: a thread runs what was launched, and only a synchronisation waits for it.

    Its clocks are virtual, and the thread does not move before somebody synchronises, as if the device were always
    behind: what a test sees does not depend on luck.
    """

    name = "async"

    def __init__(self):
        self.host_s = 0.0
        self.device_s = 0.0
        self._queue = queue.Queue()
        self._gate = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            job = self._queue.get()
            self._gate.wait()
            job()
            self._queue.task_done()

    def launch(self, host_s, run_s):
        self.host_s += host_s
        ready_s = self.host_s

        def job():
            self.device_s = max(self.device_s, ready_s) + run_s

        self._queue.put(job)

    def clock(self):
        return self.host_s

    def mark(self):
        event, ready_s = Event(), self.host_s

        def job():
            self.device_s = event.time_s = max(self.device_s, ready_s)

        self._queue.put(job)
        return event

    def seconds(self, first, last):
        if first.time_s is None or last.time_s is None:
            raise RuntimeError("device not ready")
        return last.time_s - first.time_s

    def synchronize(self):
        self._gate.set()
        self._queue.join()
        self._gate.clear()
        self.host_s = max(self.host_s, self.device_s)


class Unsynchronised(AsyncDevice):
    def synchronize(self):
        """Forget to wait."""


class EagerEvents(Unsynchronised):
    """Events that wait for themselves hide the missing synchronisation; the wall clock does not."""

    def seconds(self, first, last):
        AsyncDevice.synchronize(self)
        return super().seconds(first, last)


def queued(device, host_s=0.001, run_s=0.020):
    return lambda mark: device.launch(host_s, run_s)
