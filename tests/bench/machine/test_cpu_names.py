import pytest

from bench.machine.cpu_names import apple_name, board_name, cpu_list, cpu_name, hybrid_kinds


def arm(*parts, features="fp asimd", implementer="0x41", tail=""):
    cores = (
        f"processor\t: {index}\nmodel name\t: ARMv8 Processor rev 0 (v8l)\nFeatures\t: {features}\n"
        f"CPU implementer\t: {implementer}\nCPU variant\t: 0x0\nCPU part\t: {part}\nCPU revision\t: 1\n\n"
        for index, part in enumerate(parts)
    )
    return "".join(cores) + tail


def test_an_arm_machine_is_its_cores_and_its_board():
    text = arm("0xd4f", "0xd4f")
    assert cpu_name(text, board="Amazon EC2 c8g.large") == "Neoverse-V2 (Amazon EC2 c8g.large)"
    assert cpu_name(text, board="Google Compute Engine") == "Neoverse-V2 (Google Compute Engine)"
    assert cpu_name(arm("0x004", implementer="0x4e"), board="Jetson-AGX") == "Carmel (Jetson-AGX)"


def test_arm_machines_without_a_known_board_differ_where_their_cores_do():
    names = {cpu_name(arm("0xd4f", features=features)) for features in ("fp asimd sm3", "fp asimd ssbs")}
    names.add(cpu_name(arm("0xd4f"), board="QEMU KVM Virtual Machine"))
    assert len(names) == 3
    assert all(name.startswith("Neoverse-V2 (") for name in names)
    assert cpu_name(arm("0xd4f")) == cpu_name(arm("0xd4f", "0xd4f"))


def test_a_small_board_is_known_by_its_model_and_not_by_its_familys_chip():
    tail = "Hardware\t: BCM2835\nSerial\t\t: 77\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
    assert cpu_name(arm("0xd0b", tail=tail)) == "Cortex-A76 (Raspberry Pi 5 Model B Rev 1.0)"


def test_all_kinds_of_cores_are_named_and_those_that_are_used():
    text = arm("0xd87", "0xd85", "0xd85", "0xd87")
    assert cpu_name(text, board="GB10") == "2 Cortex-A725 + 2 Cortex-X925 (GB10)"
    assert cpu_name(text, board="GB10", allowed=range(4)) == "2 Cortex-A725 + 2 Cortex-X925 (GB10)"
    big, small = (cpu_name(text, board="GB10", allowed=cpus) for cpus in ({1, 2}, {0, 3}))
    assert big == "Cortex-X925 of 2 Cortex-A725 + 2 Cortex-X925 (GB10)"
    assert small != big


HYBRID = "".join(
    f"processor\t: {index}\nmodel\t\t: 151\nmodel name\t: 12th Gen Intel(R) Core(TM) i7-12700K\n\n"
    for index in range(6)
)


def test_a_hybrid_x86_names_both_kinds(tmp_path):
    for folder, cpus in {"cpu_core": "0-3", "cpu_atom": "4-5"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cpus").write_text(f"{cpus}\n")
    kinds = hybrid_kinds(tmp_path)
    chip = "12th Gen Intel(R) Core(TM) i7-12700K"
    assert cpu_name(HYBRID, hybrid=kinds) == f"{chip} with 4 P-core CPUs + 2 E-core CPUs"
    assert cpu_name(HYBRID, hybrid=kinds, allowed={4, 5}).startswith("E-core CPUs of 12th Gen")
    assert cpu_name(HYBRID, hybrid=hybrid_kinds(tmp_path / "none"), allowed={4, 5}) == chip


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor: 0\nmodel: 1\nmodel name: AMD EPYC 9654 96-Core Processor", "AMD EPYC 9654 96-Core Processor"),
        (
            "processor: 0\ncpu family: 6\nmodel: 143\nmodel name: Intel(R) Xeon(R) Processor\nstepping: 8",
            "Intel(R) Xeon(R) Processor (cpu family 6, model 143, stepping 8)",
        ),
        ("vendor_id : IBM/S390\nprocessor 0: version = 00,  identification = 0133E8,  machine = 3931", "IBM z16 3931"),
        ("vendor_id : IBM/S390\nprocessor 0: version = 00,  identification = 0133E8,  machine = 9999", "IBM 9999"),
        (
            "processor : 0\ncpu : POWER9 (raw), altivec supported\n\nmodel : 8335\nmachine : PowerNV 8335-GTH",
            "POWER9 (raw) PowerNV 8335-GTH",
        ),
        ("system type: x\nprocessor: 0\nModel Name: Loongson-3A5000", "Loongson-3A5000"),
        ("processor: 0\ncpu model: Loongson-3 V0.4", "Loongson-3 V0.4"),
        ("", None),
        ("processor: 0\nBogoMIPS: 1\n", None),
    ],
)
def test_other_processors_are_named_by_what_they_say(text, name):
    assert cpu_name(text) == name


def test_a_risc_v_machine_is_its_cores_and_its_board():
    text = "processor: 0\nhart: 1\nisa: rv64imafdc\nuarch: sifive,u74-mc\n"
    assert cpu_name(text, board="StarFive VisionFive 2") == "sifive,u74-mc (StarFive VisionFive 2)"
    named = cpu_name("processor: 0\nisa: rv64imafdcv\nmvendorid: 0x710\nmarchid: 0x8000\n", board="BPI-F3")
    assert named == "RISC-V mvendorid 0x710 marchid 0x8000 (BPI-F3)"


def test_a_long_or_unprintable_name_fits_a_record():
    name = cpu_name(arm("0xd4f"), board="\x1b" + "x" * 300)
    assert len(name) == 128
    assert name.isprintable()


def test_a_macs_kinds_of_cores_are_named():
    known = {"machdep.cpu.brand_string": "Apple M3"}
    assert apple_name(known.get) == "Apple M3"
    for level, (count, kind) in enumerate([("4", "Performance"), ("4", "Efficiency")]):
        known |= {f"hw.perflevel{level}.logicalcpu": count, f"hw.perflevel{level}.name": kind}
    assert apple_name((known | {"hw.nperflevels": "2"}).get) == "Apple M3 with 4 Performance cores + 4 Efficiency cores"


def write(root, **texts):
    for name, text in texts.items():
        file = root.joinpath(*name.split("__"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


DMI = "sys__devices__virtual__dmi__id__"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"proc__device-tree__model": "NVIDIA Jetson Orin\0"}, "NVIDIA Jetson Orin"),
        ({"sys__firmware__devicetree__base__model": "Rock 5B\0"}, "Rock 5B"),
        ({f"{DMI}sys_vendor": "Amazon EC2", f"{DMI}product_name": "c8g.large\n"}, "Amazon EC2 c8g.large"),
        ({f"{DMI}sys_vendor": "Default string", f"{DMI}product_name": "HR330A"}, "HR330A"),
        (
            {f"{DMI}sys_vendor": "A", f"{DMI}product_name": "To Be Filled By O.E.M.", f"{DMI}board_name": "X13"},
            "A X13",
        ),
        ({f"{DMI}sys_vendor": "System manufacturer", f"{DMI}product_name": "System Product Name"}, ""),
        ({"sys__devices__soc0__machine": "Some SoC"}, "Some SoC"),
        ({}, ""),
    ],
)
def test_the_board_is_what_the_system_says(tmp_path, files, name):
    write(tmp_path, **files)
    assert board_name(tmp_path) == name


def test_cpus_of_a_list():
    assert cpu_list("0-2,8") == {0, 1, 2, 8}
    assert cpu_list("") == set()
