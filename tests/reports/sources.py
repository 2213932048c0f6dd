"""What chapters draw, made of records as the page makes it."""

from reports.figures.chart import Source
from reports.page.cases import cases
from results.analysis.study import Study


def source_of(records):
    study = Study(records)
    return Source(study=study, cases=cases(study))
