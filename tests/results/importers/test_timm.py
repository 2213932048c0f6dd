import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import results
from results.errors import InputError
from results.importers import read
from results.importers.reading import Options
from results.importers.writing import import_files
from results.schema.lines.run import SCHEMA_VERSION
from tests.results.importers.given import options

INFER = "benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv"
TRAIN = "benchmark-train-amp-nchw-pt112-cu113-rtx3090.csv"

# Rows of PyTorch Image Models, folder results, Apache License 2.0: the columns of 2024, of 2021, and of training.
ROWS = """\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
test_vit,160,188343.61,5.426,1024,0.37,0.04,0.48
resnet18,160,26274.9,38.963,1024,11.69,0.93,1.27
resnet50,224,4269.54,239.828,1024,25.56,4.11,11.11
resnetv2_50,224,4457.64,229.707,1024,25.55,4.11,11.11
"""
OLD = """\
model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,infer_gmacs,infer_macts,param_count
resnet50,2602.03,98.373,256,224,4.11,11.11,25.56
tv_resnet50,2597.64,98.539,256,224,4.11,11.11,25.56
resnetv2_50,2688.33,95.214,256,224,4.11,11.11,25.55
"""
TRAINED = """\
model,train_samples_per_sec,train_step_time,train_batch_size,train_img_size,param_count
resnet50,826.48,463.878,384,224,25.56
"""
ACCURACY = """\
model,top1,img_size,interpolation
resnet50.tv_in1k,76.134,224,bilinear
resnet50.a1_in1k,80.220,224,bicubic
resnet50.a1_in1k,81.228,288,bicubic
"""


@pytest.fixture
def imported(tmp_path):
    """Returns a function that imports one file, and gives its table and what was told."""

    def run(text, name=INFER, **given):
        path, told = tmp_path / name, []
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        files = import_files("timm", [path], tmp_path / "runs", options(**given), tell=told.append)
        records = results.load(*files)
        assert records.problems == ()
        return results.table(records), told

    return run


def test_a_row_is_a_case_of_its_machine(imported):
    frame, told = imported(ROWS)
    assert told == []
    assert frame["model"].tolist() == ["timm:test_vit", "resnet18", "resnet50", "preact_resnet50"]
    row = frame.iloc[2].to_dict()
    expected = {
        "accelerator": "RTX 4090",
        "cpu": None,
        "torch": "2.4.0",
        "task": "inference",
        "batch_size": 1024,
        "image_size": 224,
        "device": "cuda:0",
        "precision": "amp-fp16",
        "runtime": "eager",
        "layout": "nchw",
        "family": "resnet",
        "block": "bottleneck",
        "depth": 50,
        "status": "ok",
        "latency_s": 0.239828,
        "throughput_img_per_s": 4269.54,
        "parameters": 25_560_000,
        "fvcore_macs": 4_110_000_000,
        "activations": 11_110_000,
        "warnings": (),
    }
    assert {name: row[name] for name in expected} == expected
    assert frame["threads"].isna().all()
    assert frame["macs"].isna().all()  # fvcore counts more than convolution and linear layers
    assert "fvcore" in row["nulls"]["macs"]
    assert row["nulls"]["speedup"] == "its source does not state it"
    assert frame.iloc[3]["family"] == "preact"


def test_the_run_says_where_it_comes_from(tmp_path):
    path = tmp_path / INFER
    path.write_text(ROWS)
    (one,) = read("timm", path, Options(), print)
    assert one.run.source.format == "timm"
    assert one.run.source.file == INFER
    assert (one.run.settings, one.run.started, one.run.schema) == (None, None, SCHEMA_VERSION)
    assert one.run.environment.torch_build == {"cuda": "12.4"}
    assert one.run.environment.nulls["cpu"] == "its source does not state it"
    again = tmp_path / "elsewhere" / INFER
    again.parent.mkdir()
    again.write_text(ROWS)
    assert read("timm", again, Options(), print)[0].run.id == one.run.id
    again.write_text(ROWS.replace("4269.54", "4269.55"))
    assert read("timm", again, Options(), print)[0].run.id != one.run.id


def test_the_order_of_columns_and_what_an_excel_adds_change_nothing(imported):
    frame, _ = imported(b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode())
    assert frame["model"].tolist() == ["resnet50", "timm:tv_resnet50", "preact_resnet50"]
    assert frame["latency_s"].tolist() == [0.098373, 0.098539, 0.095214]
    assert frame["batch_size"].tolist() == [256] * 3


def test_training_is_known_by_its_columns(imported):
    frame, _ = imported(TRAINED, TRAIN)
    assert frame.loc[0, ["task", "torch", "latency_s"]].tolist() == ["training", "1.12", 0.463878]
    assert any("gradient scaler" in note for note in frame.loc[0, "notes"])


def test_a_run_of_both_gives_two_cases_a_row(imported):
    text = (
        "model,infer_samples_per_sec,infer_step_time,infer_batch_size,infer_img_size,train_samples_per_sec,"
        "train_step_time,train_fwd_time,train_bwd_time,train_opt_time,train_batch_size,train_img_size,param_count\n"
        "resnet50,1000,256,256,224,400,320,100,180,40,128,224,25.56\n"
        "resnet18,2000,128,256,224,,,,,,,,11.69\n"
    )
    frame, _ = imported(text)
    assert frame[["model", "task"]].to_numpy().tolist() == [
        ["resnet50", "inference"],
        ["resnet50", "training"],
        ["resnet18", "inference"],
    ]
    assert frame.loc[1, ["forward_s", "backward_s", "optimizer_s"]].tolist() == [0.1, 0.18, 0.04]
    only, _ = imported(text.replace("resnet", "seresnet"), task="training")
    assert only["task"].tolist() == ["training"]


def test_the_best_accuracy_at_the_same_size_is_joined(imported, tmp_path):
    path = tmp_path / "results-imagenet.csv"
    path.write_text(ACCURACY)
    frame, _ = imported(ROWS, accuracy=path)
    top1 = frame.set_index("model")["imagenet_top1"]
    assert top1["resnet50"] == pytest.approx(0.8022)
    assert top1.notna().sum() == 1
    assert any("'resnet50.a1_in1k'" in note for note in frame.loc[2, "notes"])
    assert "timm has no weights" in frame.loc[1, "nulls"]["imagenet_top1"]


def test_models_that_we_do_not_have_can_be_left_out(imported):
    assert imported(ROWS, only_known=True)[0]["model"].tolist() == ["resnet18", "resnet50", "preact_resnet50"]


def test_columns_that_are_not_known_are_named_once(imported):
    frame, told = imported(ROWS.replace("param_count", "cooldown"))
    (line,) = told
    assert line.endswith(": 'cooldown'")
    assert frame["parameters"].isna().all()


def test_times_that_disagree_with_the_batch_are_kept_with_a_warning(imported):
    frame, _ = imported(ROWS.replace("4269.54", "2134.77"))
    first, second, (warning,), fourth = frame["warnings"]
    assert warning.startswith("clocks: ")
    assert "0.5 times the batch" in warning
    assert first == second == fourth == ()


def test_throughput_alone_is_enough(imported):
    frame, _ = imported("model,infer_samples_per_sec,infer_batch_size,infer_img_size\nresnet50,100,50,224\n")
    assert frame.loc[0, "latency_s"] == 0.5
    assert "follows from the batch" in frame.loc[0, "notes"][0]


def test_timms_way_of_timing_is_noted(imported):
    gpu, _ = imported(ROWS)
    cpu, _ = imported(ROWS, "benchmark-infer-fp32-nchw-pt240-cpu-i9_10940x-dynamo.csv")
    for word, on_cpu in (("eager:autotune", False), ("wall clock", False), ("no_grad", True)):
        assert all(any(word in note for note in notes) for notes in gpu["notes"])
        assert all(any(word in note for note in notes) == on_cpu for notes in cpu["notes"])


def test_fp32_on_an_accelerator_is_noted_to_be_tf32(imported):
    gpu, _ = imported(ROWS, "benchmark-infer-fp32-nchw-pt240-cu124-rtx4090.csv")
    cpu, _ = imported(ROWS, "benchmark-infer-fp32-nchw-pt240-cpu-i9_10940x-dynamo.csv")
    assert all(any("TF32" in note for note in notes) for notes in gpu["notes"])
    assert not any(any("TF32" in note for note in notes) for notes in cpu["notes"])
    assert cpu.loc[0, ["cpu", "device", "runtime"]].tolist() == ["Intel i9-10940X", "cpu", "compile"]


def test_a_model_that_failed_is_a_failed_case(imported):
    text = "model,samples_per_sec,step_time,batch_size,img_size,error\nresnet18,10,100,1,224,\n"
    frame, _ = imported(text + 'resnet50,,,1024,224,"CUDA out of memory.\nTried"\nresnet34,,,8,224,=boom\n')
    assert frame["status"].tolist() == ["ok", "out-of-memory", "error"]
    assert frame["cause"].fillna("").tolist() == ["", "CUDA out of memory. Tried", "=boom"]
    assert frame["latency_s"].isna().tolist() == [False, True, True]
    assert frame[["replicates", "failed_replicates"]].to_numpy().tolist() == [[1, 0], [0, 1], [0, 1]]


def test_other_weights_of_the_same_network_keep_their_name(imported):
    text = ROWS + "resnet50.a1_in1k,224,4000,256,1024,25.56,4.11,11.11\n"
    assert imported(text)[0]["model"].tolist()[2:] == ["resnet50", "preact_resnet50", "timm:resnet50.a1_in1k"]


NO_TIMES = {
    "empty": ("", ""),
    "nan": ("nan", "NaN"),
    "infinite": ("inf", "0.0"),
    "zero": ("0", "0.0"),
    "minus one": ("-1", "-1.0"),
    "none": ("None", "N/A"),
}


@pytest.mark.parametrize("cells", NO_TIMES)
def test_a_model_without_times_is_a_failed_case_and_the_others_are_imported(imported, cells):
    frame, told = imported(ROWS.replace("4269.54,239.828", ",".join(NO_TIMES[cells])))
    assert told == []
    assert frame["status"].tolist() == ["ok", "ok", "error", "ok"]
    assert "did not fit into memory, or failed" in frame.loc[2, "cause"]
    assert (frame.loc[2, "batch_size"], frame["latency_s"].notna().sum()) == (1024, 3)


@pytest.mark.parametrize("batch", ["", "nan", "0"])
def test_failures_without_a_batch_are_counted(imported, batch):
    text = ROWS + f"vit_huge,448,,,{batch},631.67,544.7,636.83\nvit_vast,224,,,{batch},4350.56,1132.46,497.58\n"
    frame, told = imported(text)
    assert len(frame) == 4
    (line,) = told
    assert line.endswith("without a batch or an image size: line 6 (vit_huge), line 7 (vit_vast)")
    assert imported(f"{text}\n", batch_size=8)[0]["status"].tolist() == ["ok"] * 4 + ["error"] * 2


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("CUDA out of memory. Tried to allocate 20 GiB", "out-of-memory"),
        ("OOM", "out-of-memory"),
        ("timed out", "timeout"),
        ("failed", "error"),
    ],
)
def test_words_in_place_of_a_time_are_the_cause(imported, cell, status):
    frame, _ = imported(ROWS.replace("4269.54,239.828", f"{cell},"))
    assert frame.loc[2, ["status", "cause"]].tolist() == [status, cell]


def test_a_word_in_place_of_a_single_time_is_refused(imported):
    with pytest.raises(InputError, match="line 4, infer_step_time: 'failed' is not a number"):
        imported(ROWS.replace("239.828", "failed"))
    assert imported(ROWS.replace("239.828", "nan"))[0].loc[2, "latency_s"] == pytest.approx(1024 / 4269.54)


def test_repeated_rows_count_once(imported):
    row = ROWS.splitlines()[3]
    frame, told = imported(f"{ROWS}{row}\n{row.replace('4269.54', '4270')}\n")
    assert len(frame) == 4
    assert [line.partition(": ")[2] for line in told] == [
        "left out 1 row equal to an earlier row: line 6 (as line 4)",
        "left out 1 row with other values for the case of an earlier row, which counts: line 7 (as line 4)",
    ]
    assert frame.loc[2, "throughput_img_per_s"] == 4269.54


def test_a_success_counts_more_than_an_earlier_failure(imported):
    row = ROWS.splitlines()[3]
    text = ROWS.replace("4269.54,239.828", ",")
    frame, told = imported(f"{text}{row}\n")
    assert (frame["status"].tolist(), told) == (["ok"] * 4, [])


def test_what_programs_add_to_a_table_changes_nothing(imported):
    frame, _ = imported(ROWS)
    index = "\n".join(f"{number},{row}" for number, row in enumerate(ROWS.splitlines())).replace("0,", ",", 1)
    for text in (ROWS.replace(",", ";"), ROWS.replace(",", "\t"), f"{ROWS}\n,,,,,,,\n\n", index, ROWS + HEAD):
        again, told = imported(text)
        assert told == []
        assert again.drop(columns="run").equals(frame.drop(columns="run"))


@pytest.mark.parametrize("before", ["", "--result\n", "Benchmarking\n--result\n"])
def test_json_of_the_benchmark_program_is_read(imported, before):
    entry = {"model": "resnet50", "infer_samples_per_sec": 400.0, "infer_step_time": 320.0, "infer_batch_size": 128}
    entries = [{**entry, "infer_img_size": 224}, {"model": "vit_huge", "error": "CUDA out of memory."}]
    frame, told = imported(before + json.dumps(entries), INFER.replace(".csv", ".json"))
    assert frame[["model", "batch_size", "latency_s"]].to_numpy().tolist() == [["resnet50", 128, 0.32]]
    (line,) = told
    assert line.endswith("entry 2 (vit_huge)")
    both, _ = imported(before + json.dumps(entries, indent=4), INFER, batch_size=1, image_size=224)
    assert both["status"].tolist() == ["ok", "out-of-memory"]


def test_an_accelerator_may_stay_without_a_name(imported):
    frame, _ = imported(ROWS, device="cuda")
    assert frame.loc[0, ["device", "accelerator"]].tolist() == ["cuda:0", "unknown accelerator"]


HEAD, FIRST = ROWS.splitlines()[:2]
WRONG = {
    "0 step": (ROWS.replace("239.828", "0"), "line 4, infer_step_time: '0' is not at least 1e-09 and at most 1e+12"),
    "negative": (ROWS.replace("4269.54", "-1"), "line 4, infer_samples_per_sec: '-1' is not"),
    "infinite": (ROWS.replace("239.828", "1e999"), "line 4, infer_step_time: '1e999' is not a number"),
    "underscore": (ROWS.replace("239.828", "2_3"), "line 4, infer_step_time: '2_3' is not a number"),
    "decimal comma": (ROWS.replace("239.828", '"239,8"'), "line 4, infer_step_time: '239,8' is not a number"),
    "batch": (ROWS.replace("239.828,1024", "239.828,10.5"), "line 4, infer_batch_size: '10.5' is not a whole"),
    "no batch": (ROWS.replace("239.828,1024", "239.828,"), "line 4, infer_batch_size: missing; give --batch-size"),
    "no name": (ROWS.replace("resnet50,", ","), "line 4, model: empty"),
    "short": (ROWS + "resnet34,224\n", "line 6: 2 cells under 8 columns"),
    "quotes": (ROWS + '"resnet34,224\n', "line 6: unexpected end of data"),
    "column twice": (ROWS.replace("infer_macts", "model"), "line 1: the column 'model' is there twice"),
    "no model": (ROWS.replace("model", "name"), "line 1: no column 'model'"),
    "no times": ("model,infer_batch_size\nresnet50,4\n", "line 1: no column 'infer_samples_per_sec' or"),
    "empty": ("", "line 1: the file is empty"),
    "no row": (HEAD + "\n", "holds no row"),
    "accuracy": (ACCURACY, "line 1: a table of accuracy"),
    "encoding": (ROWS.encode("utf-16"), "line 1: not UTF-8"),
    "NUL": (ROWS + "\0\n", "line 6: holds a NUL"),
    "escape": (ROWS.replace("test_vit", "a\x1b[31m\u202eb"), "line 2, model: "),
    "long": (ROWS.replace("test_vit", "x" * 200), "line 2, model: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_line_and_column_and_nothing_is_written(imported, tmp_path, case):
    text, message = WRONG[case]
    with pytest.raises(InputError) as caught:
        imported(text)
    assert message in str(caught.value)
    assert INFER in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_all_that_a_case_needs_and_nothing_states_is_asked_for_at_once(imported):
    with pytest.raises(InputError) as caught:
        imported("model,step_time\nresnet50,100\n", "mine.csv", layout="nhwc")
    assert str(caught.value).endswith(
        "mine.csv: task, batch_size, image_size, device, precision, runtime: stated in neither the file's name nor its "
        "columns; give what holds for this file, in the form --task inference --batch-size 1 --image-size 224 "
        "--device cpu --precision fp32 --runtime eager"
    )
    with pytest.raises(InputError, match=r"image_size: stated in neither .* --image-size 224$"):
        imported(ROWS.replace("infer_img_size", "x"))


@pytest.mark.parametrize(
    ("cell", "given", "images"),
    [
        ("224", {}, [224, 3]),
        ('"(1, 224, 160)"', {}, ["224x160", 1]),
        ("224x160", {"in_channels": 4}, ["224x160", 4]),
        ("", {"image_size": "224x160"}, ["224x160", 3]),
    ],
)
def test_images_need_not_be_square_or_have_three_channels(imported, cell, given, images):
    text = f"model,infer_step_time,infer_batch_size,infer_img_size\nresnet50,100,32,{cell}\n"
    frame, _ = imported(text, "benchmark-infer-fp32-nchw-pt240-cu124-rtx4090.csv", **given)
    assert frame.loc[0, ["image_size", "in_channels"]].tolist() == images


def test_options_make_a_case_of_any_file(imported):
    given = {"precision": "fp32", "layout": "nchw", "runtime": "eager", "device": "NVIDIA H100"}
    text = "model,step_time\nresnet50,100\n"
    frame, _ = imported(text, "mine.csv", task="training", batch_size=32, image_size=224, torch="2.9", **given)
    assert frame.loc[0, ["accelerator", "task", "batch_size", "torch"]].tolist() == [
        *("NVIDIA H100", "training", 32, "2.9"),
    ]
    with pytest.raises(InputError, match=r"task, batch_size, image_size: stated in neither"):
        imported(text, "mine.csv", **given)
    with pytest.raises(InputError, match="line 1: no columns of training; leave out --task"):
        imported(ROWS, "mine.csv", task="training", **given)


def test_an_axis_of_which_no_name_speaks_has_its_option_or_is_unknown(imported):
    assert imported(ROWS, threads=4)[0]["threads"].tolist() == [4, 4, 4, 4]
    assert imported(OLD, TRAIN.replace("train", "infer"))[0]["threads"].isna().all()


def test_an_unknown_word_in_the_name_asks_for_the_runtime(imported):
    with pytest.raises(InputError, match=r"where 'nvfuser' says nothing, nor its columns; .* --runtime eager$"):
        imported(ROWS, INFER.replace(".csv", "-nvfuser.csv"))
    assert len(imported(ROWS, INFER.replace(".csv", "-nvfuser.csv"), runtime="compile")[0]) == 4


@given(
    st.lists(
        st.lists(
            st.sampled_from(["resnet50", "", "1", "-1", "nan", "1e400", '"', "=1+1", "\x1b", "\ud800", "é", "x" * 9])
        )
    ),
    st.sampled_from([INFER, TRAIN, "x.csv"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_cells_are_a_run_or_one_line(tmp_path, cells, name):
    text = "\n".join([HEAD, *(",".join(row) for row in cells), FIRST])
    path, out = tmp_path / name, tmp_path / "runs"
    path.write_bytes(text.encode(errors="surrogatepass"))
    problem = None
    try:
        files = import_files("timm", [path], out, Options(), tell=lambda _: None)
    except InputError as error:
        problem = str(error)
    if problem is not None:
        assert len(problem.splitlines()) == 1
        assert not out.exists()
    else:
        assert results.load(*files).problems == ()
        for file in files:
            file.unlink()
        out.rmdir()
