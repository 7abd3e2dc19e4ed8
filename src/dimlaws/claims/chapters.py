"""Names of the chapters that claims are sorted into."""

CHAPTERS = {
    1: "Instruments",
    2: "Data ID and generalization",
    3: "Data ID, width and prunability",
    4: "Objective landscape",
    5: "Solvable dynamics",
    6: "Width, depth and expressivity",
    7: "ReLU geometry",
    8: "Representation dynamics",
    9: "Capacity of codes",
    10: "Retrieval and compression",
    11: "Latent recovery",
    12: "Mini-transformer observatory",
}
