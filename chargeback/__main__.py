"""Runs the command line."""

import sys

from chargeback.cli.main import main

sys.exit(main())
