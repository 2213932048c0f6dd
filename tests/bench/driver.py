"""NVIDIA's driver library as the tests want it: answers by the question, errors for all others."""

import types


class NvmlError(Exception):
    pass


class MismatchError(Exception):
    """What nvidia-ml-py raises where a driver is too old for a function: no `NvmlError`."""


def driver(uuids=("GPU-aa",), parts=None, **answers):
    """Return a library of these cards, with `parts` of them: the card's UUID by that of the part.

    `answers` are values, or functions of the handle and the arguments, by the question; handles are the UUIDs. A
    function of the library that is None is not there at all.
    """
    parts = parts or {}

    def by_uuid(uuid):
        if uuid not in {*uuids, *parts}:
            raise NvmlError("Not Found")
        return uuid

    def get(question):
        def ask(handle, *arguments):
            if question not in answers:
                raise NvmlError("Not Supported")
            answer = answers[question]
            return answer(handle, *arguments) if callable(answer) else answer

        return ask

    library = types.SimpleNamespace(
        NVMLError=NvmlError,
        NVMLLibraryMismatchError=MismatchError,
        NVML_ERROR_FUNCTION_NOT_FOUND=13,
        NVML_CLOCK_SM=1,
        NVML_CLOCK_MEM=2,
        NVML_TEMPERATURE_GPU=0,
        NVML_TEMPERATURE_THRESHOLD_SLOWDOWN=1,
        nvmlSystemGetDriverVersion=lambda: "580.65.06",
        nvmlSystemGetCudaDriverVersion_v2=lambda: 13000,
        nvmlDeviceGetHandleByUUID=by_uuid,
        nvmlDeviceGetDeviceHandleFromMigDeviceHandle=lambda handle: parts[handle],
    )
    for question in {*QUESTIONS, *answers}:
        if answers.get(question, "") is not None:
            setattr(library, f"nvmlDeviceGet{question}", get(question))
    return library


QUESTIONS = (
    "ViolationStatus", "CurrentClocksEventReasons", "CurrentClocksThrottleReasons", "ComputeMode", "ClockInfo",
    "PowerUsage", "ComputeRunningProcesses", "MemoryInfo",
)  # fmt: skip


def violation(times):
    """Answer with the nanoseconds of a policy; policies that are not in `times` are not counted."""

    def answer(handle, policy):
        if policy not in times:
            raise NvmlError("Not Supported")
        return types.SimpleNamespace(violationTime=times[policy])

    return answer


def processes(*pids):
    """Answer with processes of these numbers."""
    return lambda handle: [types.SimpleNamespace(pid=pid) for pid in pids]
