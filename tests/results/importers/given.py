"""Options of an import, from what a person gives on the command line."""

from results.importers.reading import Options
from results.schema.axes import AXES


def options(**given):
    axes = {name: value for name, value in given.items() if name in AXES and name != "device"}
    return Options(axes=axes, **{name: value for name, value in given.items() if name not in axes})
