from bench.machine.cgroup import cgroup_folders, cgroup_limits


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n", encoding="utf-8")


def test_version_2_limits_are_the_least_of_all_levels(tmp_path):
    write(tmp_path / "user" / "job", cpu__max="400000 100000", memory__max="max")
    write(tmp_path / "user", cpu__max="150000 100000", memory__max="8589934592")
    assert cgroup_limits(cgroup_folders("0::/user/job\n", tmp_path)) == (1.5, 8 * 2**30)


def test_version_2_without_limits_is_none(tmp_path):
    write(tmp_path, cpu__max="max 100000", memory__max="max")
    assert cgroup_limits(cgroup_folders("0::/\n", tmp_path)) == (None, None)


def test_version_1_limits_are_found_beside_an_empty_version_2(tmp_path):
    cpu = {"cpu__cfs_quota_us": "250000", "cpu__cfs_period_us": "100000"}
    write(tmp_path / "cpu,cpuacct", **cpu)
    write(tmp_path / "memory" / "a", memory__limit_in_bytes="1073741824")
    write(tmp_path / "memory", memory__limit_in_bytes="9223372036854771712")
    membership = "4:memory:/a\n3:cpu,cpuacct:/docker/0123\n1:name=systemd:/\n0::/\n"
    assert cgroup_limits(cgroup_folders(membership, tmp_path)) == (2.5, 2**30)


def test_version_1_minus_one_is_no_limit(tmp_path):
    write(tmp_path / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert cgroup_limits(cgroup_folders("1:cpu:/\n", tmp_path)) == (None, None)


def test_a_path_that_leads_outside_finds_the_top(tmp_path):
    write(tmp_path, memory__max="4096", cpu__max="50000 100000")
    assert cgroup_limits(cgroup_folders("0::/../../elsewhere\n", tmp_path)) == (0.5, 4096)
