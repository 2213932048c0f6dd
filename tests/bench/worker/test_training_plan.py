import dataclasses

import pytest

from bench.process.training.messages import DataChoice, PlanTrainings, TrainingChoice
from bench.worker.training_plan import network_config, planned_trainings
from resnet.training import load_recipe
from results.errors import InputError

FAKE = DataChoice(name="fake", image_size=32, limit=64)
CHOICE = TrainingChoice(models=("cifar_resnet20",), seeds=(0,), data=FAKE, batch_size=32)


def planned(**changes):
    choice = dataclasses.replace(CHOICE, **changes)
    return planned_trainings(PlanTrainings(choice=choice, device="cpu", threads=2))


def test_models_and_seeds_are_multiplied_out():
    trainings = planned(models=("cifar_plain20", "cifar_resnet20"), seeds=(0, 5))
    assert [(training.number, training.case.model, training.seed) for training in trainings] == [
        (1, "cifar_plain20", 0),
        (2, "cifar_plain20", 5),
        (3, "cifar_resnet20", 0),
        (4, "cifar_resnet20", 5),
    ]


def test_what_nobody_chose_is_the_recipe_s():
    (training,) = planned(recipe="he2015-cifar", batch_size=None, data=dataclasses.replace(FAKE, limit=None))
    recipe = load_recipe("he2015-cifar")
    assert training.epochs == recipe.epochs
    assert training.recipe_digest == recipe.digest
    assert training.case.key == "cifar_resnet20/training/b128/32/cpu/fp32/eager/nchw/t2"
    assert training.deterministic is False


def test_choices_replace_the_recipe_s():
    (training,) = planned(
        recipe="he2015-cifar",
        epochs=10,
        precision="amp-bf16",
        runtime="compile",
        layout="nhwc",
        threads=1,
        deterministic=True,
    )
    assert training.case.key == "cifar_resnet20/training/b32/32/cpu/amp-bf16/compile/nhwc/t1"
    assert (training.epochs, training.deterministic) == (10, True)
    assert training.recipe_digest != load_recipe("he2015-cifar").digest
    assert any("epochs 164 became 10" in note and "batch_size 128 became 32" in note for note in training.notes)


def test_a_published_accuracy_is_expected_of_its_network_and_data_only():
    (training,) = planned(recipe="he2015-cifar")
    assert training.expected is None
    assert any("reached 91.25% for cifar_resnet20 on cifar10" in note for note in training.notes)


def test_a_published_accuracy_is_not_expected_of_a_recipe_or_images_that_somebody_changed(tmp_path):
    path = tmp_path / "known.toml"
    values = ("epochs = 4", "batch_size = 32", "learning_rate = 0.1", 'model = "cifar_resnet20"')
    published = ("expected_accuracy = 0.9", 'expected_data = "fake"', 'expected_source = "a paper"')
    path.write_text("\n".join((*values, *published)))
    choice = {"recipe": str(path), "batch_size": None, "data": DataChoice(name="fake")}
    (training,) = planned(**choice)
    assert training.expected.accuracy == 0.9
    for changes in ({"epochs": 1}, {"hold_out": 0.5}, {"data": FAKE}):
        (training,) = planned(**(choice | changes))
        assert training.expected is None
        assert any("reached 90.00% for cifar_resnet20 on fake (a paper)" in note for note in training.notes)


def test_an_epoch_that_is_chosen_on_the_official_images_is_noted(tmp_path):
    path = tmp_path / "patient.toml"
    path.write_text("epochs = 4\nbatch_size = 32\nlearning_rate = 0.1\n[early_stopping]\npatience = 2\n")
    (official,) = planned(recipe=str(path))
    (held_out,) = planned(recipe=str(path), hold_out=0.25)
    assert [any("it flatters" in note for note in made.notes) for made in (official, held_out)] == [True, False]


def test_a_validation_on_smaller_images_is_noted(tmp_path):
    path = tmp_path / "growing.toml"
    notes = []
    for sizes in ("[0.5, 1]", "[1]"):
        path.write_text(f"epochs = 4\nbatch_size = 32\nlearning_rate = 0.1\nprogressive_sizes = {sizes}\n")
        notes.append(planned(recipe=str(path))[0].notes)
    assert [any("validates on images of 16 to 32 pixels" in note for note in each) for each in notes] == [True, False]


def test_small_images_are_trained_with_the_cifar_stem_and_a_line_says_so():
    (training,) = planned(models=("resnet18",))
    assert training.case.model == "cifar_resnet18"
    assert any("resnet18 is trained as cifar_resnet18" in note for note in training.notes)
    (own,) = planned(models=("resnet18",), stem="imagenet")
    assert own.case.model == "resnet18"
    assert any("84 %" in note for note in own.notes)


def test_images_that_cannot_be_learned_say_so():
    (training,) = planned()
    assert any("nothing can be learned" in note for note in training.notes)


def test_a_network_has_the_classes_and_channels_of_its_data():
    (training,) = planned()
    config = network_config(training)
    assert (config.num_classes, config.in_channels) == (training.classes, training.case.in_channels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipe": "fsat"}, "unknown recipe 'fsat'; did you mean 'fast'?"),
        ({"recipe": "none.toml"}, "cannot read recipe 'none.toml'"),
        ({"models": ("resnt18",)}, "did you mean 'resnet18'?"),
        ({"seeds": ()}, "give a model and a seed"),
        ({"models": ("torchvision:vgg16",)}, "is a peer"),
        ({"data": DataChoice(name="fashon-mnist")}, "did you mean 'fashion-mnist'?"),
        ({"data": DataChoice(name="./nowhere")}, "nowhere"),
        ({"precision": "bf16"}, "'bf16' does not train to an accuracy"),
        ({"precision": "fp99"}, "unknown precision 'fp99'"),
        ({"runtime": "compile:max-autotune"}, "does not train to an accuracy"),
        ({"batch_size": 65}, "batch_size 65 is more than the 64 training images"),
    ],
)
def test_what_makes_no_sense_is_a_line(changes, words):
    with pytest.raises(InputError) as caught:
        planned(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_precision_that_the_device_lacks_is_refused():
    with pytest.raises(Exception, match="TF32 is a format of NVIDIA GPUs"):
        planned(precision="tf32")
