import shlex

from reports.page.commands import reproduce
from results.schema.axes import AXES, SETTINGS
from results.schema.lines.run import Source


def options(command):
    words = shlex.split(command)[2:]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_the_command_gives_every_axis_and_the_baseline_of_every_setting(make_case, make_run):
    case = make_case(
        task="training",
        runtime="compile",
        layout="nhwc",
        precision="amp-bf16",
        image_size="224x160",
        in_channels=1,
        head="none",
        grad_checkpointing="blocks",
        optimizer="adam",
    )
    given = options(reproduce(make_run(plan=[case]), case))
    for name in AXES:
        values = [getattr(case, name)]
        if name in SETTINGS:
            values.insert(0, getattr(case.baseline, name))
        assert given[f"--{name.replace('_', '-')}"] == ",".join(map(str, values))


def test_a_baseline_is_measured_alone(make_case, make_run):
    given = options(reproduce(make_run(), make_case()))
    assert not any("," in value for value in given.values())
    assert "--in-channels" not in given  # the usual 3


def test_an_imported_case_has_no_command(make_case, make_run):
    assert reproduce(make_run(source=Source(format="csv", file="a.csv", sha256="0" * 64)), make_case()) is None
