"""Experiment files that nobody should write: what stands in them, and what is said of them.

Each is an edit of the experiment of ``conftest``: the text that it replaces (None: it is appended),
what stands there instead, and words of the message (None: the plan is valid).
"""

import re

LETTERS = "".join(f"  {letter}: {letter}\n" for letter in "abcdefghij")
LAUGHS = "constants:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  {chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)
INTERPOLATED = "constants:\n  a: xxxxxxxxxx\n" + "".join(
    f"  {chr(98 + i)}: '{f'${{constants.{chr(97 + i)}}}' * 10}'\n" for i in range(9)
)
HIDDEN = re.sub(r"constants\.(\w)", r"constants.${sizes.\1}", INTERPOLATED)
CHAIN = "constants:\n" + "".join(f"  a{i}: ${{constants.a{i + 1}}}\n" for i in range(500))
STEPS, SEED, DEPTH, DATA = "  steps: 50", "seed: 0,1", "  depth: 1", "  - override /data: manifold"
DESCRIPTION = "description: Test loss against width."
STATEMENT = "statement: Test loss falls with width."
MEASURE = "      measure: generalization"
FIGURE = "_target_: dimlaws.figures.generalization_vs_width.draw"

YAML = {
    "billion laughs": (None, LAUGHS, "aliases expanded; at most 20000"),
    "many values": ("wide: [4, 8]", f"wide: [{'4, ' * 20_000}8]", "at most 20000"),
    "deep lists": (None, f"constants: {'[' * 3000}{']' * 3000}\n", "50 levels deep"),
    "deep mappings": (None, f"constants: {'{a: ' * 300}1{'}' * 300}\n", "50 levels deep"),
    "an alias of itself": (None, "constants: &c\n  a: *c\n", "line 55: 'c' contains itself"),
    "an alias of nothing": (STEPS, "  steps: *nothing", "not valid YAML: line 24: found undefined"),
    "a key twice": (STEPS, "  steps: 50\n  steps: 60", "line 25: found duplicate key steps"),
    "a tab": (STEPS, "\tsteps: 50", "not valid YAML: line 24: found"),
    "a merge": (DEPTH, "  <<: {depth: 2}", None),
    "a bad merge": (DEPTH, "  <<: 3", "expected a mapping or list of mappings for merging"),
    "a Python call": (
        None,
        "source: !!python/object/apply:os.system [ls]\n",
        "could not determine a constr",
    ),
    "bytes": ("loss: mse", "loss: !!binary aGVsbG8=", "training.loss: b'hello' is no number"),
    "bytes, unchecked": (
        MEASURE,
        f"{MEASURE}\n      where: {{a: !!binary aGVsbG8=}}",
        "where.a: b",
    ),
    "a set": (None, "constants: {a: !!set {1, 2}}\n", "Value 'set' is not a supported"),
    "a date": (STEPS, "  steps: 2001-01-01", "training.steps: '2001-01-01' is not integer"),
    "no date": (STEPS, "  steps: 2001-99-99", "training.steps: '2001-99-99' is not integer"),
    "no": (STEPS, "  steps: no", "training.steps: False is not integer"),
    "1e5": (STEPS, "  steps: 1e5", "training.steps: 100000.0 is not integer"),
    "a huge integer": (STEPS, f"  steps: {'9' * 400}", "training.steps: an integer of 1329 bits"),
    "for a number": (STEPS, f"  learning_rate: {'9' * 400}", "learning_rate: an integer of 1329"),
    "no integer": (STEPS, f"  steps: {'9' * 5000}", "Exceeds the limit (4300 digits)"),
    "a huge seed": (SEED, f"seed: {'9' * 30}", "seed: an integer of 100 bits; at most 63"),
    "not a number": (MEASURE, f"{MEASURE}\n      where: {{a: .nan}}", "where.a: nan is not finite"),
    "control characters": (STATEMENT, r'statement: "a\0b"', "statement: 'a\\x00b' has control"),
    "half a character": (STATEMENT, r'statement: "\ud800"', "line 37: found invalid Unicode"),
    "two documents": (None, "---\na: 1\n", "not valid YAML: line 54: but found another document"),
    "a number for a key": (STEPS, "  steps: 50\n  3: 3", "training.3: the key 3 is not text"),
    "a bool for a key": (STEPS, "  steps: 50\n  yes: 3", "training.True: the key True is not text"),
    "null for a key": (STEPS, "  steps: 50\n  null: 3", "training: Incompatible key type"),
    "a number on top": (None, "3: 4\n", "3: unknown key"),
    "a number for a figure": (None, "  3: {_target_: x}\n", "figures.3: the key 3 is not text"),
    "missing": (STATEMENT, "statement: ???", "claims.loss-falls.statement: missing"),
    "text in a list": (DESCRIPTION, "description: [1, 2]", "description: [1, 2] is not text"),
    "false for a mapping": ("claims:\n", "claims: false\nconstants:\n", "claims: expected a map"),
}

NAMES = {
    "empty": (None, "  '': {_target_: x}\n", "figures.: names consist of"),
    "of two lines": (None, '  "a\\n": {_target_: x}\n', "figures.a : names consist of"),
    "NUL": (None, '  "a\\0": {_target_: x}\n', "figures.a\0: names consist of"),
    "absolute": (None, "  /tmp/x: {_target_: x}\n", "figures./tmp/x: names consist of"),
    "long figure": (
        None,
        f"  {'a' * 240}: {{{FIGURE}}}\n",
        "figures: 240 characters in a name; at most 100",
    ),
    "long claim": ("loss-falls:", f"{'a' * 240}:", "claims: 240 characters in a name"),
    "long option": (DATA, f"{DATA[:-8]}{'a' * 5000}", "Hydra cannot compose it (OSError"),
    "option with NUL": (DATA, f'{DATA[:-8]}"a\\0b"', "embedded null byte"),
    "option elsewhere": (
        DATA,
        f"{DATA[:-8]}../../etc/passwd",
        "data: no option '../../etc/passwd'",
    ),
    "option anywhere": (DATA, f"{DATA[:-8]}/etc/hostname", "data: no option '/etc/hostname'"),
    "group elsewhere": (DATA, "  - /../../x@a: y", "no option '../x/y'"),
    "swept option elsewhere": (SEED, "training: ../adam,sgd", "training: no option '../adam'"),
    "a list of options": (SEED, "training: '[adam,sgd]'", "['adam', 'sgd'] is not the name of an"),
    "no option": (SEED, "training: \"'a=b'\"", "params.training: 'a=b' is not the name of an opt"),
    "a number for an option": (SEED, "training: 1,2", "params.training: 1 is not the name of an"),
    "a chapter": ("chapter: 2", "chapter: 99", "claims.loss-falls.chapter: no chapter 99; valid:"),
    "figure of a claim": ("figure: widths", "figure: ../widths", "no experiment has a figure '../"),
    "a set that is made": (
        "  kind: torus",
        "  _target_: dimlaws.data.images.Images\n  name: manifold\n  sha256: '0'\n  kind: torus",
        "data.kind: unknown key",
    ),
}

TARGETS = {
    "long": (DEPTH, f"  _target_: dimlaws.{'a' * 5000}.x", "model._target_: more than 200 char"),
    "NUL": (DEPTH, '  _target_: "dimlaws.models.mlp\\0.MLP"', "control characters"),
    "of two lines": (DEPTH, '  _target_: "dimlaws.models.mlp.MLP\\n"', "has no 'MLP\\n'"),
    "empty": (DEPTH, "  _target_: ''", "model._target_: no module ''"),
    "dots": (DEPTH, "  _target_: ...", "model._target_: no module '..'"),
    "list": (DEPTH, "  _target_: [a]", "model: expected a mapping with _target_"),
    "dunder": (DEPTH, "  _target_: dimlaws.models.mlp.__name__", "has no '__name__'"),
    "method": (
        DEPTH,
        "  _target_: dimlaws.models.mlp.MLP.__init__",
        "no module 'dimlaws.models.mlp",
    ),
    "arguments": (DEPTH, "  _args_: [1]", "model._args_: unknown key"),
    "swept": (SEED, "data._target_: os.system", "data._target_: no module 'os'"),
    "launcher": ("hydra:\n", "hydra:\n  launcher: {_target_: os.system}\n", "a file may set only"),
    "callback": (
        "hydra:\n",
        "hydra:\n  callbacks: {a: {_target_: os.system}}\n",
        "a file may set only",
    ),
    "logger": (
        "hydra:\n",
        'hydra:\n  job_logging: {formatters: {a: {"()": os.system}}}\n',
        "hydra.job_logging.formatters.a.(): a file may set only",
    ),
    "no function of the package": (MEASURE, f"{MEASURE}\n      _partial_: true", "unknown key"),
}

INTERPOLATIONS = {
    "environment": (DESCRIPTION, "description: ${oc.env:HOME}", "description: "),
    "environment, hidden": (
        DESCRIPTION,
        "description: ${oc.${constants.a}:HOME}\nconstants: {a: env}",
        "a plan depends on its configuration alone",
    ),
    "clock": (STEPS, "  steps: ${now:%Y}", "training.steps: "),
    "Hydra's own": (STEPS, "  steps: ${hydra:runtime.cwd}", "HydraConfig was not set"),
    "no resolver": (STEPS, "  steps: ${python:1}", "Unsupported interpolation type python"),
    "undefined": (
        STEPS,
        "  steps: ${no.where}",
        "training.steps: Interpolation key 'no.where' not",
    ),
    "of itself": (STEPS, "  steps: ${training.steps}", "Recursive interpolation detected"),
    "of its parent": (STEPS, "  steps: ${training}", "Interpolation to parent node detected"),
    "in a circle": (
        DESCRIPTION,
        "description: ${constants.a}\nconstants: {a: '${description}'}",
        "R",
    ),
    "of its sweep": (SEED, "seed: ${hydra.sweeper.params.seed}", "seed: Recursive interpolation"),
    "unfinished": (STEPS, "  steps: ${", "training.steps: no viable alternative"),
    "billion": (DESCRIPTION, f"{INTERPOLATED}description: ${{constants.j}}", "characters in a ch"),
    "billion, hidden": ("sizes:\n", f"{HIDDEN}sizes:\n{LETTERS}", "characters in a chain"),
    "billion, swept": (SEED, f"seed: ${{constants.j}}\n{INTERPOLATED}", "characters in a chain"),
    "of no mapping": (STEPS, "  steps: ${seed.${scale.name}}", "training.steps: "),
    "a long chain": (
        DESCRIPTION,
        f"{CHAIN}description: ${{constants.a0}}",
        "at most 1000000 and 30",
    ),
    "decoded": (STEPS, "  steps: ${oc.decode:'60'}", None),
}

SWEEPS = {
    "none": ("    params:\n", "    params: {}\nconstants:\n  unused:\n", None),
    "shuffled billion": (SEED, "seed: shuffle(range(0,1000000000))", "1000000000; at most 100000"),
    "sorted billion": (SEED, "seed: sort(range(0,1000000000))", "1000000000; at most 100000"),
    "fine": (SEED, "seed: range(0,1,1e-9)", "1000000000; at most 100000"),
    "without end": (SEED, "seed: range(0,inf)", "too many values, inf; at most"),
    "to no number": (SEED, "seed: range(0,nan)", "too many values, nan; at most"),
    "without a step": (SEED, "seed: range(0,5,0)", "is not a sweep"),
    "huge ends": (SEED, f"seed: range({'9' * 400},{'9' * 401})", "is not a sweep"),
    "of all keys": (
        SEED,
        f"{SEED}\n      training.steps: range(1,1001)\n      data.noise: range(0,1,0.001)",
        "hydra.sweeper.params: 8000000 runs; at most 100000",
    ),
    "of a mapping": ("size: 32,64", "size: '{a:1},{b:2}'", "data.train_size: {'a': 1} is not"),
    "key with a line": (SEED, '"seed\\n": 0,1', "is not a sweep"),
    "key that deletes": (SEED, "~seed: 0,1", "sets no '~seed' that a sweep could override"),
    "of a scale": (SEED, "scale.name: quick,paper", "sets no 'scale' that a sweep could override"),
    "huge network": (DEPTH, "  depth: 999999999999", "at most 1.7e+07 MB and 3.2e+07 s"),
    "huge data": (
        "  ambient_dim: 8",
        "  ambient_dim: 8\n  test_size: 99999999999999",
        "at most 1.7e",
    ),
    "endless training": (STEPS, "  steps: 99999999999999", "at most 1.7e+07 MB and 3.2e+07 s"),
    "defaults in a circle": (DATA, "  - /experiment: widths", "defaults: they lead to one another"),
    "hydra without": ("hydra:\n", "hydra: null\nconstants:\n", "Hydra cannot compose it"),
}
