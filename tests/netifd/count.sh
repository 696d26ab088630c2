#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stands where netifd looks for a handler, and notes each call.
[ "$2" = dump ] || echo "$3 $2" >>/tmp/calls
exec "/usr/lib/mape/${0##*/}" "$@"
