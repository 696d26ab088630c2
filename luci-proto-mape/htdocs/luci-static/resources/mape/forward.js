// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require form';
'require mape.bus as bus';
'require mape.firewall as firewall';
'require mape.math as math';
'require ui';

/* Whether VALUE, a port or a range, can be forwarded for the protocols PROTO; TAKEN are the entries that are in the way. */
function checkPort(ports, taken, value, proto) {
	const set = ports.ranges.map(range => [ range.first, range.last ]);
	const range = math.parseRange(value);

	if (!range)
		return _('A port or a range of ports, such as 4128 or 4128-4130');

	if (!math.inSet(set, ...range))
		return _('Port %s is not in the port set; the nearest one is %d').format(value, math.nearest(set, range[0]));

	const other = taken.find(entry => entry.state != 'removed' && range[1] >= entry.range[0] && range[0] <= entry.range[1]
		&& entry.proto.some(name => proto.includes(name)));

	if (!other)
		return true;

	return (other.kind == 'reserved') ? _('Port %s is reserved').format(other.port)
		: (other.state == 'staged') ? _('Port %s is forwarded already by a change that is not applied yet').format(other.port)
		: _('Port %s is forwarded already').format(other.port);
}

function addOptions(s, ports, hosts, taken) {
	const proto = () => String(fields.proto.formvalue('forward') ?? 'tcp udp').split(' ');
	const fields = {};
	let o;

	o = s.option(form.Value, 'name', _('Name'));
	o.rmempty = false;
	o.validate = (section_id, value) => taken.some(entry => entry.name === value && value !== '') ? _('This name is in use already') : true;

	o = fields.port = s.option(form.Value, 'port', _('External port'), _('Only ports of the set reach this router.'));
	o.datatype = 'portrange';
	o.rmempty = false;
	o.validate = (section_id, value) => checkPort(ports, taken, value, proto());

	o = fields.proto = s.option(form.ListValue, 'proto', _('Protocol'));
	o.value('tcp udp', 'TCP + UDP');
	o.value('tcp', 'TCP');
	o.value('udp', 'UDP');
	o.onchange = (ev, section_id) => fields.port.triggerValidation(section_id);

	o = s.option(form.ListValue, 'to', _('To', 'where a port is forwarded'));
	o.value('device', _('a device in the LAN'));
	o.value('router', _('this router'));

	o = s.option(form.Value, 'device', _('Device'));
	o.datatype = 'ip4addr("nomask")';
	o.rmempty = false;
	o.depends('to', 'device');

	for (const [ address, name ] of hosts)
		o.value(address, name ? '%s (%s)'.format(address, name) : address);

	o = s.option(form.Value, 'dest_port', _('Internal port'), _('Leave empty if it is the same.'));
	o.datatype = 'portrange';
	o.depends('to', 'device');
}

/* A name that no entry of TAKEN has: NAME, NAME-2, … */
function freeName(name, taken) {
	let free = name;

	for (let i = 2; taken.some(entry => entry.name === free); i++)
		free = '%s-%d'.format(name, i);

	return free;
}

return baseclass.extend({
	checkPort,

	/*
	 * The dialog for a forward. IFC and PORTS are answers of the bus, ENTRIES
	 * those of firewall.entries(), HOSTS the devices as [address, name], the
	 * likeliest first. PRESET has name, port, proto and to; with ENTRY, one of
	 * the entries, that is edited. DONE is called after something was staged.
	 */
	open({ ifc, ports, entries, hosts, preset, entry, done }) {
		const taken = entries.filter(other => !entry || other.sid != entry.sid);
		const [ device, inside ] = entry?.kind == 'forward' ? entry.to.split(':') : [ hosts[0]?.[0] ?? '', '' ];
		const data = { forward: entry
			? { name: entry.name, port: entry.port, proto: entry.proto.join(' '), to: (entry.kind == 'forward') ? 'device' : 'router', device, dest_port: (inside == entry.port) ? '' : inside }
			: { ...preset, name: freeName(preset.name, taken), device, dest_port: '' } };
		const map = new form.JSONMap(data);
		const refusal = E('div', { 'role': 'alert' });

		addOptions(map.section(form.NamedSection, 'forward'), ports, hosts, taken);

		const refuse = text => dom.content(refusal, [ E('p', { 'class': 'alert-message warning' }, [ text ]) ]);

		/* Each step says by itself what is wrong with it: the fields, then the router. */
		const save = apply => map.save(null, true).then(
			() => firewall.stage(ifc, data.forward, entry?.sid).then(() => {
				ui.hideModal();
				done?.();

				if (apply)
					ui.changes.apply(true);
			}, error => refuse(_('The router has refused the change: %s').format(bus.reasonOf(error)))),
			() => refuse(_('Not saved: some fields are empty or wrong. They are marked.')));

		return map.render().then(node => {
			ui.showModal(entry ? _('Edit a port forward') : _('Forward a port'), [
				node,
				refusal,
				E('div', { 'class': 'button-row right' }, [
					E('button', { 'class': 'btn cbi-button', 'click': ui.hideModal }, [ _('Cancel') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-save', 'click': ui.createHandlerFn(this, save, false) }, [ _('Save') ]), ' ',
					E('button', { 'class': 'btn cbi-button cbi-button-apply important', 'click': ui.createHandlerFn(this, save, true) }, [ _('Save & Apply') ])
				])
			], 'cbi-modal');
			node.querySelector('input')?.focus();
		});
	}
});
