// SPDX-License-Identifier: Apache-2.0
'use strict';
'require form';
'require mape.math as math';
'require mape.preview as preview';
'require mape.words as words';
'require network';
'require tools.widgets as widgets';
'require uci';

network.registerPatternVirtual(/^map-.+$/);

for (const code in words.errors)
	network.registerErrorCode(code, words.errors[code]);

/* Options that make a rule by hand, those a rule needs, and those checked against each other. */
const ruleOptions = [ 'rule', 'ipaddr', 'ip6prefix', 'ip6prefixlen', 'ealen' ];
const checkedOptions = [ 'ip4prefixlen', 'ip6prefixlen', 'ealen', 'psidlen', 'psid', 'offset' ];
const neededOptions = [ 'peeraddr', 'ipaddr', 'ip6prefix', 'ip6prefixlen' ];
const rulePattern = /^[a-z0-9]+=[^,=]*$/;
const ruleKeys = [ 'type', 'ipv6prefix', 'prefix6len', 'ipv4prefix', 'prefix4len', 'ealen', 'psidlen', 'offset', 'psid', 'br', 'dmr' ];

/* The provider where the option is not set: by hand if there is a rule, as the handler takes it. */
function impliedProvider(section_id) {
	return ruleOptions.some(name => uci.get('network', section_id, name) != null) ? 'none' : 'auto';
}

/* The providers to choose from; one of the user's own, from providers.d, where it is in use. */
function knownProviders(section_id) {
	const stored = uci.get('network', section_id, 'provider');
	const known = Object.keys(words.providers);

	return [ null, undefined, 'auto', 'none', ...known ].includes(stored) ? known : [ ...known, stored ];
}

function checkRule(value) {
	if (!value)
		return true;

	for (const part of value.split(',')) {
		const key = part.split('=')[0];

		if (part != 'fmr' && !(rulePattern.test(part) && ruleKeys.includes(key)))
			return _('“%s” is not part of a rule; a rule reads type=map-e,ipv6prefix=…,prefix6len=…,ipv4prefix=…,prefix4len=…,ealen=…,br=…').format(part);
	}

	return true;
}

/* Shown only with a rule by hand; hidden values stay as they are. */
function byHand(o, ...types) {
	for (const maptype of types)
		o.depends({ provider: 'none', maptype });

	if (!types.length)
		o.depends('provider', 'none');

	o.retain = true;

	return o;
}

function addManual(s) {
	const fields = {};
	const wasManual = ((uci.get('network', s.section, 'provider') ?? impliedProvider(s.section)) == 'none');
	const valueOf = (name, section_id) => fields[name].formvalue(section_id) ?? '';
	const recheck = function(ev, section_id) {
		for (const name of checkedOptions)
			if (name != this.option)
				fields[name].triggerValidation(section_id);
	};
	const crossCheck = function(section_id) {
		const values = {};

		for (const name of [ 'maptype', 'legacymap', ...checkedOptions ])
			values[name] = valueOf(name, section_id);

		return math.contradictions(values)[this.option] ?? true;
	};
	const neededWithoutRule = function(section_id, value) {
		return (value !== '' || L.toArray(fields.rule.formvalue(section_id)).some(rule => rule)) ? true : _('Needed unless there is a rule under Advanced Settings');
	};
	const add = (tab, widget, name, label, help) => (fields[name] = s.taboption(tab, widget, name, label, help));
	const length = (name, label, datatype, help, ...types) => {
		const o = byHand(add('general', form.Value, name, label, help), ...types);
		o.datatype = datatype;
		o.validate = crossCheck;
		o.onchange = recheck;
		return o;
	};
	let o;

	o = byHand(add('general', form.ListValue, 'maptype', _('Type')));
	o.value('map-e', 'MAP-E');
	o.value('map-t', 'MAP-T');
	o.value('lw4o6', 'lw4o6');
	o.onchange = recheck;

	o = byHand(add('general', form.Value, 'peeraddr', _('BR / DMR / AFTR'), _('Border relay (MAP-E), default mapping rule with its length (MAP-T) or AFTR (lw4o6).')));
	o.datatype = 'ip6addr';
	o.validate = neededWithoutRule;
	/* With a provider this option overrides the provider's relay: it must not stay behind unseen. */
	o.retain = false;
	o.remove = function(section_id) {
		return wasManual ? form.Value.prototype.remove.call(this, section_id) : null;
	};

	o = byHand(add('general', form.Value, 'ipaddr', _('IPv4 prefix'), _('IPv4 prefix of the rule, or the whole address.')));
	o.datatype = 'ip4addr("nomask")';
	o.validate = neededWithoutRule;

	o = length('ip4prefixlen', _('IPv4 prefix length'), 'range(0,32)');
	o.placeholder = '32';

	o = byHand(add('general', form.Value, 'ip6prefix', _('IPv6 prefix'), _('IPv6 prefix of the rule; it belongs to the provider and usually ends with “::”.')));
	o.datatype = 'ip6addr("nomask")';
	o.validate = neededWithoutRule;

	o = length('ip6prefixlen', _('IPv6 prefix length'), 'or(range(0,64),128)');
	o.validate = function(section_id, value) {
		const needed = neededWithoutRule(section_id, value);
		return (needed === true) ? crossCheck.call(this, section_id) : needed;
	};

	length('ealen', _('EA-bits length'), 'range(0,48)', _('Bits of the IPv6 prefix that carry the rest of the IPv4 address and the PSID.'), 'map-e', 'map-t');
	length('psidlen', _('PSID-bits length'), 'range(0,16)', _('Leave empty to take what the other lengths leave.'));
	length('psid', 'PSID', 'range(0,65535)', _('The number itself. Only where it is not part of the EA bits.'));

	o = length('offset', _('PSID offset'), 'range(0,16)', _('Empty: 4 with draft-03, 6 with RFC 7597, 0 with lw4o6.'));
	o.placeholder = '4 / 6 / 0';

	o = byHand(add('general', form.ListValue, 'legacymap', _('Dialect'), _('All known providers in Japan use draft-03.')), 'map-e', 'map-t');
	o.value('0', _('RFC 7597 / 7599'));
	o.value('1', 'draft-03');
	o.onchange = recheck;

	o = byHand(add('advanced', form.DynamicList, 'rule', _('MAP rules'), _('Instead of the fields of the rule: one or several rules in the notation of DHCPv6 and mapcalc. Here psid stands left-justified in 16 bits.')));
	o.validate = (section_id, value) => checkRule(value);
	o.onchange = (ev, section_id) => neededOptions.forEach(name => fields[name].triggerValidation(section_id));
}

function addAdvanced(s, line) {
	let o;

	o = s.taboption('advanced', form.Value, 'mtu', _('MTU'), _('Empty: that of the uplink less 40.'));
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
	o.value('pool', _('Pool'));
	o.value('hash', _('Hash'));

	o = s.taboption('advanced', form.ListValue, 'conntrack', _('Connection timeouts'), _('“Short” frees ports of idle connections sooner.'));
	o.value('', _('Normal'));
	o.value('tight', _('Short'));

	o = s.taboption('advanced', form.DynamicList, 'reserve', _('Reserved ports'), _('Ports or ranges of the set that address translation never uses. Forwarded ports are kept out by themselves.'));
	o.datatype = 'portrange';
	o.validate = (section_id, value) => line.checkReserve(value);

	o = s.taboption('advanced', form.ListValue, 'mesh', _('Mesh'), _('Send packets for other customers of the provider directly to them, not over the border relay.'));
	o.value('', _('automatic'));
	o.value('0', _('off'));
	o.value('1', _('on'));

	o = s.taboption('advanced', widgets.ZoneSelect, 'zone', _('Firewall zone reported'), _('Only for an interface that is in no firewall zone. Empty: the zone of the uplink.'));
	o.nocreate = true;
	o.optional = true;
	o.rmempty = true;
}

return network.registerProtocol('mape', {
	getI18n() {
		return _('MAP-E / MAP-T / lw4o6');
	},

	getIfname() {
		return this._ubus('l3_device') || 'map-%s'.format(this.sid);
	},

	getPackageName() {
		return 'mape';
	},

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
		const known = knownProviders(s.section);
		let provider, enduserprefix, tunlink;
		let o;

		const refresh = section_id => line.update(
			provider.formvalue(section_id) || 'auto',
			enduserprefix.isValid(section_id) ? enduserprefix.formvalue(section_id) : null,
			tunlink.formvalue(section_id)
		);
		const changed = (ev, section_id) => refresh(section_id);

		line.checkReserve = value => {
			const range = value ? math.parseRange(value) : null;
			const set = L.toArray(line.mapping?.port_ranges);

			return (!range || !set.length || math.inSet(set, ...range)) ? true
				: _('%s is not in the port set of this line; the nearest port is %d').format(value, math.nearest(set, range[0]));
		};

		o = provider = s.taboption('general', form.ListValue, 'provider', _('Provider'), _('The line itself tells which provider it belongs to; choose one only if you know better.'));
		o.value('auto', _('Detect automatically'));
		for (const id of known)
			o.value(id, words.provider(id));
		o.value('none', _('Manual'));
		o.rmempty = false;
		o.default = 'auto';
		o.onchange = changed;
		o.cfgvalue = function(section_id) {
			return form.ListValue.prototype.cfgvalue.apply(this, arguments) ?? impliedProvider(section_id);
		};

		o = s.taboption('general', form.DummyValue, '_line', _('This line gets'));
		o.renderWidget = section_id => {
			window.setTimeout(() => refresh(section_id), 0);
			return line.node;
		};
		o.write = o.remove = () => null;
		for (const id of [ 'auto', ...known ])
			o.depends('provider', id);

		addManual(s);

		o = tunlink = s.taboption('advanced', widgets.NetworkSelect, 'tunlink', _('Uplink'), _('The interface that brings IPv6. Empty: the one with the IPv6 default route.'));
		o.nocreate = true;
		o.exclude = s.section;
		o.onchange = changed;

		o = enduserprefix = s.taboption('advanced', form.Value, 'enduserprefix', _('End-user IPv6 prefix'), _('Only where the uplink does not tell it, for instance behind a home gateway.'));
		o.datatype = 'cidr6';
		o.placeholder = '2001:db8:1200:3400::/56';
		o.onchange = changed;

		addAdvanced(s, line);
	}
});
