"""Every alert has a severity, an existing runbook, a test in which it fires and one in which it does not."""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


def anchors(page):
    """The anchors of a Markdown page, from its headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main():
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text())
    stories = yaml.safe_load((ROOT / "tests/deploy/alerts.yaml").read_text())["tests"]
    tested = {(test["alertname"], bool(test["exp_alerts"])) for story in stories for test in story["alert_rule_test"]}
    wrong = []
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    for alert in alerts:
        name = alert["alert"]
        for fires, what in ((True, "fires"), (False, "does not fire")):
            if (name, fires) not in tested:
                wrong.append(f"{name}: no test in which it {what}")
        if alert["labels"].get("severity") not in ("critical", "warning"):
            wrong.append(f"{name}: its severity is neither critical nor warning")
        if "for" not in alert:
            wrong.append(f"{name}: fires at once: `for` must say how long the condition holds")
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        if anchor != name.lower() or anchor not in anchors(ROOT / page):
            wrong.append(f"{name}: {page} has no heading {name}")
    print(*wrong, f"{len(alerts)} alerts", sep="\n")
    sys.exit(bool(wrong or not alerts))


if __name__ == "__main__":
    main()
