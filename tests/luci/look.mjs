// SPDX-License-Identifier: Apache-2.0
// What several tests of the pages look at.

import { join } from 'node:path';
import { fixture, root } from './paths.mjs';

export const page = 'admin/status/mape';
export const overview = 'admin/status/overview';

export const texts = (page, selector) => page.locator(selector).allTextContents();
export const shows = (page, text) => page.getByText(text, { exact: false }).first().waitFor();

/* The bus' answer of a line that is up, with CHANGES. */
export const changedStatus = changes => () => ({ interfaces: [ { ...fixture('status').interfaces[0], ...changes } ] });

/* The values of the facts by their labels, folded ones too. */
export const factsOf = page => page.locator('.mape-facts > div').evaluateAll(rows =>
	Object.fromEntries(rows.map(row => [ row.firstChild.textContent, row.lastChild.textContent ])));

export async function runDoctor(page) {
	await page.locator('.mape-head .cbi-button-action').first().click();
	await page.locator('.mape-doctor li, .mape-diagnosis .alert-message').first().waitFor({ state: 'attached' });
}

/* Rules of axe that what is LuCI's own breaks around our page. */
const notOurs = [ 'landmark-one-main', 'region', 'page-has-heading-one', 'document-title', 'html-has-lang' ];

/* What axe finds in our part of the page, as "rule: selector". */
export async function violations(page, within = '.mape') {
	await page.addScriptTag({ path: join(root, '.tools/luci/node_modules/axe-core/axe.min.js') });

	return page.evaluate(async ([ within, notOurs ]) => {
		const { violations } = await window.axe.run(document.querySelector(within));

		return violations.filter(({ id }) => !notOurs.includes(id))
			.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target.join(' ')} ${node.failureSummary}`))
			/* Buttons and links have the theme's colours. */
			.filter(text => !/^color-contrast: .*(\.btn|\bbutton\b|\ba\b|table-titles)/.test(text));
	}, [ within, notOurs ]);
}

/* In the page: the texts of NODES whose contrast to what is behind them is below LEAST (WCAG 2). */
export function contrastBelow(nodes, least) {
	const rgba = text => (text.match(/[\d.]+/g) ?? [ 0, 0, 0, 0 ]).map(Number);
	const luminance = rgb => [ 0.2126, 0.7152, 0.0722 ].reduce((sum, weight, i) => {
		const part = rgb[i] / 255;
		return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
	}, 0);
	const behind = node => {
		for (let at = node; at; at = at.parentElement) {
			const [ r, g, b, a = 1 ] = rgba(getComputedStyle(at).backgroundColor);
			if (a > 0.5)
				return [ r, g, b ];
		}
		return [ 255, 255, 255 ];
	};

	return nodes.filter(node => node.isConnected && node.textContent.trim()).filter(node => {
		const style = getComputedStyle(node);
		const back = behind(node);
		const text = rgba(style.color).slice(0, 3).map((part, i) => part * style.opacity + back[i] * (1 - style.opacity));
		const [ low, high ] = [ luminance(text), luminance(back) ].sort((a, b) => a - b);

		return (high + 0.05) / (low + 0.05) < least;
	}).map(node => node.textContent);
}
