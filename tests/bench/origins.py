"""Lists of exact origins, of which the last is the benchmark's own: for s3cors as rules, for the others as they look up such a list."""

import os

import load

# S3's limit for one document.
RULES_OF_A_DOCUMENT = 100
LONG_AGO = 1_000_000_000
PATTERN = "https://*.example.com"


def exact(count):
    return [*(f"https://app{number}.example.org" for number in range(1, count)), load.ORIGIN]


def write_documents(document, count):
    """Replaces a document with one rule by so many rules, one for each origin. The bucket's own document has the last ones."""
    head, begin, rest = document.read_text().partition("  <CORSRule>")
    rule, end, tail = rest.partition("</CORSRule>\n")
    rules = [begin + rule.replace(PATTERN, each) + end for each in exact(count)]
    for number in range(0, count, RULES_OF_A_DOCUMENT):
        last = number + RULES_OF_A_DOCUMENT >= count
        file = document if last else document.with_name(f"tenant{number // RULES_OF_A_DOCUMENT}.xml")
        file.write_text(head + "".join(rules[number : number + RULES_OF_A_DOCUMENT]) + tail)
        # A file that was just written is read again, while requests are measured.
        os.utime(file, (LONG_AGO, LONG_AGO))
