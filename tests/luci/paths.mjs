// SPDX-License-Identifier: Apache-2.0
// Where things are: this repository, and the LuCI checkout if there is one.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const app = join(root, 'luci-proto-mape');
export const resources = join(app, 'htdocs/luci-static/resources');
export const luci = process.env.LUCI_SRC || null;

export const luciParts = luci ? [
	'modules/luci-base', 'modules/luci-mod-network', 'modules/luci-mod-status',
	'protocols/luci-proto-ipv6', 'themes/luci-theme-bootstrap',
	'themes/luci-theme-material', 'themes/luci-theme-openwrt', 'themes/luci-theme-openwrt-2020', 'applications/luci-app-firewall'
].map(part => join(luci, part)).filter(existsSync) : [];

export function fixture(name) {
	return JSON.parse(readFileSync(join(root, 'tests/data/bus', name + '.json'), 'utf8'));
}

export function filesBelow(dir, suffix) {
	return existsSync(dir) ? readdirSync(dir, { recursive: true })
		.filter(name => name.endsWith(suffix)).sort().map(name => join(dir, name)) : [];
}

export function jsonBelow(part, dir) {
	return Object.assign({}, ...filesBelow(join(part, 'root', dir), '.json').map(file => JSON.parse(readFileSync(file, 'utf8'))));
}
