# What was run, on what; and the pages that a reader opens.


rule provenance:
    input:
        trained=layout.all_trained,
        records=layout.all_records,
        plans=layout.all_plans,
        code=source_files(["dimlaws.stages.provenance"]),
    output:
        "results/{scale}/provenance.json",
    log:
        "results/{scale}/logs/provenance.log",
    conda:
        "../../environment.yml"
    shell:
        "dimlaws provenance {wildcards.scale} --output {output} --log {log}"


rule report:
    input:
        verdicts="results/{scale}/verdicts.csv",
        provenance="results/{scale}/provenance.json",
        plans=layout.all_plans,
        figures=layout.all_figures,
        papers="config/papers.yaml",
        code=layout.report_code,
    output:
        report(
            "results/{scale}/report/index.html",
            caption="../report/scoreboard.rst",
            category="Scoreboard",
        ),
    log:
        "results/{scale}/logs/report.log",
    conda:
        "../../environment.yml"
    shell:
        "dimlaws report {wildcards.scale} --output {output} --log {log}"
