import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import results
from results.analysis.study import Study
from results.exporters.openmetrics import names, to_openmetrics
from results.schema.metrics import METRICS


def families(records):
    text = to_openmetrics(Study(records)).content().decode()
    assert text.endswith("\n# EOF\n")
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_prometheus_reads_every_value_with_its_labels(measured, make_case, hostile):
    found = families(measured)
    frame = results.table(measured)
    latency = found["resnet_bench_latency_seconds"]
    assert latency.type == "gauge"
    assert latency.unit == "seconds"
    assert latency.documentation == METRICS["latency_s"].description
    assert [sample.value for sample in latency.samples] == frame["latency_s"][:2].to_list()
    axes = {"task": "inference", "batch_size": "8", "image_size": "224", "device": "cpu", "precision": "fp32"}
    first, second = (sample.labels for sample in latency.samples)
    assert axes.items() <= first.items()
    assert first["machine"] == "AMD EPYC 9B14"
    assert first["run"] == "20261122-003812-default-a1b2"
    assert second["model"] == hostile


def test_intervals_are_gauges_of_their_own(measured):
    found = families(measured)
    frame = results.table(measured)
    for end in ("low", "high"):
        (first, second) = found[f"resnet_bench_latency_{end}_seconds"].samples
        assert (first.value, second.value) == tuple(frame[f"latency_{end}_s"][:2])
    (sample,) = found["resnet_bench_speedup_low_ratio"].samples
    assert sample.value == frame["speedup_low"][1]


def test_what_is_not_known_is_left_out(measured, imported):
    assert len(families(measured)["resnet_bench_compile_seconds"].samples) == 1
    found = families(imported)
    assert set(found) == {
        "resnet_bench_latency_seconds",
        "resnet_bench_throughput_images_per_second",
        "resnet_bench_relative_ratio",
    }
    (sample,) = found["resnet_bench_latency_seconds"].samples
    assert "threads" not in sample.labels


def test_every_metric_of_the_catalogue_has_a_name_of_its_own_with_its_unit():
    whole = ["_".join(filter(None, names(metric))) for metric in METRICS.values()]
    assert len(set(whole)) == len(METRICS)
    assert {
        "resnet_bench_flops_per_second",
        "resnet_bench_macs",
        "resnet_bench_peak_allocated_bytes",
        "resnet_bench_imagenet_top1_ratio",
        "resnet_bench_break_even_steps",
        "resnet_bench_graph_breaks",
    } <= set(whole)


def test_nothing_to_tell_is_an_error(tmp_path, make_record, write_run):
    records = results.load(write_run(tmp_path, [make_record(status="crash", cause="signal 11")]))
    with pytest.raises(results.InputError, match="nothing to export"):
        to_openmetrics(Study(records))
