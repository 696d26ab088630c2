// SPDX-License-Identifier: GPL-2.0-or-later
//! Between the corpora that are kept (`corpora/TARGET.txt`) and the folders
//! libFuzzer works in (`corpus/TARGET/`): `corpora unpack|pack TARGET`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mape_fuzz::packed::{pack, unpack};

/// Longer inputs are not kept: what they show, shorter ones show too.
const LONGEST: usize = 2048;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [action, target] = words.as_slice() else {
        return Err("usage: corpora unpack|pack TARGET".into());
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = here.join("corpora").join(format!("{target}.txt"));
    let folder = here.join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    match action.as_str() {
        "unpack" => {
            for (at, line) in fs::read_to_string(&kept)?.lines().enumerate() {
                let input = unpack(line).ok_or_else(|| format!("{target} line {}", at + 1))?;
                fs::write(folder.join(format!("kept-{at:05}")), input)?;
            }
        }
        "pack" => {
            let mut lines = BTreeSet::new();
            for entry in fs::read_dir(&folder)? {
                let input = fs::read(entry?.path())?;
                if input.len() <= LONGEST {
                    lines.insert(pack(&input));
                }
            }
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            fs::write(&kept, text)?;
            println!("{target}: {} inputs", lines.len());
        }
        other => return Err(format!("{other}: must be unpack or pack").into()),
    }
    Ok(())
}
