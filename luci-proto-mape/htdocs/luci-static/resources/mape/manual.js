// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require form';
'require mape.math as math';
'require mape.words as words';
'require uci';

/* Options that are checked against each other, and those that a rule needs. */
const checkedOptions = [ 'ip4prefixlen', 'ip6prefixlen', 'ealen', 'psidlen', 'psid', 'offset' ];
const neededOptions = [ '_br', '_dmr', '_lwaftr', 'ipaddr', 'ip6prefix', 'ip6prefixlen' ];
const rulePattern = /^[a-z0-9]+=[^,=]*$/;
const ruleKeys = [ 'type', 'ipv6prefix', 'prefix6len', 'ipv4prefix', 'prefix4len', 'ealen', 'psidlen', 'offset', 'psid', 'br', 'dmr' ];

/* Without a type a rule is one of MAP-E. */
const mapE = [ 'auto', 'map-e' ];
const map = [ ...mapE, 'map-t' ];
const withRule = [ ...map, 'lw4o6' ];

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

/* A provider's server, or a URL. */
function checkUpdateServer(value) {
	const isKnown = [ '', 'v6plus', 'transix', 'ocn', 'xpass' ].includes(value ?? '');

	return isKnown || /^https?:\/\/[^\s/]+\.[^\s]+$/.test(value) || /^https?:\/\/\[[0-9a-f:]+\]/i.test(value) || _('Choose a provider, or enter a URL that begins with http:// or https://');
}

/* The form's fields of a rule, by hand. */
const Fields = baseclass.extend({
	/* Adds them to section S of the form; PROVIDER is the field before them, CHANGED is called when one of them has changed. */
	__init__(s, provider, changed) {
		this.s = s;
		this.provider = provider;
		this.isFixed = (words.letter(uci.get('network', s.section, 'provider')) != null);
		this.changed = changed;
		this.fields = {};
		this.addRule();
		this.addFixed();
	},

	add(tab, widget, name, label, help) {
		return this.fields[name] = this.s.taboption(tab, widget, name, label, help);
	},

	/* Shown only with a rule by hand of one of TYPES; hidden values stay as they are. */
	byHand(o, types) {
		for (const maptype of types)
			o.depends({ provider: 'none', maptype });

		o.retain = true;
		o.onchange = (ev, section_id) => {
			this.recheck(section_id, o.option);
			this.changed(section_id);
		};

		return o;
	},

	recheck(section_id, but) {
		for (const name of [ ...checkedOptions, ...(but == 'rule' ? neededOptions : []) ])
			if (name != but)
				this.fields[name]?.triggerValidation(section_id);
	},

	values(section_id) {
		return Object.fromEntries([ 'maptype', 'legacymap', ...checkedOptions ].map(name => [ name, this.fields[name]?.formvalue(section_id) ?? '' ]));
	},

	/* A field that is needed, and shown, if the letter of the provider has it. */
	ofLetter(o) {
		for (const [ provider ] of words.providers)
			if (o.deps.length && words.letter(provider)?.includes(o.option))
				o.depends({ maptype: 'ipip', provider });

		o.validate = (section_id, value) => (value !== '' || !words.letter(this.provider.formvalue(section_id))?.includes(o.option))
			|| _('Needed by this provider: its letter has it');
	},

	needed(section_id, value) {
		return (value !== '' || L.toArray(this.fields.rule?.formvalue(section_id)).some(rule => rule)) ? true : _('Needed unless there is a rule under Advanced Settings');
	},

	/* A length, or another number that must agree with the rest of the rule. */
	length(name, label, datatype, help, types, isNeeded) {
		const o = this.byHand(this.add('general', form.Value, name, label, help), types);

		o.datatype = datatype;
		o.validate = (section_id, value) => {
			const needed = isNeeded ? this.needed(section_id, value) : true;

			return (needed === true) ? (math.contradictions(this.values(section_id))[name] ?? true) : needed;
		};

		return o;
	},

	/* The far end of the tunnel: all of them are the option peeraddr. */
	peer(name, label, help, datatype) {
		const o = this.add('general', form.Value, name, label, help);

		o.ucioption = 'peeraddr';
		o.datatype = datatype;
		o.retain = true;
		o.validate = (section_id, value) => this.needed(section_id, value);
		o.onchange = (ev, section_id) => this.changed(section_id);

		return o;
	},

	addType(s) {
		const o = this.fields.maptype = s.taboption('general', form.ListValue, 'maptype', _('Connection type'), _('What the contract says, if the line does not tell.'));

		o.value('auto', _('Detect automatically'));
		o.value('map-e', 'MAP-E');
		o.value('map-t', 'MAP-T');
		o.value('lw4o6', 'lw4o6');
		o.value('ds-lite', 'DS-Lite');
		o.value('ipip', _('Fixed IPv4 address (IPIP)'));
		o.cfgvalue = function(section_id) {
			return form.ListValue.prototype.cfgvalue.apply(this, arguments) ?? uci.get('network', section_id, 'type') ?? 'auto';
		};
		o.validate = (section_id, value) => (value == 'ipip' || !words.letter(this.provider.formvalue(section_id)))
			? true : _('This provider’s addresses are fixed: choose IPIP');
		o.onchange = (ev, section_id) => {
			this.recheck(section_id);
			this.changed(section_id);
		};
	},

	/* A provider of fixed addresses has one connection type; with the next one the type is open again. */
	followProvider(section_id, value) {
		const { maptype } = this.fields;
		const isFixed = (words.letter(value) != null);

		if (isFixed != this.isFixed) {
			this.isFixed = isFixed;
			maptype.getUIElement(section_id).setValue(isFixed ? 'ipip' : 'auto');
			maptype.map.checkDepends();
		}

		/* What one provider needs another does not. */
		for (const o of Object.values(this.fields))
			if (o.isActive(section_id) && !o.isValid(section_id))
				o.triggerValidation(section_id);
	},

	addRule() {
		const { s } = this;
		let o;

		this.addType(s);

		o = this.byHand(this.add('general', form.ListValue, 'legacymap', _('Dialect'), _('All known MAP-E providers in Japan use draft-03.')), map);
		o.value('0', _('RFC 7597 / 7599'));
		o.value('1', 'draft-03');

		o = this.peer('_br', _('Border relay (BR)'), _('IPv6 address that the tunnel leads to.'), 'ip6addr("nomask")');
		mapE.forEach(maptype => o.depends({ provider: 'none', maptype }));
		o = this.peer('_dmr', _('Default mapping rule (DMR)'), _('IPv6 prefix with its length.'), 'cidr6');
		o.depends({ provider: 'none', maptype: 'map-t' });
		o = this.peer('_lwaftr', _('AFTR'), _('IPv6 address that the tunnel leads to.'), 'ip6addr("nomask")');
		o.depends({ provider: 'none', maptype: 'lw4o6' });

		o = this.byHand(this.add('general', form.Value, 'ipaddr', _('IPv4 prefix'), _('IPv4 prefix of the rule, or the whole address.')), withRule);
		o.datatype = 'ip4addr("nomask")';
		o.validate = (section_id, value) => this.needed(section_id, value);

		o = this.length('ip4prefixlen', _('IPv4 prefix length'), 'range(0,32)', null, withRule);
		o.placeholder = '32';

		o = this.byHand(this.add('general', form.Value, 'ip6prefix', _('IPv6 prefix'), _('IPv6 prefix of the rule; it belongs to the provider and usually ends with “::”.')), withRule);
		o.datatype = 'ip6addr("nomask")';
		o.validate = (section_id, value) => this.needed(section_id, value);

		this.length('ip6prefixlen', _('IPv6 prefix length'), 'or(range(0,64),128)', null, withRule, true);
		this.length('ealen', _('EA-bits length'), 'range(0,48)', _('Bits of the IPv6 prefix that carry the rest of the IPv4 address and the PSID.'), map);
		this.length('psidlen', _('PSID-bits length'), 'range(0,16)', _('Leave empty to take what the other lengths leave.'), withRule);
		this.length('psid', 'PSID', 'range(0,65535)', _('The number itself. Only if it is not part of the EA bits.'), withRule);

		o = this.length('offset', _('PSID offset'), 'range(0,16)', _('Empty: 4 with draft-03, 6 with RFC 7597, 0 with lw4o6.'), withRule);
		o.placeholder = '4 / 6 / 0';

		o = this.byHand(this.add('advanced', form.DynamicList, 'rule', _('MAP rules'), _('Instead of the fields of the rule: one or several rules in the notation of DHCPv6 and mapcalc. In it, psid is left-justified in 16 bits.')), withRule);
		o.validate = (section_id, value) => checkRule(value);
	},

	/* DS-Lite, and a fixed address over IPIP: whatever the provider, since nothing of them is a rule. */
	addFixed() {
		const { s } = this;
		const changed = (ev, section_id) => this.changed(section_id);
		let o;

		o = this.peer('_aftr', _('AFTR'), _('Address or name of the provider’s gateway. Empty: as the line or the provider’s name says.'), 'or(hostname,ip6addr("nomask"))');
		o.value('gw.transix.jp', 'gw.transix.jp (transix)');
		o.value('dgw.xpass.jp', 'dgw.xpass.jp (Xpass)');
		o.value('dslite.v6connect.net', 'dslite.v6connect.net (v6 Connect)');
		o.validate = () => true;
		o.depends('maptype', 'ds-lite');

		o = this.peer('_remote', _('Remote end of the tunnel'), _('IPv6 address from the provider’s letter.'), 'ip6addr("nomask")');
		/* Of some providers all lines have the same. */
		o.validate = (section_id, value) => (value !== '')
			|| words.letter(this.provider.formvalue(section_id))?.includes('_remote') === false || _('Needed for a fixed IPv4 address');
		o.depends('maptype', 'ipip');

		o = this.add('general', form.Value, '_fixed', _('Fixed IPv4 address'), _('The address, or the block with its length.'));
		o.ucioption = 'ipaddr';
		o.datatype = 'or(ip4addr("nomask"),cidr4)';
		o.retain = true;
		o.validate = (section_id, value) => (value !== '') || _('Needed for a fixed IPv4 address');
		o.onchange = changed;
		o.depends('maptype', 'ipip');

		o = this.add('general', form.Value, 'interfaceid', _('Interface identifier'), _('From the provider’s letter, such as ::feed. “draft-03” derives it from the IPv4 address (OCN).'));
		o.value('draft-03');
		o.datatype = 'or("draft-03",ip6hostid)';
		o.retain = true;
		o.depends('maptype', 'ipip');

		o = this.add('general', form.Value, 'update_url', _('Update server'), _('Where the provider wants to be told the address of the tunnel. Empty: the server of the provider above, if it has one. In a URL of your own, [USERNAME], [PASSWORD], [HOSTNAME] and [IP] are replaced.'));
		for (const provider of [ 'v6plus', 'transix', 'ocn', 'xpass' ])
			o.value(provider, words.provider('%s-static'.format(provider)));
		o.validate = (section_id, value) => checkUpdateServer(value);
		o.retain = true;
		o.depends('maptype', 'ipip');

		o = this.add('general', form.Value, 'update_hostname', _('Host name at the update server'), _('OCN and Xpass: from the provider’s letter.'));
		o.retain = true;
		for (const update_url of [ 'ocn', 'xpass', /:/ ])
			o.depends({ maptype: 'ipip', update_url });
		this.ofLetter(o);

		o = this.add('general', form.Value, 'update_id', _('Dynamic DNS ID'), _('Xpass: from the provider’s letter.'));
		o.retain = true;
		o.depends({ maptype: 'ipip', update_url: 'xpass' });
		o = this.add('general', form.Value, 'update_key', _('Dynamic DNS password'));
		o.password = true;
		o.retain = true;
		o.depends({ maptype: 'ipip', update_url: 'xpass' });
		for (const name of [ 'interfaceid', 'update_id', 'update_key' ])
			this.ofLetter(this.fields[name]);

		o = this.add('general', form.Value, 'username', _('User name', 'with the provider'), _('For the update server, or for lines whose server asks for them (HB46PP).'));
		o.retain = true;
		o = this.add('general', form.Value, 'password', _('Password', 'with the provider'));
		o.password = true;
		o.retain = true;
		o = this.add('general', form.Value, 'provision_server', _('Provisioning server'), _('The only server that gets user name and password, over verified https. Empty: any that the line names.'));
		o.datatype = 'hostname';
		o.retain = true;
		o.depends('provision', 'hb46pp');

		for (const name of [ 'username', 'password' ])
			for (const [ field, value ] of [ [ 'provision', 'hb46pp' ], [ 'update_url', /./ ] ])
				this.fields[name].depends(field, value);

		for (const name of [ 'username', 'password' ])
			this.ofLetter(this.fields[name]);
	}
});

return baseclass.extend({
	Fields,
	checkRule,
	checkUpdateServer,

	/* Options that make a rule by hand. */
	ruleOptions: [ 'rule', 'ipaddr', 'ip6prefix', 'ip6prefixlen' ],

	/*
	 * The rule that VALUES (options as in UCI) come to, in the notation of
	 * DHCPv6, or null while it is incomplete.
	 */
	ruleOf(values) {
		const type = mapE.includes(values.maptype) ? 'map-e' : values.maptype;
		const psidlen = +values.psidlen || 0;

		if (!values.ipaddr || !values.ip6prefix || !values.ip6prefixlen || !values.peeraddr)
			return null;

		const parts = [
			[ 'type', type ],
			[ 'ipv6prefix', values.ip6prefix ],
			[ 'prefix6len', values.ip6prefixlen ],
			[ 'ipv4prefix', values.ipaddr ],
			[ 'prefix4len', values.ip4prefixlen || '32' ],
			[ 'ealen', values.ealen ],
			[ 'psidlen', values.psidlen ],
			[ 'psid', (values.psid && psidlen) ? String(+values.psid << (16 - psidlen)) : '' ],
			[ 'offset', values.offset ],
			[ (type == 'map-t') ? 'dmr' : 'br', values.peeraddr ]
		];

		return parts.filter(([ , value ]) => value != null && value !== '').map(pair => pair.join('=')).join(',');
	}
});
