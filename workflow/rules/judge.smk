# Verdicts: each claim's quantity, its interval, and where that lies against the expected region.


rule judge:
    input:
        runs="results/{scale}/{experiment}/runs.parquet",
        claims="results/{scale}/{experiment}/plan/claims.json",
    output:
        table="results/{scale}/{experiment}/verdicts.csv",
        checksum="results/{scale}/{experiment}/verdicts.csv.sha256",
    log:
        "results/{scale}/{experiment}/logs/judge.log",
    group:
        "tables"
    conda:
        "../../environment.yml"
    params:
        code=layout.judging_code,
    message:
        "Judge the claims of {wildcards.experiment}"
    shell:
        "dimlaws judge {input.runs} {input.claims} --experiment {wildcards.experiment}"
        " --output {output.table} --log {log}"


rule verdicts:
    input:
        verdicts=layout.all_verdicts,
        checksums=layout.all_verdict_checksums,
    output:
        table=report(
            "results/{scale}/verdicts.csv",
            caption="../report/scoreboard.rst",
            category="Scoreboard",
        ),
        checksum="results/{scale}/verdicts.csv.sha256",
    log:
        "results/{scale}/logs/verdicts.log",
    group:
        "tables"
    conda:
        "../../environment.yml"
    params:
        code=layout.code("dimlaws.claims.table"),
    message:
        "Join the verdicts at scale {wildcards.scale}"
    shell:
        "dimlaws verdicts {input.verdicts} --output {output.table} --log {log}"
