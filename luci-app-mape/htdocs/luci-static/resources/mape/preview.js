// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require mape.bus as bus';
'require mape.math as math';
'require mape.words as words';
'require network';

/* The prefixes an interface offers, best first: delegated, set by hand, announced on the line. */
function prefixesOf(net) {
	const delegated = L.toArray(net._ubus?.('ipv6-prefix')).map(prefix => '%s/%d'.format(prefix.address, prefix.mask));
	const announced = L.toArray(net._ubus?.('ipv6-address'))
		.map(address => math.prefixOf(address.address, Math.min(64, address.mask)))
		.filter(prefix => prefix != null);

	return [ ...delegated, ...L.toArray(net.get?.('ip6prefix')), ...announced ];
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

function found(mapping, from) {
	const ranges = L.toArray(mapping.port_ranges).length;
	const text = (mapping.sharing_ratio > 1)
		? _('%s: IPv4 address %s, %d ports in %d ranges').format(words.provider(mapping.provider), mapping.ipv4_address, mapping.port_count, ranges)
		: _('%s: IPv4 address %s, all ports').format(words.provider(mapping.provider), mapping.ipv4_address);

	return {
		mapping,
		nodes: [ E('strong', {}, [ '✔ ', text ]), E('br'), E('small', {}, [
			from ? _('From %s of %s').format(mapping.end_user_prefix, from) : _('From %s').format(mapping.end_user_prefix)
		]) ]
	};
}

function missing(text, detail) {
	return {
		mapping: null,
		nodes: [ '▲ ', text, ...(detail ? [ E('br'), E('small', {}, [ detail ]) ] : []) ]
	};
}

/* The first candidate that gives a mapping, else why there is none. */
function evaluate(list, provider, uplink) {
	if (!list.length)
		return Promise.resolve(missing(uplink
			? _('“%s” has no IPv6 prefix at the moment. The settings can be saved; the connection comes up as soon as there is one.').format(uplink)
			: _('No uplink has an IPv6 prefix at the moment. The settings can be saved; the connection comes up as soon as there is one.')));

	return Promise.all(list.map(({ prefix, from }) => bus.calc(prefix, (provider == 'auto') ? undefined : provider)
		.then(mapping => ({ mapping, prefix, from }))
	)).then(answers => {
		const match = answers.find(answer => !answer.mapping.error);

		if (match)
			return found(match.mapping, match.from);

		const { prefix, mapping } = answers[0];

		return missing((provider == 'auto')
			? _('%s belongs to no provider known here. Choose “Manual” and enter the rule your provider gave you; if it offers DS-Lite, use that protocol instead.').format(prefix)
			: _('%s is not a prefix of %s. Choose “Detect automatically” or “Manual”.').format(prefix, words.provider(provider)), mapping.error);
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
		update(provider, prefix, uplink) {
			const question = ++this.asked;

			return candidates(prefix, uplink)
				.then(list => evaluate(list, provider, uplink))
				.then(({ mapping, nodes }) => {
					if (question != this.asked)
						return;

					this.mapping = mapping;
					dom.content(this.node, nodes);
				});
		}
	})
});
