import re

import results
from reports.text.table import format_table
from results.exporters.markdown import to_markdown


def test_it_is_the_table_for_people_with_its_failures(measured):
    text = to_markdown(measured).content().decode()
    assert text == format_table(results.table(measured), "markdown")
    assert "out-of-memory" in text
    assert "wrong result" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 4
    assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) == 1
