#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The protocol of the tests' uplinks: the test itself says what they get, as a
# DHCPv6 client would.
[ "$2" = dump ] && echo '{"name":"line","no-device":false,"no-proto-task":true,"available":false}'
exit 0
