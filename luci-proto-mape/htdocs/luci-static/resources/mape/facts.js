// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.parts as parts';
'require mape.quote as quote';
'require mape.words as words';

function joined(...texts) {
	return texts.filter(text => text != null && text !== '').join(' · ');
}

function whole(value) {
	return (value == null) ? null : '%d'.format(value);
}

/* The address that the Internet sees; with DS-Lite it is the provider's, and nobody here knows it. */
function address(ifc) {
	if (ifc.type == 'ds-lite')
		return _('of the provider, shared with other customers', 'IPv4 address');

	return inside(ifc);
}

function inside(ifc) {
	if (!ifc.ipv4_address)
		return null;

	return (ifc.ipv4_prefix_len == null || ifc.ipv4_prefix_len == 32) ? ifc.ipv4_address : '%s/%d'.format(ifc.ipv4_address, ifc.ipv4_prefix_len);
}

function rangeCount({ bmr }) {
	return bmr ? 2 ** bmr.psid_offset - (bmr.psid_offset ? 1 : 0) : 0;
}

/* What became of telling the provider the address of the tunnel. */
function registration({ registration: found }) {
	if (!found)
		return null;

	const what = (found.result == 'registered') ? _('done', 'registration of the address') : _('failed', 'registration of the address');
	const when = (found.ago < 60) ? null : _('%t ago').format(found.ago);

	return joined(what, found.server, quote.of(found.reason, found.detail), when, next(found));
}

function next({ next_in }) {
	return (next_in != null) ? _('next attempt in %t').format(next_in) : null;
}

/* What became of asking the line how it carries IPv4. */
function asked({ asked: found }) {
	if (!found)
		return null;

	const what = (found.failure == null) ? _('answered', 'asking the line') : _('no usable answer', 'asking the line');

	return joined(what, quote.of(found.reason, found.failure), next(found));
}

/* What the router tries again until it works, as [label, text]: what failed, or the rest. */
function attempts(ifc, failed) {
	return [
		[ _('What the line says'), asked(ifc), ifc.asked?.failure != null ],
		[ _('Registration of the address'), registration(ifc), ifc.registration?.result != 'registered' ]
	].filter(([ , , hasFailed ]) => hasFailed == failed);
}

function assigned(ifc) {
	const ranges = rangeCount(ifc);

	if (ifc.type == 'ds-lite')
		return _('None: the provider translates, so ports cannot be forwarded');

	if (ifc.ports?.total == null)
		return null;

	return (ranges > 1) ? _('%d in %d ranges').format(ifc.ports.total, ranges) : whole(ifc.ports.total);
}

/* Who provides the line: a contract's name, else how the rule came here. */
function provider(ifc) {
	const mechanism = ifc.type;
	const name = ifc.provider ? words.provider(ifc.provider, ifc.provider_name)
		: (ifc.proto == 'map') ? _('Rule told by the line (DHCPv6)')
		: mechanism ? _('Not known') : null;

	return name && joined(name, mechanism && words.mechanism(mechanism));
}

/* Where from it is known what the line is. */
function origin(ifc) {
	if (ifc.state != 'up' || ifc.proto == 'map')
		return null;

	return (ifc.provider == 'hb46pp') ? _('the line itself (HB46PP)') : ifc.provider ? _('the list of known providers') : _('the settings');
}

/* What everybody wants to know, as [label, text]. */
function main(ifc) {
	return [
		[ _('Provider'), provider(ifc) ],
		[ _('IPv4 address'), address(ifc) ],
		[ _('Assigned ports'), assigned(ifc) ],
		[ _('Address shared by'), (ifc.sharing_ratio > 1) ? _('%d lines').format(ifc.sharing_ratio) : null ],
		[ _('Connected for'), (ifc.uptime != null && ifc.state == 'up') ? '%t'.format(ifc.uptime) : null ],
		...attempts(ifc, true)
	];
}

const peers = {
	'map-t': _('Default mapping rule (DMR)'),
	lw4o6: _('AFTR'),
	'ds-lite': _('AFTR'),
	ipip: _('Remote end of the tunnel')
};

/* What is of use when looking for a fault. */
function details(ifc) {
	const mechanism = ifc.type;
	const { traffic, nat, bmr } = ifc;

	return [
		[ _('Connection type'), mechanism && words.mechanism(mechanism) ],
		[ _('Dialect'), ifc.dialect && words.dialect(ifc.dialect) ],
		[ _('Uplink', 'IPv6 connection below'), ifc.uplink ],
		[ _('IPv6 prefix'), ifc.end_user_prefix && joined(ifc.end_user_prefix, words.source(ifc.prefix_source)) ],
		[ _('MAP rule'), bmr && _('%s to %s, %d EA bits').format(bmr.ipv6_prefix, bmr.ipv4_prefix, bmr.ea_len) ],
		[ 'PSID', (ifc.psid != null) ? joined(whole(ifc.psid), bmr && _('offset %d, length %d').format(bmr.psid_offset, bmr.psid_len)) : null ],
		[ _('IPv4 address of the tunnel'), (mechanism == 'ds-lite') ? inside(ifc) : null ],
		[ _('IPv6 address of the tunnel'), ifc.ce_address ],
		[ _('Line known from'), origin(ifc) ],
		...attempts(ifc, false),
		[ peers[mechanism] ?? _('Border relay (BR)'), ifc.br ?? ifc.dmr ?? joined(ifc.aftr, ifc.aftr_name) ],
		[ 'MTU', whole(ifc.mtu) ],
		[ _('Encapsulation limit'), ifc.encaplimit && ((ifc.encaplimit == 'ignore') ? _('not used', 'encapsulation limit') : ifc.encaplimit) ],
		[ _('Port allocation'), nat?.mode && words.nat(nat.mode) ],
		[ _('Direct to other customers'), ifc.mesh ? _('by %d rules').format(ifc.fmrs) : null ],
		[ _('Received / sent'), traffic && '%1024.1mB / %1024.1mB'.format(traffic.rx_bytes, traffic.tx_bytes) ]
	];
}

/* A list of labels and values whose nodes stay as long as the labels do. */
const Facts = baseclass.extend({
	__init__() {
		this.node = E('dl', { 'class': 'mape-facts' });
	},

	update(all) {
		const entries = all.filter(([ , text ]) => text != null && text !== '');

		parts.fill(this.node, entries.map(([ label ]) => label), () => entries.map(([ label ]) =>
			E('div', {}, [ E('dt', {}, [ label ]), E('dd', {}) ])));
		entries.forEach(([ , text ], i) => parts.say(this.node.children[i].lastChild, String(text)));
		parts.show(this.node, entries.length > 0);

		return entries.length;
	}
});

/* Packets that were dropped, by reason. */
const Dropped = baseclass.extend({
	__init__() {
		this.facts = new Facts();
		this.none = parts.note(_('No packet was dropped.'));
		this.node = E('div', {}, [ parts.heading(_('Packets dropped since the connection was set up')), this.facts.node, this.none ]);
	},

	update(dropped) {
		const entries = Object.entries(words.dropped)
			.map(([ key, label ]) => [ label, (dropped?.[key] > 0) ? whole(dropped[key]) : null ]);

		parts.show(this.none, !this.facts.update(entries));
		parts.show(this.node, dropped != null);
	}
});

return baseclass.extend({
	/* What is known of an interface: five facts, and the rest folded. */
	Overview: baseclass.extend({
		__init__() {
			this.main = new Facts();
			this.details = new Facts();
			this.dropped = new Dropped();
			this.more = parts.folded(_('Technical details'), [ this.details.node, this.dropped.node ]);
			this.node = E('div', {}, [ this.main.node, this.more ]);
		},

		update(ifc) {
			this.main.update(main(ifc));
			parts.show(this.more, this.details.update(details(ifc)) > 0);
			this.dropped.update(ifc.dropped);
		}
	})
});
