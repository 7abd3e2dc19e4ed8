# Measures of each batch that is no study's, then one tidy table for the experiment.


rule measure:
    input:
        plan="results/{scale}/{experiment}/plan/{batch}.json",
        measures="results/{scale}/{experiment}/plan/measures.json",
        sets=ancient(layout.sets),
        trained=layout.trained,
    output:
        "results/{scale}/{experiment}/records/{batch}.parquet",
    log:
        "results/{scale}/{experiment}/logs/measure/{batch}.log",
    benchmark:
        "results/{scale}/{experiment}/benchmarks/measure/{batch}.tsv"
    wildcard_constraints:
        experiment=one_of(layout.measured_names),
    group:
        layout.group
    conda:
        "../../environment.yml"
    resources:
        mem_mb=layout.memory,
        runtime=layout.measuring_time,
    params:
        code=layout.measuring_code,
        trained=lambda wildcards, input: (
            f"--trained {input.trained}" if input.trained else ""
        ),
        store="results/{scale}/{experiment}/store/{batch}.parquet",
    message:
        "Measure {wildcards.experiment}, batch {wildcards.batch}"
    shell:
        "dimlaws measure {input.plan} {input.measures} {params.trained}"
        " --output {output} --store {params.store}"
        " --memory {resources.mem_mb} --log {log}"


rule collect:
    input:
        records=layout.records,
    output:
        "results/{scale}/{experiment}/runs.parquet",
    log:
        "results/{scale}/{experiment}/logs/collect.log",
    group:
        "tables"
    conda:
        "../../environment.yml"
    params:
        code=layout.code("dimlaws.stages.collect"),
    message:
        "Collect the records of {wildcards.experiment}"
    shell:
        "dimlaws collect {input.records} --output {output} --log {log}"
