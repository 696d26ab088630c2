// SPDX-License-Identifier: Apache-2.0
'use strict';
'require form';
'require mape.manual as manual';
'require mape.math as math';
'require mape.preview as preview';
'require mape.words as words';
'require network';
'require tools.widgets as widgets';
'require uci';

network.registerPatternVirtual(/^map-.+$/);

for (const code in words.errors)
	network.registerErrorCode(code, words.errors[code]);

/* LuCI's own protocol “map” is part of this one: it is offered only if an interface has it already. */
const everyProtocol = network.getProtocols;

network.getProtocols = function() {
	const isUsed = uci.sections('network', 'interface').some(section => section.proto == 'map');

	return everyProtocol.call(this).filter(protocol => isUsed || protocol.getProtocol() != 'map');
};

/* The provider if the option is not set: by hand if there is a rule, as the handler takes it. */
function impliedProvider(section_id) {
	const isRule = manual.ruleOptions.some(name => uci.get('network', section_id, name) != null);

	return (isRule && uci.get('network', section_id, 'maptype') != 'ipip') ? 'none' : 'auto';
}

/* The providers to choose from, as [id, name]; one of the user's own, from providers.d, if it is in use. */
function knownProviders(section_id) {
	const stored = uci.get('network', section_id, 'provider');
	const isKnown = [ null, undefined, 'auto', 'none', ...words.providers.map(([ id ]) => id) ].includes(stored);

	return isKnown ? words.providers : [ ...words.providers, [ stored, stored ] ];
}

/* The far end that is shown for this choice; all of them are one option. */
function peerOf(values) {
	const own = { 'map-t': '_dmr', lw4o6: '_lwaftr', 'ds-lite': '_aftr', ipip: '_remote' };

	return values[own[values.maptype] ?? '_br'];
}

function addAdvanced(s, line) {
	let o;

	o = s.taboption('advanced', form.ListValue, 'provision', _('Ask the line'), _('Whether the router asks the line what it is: by HB46PP, as lines in Japan answer.'));
	o.value('', _('automatic'));
	o.value('hb46pp', 'HB46PP');
	o.value('off', _('never', 'ask the line'));

	o = s.taboption('advanced', form.Value, 'mtu', 'MTU', _('Empty: that of the uplink less what the tunnel adds.'));
	o.placeholder = '1460';
	o.datatype = 'range(576,9200)';

	o = s.taboption('advanced', form.Value, 'ttl', _('TTL of the tunnel packets'));
	o.placeholder = '64';
	o.datatype = 'range(1,255)';

	o = s.taboption('advanced', form.Value, 'encaplimit', _('Encapsulation limit'), _('Most border relays drop packets that carry one.'));
	o.placeholder = _('ignore');
	o.datatype = 'or("ignore",range(0,255))';
	o.value('ignore', _('ignore'));
	o.value('4');

	o = s.taboption('advanced', form.ListValue, 'nat', _('NAT mode'), _('“Pool” uses every port of the set and keeps the outer port of a connection (good for games). “Hash” works on kernels without netdev egress hooks.'));
	o.value('', _('automatic'));
	o.value('pool', _('Pool', 'NAT mode'));
	o.value('hash', _('Hash', 'NAT mode'));

	o = s.taboption('advanced', form.ListValue, 'conntrack', _('Connection timeouts'), _('“Short” frees ports of idle connections sooner.'));
	o.value('', _('Normal', 'timeouts'));
	o.value('tight', _('Short', 'timeouts'));

	o = s.taboption('advanced', form.DynamicList, 'reserve', _('Reserved ports'), _('Ports or ranges of the set that address translation never uses. Forwarded ports are kept out by themselves.'));
	o.datatype = 'portrange';
	o.validate = (section_id, value) => line.checkReserve(value);

	o = s.taboption('advanced', form.Value, 'upnp', _('Ports for UPnP'), _('How many ports consoles and programs may open by UPnP, NAT-PMP or PCP (package miniupnpd). Automatic: those that the permissions of UPnP name.'));
	o.placeholder = _('automatic');
	o.datatype = 'or("auto","off",range(1,4096))';
	o.value('16');
	o.value('32');
	o.value('off', _('none', 'ports for UPnP'));

	o = s.taboption('advanced', form.ListValue, 'mesh', _('Direct to other customers'), _('Send packets for other customers of the provider directly to them, not over the border relay.'));
	o.value('', _('automatic'));
	o.value('0', _('off', 'switch'));
	o.value('1', _('on', 'switch'));

	o = s.taboption('advanced', widgets.ZoneSelect, 'zone', _('Zone for an interface without one'), _('Only if the interface is in no zone under Firewall Settings. Empty: the zone of the uplink.'));
	o.nocreate = true;
	o.optional = true;
	o.rmempty = true;
}

return network.registerProtocol('mape', {
	getI18n() {
		return _('IPv4 over IPv6 (MAP-E, DS-Lite, …)');
	},

	getIfname() {
		return this._ubus('l3_device') || 'map-%s'.format(this.sid);
	},

	getDevice() {
		return network.instantiateDevice(this.getIfname(), this);
	},

	getPackageName() {
		return 'mape';
	},

	/* LuCI 24.10 and before. */
	getOpkgPackage() {
		return 'mape';
	},

	isFloating() {
		return true;
	},

	isVirtual() {
		return true;
	},

	getDevices() {
		return null;
	},

	containsDevice(ifname) {
		return (network.getIfnameOf(ifname) == this.getIfname());
	},

	renderFormOptions(s) {
		const line = new preview.Preview();
		const stored = uci.get('network', s.section, 'provider') ?? impliedProvider(s.section);
		const shown = {};
		let o;

		/* Shows what the line gets by the form; before that is drawn, by what is stored. */
		const refresh = (section_id, isDrawn) => {
			const read = ({ option, ucioption }) => isDrawn ? shown[option].formvalue(section_id) : uci.get('network', section_id, ucioption ?? option);
			const values = Object.fromEntries(Object.values(shown).map(field => [ field.option, read(field) ]));

			values.provider ||= stored;
			values.maptype ||= 'auto';

			return line.update({
				...values,
				peeraddr: peerOf(values),
				ipaddr: (values.maptype == 'ipip') ? values._fixed : values.ipaddr,
				enduserprefix: (isDrawn && !shown.enduserprefix.isValid(section_id)) ? null : values.enduserprefix
			});
		};
		const changed = (ev, section_id) => refresh(section_id, true);

		line.checkReserve = value => {
			const range = value ? math.parseRange(value) : null;
			const set = L.toArray(line.mapping?.port_ranges);

			return (!range || !set.length || math.inSet(set, ...range)) ? true
				: _('%s is not in the port set of this line; the nearest port is %d').format(value, math.nearest(set, range[0]));
		};

		o = shown.provider = s.taboption('general', form.ListValue, 'provider', _('Provider'), _('With “Detect automatically” the line itself tells. Choose “Manual” if your provider gave you a rule.'));
		o.value('auto', _('Detect automatically'));
		for (const [ id, name ] of knownProviders(s.section))
			o.value(id, name);
		o.value('none', _('Manual'));
		o.rmempty = false;
		o.default = 'auto';
		o.onchange = (ev, section_id, value) => {
			fields.followProvider(section_id, value);
			changed(ev, section_id);
		};
		o.cfgvalue = function(section_id) {
			return form.ListValue.prototype.cfgvalue.apply(this, arguments) ?? impliedProvider(section_id);
		};
		o.write = function(section_id, value) {
			const isOfRule = ![ 'ds-lite', 'ipip' ].includes(shown.maptype.formvalue(section_id));

			/* With a provider the option overrides the provider's relay: it must not stay behind unseen. */
			if (stored == 'none' && value != 'none' && isOfRule)
				uci.unset('network', section_id, 'peeraddr');

			return form.ListValue.prototype.write.apply(this, arguments);
		};

		o = s.taboption('general', form.DummyValue, '_line', _('This line gets'));
		o.load = section_id => {
			refresh(section_id, false);
			return null;
		};
		o.renderWidget = () => line.node;
		o.write = o.remove = () => null;

		const fields = new manual.Fields(s, shown.provider, section_id => refresh(section_id, true));
		Object.assign(shown, fields.fields);

		o = shown.tunlink = s.taboption('advanced', widgets.NetworkSelect, 'tunlink', _('Uplink', 'IPv6 connection below'), _('The interface that brings IPv6. Empty: the one with the IPv6 default route.'));
		o.nocreate = true;
		o.exclude = s.section;
		o.onchange = changed;

		o = shown.enduserprefix = s.taboption('advanced', form.Value, 'enduserprefix', _('End-user IPv6 prefix'), _('Only if the uplink does not tell it, for instance behind a home gateway.'));
		o.datatype = 'cidr6';
		o.placeholder = '2001:db8:1200:3400::/56';
		o.onchange = changed;

		addAdvanced(s, line);
	}
});
