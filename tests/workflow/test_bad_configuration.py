"""A bad configuration stops before anything starts, with one line that says what to do."""

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

WIDTHS = "config/experiment/widths.yaml"
IMAGES = "config/experiment/images.yaml"


def stamps(project):
    return {
        file: (file.stat().st_mtime_ns, file.read_bytes())
        for file in (project / "results").rglob("*")
        if file.is_file()
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (WIDTHS, "  steps: 100", "  stepps: 100", ["training.stepps", "did you mean 'steps'?"]),
        (WIDTHS, "  steps: 100", "  steps: many", ["training.steps", "'many' is not integer"]),
        (WIDTHS, "  steps: 100", "  steps: 0", ["training.steps", "out of range", ">= 1"]),
        (WIDTHS, "model.width:", "model.widht:", ["model.widht", "did you mean 'width'?"]),
        (IMAGES, "/data: digits", "/data: digit", ["data", "did you mean 'digits'?"]),
        (IMAGES, "    rows: 300", "    row: 300", ["measures", "did you mean 'rows'?"]),
        (
            "config/training/adam.yaml",
            "schedule: linear",
            "schedule: lineer",
            ["training.schedule", "did you mean 'linear'?"],
        ),
    ],
)
def test_a_fault_is_named_with_file_and_key(project, file, old, new, words):
    before = stamps(project)
    # The other experiment has a change that would be planned.
    project.edit("config/scale/quick.yaml", "name: quick", "name: quick  # edited")
    project.edit(file, old, new)
    done = project.snakemake()
    assert done.status != 0
    (line,) = (line for line in done.output.splitlines() if line.startswith("config/"))
    assert line.startswith(f"{file}: ")
    for word in words:
        assert word in line
    assert "Traceback" not in done.output
    assert stamps(project) == before


def test_an_unknown_scale_is_named(project):
    before = stamps(project)
    done = project.snakemake("--config", "scale=qick")
    assert done.status != 0
    assert "no scale 'qick'; did you mean 'quick'?" in done.output
    assert "Traceback" not in done.output
    assert stamps(project) == before


def test_yaml_that_is_none_is_named(project):
    before = stamps(project)
    project.append(WIDTHS, "  a: [1,\n")
    done = project.snakemake()
    assert done.status != 0
    assert "config/experiment/widths.yaml" in done.output
    assert "not valid YAML" in done.output
    assert "Traceback" not in done.output
    assert stamps(project) == before
