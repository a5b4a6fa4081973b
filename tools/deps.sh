#!/bin/sh
# Installs the Debian packages that the tests of today use, and only those
# that are missing. Running Aldaba needs none of them.
set -eu

# gcc and libc6-dev: the race detector is C; chromium: browser tests.
wanted="gcc libc6-dev chromium"

if ! command -v dpkg-query >/dev/null; then
	echo "this is not a Debian machine: install the equivalents of these yourself: $wanted"
	for program in gcc chromium; do
		command -v "$program" >/dev/null || { echo "error: $program is missing"; exit 1; }
	done
	exit 0
fi

missing=""
for package in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ]; then
	echo "test packages are installed: $wanted"
	exit 0
fi

echo "installing test packages:$missing"
root=""
if [ "$(id -u)" -ne 0 ]; then
	root="sudo"
	# Nobody is there to type a password: say what to do instead of waiting.
	[ -t 0 ] || sudo -n true || { echo "error: run \`make deps\` in a terminal once"; exit 1; }
fi
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# shellcheck disable=SC2086 # a list of names, split on purpose
$root apt-get install -y -qq --no-install-recommends $missing
