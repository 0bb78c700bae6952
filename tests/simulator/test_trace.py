"""Reading traces: what is taken from them, and what is said of bad ones."""

import pytest

from app.extender.recorder import HEADER as HEADER_OF_OBSERVED
from app.simulator.trace import Trace, TracedPod, TraceError, read_trace

HEADER = "name,cpu_milli,memory_mib,creation_time,deletion_time"
OBSERVED = ",".join(HEADER_OF_OBSERVED)


def read(*lines: str, header: str = HEADER) -> Trace:
    return read_trace([f"{each}\n" for each in (header, *lines)], source="it.csv")


def faults(*lines: str, header: str = HEADER) -> tuple[str, ...]:
    with pytest.raises(TraceError) as caught:
        read(*lines, header=header)
    return caught.value.faults


def test_a_line_is_a_pod_that_lasts_from_creation_to_deletion() -> None:
    (pod,) = read("web,500,1024,100,160.5").pods
    assert pod == TracedPod(name="web", cpu_milli=500, memory_mib=1024, created=100_000, lasts=60_500)


def test_columns_stand_in_any_order() -> None:
    (pod,) = read("160,100,1024,500,web", header=",".join(reversed(HEADER.split(",")))).pods
    assert (pod.name, pod.cpu_milli, pod.memory_mib, pod.created, pod.lasts) == (
        "web",
        500,
        1024,
        100_000,
        60_000,
    )


def test_pods_come_by_age_and_in_the_order_of_the_file() -> None:
    trace = read("c,1,1,5,6", "a,1,1,3,4", "b,1,1,5,9")
    assert [pod.name for pod in trace.pods] == ["a", "c", "b"]


def test_the_span_is_from_the_first_creation_to_the_last_thing_told() -> None:
    trace = read("a,1,1,3,4", "b,1,1,2,9", "c,1,1,12,")
    assert (trace.begin, trace.end) == (2000, 12_000)


def test_who_was_not_deleted_runs_until_the_end() -> None:
    trace = read("a,1,1,3,", "b,1,1,2,9")
    assert {pod.name: pod.lasts for pod in trace.pods} == {"a": 6000, "b": 7000}


def test_the_recording_of_an_observing_gate_is_a_trace() -> None:
    trace = read("job-1,ci,1000,2048,1767571200,1767571800,1,0.04937", header=OBSERVED)
    (pod,) = trace.pods
    assert (pod.name, pod.namespace, pod.cpu_milli, pod.memory_mib, pod.lasts) == (
        "job-1",
        "ci",
        1000,
        2048,
        600_000,
    )
    assert trace.ignored == ()


def test_a_pod_that_two_recorders_followed_counts_once() -> None:
    still = "web,ci,500,512,10,,0.5,0.02"
    (pod,) = read(still, still, "web,ci,500,512,10,70,0.5,0.02", header=OBSERVED).pods
    assert pod.lasts == 60_000


def test_pods_of_one_name_in_any_other_trace_are_as_many_as_it_has() -> None:
    assert len(read("web,500,512,10,", "web,500,512,10,", "web,500,512,10,70").pods) == 3


def test_optional_columns_are_the_pods_annotations_and_label() -> None:
    header = f"{HEADER},namespace,max_wait,capacity,overflow"
    (pod,) = read("a,1,1,0,1,ci,90s,spot,disabled", header=header).pods
    assert (pod.namespace, pod.max_wait, pod.capacity, pod.overflow) == ("ci", "90s", "spot", False)


def test_columns_that_mean_nothing_are_named() -> None:
    assert read("a,1,1,0,1,2,x", header=f"{HEADER},num_gpu,qos").ignored == ("num_gpu", "qos")


def test_empty_lines_are_passed_over() -> None:
    assert len(read("a,1,1,0,1", "", "b,1,1,0,1").pods) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("a,half,1,0,1", 'cpu_milli is "half"; write a whole number of millicores', id="cpu"),
        pytest.param("a,-1,1,0,1", 'cpu_milli is "-1"; write a whole number', id="negative"),
        pytest.param("a,1.5,1,0,1", 'cpu_milli is "1.5"; write a whole number', id="fraction"),
        pytest.param("a,²,1,0,1", 'cpu_milli is "²"; write a whole number', id="no-digit"),
        pytest.param(f"a,1,{'9' * 5000},0,1", "write a whole number of MiB, as 512", id="endless"),
        pytest.param(f"a,{'0' * 20}{'9' * 5000},1,0,1", "write a whole number of millicores", id="zeros"),
        pytest.param("a,1,1,1_0,20", 'creation_time is "1_0"; write seconds', id="underscore"),
        pytest.param("a,1,1,\u0661,20", 'creation_time is "\u0661"; write seconds', id="digits-elsewhere"),
        pytest.param("a,1,,0,1", 'memory_mib is ""; write a whole number of MiB', id="no-memory"),
        pytest.param(",1,1,0,1", "name is empty; write the pod's", id="no-name"),
        pytest.param("a,1,1,,1", 'creation_time is ""; write seconds', id="no-time"),
        pytest.param("a,1,1,monday,1", 'creation_time is "monday"; write seconds', id="no-number"),
        pytest.param("a,1,1,nan,1", 'creation_time is "nan"; write seconds', id="nan"),
        pytest.param("a,1,1,-5,1", 'creation_time is "-5"; write seconds', id="before-time"),
        pytest.param("a,1,1,0,inf", "write seconds, not milliseconds", id="endless-time"),
        pytest.param("a,1,1,1767571200000,", "write seconds, not milliseconds", id="milliseconds"),
        pytest.param(
            "a,1,1,5,4", "deletion_time is before creation_time; write the later one", id="backwards"
        ),
        pytest.param("a,1,1,5", "4 fields where the header has 5; write one for each column", id="short"),
        pytest.param("a,1,1,5,6,7", "6 fields where the header has 5", id="long"),
    ],
)
def test_a_bad_line_is_named_with_its_mend(line: str, said: str) -> None:
    (fault,) = faults("fine,1,1,0,1", line)
    assert fault.startswith("it.csv:3: ")
    assert said in fault


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        pytest.param("max_wait", "soon", 'max_wait: "soon" is not a duration', id="max-wait"),
        pytest.param(
            "capacity", "cheap", 'capacity is "cheap"; write on-demand, spot or spot-first', id="capacity"
        ),
        pytest.param("overflow", "maybe", 'overflow is "maybe"; write enabled or disabled', id="overflow"),
    ],
)
def test_a_bad_word_in_an_optional_column_is_named(column: str, value: str, said: str) -> None:
    (fault,) = faults(f"a,1,1,0,1,{value}", header=f"{HEADER},{column}")
    assert said in fault


@pytest.mark.parametrize(
    ("header", "said"),
    [
        pytest.param("", "it.csv:1: the header lacks name, cpu_milli", id="none"),
        pytest.param("name,cpu_milli,memory_mib,creation_time", "the header lacks deletion_time", id="one"),
        pytest.param(f"{HEADER},name", "the header names name twice", id="twice"),
    ],
)
def test_a_bad_header_is_named(header: str, said: str) -> None:
    (fault,) = faults("a,1,1,0,1", header=header)
    assert said in fault


def test_every_bad_line_is_named() -> None:
    assert len(faults("a,x,1,0,1", "fine,1,1,0,1", "b,1,x,0,1")) == 2


def test_hundreds_of_bad_lines_are_counted() -> None:
    found = faults(*["a,x,1,0,1"] * 300)
    assert (len(found), found[-1]) == (11, "… and 290 more lines like these")


def test_a_header_alone_is_no_trace() -> None:
    assert faults() == ("it.csv: no pod in it; write one a line below the header",)


def test_broken_quotes_are_said() -> None:
    (fault,) = faults('"a,1,1,0,1')
    assert fault.startswith("it.csv:2: no CSV")
