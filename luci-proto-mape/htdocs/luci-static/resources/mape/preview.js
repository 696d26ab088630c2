// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require mape.bus as bus';
'require mape.manual as manual';
'require mape.math as math';
'require mape.quote as quote';
'require mape.words as words';
'require network';

/* The prefixes an interface offers, best first: delegated, set by hand, announced on the line. */
function prefixesOf(net) {
	const delegated = L.toArray(net.getIP6Prefixes?.() ?? net.getIP6Prefix());
	const announced = L.toArray(net.getIP6Addrs()).map(text => {
		const [ address, mask ] = text.split('/');

		return math.prefixOf(address, Math.min(64, +(mask ?? 64)));
	});

	return [ ...delegated, ...L.toArray(net.get?.('ip6prefix')), ...announced ].filter(prefix => prefix);
}

/* The prefixes that may make an address, with the interface they come from. */
function candidates(prefix, uplink) {
	if (prefix)
		return Promise.resolve([ { prefix, from: null } ]);

	const nets = uplink
		? network.getNetwork(uplink).then(net => net ? [ net ] : [])
		: network.getWAN6Networks();

	return nets.then(list => list.flatMap(net =>
		prefixesOf(net).map(found => ({ prefix: found, from: net.getName() }))));
}

function told(sign, text, ...details) {
	return [ E('strong', {}, [ sign, ' ', text ]), ...details.filter(detail => detail).flatMap(detail => [ E('br'), E('span', {}, [ detail ]) ]) ];
}

function origin({ prefix, from }) {
	return from ? _('From %s of %s').format(prefix, from) : _('From %s').format(prefix);
}

function found(name, mapping, where, ...notes) {
	const ranges = L.toArray(mapping.port_ranges).length;
	const text = (mapping.sharing_ratio > 1)
		? _('%s: IPv4 address %s, %d ports in %d ranges').format(name, mapping.ipv4_address, mapping.port_count, ranges)
		: _('%s: IPv4 address %s, all ports').format(name, mapping.ipv4_address);

	return { mapping, nodes: told('✔', text, origin(where), ...notes) };
}

function missing(text, detail) {
	return { mapping: null, nodes: told('▲', text, detail) };
}

function noPrefix(uplink) {
	return missing(uplink
		? _('“%s” has no IPv6 prefix at the moment. The settings can be saved; the connection comes up as soon as there is one.').format(uplink)
		: _('No uplink has an IPv6 prefix at the moment. The settings can be saved; the connection comes up as soon as there is one.'));
}

/* What the bus makes of each of LIST, with arguments MORE. */
function calc(list, more) {
	return Promise.all(list.map(where => bus.calc({ prefix: where.prefix, ...more }).then(mapping => ({ mapping, where }))));
}

/* What the provider's rule makes of the line; the first prefix that fits counts. */
function byProvider(list, provider) {
	return calc(list, { provider: (provider == 'auto') ? undefined : provider }).then(answers => {
		const match = answers.find(({ mapping }) => !mapping.error);

		if (match)
			return found(words.provider(match.mapping.provider), match.mapping, match.where);

		const { where: { prefix }, mapping: { reason, error } } = answers[0];

		return (provider == 'auto')
			? missing(_('%s belongs to no MAP-E provider known here; the line itself is asked when the interface starts.').format(prefix),
				_('transix, Xpass and v6 Connect are DS-Lite. With a fixed IPv4 address choose that connection type; with a rule from your provider choose “Manual”.'))
			: missing(_('%s is not a prefix of %s. Choose “Detect automatically” or “Manual”.').format(prefix, words.provider(provider)), quote.of(reason, error));
	});
}

/* What a rule by hand makes of the line, and whether the line's provider speaks another dialect. */
function byRule(list, values) {
	const rules = L.toArray(values.rule).filter(rule => rule);
	const rule = rules.length ? rules : [ manual.ruleOf(values) ];

	if (rule[0] == null)
		return Promise.resolve(missing(_('Enter the rule; what it gives is then shown here.')));

	return Promise.all([ calc(list, { rule, legacy: values.legacymap == '1' }), calc(list, {}) ]).then(([ answers, known ]) => {
		const match = answers.find(({ mapping }) => !mapping.error);

		if (!match)
			return missing(_('The rule does not fit this line.'), quote.of(answers[0].mapping.reason, answers[0].mapping.error));

		const provider = known.find(({ mapping }) => !mapping.error)?.mapping;
		const name = words.mechanism(match.mapping.type);

		return found(name, match.mapping, match.where, (provider?.dialect && provider.dialect != match.mapping.dialect)
			? _('This line is one of %s, which uses the dialect %s.').format(words.provider(provider.provider), words.dialect(provider.dialect)) : null);
	});
}

/* What the line gets with VALUES, options of the form by name. */
function evaluate(values) {
	const { provider, maptype } = values;

	if (maptype == 'ipip')
		return Promise.resolve(values.ipaddr ? { mapping: null, nodes: told('✔', _('Fixed IPv4 address %s, all ports').format(values.ipaddr), words.letter(provider) && words.provider(provider)) }
			: missing(_('Enter the fixed address from your provider’s letter.')));

	return candidates(values.enduserprefix, values.tunlink).then(list => {
		if (!list.length)
			return noPrefix(values.tunlink);

		if (maptype == 'ds-lite')
			return { mapping: null, nodes: told('✔', _('DS-Lite: a shared IPv4 address; the provider translates, and ports cannot be forwarded'),
				values.peeraddr ? _('AFTR %s').format(values.peeraddr) : null, origin(list[0])) };

		return (provider == 'none') ? byRule(list, values) : byProvider(list, provider);
	}).catch(error => missing(words.failure(bus.failure(error))));
}

return baseclass.extend({
	Preview: baseclass.extend({
		__init__() {
			this.node = E('output', { 'class': 'mape-preview', 'aria-live': 'polite' });
			this.mapping = null;
			this.asked = 0;
		},

		/* Shows what the line would get; the answer to the last question wins. */
		update(values) {
			const question = ++this.asked;

			dom.content(this.node, [ E('em', { 'class': 'spinning' }, [ _('Looking at the line…') ]) ]);

			return evaluate(values).then(({ mapping, nodes }) => {
				if (question != this.asked)
					return;

				this.mapping = mapping;
				dom.content(this.node, nodes);
			});
		}
	})
});
