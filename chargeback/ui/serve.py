"""python -m chargeback.ui.serve: serves the dashboard, or says why nobody could look at it.

For servers that others are to reach, such as the image: a server that lets nobody in should not
look as if it were up. Options are Streamlit's own, as environment variables.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from streamlit import config

from chargeback.access.look import how_to_open
from chargeback.ui import server

COMMAND = (sys.executable, "-m", "streamlit", "run", "app.py")
ADDRESS = "STREAMLIT_SERVER_ADDRESS"
REFUSED = 2


def main() -> NoReturn:
    """Becomes the server; ends with status 2 where nobody may look."""
    if address := os.environ.get(ADDRESS):  # which Streamlit reads only when it runs
        config.set_option("server.address", address)
    now = server.policy_to_serve()
    if now.look == "nobody":
        print(f"chargeback: not started: {how_to_open(now.sign_in)}.", file=sys.stderr)
        sys.exit(REFUSED)
    os.execv(sys.executable, COMMAND)  # noqa: S606  (a program and options of our own)


if __name__ == "__main__":
    main()
