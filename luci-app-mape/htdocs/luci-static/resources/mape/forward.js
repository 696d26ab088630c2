// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require form';
'require mape.math as math';
'require uci';
'require ui';

/* The firewall zone of the first of NETWORKS that is in one. */
function zoneOf(networks) {
	const zones = uci.sections('firewall', 'zone');

	for (const name of networks)
		for (const zone of zones)
			if (L.toArray(zone.network).includes(name))
				return zone.name;

	return null;
}

function stage(ifc, values) {
	const src = zoneOf([ ifc.interface, ifc.uplink, 'wan' ]) ?? 'wan';
	const onRouter = (values.to == 'router');
	const options = {
		name: values.name,
		src,
		proto: values.proto.split(' '),
		...(onRouter
			? { family: 'ipv4', dest_port: values.port, target: 'ACCEPT' }
			: {
				src_dport: values.port,
				dest: zoneOf([ 'lan' ]) ?? 'lan',
				dest_ip: values.device,
				dest_port: values.dest_port || values.port,
				target: 'DNAT'
			})
	};
	const sid = uci.add('firewall', onRouter ? 'rule' : 'redirect');

	for (const name in options)
		uci.set('firewall', sid, name, options[name]);

	return uci.save();
}

function checkPort(ports, value) {
	const set = ports.ranges.map(range => [ range.first, range.last ]);

	if (!math.inSet(set, +value, +value))
		return _('Port %d is not in the port set; the nearest one is %d').format(value, math.nearest(set, +value));

	for (const range of ports.ranges)
		for (const forward of range.forwarded)
			if (forward.port == +value)
				return _('Port %d is forwarded already').format(value);

	return true;
}

function addOptions(s, ports, hosts) {
	let o;

	o = s.option(form.Value, 'name', _('Name'));
	o.rmempty = false;

	o = s.option(form.Value, 'port', _('External port'), _('Only ports of the set reach this router.'));
	o.datatype = 'port';
	o.rmempty = false;
	o.validate = (section_id, value) => checkPort(ports, value);

	o = s.option(form.ListValue, 'proto', _('Protocol'));
	o.value('tcp udp', 'TCP + UDP');
	o.value('tcp', 'TCP');
	o.value('udp', 'UDP');

	o = s.option(form.ListValue, 'to', _('Leads to'));
	o.value('device', _('a device in the LAN'));
	o.value('router', _('this router'));

	o = s.option(form.Value, 'device', _('Device'));
	o.datatype = 'ip4addr("nomask")';
	o.rmempty = false;
	o.depends('to', 'device');

	for (const [ address, name ] of hosts)
		o.value(address, name ? '%s (%s)'.format(address, name) : address);

	o = s.option(form.Value, 'dest_port', _('Internal port'), _('Leave empty if it is the same.'));
	o.datatype = 'port';
	o.depends('to', 'device');
}

return baseclass.extend({
	/*
	 * The dialog for a new forward. PRESET has name, port, proto and to;
	 * HOSTS are the devices of the LAN as [address, name].
	 */
	open(ifc, ports, hosts, preset) {
		const data = { forward: { ...preset, device: '', dest_port: '' } };
		const map = new form.JSONMap(data);
		const section = map.section(form.NamedSection, 'forward');

		addOptions(section, ports, hosts);

		const save = apply => map.save(null, true)
			.then(() => stage(ifc, data.forward))
			.then(() => {
				ui.hideModal();

				if (apply)
					ui.changes.apply(true);
			}, () => null);

		return uci.load('firewall').then(() => map.render()).then(node => {
			ui.showModal(_('Forward a port'), [
				node,
				E('div', { 'class': 'button-row right' }, [
					E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-save', 'click': ui.createHandlerFn(this, save, false) }, [ _('Save') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-apply important', 'click': ui.createHandlerFn(this, save, true) }, [ _('Save & Apply') ])
				])
			], 'cbi-modal');
		});
	},

	/* The devices of the LAN as [address, name], from LuCI's host hints. */
	hosts(hints) {
		return L.toArray(hints?.getMACHints?.(false))
			.map(([ mac ]) => [ hints.getIPAddrByMACAddr(mac), hints.getHostnameByMACAddr(mac) ])
			.filter(([ address ]) => address);
	}
});
