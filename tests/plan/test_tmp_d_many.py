"""Whatever stands in a configuration: a plan, or one line that says what is wrong where.

Never another error, a hang or a full memory; and nothing is written where there is no plan.
"""

import copy
import shutil
from dataclasses import asdict
from pathlib import Path

import odd_texts
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import at_most
from workplace import EXPERIMENT, SHIPPED, Workplace

from dimlaws.errors import ConfigError
from dimlaws.plan.composition import hydra_folder
from dimlaws.plan.experiment import LONGEST_MESSAGE, plan_experiment
from dimlaws.plan.reading import check_file
from dimlaws.storage import canonical_json

ODD = {
    f"{group} {name}": case
    for group in ("YAML", "NAMES", "TARGETS", "INTERPOLATIONS", "SWEEPS")
    for name, case in getattr(odd_texts, group).items()
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Workplace.new(tmp_path_factory.mktemp("shared"))


def message(workplace, text):
    """Plan an experiment of this text; return what is said against it, or None if it is valid."""
    workplace.experiment.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = workplace.files()
    try:
        with at_most(seconds=10, megabytes=500):
            workplace.plan()
    except ConfigError as error:
        assert workplace.files() == before
        return checked(str(error))
    return None


def checked(text):
    assert text.startswith("config/")
    assert "\n" not in text
    assert len(text) <= LONGEST_MESSAGE
    return text


@pytest.mark.parametrize("name", ODD)
def test_odd_texts(shared, name):
    old, new, words = ODD[name]
    assert old is None or EXPERIMENT.count(old) == 1
    said = message(shared, EXPERIMENT + new if old is None else EXPERIMENT.replace(old, new))
    assert (said is None) == (words is None), said
    if words is not None:
        assert said.startswith("config/experiment/widths.yaml")
        assert words in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "unknown key"),
        ("null\n", "unknown key"),
        ("- 1\n", "unknown key"),
        ("hello\n", "unknown key"),
        (EXPERIMENT.encode("utf-16"), "not UTF-8 text (invalid start byte at byte 0)"),
        (EXPERIMENT.replace("loss", "löss").encode("latin-1"), "not UTF-8 text"),
        (b"\0", "not valid YAML"),
    ],
)
def test_files_that_are_no_experiment(shared, content, words):
    assert words in message(shared, content)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ä", "rename the file"),
        ("a\nb", "a\\nb.yaml: rename the file"),
        ("a" * 240, "at most 100 letters"),
        ("..", "rename the file"),
    ],
)
def test_names_of_files(workplace, name, words):
    workplace.experiment.rename(workplace.experiment.with_name(f"{name}.yaml"))
    with pytest.raises(ConfigError) as caught:
        workplace.plan()
    assert words in checked(str(caught.value))
    assert not workplace.results.exists()


@pytest.mark.parametrize("scale", ["../smoke", "/tmp", "", "a\nb", "smoke/..", "\0", "x" * 3000])
def test_names_of_scales(workplace, scale):
    with pytest.raises(ConfigError, match="no scale"):
        workplace.plan(scale)
    assert not workplace.results.exists()


def test_a_fault_of_another_file_is_named_there(workplace):
    (workplace.config / "model" / "spare.yaml").write_text("a: [1,\n")
    with pytest.raises(ConfigError, match=r"^config/model/spare\.yaml: not valid YAML: line 2: "):
        workplace.plan()
    (workplace.config / "model" / "spare.yaml").unlink()
    (workplace.config / "papers.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match=r"papers\.yaml is not a mapping"):
        workplace.plan()
    assert not workplace.results.exists()


def test_a_configuration_without_a_sweep_is_one_run(workplace):
    workplace.edit(EXPERIMENT[EXPERIMENT.index("hydra:") : EXPERIMENT.index("claims:")], "")
    (index,) = workplace.plan()
    assert [batch["runs"] for batch in index.batches.values()] == [1]


ODD_VALUES = [
    *(None, True, False, 0, -1, 1, 2**62, 2**63, 10**400, 0.5, -0.0, 1e-300, 1e308),
    *(float("nan"), float("inf"), "", " ", "x", "é", "../x", "/etc/passwd", "a b", "\0", "a\nb"),
    *("x" * 2000, "1,2", "2,2", "range(0,10000000)", "choice()", "glob(*)", "${seed}", "${.x}"),
    *("${oc.env:HOME}", "${a", "os.system", "dimlaws.cli.main", "???", "null", "1e5", "0x10"),
    *([], [[]], [None], [1, "a"], {}, {"_target_": "os.system"}, {"": 1}, {3: 4}, {"a": {"b": []}}),
]


def places(node, path=()):
    """Yield the path of every value."""
    yield path
    if isinstance(node, dict | list):
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


@st.composite
def mutated(draw, contents):
    """Draw an experiment of which one to three values or keys are others."""
    content = copy.deepcopy(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([place for place in places(content) if place]))
        node = content
        for key in way:
            node = node[key]
        change = draw(st.sampled_from(["value", "value", "value", "leave out", "rename", "add"]))
        if change == "value":
            node[last] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        elif change == "leave out":
            del node[last]
        elif isinstance(node, dict):
            key = draw(st.sampled_from(["x", "_target_", "claims", "é", "a.b", "a\nb", 3, None]))
            node[key] = node.pop(last) if change == "rename" else copy.deepcopy(node[last])
        else:
            node.append(copy.deepcopy(node[last]))
    return content


SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": False}


def as_text(content):
    return "# @package _global_\n" + yaml.safe_dump(content, allow_unicode=True)


@settings(max_examples=700, **SETTINGS)
@given(content=mutated([yaml.safe_load(EXPERIMENT)]))
def test_changes_at_random(shared, content):
    message(shared, as_text(content))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    config = tmp_path_factory.mktemp("shipped") / "config"
    shutil.copytree(SHIPPED, config)
    return config


EXPERIMENTS = [
    yaml.safe_load(file.read_text())
    for folder in (SHIPPED / "experiment", Path(__file__).parents[1] / "workflow" / "mini")
    for file in sorted(folder.glob("*.yaml"))
]


@pytest.mark.slow
@settings(max_examples=500, **SETTINGS)
@given(content=mutated(EXPERIMENTS))
def test_changes_of_what_is_shipped(shipped, content):
    file = shipped / "experiment" / "changed.yaml"
    file.write_text(as_text(content))
    try:
        with at_most(seconds=30, megabytes=1000), hydra_folder(shipped):
            check_file(file, "config/experiment/changed.yaml")
            plan = plan_experiment(shipped, "changed", "smoke")
    except ConfigError as error:
        checked(str(error))
    else:
        # A plan is one that its files can hold.
        canonical_json([asdict(batch) for batch in plan.batches]).encode()
        canonical_json([plan.measures, plan.claims, plan.figures]).encode()
