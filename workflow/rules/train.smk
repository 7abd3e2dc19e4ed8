# One job a batch: all runs of an experiment that share tensor shapes, trained together.


rule train:
    input:
        plan="results/{scale}/{experiment}/plan/{batch}.json",
        # The content of a set is pinned by its checksum, so a newer file is the same data.
        sets=ancient(layout.sets),
    output:
        "results/{scale}/{experiment}/trained/{batch}.safetensors",
    log:
        "results/{scale}/{experiment}/logs/train/{batch}.log",
    benchmark:
        "results/{scale}/{experiment}/benchmarks/train/{batch}.tsv"
    wildcard_constraints:
        experiment=one_of(layout.trained_names),
    group:
        layout.group
    conda:
        "../../environment.yml"
    resources:
        mem_mb=layout.memory,
        runtime=layout.training_time,
    params:
        code=layout.training_code,
        store="results/{scale}/{experiment}/store/{batch}.safetensors",
    message:
        "Train {wildcards.experiment}, batch {wildcards.batch}"
    shell:
        "dimlaws train {input.plan} --output {output} --store {params.store}"
        " --memory {resources.mem_mb} --log {log}"
