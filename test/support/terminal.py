"""Runs a command on a pseudo-terminal, waits until it says something, then does one thing and tells how the command ended.

    terminal.py TEXT ACTION COMMAND...

ACTION is `type:TEXT` (with the escapes of JSON), `signal:NAME` or `close`, which closes the terminal. Prints JSON: what was on
the terminal, the exit code, the signal that ended it, and whether the terminal echoes then (null where it is gone).
"""
import json
import os
import pty
import signal
import sys
import termios

LIMIT_SECONDS = 120

wanted, action, command = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, master = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
# Whatever happens, it ends.
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(LIMIT_SECONDS)

output = b""
acted = False
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:  # EIO: nobody has the other side open any more.
        break
    if not chunk:
        break
    output += chunk
    if acted or wanted.encode() not in output:
        continue
    acted = True
    kind, _, value = action.partition(":")
    if kind == "type":
        os.write(master, json.loads(f'"{value}"').encode())
    elif kind == "signal":
        os.kill(pid, getattr(signal, value))
    else:
        os.close(master)
        break
_, status = os.waitpid(pid, 0)
try:
    echoes = bool(termios.tcgetattr(master)[3] & termios.ECHO)
except (termios.error, OSError):
    echoes = None
print(json.dumps({
    "output": output.decode(errors="replace"),
    "acted": acted,
    "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    "echoes": echoes,
    "signal": signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None,
}))
