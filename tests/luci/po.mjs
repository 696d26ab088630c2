// SPDX-License-Identifier: Apache-2.0
// A reader for the few .po constructs LuCI uses: msgctxt, msgid, msgstr, continued lines.

import { readFileSync } from 'node:fs';

export function readPo(file) {
	const entries = [];
	let entry = null;
	let field = null;

	for (const line of readFileSync(file, 'utf8').split('\n')) {
		const start = /^(msgctxt|msgid|msgstr)\s+(".*")$/.exec(line);
		const text = start ? start[2] : (line.startsWith('"') ? line : null);

		if (text == null) {
			field = null;
			continue;
		}

		if (start) {
			field = start[1];
			if (field == 'msgctxt' || (field == 'msgid' && entry?.msgid != null))
				entry = null;
			if (!entry)
				entries.push(entry = {});
			entry[field] = '';
		}

		if (field)
			entry[field] += JSON.parse(text);
	}

	return entries.filter(({ msgid }) => msgid);
}
