// SPDX-License-Identifier: GPL-2.0-or-later
//! Nothing but: which name was I called by, which command.
//!
//! The C library calls `main` itself: what the standard library does before and
//! after, with its threads, locks and buffers, is 4 KB of code.

#![no_main]

use std::ffi::{CStr, c_char, c_int};
use std::slice;

use mape::exit::Exit;
use mape::handler::Protocol;
use mape::heap::Heap;
use mape::{cli, handler, streams};

#[global_allocator]
static HEAP: Heap = Heap;

/// `words` are `count` arguments, the first the name we were called by.
#[allow(unsafe_code, reason = "the C library's arguments")]
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, words: *const *const c_char) -> c_int {
    streams::prepare();
    // SAFETY: the C library passes so many pointers, which nobody else has.
    let words = unsafe { slice::from_raw_parts(words, count as usize) };
    let mut args: Vec<String> = Vec::new();
    for word in words {
        // SAFETY: each is a string that ends in a NUL and stays as it is.
        let word = unsafe { CStr::from_ptr(*word) };
        // Nothing that we are given may be anything but text.
        args.push(word.to_string_lossy().into_owned());
    }
    run(args) as c_int
}

fn run(mut args: Vec<String>) -> Exit {
    let called_as = args.first().cloned().unwrap_or_default();
    let name = called_as.rsplit('/').next().unwrap_or_default();
    let rest = args.get(1..).unwrap_or_default();
    if let Some(protocol) = name.strip_suffix(".sh").and_then(Protocol::from_name) {
        return handler::main(protocol, rest);
    }
    if name == "mapcalc" {
        if let Some(first) = args.first_mut() {
            *first = "mapcalc".into();
        }
        return cli::main(&args);
    }
    match cli::rpcd::is_called_by(&called_as) {
        true => cli::rpcd::main(rest),
        false => cli::main(rest),
    }
}
