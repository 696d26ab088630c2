// SPDX-License-Identifier: GPL-2.0-or-later
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| mape_fuzz::http_answers(data));
