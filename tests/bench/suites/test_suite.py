import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.suites import SUITE_AXES, models
from bench.suites.suite import check_case, choose, custom_suite, expand, load_suite, override
from bench.suites.values import DEFAULTS, change_settings
from results.errors import InputError
from results.schema.axes import AXES
from results.schema.labels import RUNTIMES

BUILTIN = ("cifar", "default", "full", "quick", "runtimes")
DEVICES = ("cpu", "cuda:0")


def cases_of(name, device):
    return expand(load_suite(name), device=device, threads=2)


@pytest.fixture
def write(tmp_path):
    def write_suite(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_suite


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", BUILTIN)
def test_every_case_of_a_builtin_suite_has_its_baseline(name, device):
    cases = set(cases_of(name, device))
    assert {case.baseline for case in cases} <= cases


@pytest.mark.parametrize("device", DEVICES)
def test_default_covers_what_it_must(device):
    cases = cases_of("default", device)
    assert {f"resnet{depth}" for depth in (18, 34, 50, 101, 152)} <= {case.model for case in cases}
    families = {models.family(name) for name in models.names() if not name.startswith(("cifar", "torchvision"))}
    assert families <= {models.family(case.model) for case in cases}
    assert {case.task for case in cases} == {"inference", "training"}
    assert {"fp32", "amp-bf16"} <= {case.precision for case in cases}
    others = {"onnxruntime", "openvino"} if device == "cpu" else {"eager:autotune"}
    assert {case.runtime for case in cases} == {"eager", "compile"} | others
    assert {case.layout for case in cases} == {"nchw", "nhwc"}
    assert 1 in {case.batch_size for case in cases}
    assert max(case.batch_size for case in cases) >= (8 if device == "cpu" else 256)


def test_full_covers_every_variant_precision_and_compile_mode():
    cases = cases_of("full", "cuda:0")
    assert {case.model for case in cases} == set(models.names()) - set(models.PEERS)
    assert {case.precision for case in cases} == set(AXES["precision"].choices) - {"int8"}
    torchs = {name for name, facts in RUNTIMES.items() if facts.engine in {"eager", "inductor"} and not facts.freezes}
    assert {case.runtime for case in cases} == torchs
    assert {case.model for case in cases if case.task == "training"} == {case.model for case in cases}
    assert max(case.batch_size for case in cases) == 256


def test_runtimes_has_every_runtime_and_8_bits_where_there_are_quantizers():
    usual = {
        name for name in AXES["runtime"].choices if ":" not in name or name in {"eager:autotune", "compile:freezing"}
    }
    for device in DEVICES:
        cases = cases_of("runtimes", device)
        assert {case.runtime for case in cases} == usual
        assert len({case.model for case in cases}) == 3
        assert ("int8" in {case.precision for case in cases}) == (device == "cpu")


def test_cifar_measures_cifar_networks_at_their_size():
    cases = cases_of("cifar", "cpu")
    expected = {name for name in models.names() if name.startswith("cifar")}
    assert {case.model for case in cases} == expected
    assert {case.image_size for case in cases} == {32}


def test_a_file_of_ones_own_works_like_a_builtin(write):
    path = write("""
        description = "two"
        [settings]
        target = "2%"
        replicates = 3
        time_limit_s = { cpu = 90 }
        [[cases]]
        model = ["resnet18", "cifar_resnet20"]
        batch_size = { cpu = [4, 1], accelerator = 64 }
        threads = 1
    """)
    suite = load_suite(path)
    assert suite.name == "mine"
    assert suite.description == "two"
    assert suite.settings["cpu"] == change_settings(DEFAULTS["cpu"], replicates=3, target=0.02, time_limit_s=90.0)
    assert suite.settings["accelerator"] == change_settings(DEFAULTS["accelerator"], replicates=3, target=0.02)
    assert [case.key for case in expand(suite, device="cpu", threads=8)] == [
        "resnet18/inference/b4/224/cpu/fp32/eager/nchw/t1",
        "resnet18/inference/b1/224/cpu/fp32/eager/nchw/t1",
        "cifar_resnet20/inference/b4/32/cpu/fp32/eager/nchw/t1",
        "cifar_resnet20/inference/b1/32/cpu/fp32/eager/nchw/t1",
    ]
    assert [case.batch_size for case in expand(suite, device="mps:0", threads=8)] == [64, 64]


def test_a_kind_of_device_that_a_table_leaves_out_has_no_case_of_that_block(write):
    suite = load_suite(write('[[cases]]\nmodel = {cpu = "resnet18"}\n[[cases]]\nmodel = "resnet34"'))
    assert [case.model for case in expand(suite, device="cpu", threads=1)] == ["resnet18", "resnet34"]
    assert [case.model for case in expand(suite, device="cuda:0", threads=1)] == ["resnet34"]
    with pytest.raises(InputError, match="no case for device 'cuda:0'"):
        expand(load_suite(write('[[cases]]\nmodel = {cpu = "resnet18"}')), device="cuda:0", threads=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description = ", "not TOML"),
        ("a = " + "[" * 5000, "not TOML"),
        ('descripton = "x"', "unknown key 'descripton'; did you mean 'description'?"),
        ("description = 3\nGOOD", "description: 3 should be text"),
        ('description = "x"', "cases: no [[cases]] block"),
        ("cases = []", "cases: no [[cases]] block"),
        ("cases = [3]", "[[cases]] 1: not a table"),
        ("[[cases]]", "[[cases]] 1: model: missing"),
        ("settings = 3\nGOOD", "settings: not a table"),
        ("GOOD\n[settings]\nreplicate = 2", "settings: unknown key 'replicate'; did you mean 'replicates'?"),
        ("GOOD\n[settings]\nbudget_s = {gpu = 3}", "settings: budget_s: unknown kind of device 'gpu'"),
        ("GOOD\n[settings]\nreplicates = 0", "settings: replicates: 0 should be a whole number >= 1"),
        ("GOOD\n[settings]\nreplicates = true", "settings: replicates: True should be a whole number"),
        ("GOOD\n[settings]\nbudget_s = inf", "settings: budget_s: inf should be a number <= 1000000000"),
        ("GOOD\n[settings]\nbudget_s = -1", "settings: budget_s: -1 should be a number > 0"),
        ('GOOD\n[settings]\ntimeout_s = "1"', "settings: timeout_s: '1' should be a number"),
        ('GOOD\n[settings]\ntarget = "1"', "settings: target: '1' is no fraction"),
        ("GOOD\nmodle = 1", "[[cases]] 1: unknown key 'modle'; did you mean 'model'? (choices: model, task"),
        ('GOOD\ndevice = "cpu"', "[[cases]] 1: unknown key 'device'"),
        ("GOOD\nbatch_size = 0", "[[cases]] 1: batch_size: 0 should be a whole number >= 1"),
        ("GOOD\nbatch_size = [8, -1]", "batch_size: -1 should be a whole number >= 1"),
        ("GOOD\nbatch_size = []", "batch_size: empty"),
        ('GOOD\nbatch_size = "8"', "batch_size: '8' should be a whole number"),
        ("GOOD\nbatch_size = 1.5", "batch_size: 1.5 should be a whole number"),
        ("GOOD\nbatch_size = { gpu = 1 }", "batch_size: unknown kind of device 'gpu' (choices: cpu, accelerator)"),
        ("GOOD\nbatch_size = { cpu = { cpu = 1 } }", "batch_size: {'cpu': 1} should be a whole number"),
        ('GOOD\nprecision = "fp23"', "unknown precision 'fp23'; did you mean 'fp32'? (choices: fp32, tf32"),
        ("GOOD\nlayout = 1", "layout: 1 should be text"),
        ('[[cases]]\nmodel = "resnt50"', "[[cases]] 1: unknown model 'resnt50'; did you mean 'resnet50'?"),
        ("GOOD\n[[cases]]\nmodel = 50", "[[cases]] 2: model: 50 should be text"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_with_file_and_key(write, text, message):
    path = write(text.replace("GOOD", '[[cases]]\nmodel = "resnet18"'))
    with pytest.raises(InputError) as caught:
        load_suite(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_suite_takes_only_the_letters_of_a_run_id_from_its_file(write):
    path = write('[[cases]]\nmodel = "resnet18"', "my \x1b[31m suite.toml")
    assert load_suite(path).name == "my-31m-suite"


def test_axes_alone_make_a_suite_of_one_block():
    axes = {"model": ["resnet18"], "batch_size": [8, 1], "precision": ["bf16"]}
    assert [case.key for case in expand(custom_suite(axes), device="cpu", threads=2)] == [
        "resnet18/inference/b8/224/cpu/bf16/eager/nchw/t2",
        "resnet18/inference/b1/224/cpu/bf16/eager/nchw/t2",
    ]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({}, "no model"),
        ({"batch_size": [8]}, "no model"),
        ({"model": []}, "model: empty"),
        ({"model": ["resnet18"], "batchsize": [8]}, "unknown axis 'batchsize'; did you mean 'batch_size'"),
        ({"model": ["resnet18"], "task": ["train"]}, "unknown task 'train'"),
    ],
)
def test_wrong_axes_are_refused(axes, message):
    with pytest.raises(InputError, match=message):
        custom_suite(axes)


def test_an_override_replaces_its_axis_in_every_block_on_any_device(write):
    suite = load_suite(
        write('[[cases]]\nmodel = {accelerator = "resnet18"}\n[[cases]]\nmodel = "resnet34"\nlayout = "nhwc"')
    )
    cases = expand(override(suite, {"model": ["resnet50"], "batch_size": [2]}), device="cpu", threads=2)
    assert [case.key for case in cases] == [
        "resnet50/inference/b2/224/cpu/fp32/eager/nchw/t2",
        "resnet50/inference/b2/224/cpu/fp32/eager/nhwc/t2",
    ]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"model": ["resnt50"]}, "did you mean 'resnet50'"),
        ({"batch": [1]}, "unknown axis 'batch'; did you mean 'batch_size'"),
        ({"batch_size": [0]}, "batch_size: 0 should be a whole number >= 1"),
        ({"image_size": [8]}, "image_size: 8 is too small for 'resnet18', which needs at least"),
        ({"image_size": ["8x224"]}, "image_size: 8x224 is too small for 'resnet18', which needs at least"),
        ({"image_size": ["224x"]}, "image_size: '224x' is no image size: give pixels"),
        ({"image_size": [[224, 160]]}, "image_size: .* should be a whole number, not a list"),
        ({"in_channels": [0]}, "in_channels: 0 should be a whole number >= 1"),
        ({"runtime": ["compile:fast"]}, "unknown runtime 'compile:fast'"),
    ],
)
def test_a_wrong_override_is_one_line(overrides, message):
    with pytest.raises(InputError, match=message):
        expand(override(load_suite("quick"), overrides), device="cpu", threads=2)


def test_what_the_command_line_says_is_chosen():
    nothing = dict.fromkeys(("replicates", "target", "budget_s", "timeout_s", "time_limit_s"))
    assert choose(None, {}, nothing) == load_suite("default")
    assert choose("quick", {}, nothing) == load_suite("quick")
    assert choose(None, {"model": ["resnet18"]}, nothing) == custom_suite({"model": ["resnet18"]})
    changed = choose("quick", {"layout": ["nhwc"]}, nothing | {"budget_s": 9.0})
    assert {case.layout for case in expand(changed, device="cpu", threads=1)} == {"nhwc"}
    quick = load_suite("quick").settings
    assert changed.settings == {kind: change_settings(quick[kind], budget_s=9.0) for kind in quick}


def test_all_is_every_variant_and_no_peer():
    cases = expand(custom_suite({"model": ["all"]}), device="cpu", threads=1)
    assert {case.model for case in cases} == set(models.names()) - set(models.PEERS)


def test_a_peer_is_measured_at_its_own_image_size():
    (case,) = expand(custom_suite({"model": ["torchvision:vgg16"]}), device="cpu", threads=1)
    assert case.image_size == models.default_image_size("torchvision:vgg16")


def test_equal_sizes_are_the_same_case():
    sizes = [224, "224", "224x224", "224x160", "0224x160"]
    cases = expand(custom_suite({"model": ["resnet18"], "image_size": sizes}), device="cpu", threads=1)
    assert [(case.image_size, case.in_channels) for case in cases] == [(224, 3), ("224x160", 3)]


def test_a_given_case_has_its_size_as_it_is_stored(make_case):
    check_case(make_case(image_size="224x160", in_channels=1))
    with pytest.raises(InputError, match="image_size: '224x224' should be 224"):
        check_case(make_case(image_size="224x224"))


VALUES = {
    "model": st.sampled_from(["resnet18", "preact_resnet50", "torchvision:alexnet"]),
    "batch_size": st.integers(1, 4096),
    "image_size": st.integers(64, 512) | st.sampled_from(["224x160", "64x512"]),
    "in_channels": st.integers(1, 8),
    "threads": st.integers(1, 64),
    **{
        axis: st.sampled_from(choices)
        for axis, choices in ((name, each.choices) for name, each in AXES.items() if each.choices)
    },
}


@given(axes=st.fixed_dictionaries({axis: st.lists(VALUES[axis], min_size=1, max_size=3) for axis in SUITE_AXES}))
def test_expansion_is_the_product_of_the_axes_each_case_once_in_order(axes):
    cases = expand(custom_suite(axes), device="cpu", threads=1)
    product = itertools.product(*(dict.fromkeys(axes[axis]) for axis in SUITE_AXES))
    assert [tuple(getattr(case, axis) for axis in SUITE_AXES) for case in cases] == list(product)
