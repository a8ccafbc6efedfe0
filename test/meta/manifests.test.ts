import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { root } from './sources.js';

type Tree = { readonly [key: string]: Tree } & readonly Tree[] & string;

function documents(path: string): Tree[] {
  return parseAllDocuments(readFileSync(`${root}docs/cluster/${path}`, 'utf8')).map((one) => {
    assert.deepEqual(one.errors, []);
    assert.deepEqual(one.warnings, []);
    return one.toJS() as Tree;
  });
}

/** Options that the command has. */
const help = spawnSync(
  process.execPath,
  [fileURLToPath(new URL('../../src/cli/main.js', import.meta.url)), 'worker', '--help'],
  { encoding: 'utf8', timeout: 120_000 },
).stdout;

function assertOptions(args: readonly string[]): void {
  const options = args.filter((one) => one.startsWith('--'));
  assert.ok(options.length >= 3);
  for (const option of options) assert.ok(help.includes(`${option} <`), option);
}

test('the Compose file has services whose parts are there, and a command that furca understands', () => {
  const [file] = documents('compose.yaml') as [Tree];
  const { services, volumes } = file as unknown as { readonly services: Tree; readonly volumes: Tree };
  assert.deepEqual(Object.keys(services), ['redis', 'worker']);
  for (const service of Object.values(services) as Tree[]) {
    assert.ok(service['image'] !== undefined || service['build'] !== undefined);
    for (const volume of (service['volumes'] ?? []) as readonly string[])
      assert.ok((volume.split(':')[0] as string) in volumes);
    for (const name of Object.keys(service['depends_on'] ?? {})) assert.ok(name in services);
  }
  const command = services['worker']?.['command'] as unknown as string[];
  assert.deepEqual(command.slice(0, 3), ['npx', 'furca', 'worker']);
  assertOptions(command);
});

test('the Kubernetes manifest has resources whose selectors, ports and claims fit each other', () => {
  const resources = documents('kubernetes.yaml');
  assert.deepEqual(
    resources.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
    ['apps/v1 Deployment', 'v1 Service', 'apps/v1 StatefulSet'],
  );
  for (const { metadata } of resources) assert.match(String(metadata?.['name']), /^[a-z-]+$/);
  for (const { kind, spec } of resources.filter((one) => String(one['kind']) !== 'Service')) {
    const { selector, template } = spec as unknown as { selector: Tree; template: Tree };
    assert.deepEqual(template['metadata']?.['labels'], selector['matchLabels'], String(kind));
    for (const container of (template['spec']?.['containers'] ?? []) as readonly Tree[]) {
      assert.ok(container['name'] !== undefined && container['image'] !== undefined);
      const ports = ((container['ports'] ?? []) as readonly Tree[]).map((port) => String(port['name']));
      const probed = container['livenessProbe']?.['httpGet']?.['port'];
      if (probed !== undefined) assert.ok(ports.includes(String(probed)));
      const claims = ((spec?.['volumeClaimTemplates'] ?? []) as readonly Tree[]).map((claim) =>
        String(claim['metadata']?.['name']),
      );
      for (const mount of (container['volumeMounts'] ?? []) as readonly Tree[])
        assert.ok(claims.includes(String(mount['name'])));
    }
  }
  const worker = resources[0]?.['spec']?.['template']?.['spec']?.['containers']?.[0];
  assertOptions(worker?.['args'] as unknown as string[]);
});
