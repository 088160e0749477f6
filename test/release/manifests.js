// Checks the manifests for scoop and winget: that they are about the Windows archive that they are
// published with, and where their schemas are at hand, that they fit them.
//   node test/release/manifests.js PREFIX MANIFESTS ARCHIVE UNPACKED [SCHEMAS]
// PREFIX: where npm installed ajv and yaml; MANIFESTS: the folder that test/release/manifests.sh
// has written; UNPACKED: where the archive was unpacked; SCHEMAS: a folder with scoop.json and
// winget's schemas, under the names that the manifests call them by.
const assert = require('assert');
const { createHash } = require('crypto');
const { existsSync, readFileSync } = require('fs');
const { basename, join, resolve } = require('path');

const [prefix, manifests, archive, unpacked, schemas] = process.argv.slice(2);
const modules = resolve(prefix, 'node_modules');
const { default: Ajv } = require(join(modules, 'ajv'));
const { parse } = require(join(modules, 'yaml'));

const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');

function read(name) {
    return parse(readFileSync(join(manifests, name), 'utf8'));
}

// The schemas name formats and have keywords for editors, which decide nothing.
function fit(name, manifest, schema) {
    if (!schemas) {
        console.log(`left out: ${name} by ${schema}, which is not here (SCHEMAS=FOLDER)`);
        return;
    }
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
    const validate = ajv.compile(JSON.parse(readFileSync(join(schemas, schema), 'utf8')));
    assert(validate(manifest), `${name}: ${ajv.errorsText(validate.errors)}`);
    console.log(`${name}: fits ${schema}`);
}

function checkDownload(name, url, hash) {
    assert.strictEqual(basename(url), basename(archive), name);
    assert.strictEqual(hash, sha256, name);
}

function checkProgram(name, path) {
    assert(existsSync(join(unpacked, ...path.split('\\'))), `${name}: there is no ${path}`);
}

function checkScoop() {
    const name = 'scoop/selecho.json';
    const manifest = read(name);
    const { url, hash, extract_dir } = manifest.architecture['64bit'];

    checkDownload(name, url, hash);
    manifest.bin.forEach((path) => checkProgram(name, `${extract_dir}\\${path}`));
    fit(name, manifest, 'scoop.json');
    return manifest.version;
}

function checkWinget(version) {
    for (const part of ['', '.installer', '.locale.en-US']) {
        const name = `winget/selecho.selecho${part}.yaml`;
        const manifest = read(name);
        const { ManifestType: type, ManifestVersion: schemaVersion } = manifest;

        assert.strictEqual(manifest.PackageIdentifier, 'selecho.selecho', name);
        assert.strictEqual(manifest.PackageVersion, version, name);
        for (const { InstallerUrl, InstallerSha256 } of manifest.Installers ?? []) {
            checkDownload(name, InstallerUrl, InstallerSha256);
        }
        for (const { RelativeFilePath } of manifest.NestedInstallerFiles ?? []) {
            checkProgram(name, RelativeFilePath);
        }
        fit(name, manifest, `winget-manifest.${type}.${schemaVersion}.schema.json`);
    }
}

checkWinget(checkScoop());
console.log('scoop and winget: about this archive');
