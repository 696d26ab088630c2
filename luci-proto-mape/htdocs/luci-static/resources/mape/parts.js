// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';

const svgns = 'http://www.w3.org/2000/svg';

return baseclass.extend({
	protocols: [ 'tcp', 'udp', 'icmp' ],

	svg(tag, attrs, children) {
		const node = document.createElementNS(svgns, tag);

		for (const name in attrs)
			node.setAttribute(name, attrs[name]);

		node.append(...(children ?? []));

		return node;
	},

	/* Fills NODE by BUILD unless it shows KEY already: what did not change keeps focus and selection. */
	fill(node, key, build) {
		const text = JSON.stringify(key);

		if (node.mapeKey !== text) {
			node.mapeKey = text;
			/* A text of its own would be taken for HTML. */
			dom.content(node, [ build() ].flat());
		}
	},

	/* Sets the text of NODE if it is another: a selection in the same text stays. */
	say(node, text) {
		if (node.textContent !== text)
			node.textContent = text;
	},

	heading(text) {
		return E('h4', {}, [ text ]);
	},

	note(text) {
		return E('p', {}, [ E('em', {}, [ text ]) ]);
	},

	/* A <details> element: SUMMARY, and CHILDREN that unfold below it. */
	folded(summary, children) {
		return E('details', { 'class': 'mape-details' }, [ E('summary', {}, [ summary ]), ...children ]);
	},

	/* Shows or hides NODE without changing the display it has from a style sheet. */
	show(node, visible) {
		node.hidden = !visible;
	},

	/* A table for cbi_update_table(), which sorts, keeps the sorting and says PLACEHOLDER if there are no rows. */
	table(id, titles) {
		return E('table', { 'class': 'table mape-table', 'id': id }, [
			E('tr', { 'class': 'tr table-titles' }, titles.map(title => (title === '')
				? E('th', { 'class': 'th cbi-section-actions' }, [ E('span', { 'class': 'mape-unseen' }, [ _('Actions') ]) ])
				: E('th', { 'class': 'th' }, [ title ])))
		]);
	}
});
