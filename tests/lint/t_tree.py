#!/usr/bin/env python3
"""The tree keeps the rules of the house (rules.py)."""
import os
import sys

import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

failed = 0
print(f"1..{len(rules.ALL)}")
for number, rule in enumerate(rules.ALL, 1):
    complaints = rule(ROOT)
    failed += bool(complaints)
    print("not ok" if complaints else "ok", number, "-", rule.__name__)
    for complaint in complaints:
        print("#", complaint)
sys.exit(failed != 0)
