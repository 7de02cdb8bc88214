"""Interim."""

import json
from pathlib import Path

D = json.loads((Path(__file__).parent / "data" / "starter.json").read_text(encoding="utf-8"))


def instruments():
    return D["instruments"]


def code_sets():
    more = {
        "CAT": "02 03 04 06 08 10 11 13",
        "SRC": "API FILE",
        "LVL": "国 省 市 县",
        "FRQ": "EV D W M",
        "RET": "DEL ANON ARC",
        "PST": "D E S F",
        "MSK": "M0 M1 M2 M3 M4",
        "DOC": "P L H C O",
        "RPC": "PERIOD DONE PROMISE OTHER",
    }
    return D["code_sets"] + [
        {"code": k, "title": k, "source": "x", "values": [{"code": c, "label": c + "x"} for c in v.split()]}
        for k, v in more.items()
    ]


def items():
    out = []
    for row in D["items"]:
        row = json.loads(json.dumps(row))
        v = row["version"]
        v.pop("one_hand_by_command", None)
        v["severity_rule"] = "C" if row["polarity"] == "N" else "0"
        if row["polarity"] == "N":
            v["repair_conditions"] = ["PERIOD", "DONE", "PROMISE"]
        row["assessment"] = {"title": v["name"], "purpose": "x", "risks": "y", "safeguards": "z"}
        out.append(row)
    return out
