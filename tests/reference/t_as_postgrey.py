#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Plays greylistd's scenarios with greylistd called by the name of postgrey
and given postgrey's options; prints TAP. Takes the words of tests/run."""
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run")
os.execv(sys.executable, [sys.executable, RUN, "--postgrey", *sys.argv[1:]])
