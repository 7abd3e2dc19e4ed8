# Verdicts: each claim's quantity, its interval, and where that lies against the expected region.


rule judge:
    input:
        runs="results/{scale}/{experiment}/runs.parquet",
        claims="results/{scale}/{experiment}/plan/claims.json",
        code=layout.judging_code,
    output:
        "results/{scale}/{experiment}/verdicts.csv",
    log:
        "results/{scale}/{experiment}/logs/judge.log",
    conda:
        "../../environment.yml"
    shell:
        "dimlaws judge {input.runs} {input.claims} --experiment {wildcards.experiment}"
        " --output {output} --log {log}"


rule verdicts:
    input:
        verdicts=layout.all_verdicts,
        code=source_files(["dimlaws.claims.table"]),
    output:
        "results/{scale}/verdicts.csv",
    log:
        "results/{scale}/logs/verdicts.log",
    conda:
        "../../environment.yml"
    shell:
        "dimlaws verdicts {input.verdicts} --output {output} --log {log}"
