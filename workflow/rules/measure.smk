# Measures of each batch, then one tidy table for the experiment.


rule measure:
    input:
        plan="results/{scale}/{experiment}/plan/{batch}.json",
        measures="results/{scale}/{experiment}/plan/measures.json",
        sets=ancient(layout.sets),
        trained=layout.trained,
        code=layout.measuring_code,
    output:
        "results/{scale}/{experiment}/records/{batch}.parquet",
    params:
        trained=lambda wildcards, input: f"--trained {input.trained}" if input.trained else "",
        store="results/{scale}/{experiment}/store/{batch}.parquet",
    log:
        "results/{scale}/{experiment}/logs/measure/{batch}.log",
    benchmark:
        "results/{scale}/{experiment}/benchmarks/measure/{batch}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=120,
    shell:
        "dimlaws measure {input.plan} {input.measures} {params.trained}"
        " --output {output} --store {params.store} --log {log}"


rule collect:
    input:
        records=layout.records,
        code=source_files(["dimlaws.stages.collect"]),
    output:
        "results/{scale}/{experiment}/runs.parquet",
    log:
        "results/{scale}/{experiment}/logs/collect.log",
    conda:
        "../../environment.yml"
    shell:
        "dimlaws collect {input.records} --output {output} --log {log}"
