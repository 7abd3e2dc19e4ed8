# One job a batch of a study: an experiment with nothing to train, which makes its records itself.


rule simulate:
    input:
        plan="results/{scale}/{experiment}/plan/{batch}.json",
    output:
        "results/{scale}/{experiment}/records/{batch}.parquet",
    log:
        "results/{scale}/{experiment}/logs/simulate/{batch}.log",
    benchmark:
        "results/{scale}/{experiment}/benchmarks/simulate/{batch}.tsv"
    wildcard_constraints:
        experiment=one_of(layout.study_names),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=layout.memory,
        runtime=layout.simulating_time,
    params:
        code=layout.simulating_code,
        store="results/{scale}/{experiment}/store/{batch}.parquet",
    message:
        "Simulate {wildcards.experiment}, batch {wildcards.batch}"
    shell:
        "dimlaws simulate {input.plan} --output {output} --store {params.store} --log {log}"
