"""A study as text: the table, its pivots and the findings."""

from reports.text.findings import findings_text
from reports.text.table import format_table, pivots_text
from results.analysis.study import Study


def study_text(study: Study, fmt: str) -> str:
    """Return the table of a study, with pivots and findings for people; see `format_table` for the formats.

    Raises:
        InputError: The format does not exist.
    """
    return format_table(study.table, fmt) + pivots_text(study.table, fmt) + findings_text(study, fmt)
