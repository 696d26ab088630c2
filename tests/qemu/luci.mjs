// SPDX-License-Identifier: GPL-2.0-or-later
// luci.mjs URL shows ADDRESS: logs in to a router's LuCI as root without a
// password and looks for the IPv4 address on our status page.
// luci.mjs URL clicks NAME ADDRESS HOST: what a user does there. Adds the
// interface NAME, which must get the address, forwards a port of it to HOST,
// and has the line diagnosed.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const tools = fileURLToPath(new URL('../../.tools/luci/package.json', import.meta.url));
const { chromium } = createRequire(tools)('playwright-core');
const [ url, task, ...words ] = process.argv.slice(2);

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: [ '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage' ]
});
const context = await browser.newContext();
// An emulated router takes its time.
context.setDefaultTimeout(180000);
const errors = [];

async function login() {
	const page = await context.newPage();
	await page.goto(`${url}/cgi-bin/luci/`);
	await page.locator('input[name=luci_username]').fill('root');
	await page.locator('input[name=luci_password]').press('Enter');
	await page.locator('a[href$="admin/logout"]').first().waitFor({ state: 'attached' });
	await page.close();
}

async function open(path) {
	const page = await context.newPage();
	page.on('pageerror', error => errors.push(String(error)));
	await page.goto(`${url}/cgi-bin/luci/admin/${path}`);
	return page;
}

const shows = (page, address) => page.locator('#view').getByText(address).first().waitFor();

/* LuCI applies changes, waits for the router to answer, and says so. */
const applied = page => page.getByText('Configuration changes applied').waitFor();

async function addInterface(name, address) {
	const page = await open('network/network');
	await page.getByText('Add new interface').click();
	await page.locator('[id="widget.cbid.network._new_.name"]').fill(name);
	await page.locator('[id="widget.cbid.network._new_.proto"]').selectOption('mape');
	await page.getByRole('button', { name: 'Create interface' }).click();
	await page.locator('.mape-preview').getByText(address).waitFor();
	await page.locator('#modal_overlay .cbi-button-positive, #modal_overlay .cbi-button-save').filter({ hasText: 'Save' }).first().click();
	await page.waitForFunction(() => !document.body.classList.contains('modal-overlay-active'));
	await page.locator('.cbi-page-actions .cbi-button-apply').first().click();
	await applied(page);
	await page.close();
}

/* Fills the field of OPTION in a dialog: a list to choose from, if the router knows something to choose. */
async function choose(page, option, value) {
	const row = page.locator(`#modal_overlay [data-name="${option}"]`);
	await row.waitFor();

	if (!await row.locator('.cbi-dropdown').count())
		return row.locator('input').first().fill(value);

	await row.locator('.cbi-dropdown').click();
	const typed = row.locator('ul.dropdown input.create-item-input');
	await typed.fill(value);
	await typed.press('Enter');
}

async function forwardPort(page, host) {
	const field = option => page.locator(`[id="widget.cbid.json.forward.${option}"]`);
	await page.getByRole('button', { name: /Forward port/ }).first().click();
	const port = await field('port').inputValue();
	await field('to').selectOption('device');
	await choose(page, 'device', host);
	await page.locator('#modal_overlay .cbi-button-apply').click();
	await applied(page);
	return port;
}

async function diagnose(page) {
	await page.getByRole('button', { name: 'Run diagnosis' }).click();
	const summary = page.locator('.mape-diagnosis strong').first();
	await summary.filter({ hasText: /found/ }).waitFor();
	const bad = await page.locator('[data-verdict=fail], [data-verdict=warn]').allInnerTexts();
	return [ await summary.innerText(), ...bad ].join(' ').replace(/\s+/g, ' ');
}

try {
	await login();
	let seen;
	if (task == 'clicks') {
		const [ name, address, host ] = words;
		await addInterface(name, address);
		const port = await forwardPort(await open('status/mape'), host);
		// LuCI loads a page again after it has applied something.
		const page = await open('status/mape');
		await shows(page, address);
		seen = `${port} ${await diagnose(page)}`;
	}
	else {
		await shows(await open('status/mape'), words[0]);
		seen = `after the login it shows ${words[0]}`;
	}
	if (errors.length)
		throw new Error(errors.join('; '));
	console.log(seen);
}
finally {
	await browser.close();
}
