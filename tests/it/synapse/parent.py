"""Starts one Synapse for the tests and ends it when standard input closes.

The test process holds the other end of standard input and never writes to
it. The kernel closes that end however the test process goes, so neither a
failing test nor `kill -9` leaves a server, a port or a directory behind.

One line of JSON goes to standard output: `base_url`, `pids` and `directory`
once the server answers, or `error` if it never does.

With the argument `limiting`, signing in is limited as in a Synapse that
nobody set up otherwise, and tokens that can be refreshed live for 2 seconds.
"""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading

START_SECONDS = 180
FREELY = {"per_second": 1000000, "burst_count": 1000000}


def configuration(directory, port, limiting):
    """A server for loopback only: it asks nobody, and slows nobody down unless it is to limit."""
    settings = {
        "server_name": "harness.test",
        "public_baseurl": f"http://127.0.0.1:{port}/",
        "listeners": [
            {
                "port": port,
                "type": "http",
                "bind_addresses": ["127.0.0.1"],
                "resources": [{"names": ["client"], "compress": True}],
            }
        ],
        "database": {
            "name": "sqlite3",
            "args": {"database": os.path.join(directory, "homeserver.db")},
        },
        "log_config": os.path.join(directory, "log.json"),
        "signing_key_path": os.path.join(directory, "signing.key"),
        "macaroon_secret_key": "for tests only",
        "form_secret": "for tests only",
        "enable_registration": True,
        "enable_registration_without_verification": True,
        # The least that bcrypt allows: the passwords of tests guard nothing.
        "bcrypt_rounds": 4,
        "enable_media_repo": False,
        "presence": {"enabled": False},
        "push": {"enabled": False},
        "report_stats": False,
        "federation_domain_whitelist": [],
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "rc_message": FREELY,
        "rc_registration": FREELY,
        "rc_login": {"address": FREELY, "account": FREELY, "failed_attempts": FREELY},
        "rc_joins": {"local": FREELY, "remote": FREELY},
        "rc_joins_per_room": FREELY,
        "rc_room_creation": FREELY,
        "rc_invites": {"per_room": FREELY, "per_user": FREELY, "per_issuer": FREELY},
    }
    if limiting:
        del settings["rc_login"]
        settings["refreshable_access_token_lifetime"] = "2s"
        # Tests tell addresses of their own, as logins are limited by address.
        settings["listeners"][0]["x_forwarded"] = True
    return settings


def logging_to(path):
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": path, "formatter": "line"}
        },
        "root": {"level": "INFO", "handlers": ["file"]},
    }


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


def serve(directory, listener, alive, ready):
    """Is Synapse: runs in the child, and returns only if the server stops."""

    # Should the parent itself be killed, its end of `alive` closes.
    def follow_parent():
        os.read(alive, 1)
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()

    from signedjson.key import generate_signing_key, write_signing_keys
    from synapse.app import homeserver
    from synapse.app._base import register_start
    from synapse.logging.context import LoggingContext
    from twisted.internet import reactor

    # Synapse opens its listeners by number. Taking the open socket instead
    # leaves no moment in which another process can take the port.
    def listen(_port, factory, _backlog, _interface):
        return reactor.adoptStreamPort(listener.fileno(), socket.AF_INET, factory)

    reactor.listenTCP = listen

    path = os.path.join(directory, "homeserver.json")
    settings = configuration(directory, listener.getsockname()[1], "limiting" in sys.argv[1:])
    write_json(path, settings)
    write_json(settings["log_config"], logging_to(os.path.join(directory, "synapse.log")))
    with open(settings["signing_key_path"], "w", encoding="utf-8") as file:
        write_signing_keys(file, [generate_signing_key("test")])

    async def start(server):
        await homeserver.start(server)
        os.write(ready, b"!")

    config = homeserver.load_or_generate_config(["--config-path", path])
    with LoggingContext(name="main", server_name=config.server.server_name):
        server = homeserver.create_homeserver(config)
        homeserver.setup(server)
        register_start(server, start, server)
        homeserver.start_reactor(config)


def fork_server(directory, listener):
    """Returns the child's id and the end that says when it is ready (a byte)
    or has ended (closed)."""
    ready, say_ready = os.pipe()
    alive, held_open = os.pipe()
    child = os.fork()
    if child:
        # Now only Synapse holds the port: once it ends, the port refuses.
        listener.close()
        os.close(say_ready)
        os.close(alive)
        return child, ready
    try:
        os.close(ready)
        os.close(held_open)
        nothing = os.open(os.devnull, os.O_RDONLY)
        output = os.open(
            os.path.join(directory, "output.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
        )
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        serve(directory, listener, alive, say_ready)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def last_words(directory):
    said = []
    for name in ("output.txt", "synapse.log"):
        try:
            with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
                said.append(f"{name}:\n{file.read()[-3000:]}")
        except FileNotFoundError:
            pass
    return "\n".join(said)


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/_matrix/client/versions")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def watch(directory, port, child, ready):
    """Speaks once, then stays until standard input closes or Synapse ends."""
    opened, _, _ = select.select([0, ready], [], [], START_SECONDS)
    if 0 in opened:
        return
    if ready in opened and os.read(ready, 1) and answers(port):
        pids = [os.getpid(), child]
        said = {"base_url": f"http://127.0.0.1:{port}", "pids": pids, "directory": directory}
    else:
        said = {"error": f"Synapse did not start:\n{last_words(directory)}"}
    print(json.dumps(said), flush=True)
    if "error" not in said:
        select.select([0, ready], [], [])


def main():
    # Its own session: a Ctrl-C meant for the tests must not cut the clean-up short.
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = tempfile.mkdtemp(prefix="keyhaul-synapse-")
    child = None
    try:
        listener = socket.create_server(("127.0.0.1", 0))
        # Twisted accepts until nothing is waiting; a blocking socket would stop it there.
        listener.setblocking(False)
        port = listener.getsockname()[1]
        child, ready = fork_server(directory, listener)
        watch(directory, port, child, ready)
    finally:
        if child is not None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
