#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pack a staged package (data/, control/, fields, description) as .ipk or .apk.

The same input gives the same bytes: owners are root, times are
SOURCE_DATE_EPOCH, names are sorted, modes are 755 or 644.
"""

import argparse
import gzip
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

# OpenWrt's own scripts do the common part: lib/functions.sh runs uci-defaults,
# enables services and, of an .ipk, runs our NAME-pkg script too.
PREAMBLE = """\
#!/bin/sh
{skip}[ -s "${{IPKG_INSTROOT}}/lib/functions.sh" ] || exit 0
. "${{IPKG_INSTROOT}}/lib/functions.sh"
"""
SKIP = '[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n'


def read_fields(stage):
    """Fields of the package: name to text, empty ones left out."""
    pairs = (part.partition(":") for part in (stage / "fields").read_text().strip().split("|"))
    fields = {name: " ".join(value.split()) for name, _, value in pairs if value.strip()}
    lines = (stage / "description").read_text().splitlines()
    fields["Description"] = " ".join(line.strip() for line in lines if line.strip())
    return fields


def script(stage, name):
    """Body of one of our scripts, without its interpreter line and comments."""
    path = stage / "control" / name
    if not path.exists():
        return ""
    lines = path.read_text().splitlines()
    return "".join(line + "\n" for line in lines if not line.lstrip().startswith("#"))


def normalize(tree, epoch):
    """Modes and times of a tree, whatever umask it was checked out with."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_symlink():
            pass
        elif path.is_dir() or os.access(path, os.X_OK) and path.stat().st_mode & 0o100:
            path.chmod(0o755)
        else:
            path.chmod(0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    tree.chmod(0o755)
    os.utime(tree, (epoch, epoch))


def tar_gz(members, epoch):
    """A .tar.gz of (name, mode, content); content None is a directory, a Path a symlink."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, mode, content in members:
            info = tarfile.TarInfo(name)
            info.mode, info.mtime, info.uname, info.gname = mode, epoch, "root", "root"
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, pathlib.Path):
                info.type, info.linkname = tarfile.SYMTYPE, str(content)
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return gzip.compress(raw.getvalue(), 9, mtime=0)


def tree_members(tree):
    yield "./", 0o755, None
    for path in sorted(tree.rglob("*")):
        name = "./" + str(path.relative_to(tree))
        if path.is_symlink():
            yield name, 0o777, path.readlink()
        elif path.is_dir():
            yield name + "/", 0o755, None
        else:
            yield name, path.stat().st_mode & 0o777, path.read_bytes()


def ipk(stage, fields, epoch, output):
    """An .ipk: a .tar.gz of two .tar.gz, what opkg of OpenWrt up to 24.10 takes."""
    size = sum(p.stat().st_size for p in (stage / "data").rglob("*") if not p.is_symlink() and p.is_file())
    control = ""
    for name, value in fields.items():
        if name in ("Depends", "Recommends", "Provides", "Conflicts"):
            value = ", ".join(value.split())
        if name not in ("Title", "Description"):
            control += f"{name}: {value}\n"
    if "Conflicts" in fields:
        # With this opkg takes the other package away instead of refusing ours.
        control += f"Replaces: {', '.join(fields['Conflicts'].split())}\n"
    control += f"SourceDateEpoch: {epoch}\nInstalled-Size: {size}\nDescription: {fields['Description']}\n"
    members = [("./", 0o755, None), ("./control", 0o644, control.encode())]
    for name, skip in (("postinst", SKIP), ("prerm", "")):
        start = PREAMBLE.format(skip=skip) + f'default_{name} "$0" "$@"\n'
        members.append((f"./{name}", 0o755, start.encode()))
        if script(stage, name):
            members.append((f"./{name}-pkg", 0o755, ("#!/bin/sh\n" + script(stage, name)).encode()))
    outer = [
        ("./debian-binary", 0o644, b"2.0\n"),
        ("./data.tar.gz", 0o644, tar_gz(tree_members(stage / "data"), epoch)),
        ("./control.tar.gz", 0o644, tar_gz(members, epoch)),
    ]
    output.write_bytes(tar_gz(outer, epoch))


def apk_list(data, name):
    """What OpenWrt's scripts read about an installed .apk: its files."""
    info = data / "lib/apk/packages"
    info.mkdir(parents=True, exist_ok=True)
    files = sorted("/" + str(p.relative_to(data)) for p in data.rglob("*") if p.is_symlink() or p.is_file())
    (info / f"{name}.list").write_text("".join(f + "\n" for f in files))


def apk(stage, fields, epoch, output, tool):
    """An .apk of apk-tools 3, what OpenWrt takes from 25.12 on."""
    name, version = fields["Package"], fields["Version"]
    scripts = stage / "apk-scripts"
    data = stage / "apk-data"
    for directory in (scripts, data):
        shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(stage / "data", data, symlinks=True)
    apk_list(data, name)
    normalize(data, epoch)
    scripts.mkdir()
    known = f'export root="${{IPKG_INSTROOT}}"\nexport pkgname="{name}"\n'
    install = SKIP + PREAMBLE.format(skip="").partition("\n")[2] + known
    install += "add_group_and_user\ndefault_postinst\n" + script(stage, "postinst")
    remove = PREAMBLE.format(skip="") + known + "default_prerm\n" + script(stage, "prerm")
    (scripts / "post-install").write_text("#!/bin/sh\n" + install)
    (scripts / "post-upgrade").write_text("#!/bin/sh\nexport PKG_UPGRADE=1\n" + install)
    (scripts / "pre-deinstall").write_text(remove)

    # There are no weak dependencies. What is provided with a version conflicts
    # with the package of that name by itself, and takes its place.
    depends = fields.get("Depends", "").split() + fields.get("Recommends", "").split()
    info = {
        "name": name,
        "version": version,
        "description": fields["Description"],
        "arch": "noarch" if fields["Architecture"] == "all" else fields["Architecture"],
        "license": fields["License"],
        "origin": name,
        "maintainer": fields["Maintainer"],
        "depends": " ".join(depends),
        "provides": " ".join(f"{n}={version}" for n in fields.get("Provides", "").split()),
    }
    command = [tool, "mkpkg", "--files", str(data), "--output", str(output)]
    for key, value in info.items():
        if value:
            command += ["--info", f"{key}:{value}"]
    for path in sorted(scripts.iterdir()):
        command += ["--script", f"{path.name}:{path}"]
    if os.geteuid() == 0:
        for path in (data, *data.rglob("*")):
            os.chown(path, 0, 0, follow_symlinks=False)
    else:
        command.insert(0, "fakeroot")
    output.unlink(missing_ok=True)
    try:
        subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)})
    except OSError as error:
        sys.exit(f"pack: {command[0]}: {error.strerror}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"pack: {command[0]} gave up with {error.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=("ipk", "apk"))
    parser.add_argument("stage", type=pathlib.Path, nargs="+", help="a staged package")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory for the packages")
    parser.add_argument("--apk", default="apk", help="apk of apk-tools 3")
    arguments = parser.parse_args()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    for stage in arguments.stage:
        fields = read_fields(stage)
        name, version = fields["Package"], fields["Version"]
        normalize(stage / "data", epoch)
        if arguments.format == "ipk":
            output = arguments.out / f"{name}_{version}_{fields['Architecture']}.ipk"
            ipk(stage, fields, epoch, output)
        else:
            output = arguments.out / f"{name}-{version}.apk"
            apk(stage, fields, epoch, output, arguments.apk)
        print(f"{output}: {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
