"""The example app: as much of the course's backend as a deployment needs."""

import signal
import threading

from flask import Flask

# As process 1 of a container Python has no default action for SIGTERM: the engine would wait, and then kill it.
# This makes it end as Ctrl-C does. A handler can only be set in the main thread, where `flask run` imports this file.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.default_int_handler)

app = Flask(__name__)


@app.get("/")
def index():
    return {"app": "backend-flask", "health": "/api/health-check"}


# It asks nobody else: an app that is restarted whenever its database is away does not come back sooner.
@app.get("/api/health-check")
def health_check():
    return {"success": True}
