#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Plays greylistd's scenarios, and those of reference/postgrey, with greylistd
called by the name of postgrey and given postgrey's options; prints TAP. Takes
the words of tests/run."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
words = sys.argv[1:] or [os.path.join(TESTS, "scenarios", "greylistd"),
                         os.path.join(HERE, "postgrey")]
os.execv(sys.executable, [sys.executable, os.path.join(TESTS, "run"),
                          "--postgrey", *words])
