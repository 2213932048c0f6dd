from types import SimpleNamespace

from torch.autograd import DeviceType

from bench.profiling.events import shapes_text, trace_events


def kineto(name, device=DeviceType.CPU, annotation=False):
    values = {"name": name, "device_type": device, "start_ns": 5, "duration_ns": 7, "start_thread_id": 3}
    values |= {"correlation_id": 11, "linked_correlation_id": 12, "sequence_nr": -1, "shapes": [[1, 3], []]}
    return SimpleNamespace(**{key: (lambda value=value: value) for key, value in values.items()},
                           is_user_annotation=lambda: annotation)  # fmt: skip


def test_events_become_plain_and_ranges_on_a_device_are_left_out():
    made = trace_events(
        [kineto("aten::add"), kineto("kernel", DeviceType.CUDA), kineto("step", DeviceType.CUDA, annotation=True)]
    )
    assert [(event.name, event.device, event.start, event.end) for event in made] == [
        ("aten::add", False, 5, 12),
        ("kernel", True, 5, 12),
    ]
    assert (made[1].correlation, made[1].operator, made[0].shapes) == (11, 12, "1x3")


def test_shapes_are_those_of_tensors():
    assert shapes_text([[1, 64, 56, 56], [], [64, 64, 3, 3]]) == "1x64x56x56, 64x64x3x3"
    assert shapes_text([[[3], [4, 5]], []]) == "[2 tensors]"
    assert len(shapes_text([[1000, 1000]] * 500)) == 512
