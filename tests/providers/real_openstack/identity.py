"""Serves Keystone's application on loopback; run by the Python that has it. PORT comes with the environment."""

import os
import sys

from cheroot.wsgi import Server
from keystone.server.wsgi import initialize_public_application

sys.argv = sys.argv[:1]  # Keystone reads them
Server(("127.0.0.1", int(os.environ["PORT"])), initialize_public_application()).safe_start()
