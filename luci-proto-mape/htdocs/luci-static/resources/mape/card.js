// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.devices as devices';
'require mape.diagnosis as diagnosis';
'require mape.facts as facts';
'require mape.head as head';
'require mape.health as health';
'require mape.history as history';
'require mape.openings as openings';
'require mape.parts as parts';
'require mape.ports as portset';
'require mape.words as words';

return baseclass.extend({
	/* One interface of the status page. */
	Card: baseclass.extend({
		__init__(name) {
			this.diagnosis = new diagnosis.Diagnosis(name);
			this.head = new head.Head(name, this.diagnosis);
			this.facts = new facts.Overview();
			this.devices = new devices.Table('mape-devices-' + name, devices);
			this.openings = new openings.Openings('mape-openings-' + name);
			this.grid = new portset.Grid(portset);
			this.graph = new history.Graph(history);
			this.missing = E('p', { 'class': 'alert-message warning', 'hidden': '' });
			this.graphBox = E('div', {}, [ this.graph.node ]);
			this.set = null;
			this.live = E('div', { 'hidden': '' }, [ this.devices.node, this.openings.node, this.grid.node ]);
			this.node = E('div', { 'class': 'cbi-section mape-card', 'data-interface': name }, [
				this.head.node, this.diagnosis.node, this.facts.node, this.missing, this.live, this.graphBox
			]);
		},

		/*
		 * Shows IFC, an entry of the bus' status; PORTS, its port set, or why
		 * there is none as { failed: KIND }, or null if it has none; SAMPLES,
		 * its history or null; HINTS, LuCI's host hints or null.
		 */
		update(ifc, ports, samples, hints) {
			const now = Date.now();
			const usage = health.usage(ifc);
			const up = (ifc.state == 'up');

			/* A missed answer takes nothing away that was seen. */
			if (!up || ports == null)
				this.set = null;
			else if (!ports.failed)
				this.set = { ...ports, ranges: L.toArray(ports.ranges), hosts: L.toArray(ports.hosts) };

			const set = this.set;

			this.head.update(ifc, devices.top(set, hints), now);
			this.facts.update(ifc);
			this.diagnoseOnce(ifc);

			parts.show(this.missing, up && !!ports?.failed);
			parts.say(this.missing, ports?.failed ? _('The ports are not known at the moment.') + ' ' + words.failure(ports.failed) : '');
			parts.show(this.live, up && set != null && set.ranges.length > 0);
			parts.show(this.graphBox, up && usage != null);

			if (!up)
				return;

			if (set?.ranges.length) {
				this.devices.update(set.hosts, usage?.pool ?? 0, hints);
				this.openings.update(ifc, set, hints, now);
				this.grid.update(set.ranges);
			}

			if (usage)
				this.graph.update(ifc.ports.used, usage.pool, samples, now);
		},

		/* An error is looked into once without being asked; another error is another matter. */
		diagnoseOnce(ifc) {
			const error = (ifc.state == 'error') ? (ifc.error?.code ?? 'error') : null;

			if (error != null && error !== this.diagnosed)
				this.diagnosis.run();

			this.diagnosed = error ?? (ifc.state == 'up' ? null : this.diagnosed);
		}
	})
});
