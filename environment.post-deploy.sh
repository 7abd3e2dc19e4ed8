# Snakemake runs this in the environment that it made from environment.yml, from the repository.
set -eu
python -m pip install --no-deps --editable .
