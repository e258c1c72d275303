"""The example app: the part of the course's backend that a deployment needs."""

import signal
import threading

from flask import Flask

# Python as process 1 of a container ignores SIGTERM, so the engine would kill it after a timeout. This makes SIGTERM end the
# process as Ctrl-C does. A handler can only be set in the main thread, where `flask run` imports this file.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.default_int_handler)

app = Flask(__name__)


@app.get("/")
def index():
    return {"app": "backend-flask", "health": "/api/health-check"}


# It does not check the database: restarting the app does not repair a database that is unreachable.
@app.get("/api/health-check")
def health_check():
    return {"success": True}
