"""Workers with something planted in them. Each takes the worker's socket, as `bench.worker.serve.serve` does."""

import dataclasses
import itertools
import time
import unittest.mock

from msgspec import structs

from bench.measure import precision
from bench.process.protocol import serve_requests
from bench.tasks.workload import build
from bench.worker.serve import WorkerServer


class Waiting(WorkerServer):
    """Waits busily after each step for a share of the time that the step took, and tells what that came to."""

    share = 0.0

    def prepare(self, request):
        answer = super().prepare(request)
        step, share, clock = self.workload.step, self.share, time.perf_counter
        self.worked_s = self.took_s = 0.0

        def longer(mark):
            began = clock()
            result = step(mark)
            worked = clock()
            until = worked + share * (worked - began)
            while (now := clock()) < until:
                pass
            self.worked_s += worked - began
            self.took_s += now - began
            return result

        self.workload = dataclasses.replace(self.workload, step=longer)
        return answer

    def finish(self, request):
        answer = super().finish(request)
        return dataclasses.replace(answer, notes=(*answer.notes, f"planted {self.took_s / self.worked_s}"))


class FivePercent(Waiting):
    share = 0.05


class TenPercent(Waiting):
    share = 0.10


def five_percent(connection):
    serve_requests(connection, FivePercent())


def ten_percent(connection):
    serve_requests(connection, TenPercent())


class LeakingTf32(WorkerServer):
    """Leaves TF32 on."""

    def prepare(self, request):
        answer = super().prepare(request)
        precision.set_tf32(on=True)
        return answer


class SmallerBatch(WorkerServer):
    """Runs one image, whatever the case says."""

    def prepare(self, request):
        return super().prepare(dataclasses.replace(request, case=structs.replace(request.case, batch_size=1)))


class LateCompiler(WorkerServer):
    """Does not run a first step before the timed ones, so that one of these compiles."""

    def prepare(self, request):
        with unittest.mock.patch("bench.worker.serve.build", self._lazily):
            return super().prepare(request)

    def _lazily(self, case, **options):
        workload = build(case, **options)
        calls = itertools.count()

        def step(mark):
            return workload.step(mark) if next(calls) else None

        return dataclasses.replace(workload, step=step)


class Remembering(WorkerServer):
    """Computes once, and then gives out what it remembers."""

    def prepare(self, request):
        answer = super().prepare(request)
        remembered = self.workload.step(lambda: None).clone()
        self.workload = dataclasses.replace(self.workload, step=lambda _mark: remembered)
        return answer


def leaking_tf32(connection):
    serve_requests(connection, LeakingTf32())


def smaller_batch(connection):
    serve_requests(connection, SmallerBatch())


def late_compiler(connection):
    serve_requests(connection, LateCompiler())


def remembering(connection):
    serve_requests(connection, Remembering())
