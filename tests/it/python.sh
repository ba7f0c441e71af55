#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a test that is written in Python; without Python it is skipped.
if ! python=$(command -v /usr/bin/python3 || command -v python3); then
	echo 'no python3 here'
	exit 77
fi
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec "$python" "$@"
