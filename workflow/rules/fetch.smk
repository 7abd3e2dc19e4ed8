# Real data sets, each from the first source that delivers arrays with the pinned checksum.


# Compute nodes of a cluster often reach no network.
localrules:
    fetch,


rule fetch:
    output:
        f"{layout.data}/{{set}}.safetensors",
    log:
        f"{layout.data}/logs/{{set}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        sha256=lambda wildcards: layout.pin(wildcards.set),
    message:
        "Fetch {wildcards.set}"
    shell:
        "dimlaws fetch {wildcards.set} --output {output} --log {log}"
