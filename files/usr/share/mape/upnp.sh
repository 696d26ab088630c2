# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# `mape firewall` runs this if UPnP has a share of the ports. Standard input says
# what is to change in miniupnpd's permissions. Changes that somebody else has
# prepared are not committed with it.
mkdir -p /var/run/mape/uci
uci -q -t /var/run/mape/uci batch || exit

# firewall4 has just emptied miniupnpd's chains: it opens its ports again when
# it starts. Without those chains it would load the firewall, which waits for us.
nft -t list chain inet fw4 upnp_forward >/dev/null 2>&1 || exit 0
! /etc/init.d/miniupnpd running || /etc/init.d/miniupnpd restart
