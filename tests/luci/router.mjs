// SPDX-License-Identifier: Apache-2.0
// The configuration of a router with a line.

export const section = (type, name, values) => ({ [name]: { '.type': type, '.name': name, '.anonymous': false, ...values } });

/* WANMAP are the options of the interface, null if there is none; FIREWALL more sections. */
export const router = (wanmap, firewall) => ({
	uci: {
		network: {
			...section('interface', 'lan', { proto: 'static', device: 'br-lan', ipaddr: '192.168.1.1', netmask: '255.255.255.0' }),
			...section('interface', 'wan6', { proto: 'dhcpv6', device: 'eth1' }),
			...(wanmap ? section('interface', 'wanmap', { proto: 'mape', ...wanmap }) : {})
		},
		firewall: {
			...section('zone', 'lan_zone', { name: 'lan', network: [ 'lan' ] }),
			...section('zone', 'wan_zone', { name: 'wan', network: [ 'wan6', 'wanmap' ] }),
			...firewall
		},
		dhcp: {}, system: {}, wireless: {}
	}
});
