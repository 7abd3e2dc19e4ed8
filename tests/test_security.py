"""Configurations and data come from strangers: none of them runs code, writes or listens here."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dimlaws.data.sources import source_kind
from dimlaws.errors import ConfigError, DimlawsError
from dimlaws.instantiate import configured
from dimlaws.plan.composition import compose, hydra_folder
from dimlaws.stages.fetch import fetch_set
from dimlaws.stages.provenance import THREADS, write_provenance
from dimlaws.validation import check_node

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

MODULES = {
    *("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"),
    *("code", "codeop", "runpy", "telnetlib", "socket", "socketserver", "http.server", "xmlrpc"),
    *("asyncio", "multiprocessing", "concurrent.futures.ProcessPoolExecutor"),
}
"""Modules that unpickle, run text as code, or open sockets."""

CALLS = {
    *("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec"),
    *("os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv", "tempfile.mktemp"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "pandas.read_pickle", "pd.read_pickle"),
    *("yaml.full_load", "yaml.unsafe_load", "torch.save", "np.save", "np.savez"),
}


def findings(tree):
    """Yield what a syntax tree does that may run a stranger's code or open a port."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from ({node.module} | names) & (MODULES | CALLS)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if name in CALLS or name.split(".")[-1] in ("bind", "listen", "serve_forever"):
                yield name
            if given.get("shell", "False") != "False":
                yield f"{name}(shell=True)"
            loader = given.get("Loader", ast.unparse(node.args[1]) if node.args[1:] else "")
            if name == "yaml.load" and loader not in ("yaml.BaseLoader", "yaml.SafeLoader"):
                yield name
            if name == "torch.load" and given.get("weights_only") != "True":
                yield name
            if name in ("np.load", "numpy.load") and given.get("allow_pickle", "False") != "False":
                yield name


def test_the_source_runs_no_text_unpickles_nothing_and_listens_nowhere():
    found = {file: list(findings(ast.parse(file.read_text("utf-8")))) for file in SOURCES}
    assert len(found) > 200
    assert {file.name: what for file, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from http.server import HTTPServer",
        "from http import server",
        "eval('1')",
        "torch.load(file)",
        "np.load(file, allow_pickle=True)",
        "yaml.load(text, Loader)",
        "subprocess.run('a', shell=True)",
        "os.system('a')",
        "from os import system",
        "tempfile.mktemp()",
        "sock.bind(('', 80))",
    ],
)
def test_what_it_would_find(text):
    assert list(findings(ast.parse(text)))


def test_the_source_that_is_allowed():
    for text in (
        "torch.load(f, weights_only=True)",
        "re.compile(a)",
        "np.load(f)",
        "yaml.safe_load(a)",
    ):
        assert not list(findings(ast.parse(text)))


STRANGE = [
    "os.system",
    "builtins.eval",
    "dimlaws..os",
    "dimlaws.os",
    "dimlaws.storage.os.remove",
    "dimlaws.stages.fetch.subprocess.run",
    "dimlaws.data.sources.subprocess.run",
    "dimlaws.models.mlp.MLP.__init__",
    "dimlaws.models.mlp.MLP.__class__",
    "dimlaws.models.mlp.__builtins__",
    "dimlaws.data.sources._command",
    "dimlaws.../../../etc/passwd.x",
    "dimlaws.models.mlp.MLP\n",
    "torch.load",
    "",
]


@pytest.mark.parametrize("target", STRANGE)
def test_a_target_is_a_public_name_that_a_module_of_the_package_defines(target):
    with pytest.raises(ConfigError):
        configured({"_target_": target})


@pytest.mark.parametrize("target", [*STRANGE, "dimlaws.cli.main", "dimlaws.storage.write_text"])
@pytest.mark.parametrize("home", ["data", "models", "training", "studies", "measures", "claims"])
def test_a_target_lies_in_its_own_part_of_the_package(target, home):
    with pytest.raises(ConfigError):
        check_node({"_target_": target}, "here", f"dimlaws.{home}")


def test_a_target_gets_no_value_that_its_signature_does_not_declare():
    """Positional arguments, such as the path to write to, are no keys of a configuration."""
    with pytest.raises(ConfigError, match="unknown key"):
        check_node({"_target_": "dimlaws.storage.write_text", "path": "/tmp/x", "text": ""}, "x")


@pytest.fixture
def config(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


REFUSED = r"a file may set only hydra\.mode and hydra\.sweeper\.params"

CALLS_HYDRA = {
    "callbacks": "hydra: {callbacks: {x: {_target_: os.system, command: 'touch PWNED'}}}",
    "launcher": "hydra: {launcher: {_target_: os.system}}",
    "sweeper": "hydra: {sweeper: {_target_: os.system}}",
    "log": "hydra: {job_logging: {handlers: {file: {filename: PWNED}}}}",
    "log group": "defaults: [{override /hydra/job_logging: none}]",
    "chdir": "hydra: {job: {chdir: true}}",
    "run folder": "hydra: {run: {dir: PWNED}}",
    "sweep folder": "hydra: {sweep: {dir: PWNED}}",
    "name of a folder": "hydra: {job: {name: ../../PWNED}}",
    "subfolder": "hydra: {output_subdir: ../../PWNED}",
    "environment": "hydra: {job: {env_set: {LD_PRELOAD: PWNED}}}",
}


@pytest.mark.parametrize("text", CALLS_HYDRA.values(), ids=CALLS_HYDRA)
def test_no_file_sets_what_hydra_runs_or_where_it_writes(config, text):
    text = text.replace("PWNED", str(config.parent / "pwned"))
    (config / "experiment" / "strange.yaml").write_text(f"# @package _global_\n{text}\n")
    with hydra_folder(config):
        with pytest.raises(ConfigError, match=REFUSED):
            compose("strange", "smoke")
        assert compose("generalization_vs_dimension", "smoke").sweep
    assert not (config.parent / "pwned").exists()


def test_nor_an_option_of_a_group(config):
    text = CALLS_HYDRA["callbacks"]
    (config / "data" / "strange.yaml").write_text(f"# @package _global_\n{text}\n")
    with hydra_folder(config), pytest.raises(ConfigError, match=REFUSED):
        compose("generalization_vs_dimension", "smoke", ["data=strange"])


def test_nor_by_its_place_in_the_configuration(config):
    (config / "experiment" / "strange.yaml").write_text(
        "# @package hydra.callbacks.x\n_target_: os.system\n"
    )
    with hydra_folder(config), pytest.raises(ConfigError, match=REFUSED):
        compose("strange", "smoke")


def test_nor_a_package_to_search_which_would_be_imported(config):
    file = config / "config.yaml"
    file.write_text(file.read_text() + "  searchpath: ['pkg://antigravity']\n")
    with hydra_folder(config), pytest.raises(ConfigError, match=r"hydra\.searchpath"):
        compose("generalization_vs_dimension", "smoke")
    assert "antigravity" not in sys.modules


def test_the_environment_does_not_reach_a_plan(config, monkeypatch):
    monkeypatch.setenv("SECRET", "hidden")
    text = (config / "experiment" / "generalization_vs_dimension.yaml").read_text()
    (config / "experiment" / "strange.yaml").write_text(
        text.replace(
            "\ndescription:", "\nhydra: {sweeper: {params: {seed: '${oc.env:SECRET}'}}}\nold:"
        )
    )
    with hydra_folder(config), pytest.raises(ConfigError) as caught:
        compose("strange", "smoke")
    assert "hidden" not in str(caught.value)


def test_the_environment_does_not_reach_the_provenance(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in {*os.environ, "AWS_SECRET_ACCESS_KEY"} - {"PATH", "HOME", *THREADS}:
        monkeypatch.setenv(name, "hunter2")
    write_provenance("quick", tmp_path / "results", tmp_path / "provenance.json")
    text = (tmp_path / "provenance.json").read_text()
    assert "hunter2" not in text
    assert json.loads(text)["threads"].keys() == set(THREADS)


def test_the_plain_application_neither(config):
    text = CALLS_HYDRA["callbacks"].replace("PWNED", str(config.parent / "pwned"))
    (config / "experiment" / "strange.yaml").write_text(f"# @package _global_\n{text}\n")
    done = subprocess.run(
        [sys.executable, "-m", "dimlaws.app", "experiment=strange", "scale=smoke"],
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "a file may set only" in done.stderr
    assert "Traceback" not in done.stderr
    assert {file.name for file in config.parent.iterdir()} == {"config"}


@pytest.mark.parametrize(
    "source",
    [
        {"urls": ["file:///etc/passwd"]},
        {"urls": ["https://h/.."]},
        {"urls": ["ftp://h/file"]},
        {"urls": ["/etc/passwd"]},
        {"npm": "--registry=https://evil"},
        {"npm": "-g"},
        {"npm": "../folder"},
        {"npm": "git+https://evil/x"},
        {"npm": "https://evil/x.tgz"},
        {"npm": "@scope/../x@1"},
        {"npm": "x@file:../y"},
        {"apt": "-o=Dir::Etc=/tmp"},
        {"apt": "./x.deb"},
        {"apt": "--allow-unauthenticated"},
        {"pip": "-rfile", "kind": "wheel"},
        {"pip": "x", "kind": "wheel"},
        {"pip": "x==1\n--index-url https://evil", "kind": "sdist"},
        {"pip": "x @ https://evil/x.whl", "kind": "wheel"},
        {"pip": "x==1", "kind": "sdist", "sha256": "0 --config-settings=a"},
    ],
    ids=lambda source: " ".join(map(str, source.values())),
)
def test_a_source_is_a_web_address_or_the_name_of_a_package(source):
    whole = source if "urls" in source else {"sha256": "0", **source}
    with pytest.raises(ConfigError):
        source_kind(whole)


def test_a_password_in_an_address_is_refused_and_not_shown():
    with pytest.raises(ConfigError, match="source at host: an address holds no") as caught:
        source_kind({"urls": ["https://user:hunter2@host/file"]})
    assert "hunter2" not in str(caught.value)


def test_a_decoder_is_a_decoder(config):
    file = config / "data" / "digits.yaml"
    content = yaml.safe_load(file.read_text())
    for target in ("os.system", "dimlaws.cli.main", "dimlaws.storage.link_or_copy"):
        content["source"]["decoder"] = {"_target_": target, "target": "/tmp/pwned"}
        file.write_text(yaml.safe_dump(content))
        with pytest.raises(DimlawsError, match=r"source\.decoder"):
            fetch_set(config, "digits", config.parent / "digits.safetensors")
    assert not (config.parent / "digits.safetensors").exists()
