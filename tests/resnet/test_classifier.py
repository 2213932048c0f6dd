"""A classifier learns, answers, is evaluated, saved and loaded."""

import dataclasses
import json

import pytest
import torch
from PIL import Image
from safetensors import safe_open

import resnet
from resnet.data import Split
from resnet.data.labelled import as_data
from resnet.training import EarlyStopping, EpochResult, Recipe

CLASSES = ("dark", "bright")
RECIPE = Recipe(name="tiny", epochs=3, batch_size=16, learning_rate=0.05, schedule="cosine")


def images(count, seed):
    """Return grey images of noise, dark for class 0 and bright for class 1."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    noise = torch.randint(0, 80, (count, 1, 8, 8), generator=generator)
    return Split(images=(noise + 150 * labels.view(-1, 1, 1, 1)).to(torch.uint8), labels=labels)


def made(**changes):
    torch.manual_seed(0)
    arguments = {"classes": CLASSES, "in_channels": 1, "image_size": 8} | changes
    return resnet.Classifier("cifar_resnet20", **arguments)


@pytest.fixture(scope="module")
def trained():
    classifier = made()
    classifier.results = classifier.fit(images(96, 0), images(40, 1), recipe=RECIPE, device="cpu")
    return classifier


def test_it_learns_what_can_be_learned(trained):
    assert [result.epoch for result in trained.results] == [1, 2, 3]
    evaluation = trained.evaluate(images(40, 2))
    assert (evaluation.images, evaluation.correct) == (40, 40)
    assert evaluation.accuracy == 1
    assert evaluation.per_class == {"dark": 1, "bright": 1}
    assert evaluation.confusion.tolist() == [[20, 0], [0, 20]]


def test_the_confusion_matrix_has_the_true_class_in_rows(trained):
    split = images(10, 3)
    wrong = Split(images=split.images, labels=torch.zeros(10, dtype=torch.int64))
    evaluation = trained.evaluate(wrong)
    assert evaluation.confusion.tolist() == [[5, 5], [0, 0]]
    assert evaluation.accuracy == 0.5
    assert evaluation.per_class == {"dark": 0.5, "bright": None}


def test_it_takes_images_in_every_form(trained, tmp_path):
    bright = torch.full((1, 8, 8), 200, dtype=torch.uint8)
    path = tmp_path / "bright.png"
    Image.new("RGB", (20, 16), (200, 200, 200)).save(path)
    forms = [bright, bright.float() / 255, path, str(path), Image.open(path)]
    assert [trained.predict(form).best for form in forms] == ["bright"] * 5
    assert [answer.best for answer in trained.predict(torch.stack([bright, bright - 180]))] == ["bright", "dark"]
    assert trained.predict([]) == []
    answer = trained.predict(bright, top=5)
    assert answer.classes == ("bright", "dark")
    assert sum(answer.probabilities) == pytest.approx(1)
    assert answer.probabilities[0] > answer.probabilities[1]


def test_a_saved_classifier_answers_the_same(trained, tmp_path):
    path = tmp_path / "classifier.safetensors"
    trained.save(path)
    loaded = resnet.Classifier.load(path)
    batch = images(4, 5).images
    assert loaded.predict(batch, top=2) == trained.predict(batch, top=2)
    assert (loaded.classes, loaded.image_size, loaded.mean) == (CLASSES, 8, trained.mean)


def test_frozen_layers_and_their_statistics_stay(trained):
    classifier = made(freeze="all but head")
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    classifier.fit(images(32, 0), images(8, 1), recipe=RECIPE, epochs=1, device="cpu")
    after = classifier.network.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"fc.weight", "fc.bias"}


def test_weights_of_a_file_begin_a_training_with_a_new_head(tmp_path):
    source = resnet.create("cifar_resnet20", num_classes=7, in_channels=1)
    torch.save(source.state_dict(), tmp_path / "weights.pt")
    with pytest.warns(UserWarning, match="stays as it began"):
        classifier = made(weights=tmp_path / "weights.pt")
    assert torch.equal(classifier.network.conv1.weight, source.conv1.weight)
    assert classifier.network.fc.out_features == 2


def test_small_images_get_the_small_stem():
    classifier = resnet.Classifier("resnet18", classes=CLASSES, image_size=28)
    assert classifier.network.config.stem == "cifar"
    assert resnet.Classifier("resnet18", classes=CLASSES).network.config.stem == "imagenet"


def test_a_network_for_which_nobody_chose_a_size_gets_the_stem_of_its_images():
    classifier = resnet.Classifier("resnet18", classes=CLASSES, in_channels=1)
    data = (images(16, 0), images(8, 1))
    classifier.fit(*data, recipe=RECIPE, epochs=1, device="cpu")
    network = classifier.network
    assert (network.config.stem, network.config.in_channels, network.config.num_classes) == ("cifar", 1, 2)
    classifier.fit(*data, recipe=RECIPE, epochs=1, device="cpu")
    assert classifier.network is network
    assert classifier.image_size == 8


def test_images_that_are_too_small_for_the_network_are_refused():
    classifier = resnet.Classifier("resnet18", classes=CLASSES, in_channels=1, image_size=224)
    with pytest.raises(ValueError, match="images of 8 pixels are too small"):
        classifier.fit(images(16, 0), images(8, 1), recipe=RECIPE, device="cpu")


def test_events_are_shown():
    events = []
    made().fit(images(32, 0), images(8, 1), recipe=RECIPE, epochs=1, device="cpu", show=events.append)
    assert len(events) == 3
    assert isinstance(events[-1], EpochResult)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda classifier: made(classes=["a"]), "two or more classes"),
        (lambda classifier: made(classes=["a", "a"]), "a name of its own"),
        (lambda classifier: made(freeze="everything"), "unknown freeze 'everything'"),
        (lambda classifier: classifier.fit(images(8, 0)), "validate with"),
        (lambda classifier: classifier.predict(torch.zeros(3, 8, 8)), r"shape \(1, height, width\)"),
        (lambda classifier: classifier.predict(torch.full((1, 8, 8), 7.0)), r"pixels in \[0, 1\]"),
        (lambda classifier: classifier.predict("absent.png"), "absent.png"),
        (lambda classifier: classifier.predict(torch.zeros(1, 8, 8), top=0), "top must be at least 1"),
    ],
)
def test_bad_input_is_named(trained, make, message):
    with pytest.raises(ValueError, match=message):
        make(trained)


def test_images_of_another_size_are_resized_for_the_network():
    recipe = dataclasses.replace(RECIPE, epochs=4, progressive_sizes=(0.5, 0.75))
    classifier = made()
    with pytest.warns(UserWarning, match="end at 0.75"):
        results = classifier.fit(images(96, 0), images(40, 1), recipe=recipe, device="cpu")
    assert classifier.image_size == 6
    assert classifier.evaluate(images(40, 1)).correct == results[-1].validation_correct


def test_early_stopping_chooses_a_network_for_the_size_of_the_last_epoch():
    stopping = EarlyStopping(monitor="accuracy", patience=1)
    recipe = dataclasses.replace(RECIPE, epochs=8, progressive_sizes=(0.5, 1.0), early_stopping=stopping)
    classifier = made()
    results = classifier.fit(images(96, 0), images(40, 1), recipe=recipe, device="cpu")
    assert len(results) < 5  # it ended while it trained on half the size
    best = max(result.validation_correct for result in results)
    assert classifier.image_size == 8
    assert classifier.evaluate(images(40, 1)).correct == best


def test_classes_in_another_order_are_refused(trained):
    data = as_data(images(8, 0), images(8, 1), classes=CLASSES[::-1], mean=(0.5,), std=(0.5,), image_size=8)
    for use in (trained.fit, trained.evaluate):
        with pytest.raises(ValueError, match="classes in another order"):
            use(data)


def test_a_precision_that_it_does_not_train_in_is_refused():
    recipe = dataclasses.replace(RECIPE, precision="tf32")
    with pytest.raises(ValueError, match="precision 'tf32'"):
        made().fit(images(32, 0), images(8, 1), recipe=recipe, device="cpu")


def test_a_training_that_diverges_is_an_error():
    wild = Recipe(name="wild", epochs=2, batch_size=8, learning_rate=1e30)
    with pytest.warns(UserWarning, match="learning"), pytest.raises(ValueError, match="lower learning rate"):
        made().fit(images(32, 0), images(8, 1), recipe=wild, device="cpu")


def test_metadata_hold_the_classes_as_json(trained, tmp_path):
    trained.save(tmp_path / "file.safetensors")
    with safe_open(tmp_path / "file.safetensors", "pt") as file:
        assert json.loads(file.metadata()["classes"]) == list(CLASSES)


def test_weights_keep_the_normalisation_that_they_were_trained_with(trained, tmp_path):
    path = tmp_path / "classifier.safetensors"
    trained.save(path)
    again = resnet.Classifier.load(path)
    split = images(32, 7)
    brighter = Split(images=split.images // 2 + 100, labels=split.labels)
    once = dataclasses.replace(RECIPE, epochs=1)
    again.fit(brighter, images(8, 8), recipe=once, device="cpu")
    assert (again.mean, again.std) == (trained.mean, trained.std)
    fresh = made()
    fresh.fit(brighter, images(8, 8), recipe=once, device="cpu")
    assert fresh.mean != trained.mean
