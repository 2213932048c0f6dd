"""Sides of a comparison."""

import pytest
from msgspec import structs

from results.storage.reader import load

_SPREAD = (0.997, 1.0, 1.001, 1.002, 1.0)


@pytest.fixture
def side(tmp_path, write_run, make_record, make_case, make_static, make_run):
    """A run file of five replicates a case, as `factor` makes it slower."""

    def make(
        name,
        factor=1.0,
        *,
        cases=None,
        spread=_SPREAD,
        statics=None,
        settings=None,
        machine=None,
        records=(),
        fields=lambda _: {},
        **end,
    ):
        """`fields` gives what a replicate has of its own."""
        cases = [make_case()] if cases is None else cases
        made = [
            make_record(case, replicate=index, latency_s=0.05 * factor * noise, noise=0.001, **fields(index))
            for case in cases
            for index, noise in enumerate(spread)
        ]
        made += records
        run = make_run(plan=dict.fromkeys(record.case for record in made), run_id=name)
        run = structs.replace(
            run,
            settings=structs.replace(run.settings, **{"replicates": len(spread), **(settings or {})}),
            environment=structs.replace(run.environment, **(machine or {})),
        )
        statics = [make_static()] if statics is None else statics
        return load(write_run(tmp_path, made, statics, run=run, **end))

    return make
