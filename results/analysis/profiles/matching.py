"""What of run files belongs together: profiles of two files, and the peaks and the memory of a profile."""

from results.errors import InputError
from results.schema.lines.memory import Memory
from results.schema.lines.peaks import Peaks
from results.schema.lines.profile import Profile
from results.storage.reader import RunFile


def matched_profiles(a: RunFile, b: RunFile) -> tuple[tuple[Profile, Profile], ...]:
    """Return the pairs of profiles of two run files: those of the same case, else the only profile of each.

    The same file twice gives the pair of its two profiles.

    Raises:
        InputError: a file has no profile, or it is not clear which belong together.
    """
    first, second = _sound(a), _sound(b)
    if a.path == b.path:
        if len(first) != 2:
            raise InputError(
                f"{a.path} has {len(first)} profiles; a file compared with itself needs two: {_names(first)}"
            )
        return ((first[0], first[1]),)
    by_label = {profile.label: profile for profile in second}
    common = tuple((profile, by_label[profile.label]) for profile in first if profile.label in by_label)
    if common:
        return common
    if len(first) == len(second) == 1:
        return ((first[0], second[0]),)
    raise InputError(
        f"the files have no case in common, and not a single profile each: {_names(first)}; {_names(second)}"
    )


def peaks_of(profile: Profile, file: RunFile) -> Peaks | None:
    """Return what the device of a profile can do, None where the file does not say."""
    case = profile.case
    every = [peaks for peaks in file.bodies("peaks") if isinstance(peaks, Peaks)]
    fitting = (peaks for peaks in every if case and (peaks.device, peaks.threads) == (case.device, case.threads))
    return next(fitting, None)


def memory_of(profile: Profile, file: RunFile) -> Memory | None:
    """Return the memory of the case of a profile, None where the file does not hold it."""
    return next(
        (each for each in file.bodies("memory") if isinstance(each, Memory) and each.case == profile.case), None
    )


def _sound(file: RunFile) -> list[Profile]:
    profiles = [profile for profile in file.bodies("profile") if isinstance(profile, Profile)]
    sound = [profile for profile in profiles if profile.status == "ok"]
    if not sound:
        failed = f": {profiles[0].label}: {profiles[0].cause}" if profiles else "; `resnet-bench profile` makes some"
        raise InputError(f"{file.path} has no profile{' that succeeded' if profiles else ''}{failed}")
    return sound


def _names(profiles: list[Profile]) -> str:
    return ", ".join(profile.label for profile in profiles)
