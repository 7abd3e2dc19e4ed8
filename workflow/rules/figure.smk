# One module a figure; the numbers drawn stand beside it as CSV.


rule figure:
    input:
        plan=layout.figure_plan,
        runs=layout.figure_runs,
    output:
        csv="results/{scale}/figures/{figure}.csv",
        pdf="results/{scale}/figures/{figure}.pdf",
        png="results/{scale}/figures/{figure}.png",
        svg=report(
            "results/{scale}/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
        ),
    log:
        "results/{scale}/logs/figures/{figure}.log",
    group:
        "tables"
    conda:
        "../../environment.yml"
    params:
        code=layout.figure_code,
    message:
        "Draw {wildcards.figure}"
    shell:
        "dimlaws figure {input.plan} {input.runs} --output {output.svg} --log {log}"
