#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs on OpenWrt after its boot, in a machine whose clock counts instructions:
# measures setups and teardowns to their end, tells them on the second serial
# line, and switches the machine off (docs/performance.md, "The whole router").
# $1: what the figures of the installed packages are called.
here=/figures
runs=3

say() { printf '\001%s\n' "$*" >/dev/console; }
tell() { printf '{ %s }\n' "$1" >/dev/ttyS1; }

failed() {
	say "$column, $line: $1"
	tell "\"scenario\": \"$column, $line\", \"failed\": \"$1\""
}

# How long tasks have run, in nanoseconds, and how many processes were made.
count() {
	while read -r word _ _ _ _ _ _ number _; do
		[ "$word" = cpu0 ] && ran=$number
	done </proc/schedstat
	while read -r word number _; do
		[ "$word" = processes ] && made=$number
	done </proc/stat
}

# A pause by the shell itself, which is no process and runs for next to nothing.
mkfifo /tmp/never
exec 9<>/tmp/never
# shellcheck disable=SC3045 # BusyBox has it.
pause() { read -r -t 5 _ <&9; }

# The router rests if no process is made during a pause.
rest() {
	latest=
	polls=0
	while [ $((polls += 1)) -lt 60 ]; do
		read -r _ _ _ _ newest </proc/loadavg
		[ "$newest" = "$latest" ] && return
		latest=$newest
		pause
	done
	failed 'the router does not come to rest'
}

# $1: the figure's name; then a command, of which all counts until the router rests.
measure() {
	figure=$1
	shift
	rest
	count
	before=$ran,$made
	"$@" </dev/null >/dev/null 2>&1 9>&-
	rest
	count
	ran=$((ran - ${before%,*}))
	made=$((made - ${before#*,}))
	tell "\"nat\": \"$column\", \"figure\": \"$figure\", \"value\": $ran"
	tell "\"nat\": \"$column\", \"figure\": \"${figure}_processes\", \"value\": $made"
	say "    $column $figure = $ran, $made processes"
}

interface_is() {
	ubus call network.interface.wanmap status | grep -q "\"up\": $1" ||
		failed "wanmap is not up: $1, $(logread | tail -n 1 | tr -cd 'A-Za-z0-9 :._-')"
	[ "$(pidof netifd)" = "$netifd" ] || failed 'netifd died'
	netifd=$(pidof netifd)
}

# $1: the end-user prefix of the line. No client asks for it, nor for IPv4: none
# would ever have an answer.
uplink() {
	uci batch <<-EOF
		set network.wan.auto=0
		set network.wan6.proto=static
		set network.wan6.ip6addr=2001:db8::2/64
		set network.wan6.ip6gw=2001:db8::1
		set network.wan6.ip6prefix=$1
		commit network
	EOF
	/etc/init.d/network reload
	rest
}

# $1: the end-user prefix; then the options of the interface.
configure() {
	network=$1
	shift
	uci -q delete network.wanmap
	for option in =interface .auto=0 .tunlink=wan6 "$@"; do
		uci set "network.wanmap$option"
	done
	uplink "$network"
}

# $1: what the figures are called. $2: the protocol; the stock one has to be told the rule.
lines() {
	column=$1
	netifd=$(pidof netifd)
	while read -r line prefix rule <&8; do
		say "$column, $line"
		if [ "$2" = map ]; then
			configure "$prefix" .proto=map .zone=wan .legacymap=1 ".rule=$rule"
		else
			configure "$prefix" ".proto=$2"
		fi
		for _ in $(seq $runs); do
			measure "setup_$line" ifup wanmap
			interface_is true
			if [ "$line" = v6plus ]; then
				measure nothing true
				measure reload fw4 -q reload
				[ "$2" = map ] || measure include mape firewall
			fi
			measure "teardown_$line" ifdown wanmap
			interface_is false
		done
	done 8<$here/lines
	uci -q delete network.wanmap
	uci commit network
	/etc/init.d/network reload
	rest
}

# netifd looks for handlers when it starts.
need_handler() {
	ubus call network get_proto_handlers | grep -q "\"$1\"" && return
	/etc/init.d/network restart
	rest
}

say "$1: waiting until the router rests"
tell "\"kernel\": \"$(uname -r)\""
column=$1
line=installation
[ -e /proc/schedstat ] || failed 'the kernel does not count the time of tasks: no /proc/schedstat'
rest
uplink 2001:db8:1::/48
if command -v apk; then
	apk add --allow-untrusted --no-network $here/packages/*.apk || failed 'apk add'
else
	opkg install $here/packages/*.ipk || failed 'opkg install'
fi
rest
need_handler mape
lines "$1" mape

if [ -e $here/map.sh ]; then
	[ -e $here/mapcalc ] || cp /usr/sbin/mape $here/mapcalc
	if command -v apk; then apk del mape; else opkg remove mape; fi
	cp $here/map.sh /lib/netifd/proto/map.sh
	cp $here/mapcalc /usr/sbin/mapcalc
	/etc/init.d/network restart
	rest
	lines stock map
fi
tell '"end": true'
poweroff
