#!/bin/sh
# Starts workerd. A Ctrl-C reaches every process of the terminal, and workerd must outlast it: who started it readies it for
# its end first, and then ends it.
trap '' INT TERM HUP
exec "$WAYPOST_WORKERD" "$@"
