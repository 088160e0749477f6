// Checks the manifest of docs/deploy against the schema of Kubernetes' API, and what the server
// relies on or promises. Prints the options that it gives the server.
//   node test/kubernetes.js PREFIX MANIFEST     PREFIX: where npm installed the packages
const assert = require('assert').strict;
const { readFileSync } = require('fs');
const { createRequire } = require('module');
const { resolve } = require('path');

const [prefix, file] = process.argv.slice(2);
const installed = createRequire(resolve(prefix, 'package.json'));
const { parseAllDocuments } = installed('yaml');

const objects = {};
for (const document of parseAllDocuments(readFileSync(file, 'utf8'), { strict: true })) {
    assert.deepEqual(document.errors, []);
    const object = document.toJS();
    const Model = installed(`kubernetes-models/${object.apiVersion}`)[object.kind];

    new Model(object).validate();
    objects[object.kind] = object;
}
assert.deepEqual(Object.keys(objects), ['Deployment', 'Service']);

const { selector, template } = objects.Deployment.spec;
const pod = template.spec;
const [container, ...others] = pod.containers;
const [port] = container.ports;

assert.deepEqual(others, []);

// The Service finds the pods, and the pods' port.
assert.deepEqual(selector.matchLabels, template.metadata.labels);
assert.deepEqual(objects.Service.spec.selector, template.metadata.labels);
assert.deepEqual(objects.Service.spec.ports.map(p => p.targetPort), [port.name]);
assert.equal(port.containerPort, 9901); // the server's default

// The probes connect, which leaves no trace in the log.
for (const probe of [container.readinessProbe, container.livenessProbe])
    assert.deepEqual(probe.tcpSocket, { port: port.name });
assert.ok(container.args.includes('--no-log-empty'));

// The server ends its connections before it is killed.
const drain = container.args[container.args.indexOf('--drain-timeout') + 1];

assert.ok(pod.terminationGracePeriodSeconds > Number(drain));

// It is nobody, and can change nothing.
assert.equal(pod.securityContext.runAsNonRoot, true);
assert.equal(pod.securityContext.runAsUser, 65534);
assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault');
assert.equal(pod.automountServiceAccountToken, false);
assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
});

console.log(container.args.join(' '));
