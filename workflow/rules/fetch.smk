# Real data sets, each from the first source that delivers arrays with the pinned checksum.


rule fetch:
    output:
        f"{layout.data}/{{set}}.safetensors",
    params:
        sha256=lambda wildcards: layout.pin(wildcards.set),
    log:
        f"{layout.data}/logs/{{set}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1500,
        runtime=30,
    shell:
        "dimlaws fetch {wildcards.set} --output {output} --log {log}"
