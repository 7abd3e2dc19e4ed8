# What was run, on what; and the pages that a reader opens.


rule provenance:
    input:
        trained=layout.all_trained,
        records=layout.all_records,
        plans=layout.all_plans,
    output:
        "results/{scale}/provenance.json",
    log:
        "results/{scale}/logs/provenance.log",
    group:
        "tables"
    conda:
        "../../environment.yml"
    params:
        code=layout.code("dimlaws.stages.provenance"),
        content=layout.plan_content,
    message:
        "Write what was run, on what"
    shell:
        "dimlaws provenance {wildcards.scale} --output {output} --log {log}"


rule report:
    input:
        verdicts="results/{scale}/verdicts.csv",
        checksum="results/{scale}/verdicts.csv.sha256",
        provenance="results/{scale}/provenance.json",
        plans=layout.all_plans,
        figures=layout.all_figures,
        papers="config/papers.yaml",
    output:
        directory("results/{scale}/report"),
    log:
        "results/{scale}/logs/report.log",
    group:
        "tables"
    conda:
        "../../environment.yml"
    params:
        code=layout.report_code(),
        content=layout.plan_content,
    message:
        "Write the report at scale {wildcards.scale}"
    shell:
        "dimlaws report {wildcards.scale} --output {output}/index.html --log {log}"
