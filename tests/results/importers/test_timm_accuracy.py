import pytest

from results.errors import InputError
from results.importers.timm_accuracy import accuracy_of

TABLE = """\
model,img_size,top1,top1_err
resnet50.tv_in1k,224,76.156,23.844
resnet50.a1_in1k,224,80.220,19.780
resnet50.a1_in1k,288,81.228,18.772
mine,224,12.500,87.500
"""


@pytest.fixture
def accuracy(tmp_path):
    """Returns a function that reads a table, and gives the accuracies and what was told."""

    def run(text, name="results-imagenet.csv"):
        path, told = tmp_path / name, []
        path.write_text(text)
        return accuracy_of(path, told.append), told

    return run


@pytest.mark.parametrize(
    "name", ["results-imagenet.csv", "results-imagenet (1).csv", "results-imagenet-r50.csv", "x.csv"]
)
def test_the_best_weights_of_an_architecture_and_size_count(accuracy, name):
    best, told = accuracy(TABLE, name)
    assert best[("resnet50", 224)] == (pytest.approx(0.8022), "'resnet50.a1_in1k'")
    assert best[("resnet50", 288)][0] == pytest.approx(0.81228)
    assert best[("mine", 224)][0] == 0.125
    assert told == []


@pytest.mark.parametrize("column", ["top1_diff", "top5_diff", "rank_diff"])
def test_a_column_of_differences_is_another_test_set(accuracy, column):
    text = TABLE.replace("top1_err", column)
    with pytest.raises(InputError, match=f"{column}.* on another test set than ImageNet; .* results-imagenet.csv$"):
        accuracy(text, "mine.csv")
    with pytest.raises(InputError, match=f"{column}.* on ImageNet-A; --accuracy takes timm's results-imagenet.csv$"):
        accuracy(text, "results-imagenet-a.csv")


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("results-imagenet-a", "ImageNet-A"),
        ("results-imagenet-a-clean", "ImageNet-A"),
        ("results-imagenet-r", "ImageNet-R"),
        ("results-imagenet-r-clean", "ImageNet-R"),
        ("results-imagenet-real", "ImageNet-ReaL"),
        ("results-imagenetv2-matched-frequency", "ImageNetV2"),
        ("results-sketch", "ImageNet-Sketch"),
    ],
)
def test_the_name_of_another_test_set_is_refused(accuracy, name, test):
    with pytest.raises(InputError, match=f"its name says that this is accuracy on {test}; --accuracy takes"):
        accuracy(TABLE.replace("76.156", "76.1"), f"{name}.csv")


@pytest.mark.parametrize("top1", ["0.298", "63.1", "82.4", "98.2"])
def test_a_well_known_model_with_another_accuracy_is_another_test_set(accuracy, top1):
    with pytest.raises(InputError, match=r"line 2, top1: .* for resnet50\.tv_in1k, which has 76\.1 on ImageNet"):
        accuracy(TABLE.replace("76.156", top1), "mine.csv")


def test_shares_are_no_percentages(accuracy):
    with pytest.raises(InputError, match="top1: no value is above 1, so these are no percentages"):
        accuracy("model,img_size,top1\nmine,224,0.76\nother,224,0.81\n")


def test_a_table_without_a_column_is_refused(accuracy):
    with pytest.raises(InputError, match="line 1: no column 'top1'"):
        accuracy("model,img_size\nmine,224\n")


def test_rows_without_accuracy_are_named(accuracy):
    best, (line,) = accuracy(TABLE + "other,224,,\n")
    assert ("other", 224) not in best
    assert line.endswith("left out, without top1 or img_size: line 6")
