// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';

let loaded = null;

return baseclass.extend({
	/* Loads the app's style sheet once; resolves in any case, so that a page without it still shows. */
	load() {
		return loaded ??= new Promise(resolve => {
			document.head.append(E('link', {
				'rel': 'stylesheet', 'href': L.resource('mape/mape.css'), 'load': resolve, 'error': resolve
			}));
		});
	}
});
