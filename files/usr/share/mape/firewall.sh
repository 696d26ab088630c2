# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# firewall4 runs this after each load: brings our rules back where they were
# flushed, and follows the ports that its configuration forwards and opens.
/usr/sbin/mape firewall
