// SPDX-License-Identifier: GPL-2.0-or-later
// luci.mjs URL ADDRESS: logs in to a router's LuCI as root without a password
// and looks for the IPv4 address on our status page.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const tools = fileURLToPath(new URL('../../.tools/luci/package.json', import.meta.url));
const { chromium } = createRequire(tools)('playwright-core');
const [ url, address ] = process.argv.slice(2);

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: [ '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage' ]
});
const context = await browser.newContext();
// An emulated router takes its time.
context.setDefaultTimeout(180000);
const errors = [];
try {
	const login = await context.newPage();
	await login.goto(`${url}/cgi-bin/luci/`);
	await login.locator('input[name=luci_username]').fill('root');
	await login.locator('input[name=luci_password]').press('Enter');
	await login.locator('a[href$="admin/logout"]').first().waitFor({ state: 'attached' });
	const page = await context.newPage();
	page.on('pageerror', error => errors.push(String(error)));
	await page.goto(`${url}/cgi-bin/luci/admin/status/mape`);
	await page.locator('#view').getByText(address).first().waitFor();
	if (errors.length)
		throw new Error(errors.join('; '));
	console.log(`after the login it shows ${address}`);
}
finally {
	await browser.close();
}
