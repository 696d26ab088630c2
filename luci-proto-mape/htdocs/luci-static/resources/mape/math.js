// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require validation';

const portPattern = /^(\d{1,5})(?:-(\d{1,5}))?$/;

function number(value) {
	return (value == null || value === '') ? null : +value;
}

return baseclass.extend({
	/* 'ADDRESS' cut to LEN bits, as 'PREFIX/LEN'; null if it is no address. */
	prefixOf(address, len) {
		const groups = validation.parseIPv6(address);

		if (!groups)
			return null;

		const kept = groups.map((group, i) => {
			const bits = Math.min(16, Math.max(0, len - i * 16));
			return (group & (0xffff << (16 - bits)) & 0xffff).toString(16);
		});

		while (kept.length && kept[kept.length - 1] == '0')
			kept.pop();

		return kept.join(':') + (kept.length < 8 ? '::' : '') + '/' + len;
	},

	/* '4128' or '4128-4143' as [first, last], null if it is neither. */
	parseRange(text) {
		const match = portPattern.exec(String(text).trim());
		const first = match ? +match[1] : 0;
		const last = match ? +(match[2] ?? match[1]) : 0;

		return (first >= 1 && first <= last && last <= 65535) ? [ first, last ] : null;
	},

	/* Whether every port from FIRST to LAST lies in the set; RANGES as [first, last], ascending. */
	inSet(ranges, first, last) {
		let next = first;

		for (const [ from, to ] of ranges)
			if (next >= from && next <= to)
				next = to + 1;

		return next > last;
	},

	/* The first port of the set at or after PORT, or the set's first. */
	nearest(ranges, port) {
		for (const [ from, to ] of ranges)
			if (to >= port)
				return Math.max(from, port);

		return ranges.length ? ranges[0][0] : null;
	},

	/*
	 * Up to COUNT ports to forward, that no entry of TAKEN has (each with a
	 * range): from the least used ranges, each from another range as far as
	 * there are any.
	 */
	freePorts(ranges, taken, count) {
		const isTaken = (range, port) => L.toArray(range.reserved).includes(port)
			|| L.toArray(range.upnp).includes(port)
			|| L.toArray(range.forwarded).some(forward => forward.port == port)
			|| taken.some(entry => port >= entry.range[0] && port <= entry.range[1]);
		const free = ranges.map(range => {
			const ports = [];

			for (let port = range.first; port <= range.last && ports.length < count; port++)
				if (port > 0 && !isTaken(range, port))
					ports.push(port);

			return { use: Math.max(range.tcp ?? 0, range.udp ?? 0), ports };
		}).sort((a, b) => a.use - b.use || a.ports[0] - b.ports[0]);

		const found = [];

		for (let i = 0; i < count && found.length < count; i++)
			for (const { ports } of free)
				if (i < ports.length && found.length < count)
					found.push(ports[i]);

		return found.sort((a, b) => a - b);
	},

	/* The PSID offset that holds where none is given. */
	defaultOffset(maptype, legacy) {
		return (maptype == 'lw4o6') ? 0 : (legacy ? 4 : 6);
	},

	/*
	 * What contradicts itself in a rule typed by hand, as { option: message }.
	 * Values as in UCI: strings, empty where not given.
	 */
	contradictions(values) {
		const ip4len = number(values.ip4prefixlen) ?? 32;
		const ip6len = number(values.ip6prefixlen);
		const psid = number(values.psid);
		const psidlen = number(values.psidlen) ?? 0;
		const offset = number(values.offset) ?? this.defaultOffset(values.maptype, values.legacymap == '1');
		const given = (values.maptype == 'lw4o6') ? (psid == null ? psidlen : 0) : number(values.ealen);
		/* Without an EA-bits length the end-user prefix decides, which is not known here. */
		const open = (given == null && psid == null);
		const ealen = given ?? (psid == null ? 0 : 32 - ip4len);
		const suffix = Math.min(ealen, 32 - ip4len);
		const left = ealen - suffix;
		const k = (psidlen > 0) ? psidlen : left;
		const wrong = {};

		if (ip6len != null && ealen > 0 && ip6len + ealen > 64)
			wrong.ealen = wrong.ip6prefixlen =
				_('IPv6 prefix length %d and EA-bits length %d make more than 64 bits').format(ip6len, ealen);

		if (psid > 0 && psidlen == 0)
			wrong.psid = _('A PSID needs a PSID-bits length');
		else if (psid != null && psid >= 2 ** psidlen)
			wrong.psid = _('With %d PSID bits the PSID is at most %d').format(psidlen, 2 ** psidlen - 1);
		else if (psid != null && psidlen > 0 && ip4len + suffix < 32)
			wrong.psid = _('With a PSID, IPv4 prefix length and EA-bits length must reach 32 together');

		if (psidlen > 0 && !open && psidlen != left && (psid == null || left != 0))
			wrong.psidlen = _('IPv4 prefix length and EA-bits length leave %d bits for the PSID').format(left);

		if (left > 16)
			wrong.ealen = _('%d bits are left for the PSID, at most 16 are possible').format(left);
		else if (offset + k > 16)
			wrong.offset = _('PSID offset %d and %d PSID bits make more than 16, the bits of a port').format(offset, k);

		return wrong;
	}
});
