// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.words as words';

/* The shares of the ports in use at which the bar turns yellow and red. */
const tight = 0.8;
const full = 0.95;

/* So long a refused connection counts as news, in milliseconds. */
const recent = 60000;

function number(value) {
	return Number.isFinite(value) ? value : null;
}

return baseclass.extend({
	/*
	 * The use of the ports, of the protocol that uses most: { used, pool,
	 * total, share, protocols }; null if nothing is known of it.
	 */
	usage(ifc) {
		const ports = ifc.ports;
		const total = number(ports?.total);

		if (total == null || !L.isObject(ports.used))
			return null;

		const pool = number(ports.pool) ?? Math.max(0, total - (number(ports.reserved) ?? 0));
		const protocols = [ 'tcp', 'udp', 'icmp' ]
			.map(name => ({ name, used: number(ports.used[name]) ?? 0 }));
		const used = Math.max(...protocols.map(one => one.used));

		return { used, pool, total, protocols, share: (pool > 0) ? Math.min(1, used / pool) : (used > 0 ? 1 : 0) };
	},

	/*
	 * Remembers in MEMORY, an object that lives as long as the page, how many
	 * connections were refused; true for a minute after the count has grown.
	 */
	grows(memory, ifc, now) {
		const count = number(ifc.dropped?.exhausted);

		if (count == null)
			return false;

		if (memory.exhausted != null && count > memory.exhausted)
			memory.grew = now;

		memory.exhausted = count;

		return memory.grew != null && now - memory.grew < recent;
	},

	/* 'idle' (nothing sent yet), 'silent' (nothing came back), 'answered', or null if nobody counts. */
	replies(ifc) {
		const received = number(ifc.traffic?.rx_packets);
		const foreign = (number(ifc.dropped?.not_ours) ?? 0) + (number(ifc.dropped?.not_br) ?? 0);

		if (received == null)
			return null;

		if (received > foreign)
			return 'answered';

		return (received > 0 || ifc.traffic.tx_packets >= 10) ? 'silent' : 'idle';
	},

	/*
	 * How an interface is: { kind, badge, sentence, level, usage }. KIND is
	 * LuCI's class of a label, LEVEL that of the bar: '', 'warning', 'danger'.
	 * GROWS says that connections are being refused, TOP is the device that
	 * uses most ports as { name, ports }, or null.
	 */
	of(ifc, grows, top) {
		const state = words.state(ifc);

		if (ifc.state != 'up')
			return { ...state, level: '', usage: null };

		const usage = this.usage(ifc);
		const share = usage?.share ?? 0;
		const level = (grows || share >= full) ? 'danger' : (share >= tight ? 'warning' : '');
		const most = top?.ports > 0 ? _('%s uses most of them: %d.').format(top.name, top.ports) : '';
		const told = (kind, badge, sentence) => ({ kind, badge, sentence, level, usage });

		switch (this.replies(ifc)) {
		case 'silent':
			return told('warning', _('No answer', 'state of the connection'), _('The connection is set up, but nothing has come back yet. Run the diagnosis.'));

		case 'idle':
			return told('notice', _('Set up', 'state of the connection'), _('The connection is set up; nothing has been received yet.'));

		case 'answered':
			break;

		default:
			return told('notice', _('Set up', 'state of the connection'), _('The connection is set up; whether anything comes back cannot be seen.'));
		}

		if (level == 'danger')
			return told('danger', _('Ports full', 'state of the connection'), [
				grows ? _('IPv4 works, but new connections are being refused: the ports are used up.')
					: _('IPv4 works, but nearly all ports are in use: new connections may fail.'),
				most
			].filter(text => text).join(' '));

		if (level == 'warning')
			return told('warning', _('Ports scarce', 'state of the connection'), [
				_('IPv4 works; %d %% of the ports are in use.').format(Math.floor(100 * share)), most
			].filter(text => text).join(' '));

		return told('success', state.badge, _('IPv4 works.'));
	}
});
