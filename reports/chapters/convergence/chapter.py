"""Training to an accuracy."""

from typing import Final

from reports.chapters.convergence import degradation, drawing, frame, marks
from reports.figures.chart import Chapter, Chart, every_row

_SEEDS: Final = (
    "A line is the mean over the seeds that came to their end; its band reaches from the lowest to the highest seed. "
    "A seed that did not come to its end is a thin line with a cross. Of many recipes, those eight with the highest "
    "final accuracies are drawn. Seconds count from the first step, compilation "
    "and validation included."
)
CHAPTER: Final = Chapter(
    title="Training to an accuracy",
    lead="How long a network takes to an accuracy, where it ends, and how much seeds differ.",
    charts={
        "convergence_time": Chart(
            title="Time to an accuracy",
            needs="training",
            frame=frame.times,
            definition=(
                "Seconds until the end of the first epoch with that validation accuracy; a first crossing flatters, so "
                "the final accuracies stand below. A mark is the geometric mean over seeds with its 95 % interval, a "
                "circle a seed. Where a seed never reached the accuracy there is no mean. The first accuracy of the "
                "menu is the highest that every finished training reached."
            ),
            absent="no training of these files came to its end",
            rows=every_row,
            by=("data", "shared", "to"),
            draw=marks.time_marks,
            takeaway=marks.of_times,
            columns=tuple(marks.TIME_COLUMNS),
            own=marks.TIME_COLUMNS,
            least=1,
            ordered=True,
        ),
        "convergence_accuracy": Chart(
            title="Validation accuracy",
            needs="epoch",
            frame=frame.curve_points,
            definition=_SEEDS,
            absent="these files hold no epoch of a training",
            rows=every_row,
            by=("data", "shared", "against"),
            draw=drawing.validation_curves,
            takeaway=drawing.of_validation,
            table=drawing.validation_table,
            least=1,
            ordered=True,
        ),
        "convergence_error": Chart(
            title="Training error",
            needs="epoch",
            frame=frame.curve_points,
            definition=(
                "The share of training images classified wrong during the epoch, as augmented, while the weights "
                f"moved. {_SEEDS}"
            ),
            absent="these files hold no epoch of a training",
            rows=every_row,
            by=("data", "shared", "against"),
            draw=drawing.error_curves,
            takeaway=degradation.of_errors,
            table=drawing.error_table,
            least=1,
            ordered=True,
        ),
        "convergence_final": Chart(
            title="Final accuracy",
            needs="training",
            frame=frame.recipes,
            definition=(
                "The validation accuracy of the last epoch, not of the best one, which would be chosen on the "
                "validation images; only early stopping chooses an epoch, and --until ends with the first that reaches "
                "an accuracy, which flatters. A mark is the mean over seeds with Student's 95 % interval, or for a "
                "single seed the binomial interval of its images. A circle is a seed, a grey line "
                "what the recipe expects."
            ),
            absent="no training of these files came to its end",
            rows=lambda rows: rows.dropna(subset=["accuracy"]),
            by=("data", "shared"),
            draw=marks.final_marks,
            takeaway=marks.of_finals,
            columns=tuple(marks.FINAL_COLUMNS),
            own=marks.FINAL_COLUMNS,
            least=1,
            ordered=True,
        ),
    },
)
