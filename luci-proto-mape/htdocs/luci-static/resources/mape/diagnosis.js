// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require mape.bus as bus';
'require mape.findings as findings';
'require mape.parts as parts';
'require mape.words as words';
'require ui';

/* What is wrong comes first. */
const order = [ 'fail', 'warn', 'unknown', 'ok' ];

const places = {
	interfaces: [ 'admin/network/network', _('Open interfaces') ],
	settings: [ 'admin/network/network', _('Open settings') ],
	forwards: [ 'admin/network/firewall/forwards', _('Open port forwards') ],
	firewall: [ 'admin/network/firewall/zones', _('Open firewall settings') ],
	log: [ 'admin/status/logs', _('Open system log') ]
};

/* Where the package manager is, since 24.10 and before. */
const managers = [ 'admin/system/package-manager', 'admin/system/opkg' ];

let manager = null;

function isInMenu(tree, path) {
	const node = path.split('/').reduce((at, name) => at?.children?.[name], tree);

	return node != null && node.satisfied !== false;
}

function rank({ verdict }) {
	return (order.indexOf(verdict) + order.length) % order.length;
}

function link(path, text, query) {
	return E('a', { 'class': 'btn cbi-button', 'href': L.url(path) + (query ? '?query=' + encodeURIComponent(query) : '') }, [ text ]);
}

function summary(checks) {
	const count = verdict => checks.filter(check => check.verdict == verdict).length;

	if (!checks.length)
		return _('The diagnosis has returned no results.');

	if (count('fail'))
		return _('Problems found: %d. Begin with the first.').format(count('fail'));

	if (count('warn'))
		return _('No problem found, but points that need attention: %d.').format(count('warn'));

	return _('No problem found.');
}

return baseclass.extend({
	/* Finds out once where the package manager is, if there is one. */
	load() {
		return L.resolveDefault(ui.menu.load(), null).then(tree => manager = managers.find(path => isInMenu(tree, path)) ?? null);
	},

	/* The findings of the doctor about interface NAME, run by run(). */
	Diagnosis: baseclass.extend({
		__init__(name) {
			this.name = name;
			this.node = E('div', { 'class': 'mape-diagnosis', 'aria-live': 'polite', 'hidden': '' });
		},

		/* Runs the doctor and shows what it found; a run that goes on is not started twice. */
		run() {
			this.running ??= this.ask().finally(() => this.running = null);

			return this.running;
		},

		ask() {
			parts.show(this.node, true);
			dom.content(this.node, [ E('p', { 'class': 'spinning' }, [ _('The connection is being checked; this takes some seconds.') ]) ]);

			return bus.doctor(this.name).then(report => this.show(L.toArray(report.checks).filter(check => L.isObject(check)))).catch(error => {
				const kind = bus.failure(error);

				if (kind == null)
					console.error(error);

				dom.content(this.node, [ E('p', { 'class': 'alert-message warning' }, [
					_('The diagnosis failed.'), ' ',
					(kind == 'timeout' || kind == 'failed') ? _('There was no answer in time; try again.') : words.failure(kind), ' ',
					E('small', {}, [ String(error?.message ?? error) ])
				]) ]);
			});
		},

		show(checks) {
			const sorted = [ ...checks ].sort((a, b) => rank(a) - rank(b));
			const bad = sorted.filter(check => check.verdict == 'fail' || check.verdict == 'warn');
			const good = sorted.filter(check => !bad.includes(check));

			dom.content(this.node, [
				E('p', {}, [ E('strong', {}, [ summary(checks) ]) ]),
				this.list(bad),
				good.length ? parts.folded(_('Checks without a finding: %d').format(good.length), [ this.list(good) ]) : ''
			]);
		},

		list(checks) {
			return checks.length ? E('ul', { 'class': 'mape-doctor', 'role': 'list' }, checks.map(check => this.item(check))) : '';
		},

		item(check) {
			const [ sign, label, kind ] = words.verdict(check.verdict);
			const remedy = (check.verdict == 'ok') ? null : findings.remedyOf(check);

			return E('li', { 'data-check': check.id, 'data-verdict': check.verdict }, [
				E('span', { 'class': 'label mape-badge mape-%s %s'.format(kind, kind) }, [ '%s %s'.format(sign, label) ]),
				E('strong', {}, [ words.check(check.id) ]),
				E('div', {}, [
					findings.seenOf(check),
					remedy ? E('div', { 'class': 'mape-remedy' }, [
						E('span', {}, [ _('What to do: %s').format(remedy.text) ]), ' ', this.act(remedy)
					]) : ''
				])
			]);
		},

		/* A link or a button that does what REMEDY says, if LuCI can. */
		act({ action, target }) {
			switch (action) {
			case 'restart':
				return this.restartButton(target ?? this.name);

			case 'install':
				return manager ? link(manager, _('Install', 'verb'), L.toArray(target)[0]) : '';

			case 'packages':
				return manager ? link(manager, _('Open package manager')) : '';

			default:
				return places[action] ? link(...places[action]) : '';
			}
		},

		/* A button that restarts interface NAME; what fails is said at the top of the page. */
		restartButton(name) {
			const readonly = (L.hasViewPermission() === false);

			return E('button', {
				'class': 'btn cbi-button cbi-button-reload',
				'disabled': readonly || null,
				'title': readonly ? _('You may only read this page.') : null,
				'click': ui.createHandlerFn(this, () => bus.restart(name).catch(error =>
					ui.addNotification([ _('“%s” could not be restarted').format(name) ], [ E('p', {}, [ String(error.message) ]) ], 'error')))
			}, [ _('Restart %s').format(name) ]);
		}
	})
});
