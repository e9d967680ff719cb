// The order of the folders of src, lowest first. A folder imports lower ones, through their index.ts.
const core = ['errors', 'changes', 'drivers', 'schema', 'triggers', 'store']

// All of these stand on the store. Among each other they may import (transport uses tabs, viewer uses react), without
// a cycle.
const outer = ['react', 'webgl', 'transport', 'server', 'remote', 'persist', 'tabs', 'tasks', 'forms', 'kysely'].concat(
  ['viewer', 'testing'],
)

const anyOf = (names) => `^src/(${names.join('|')})/`

const upward = core.map((folder, position) => ({
  name: `${folder}-imports-a-higher-folder`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: anyOf([...core.slice(position + 1), ...outer]) },
}))

const forbidden = [
  ...upward,
  {
    name: 'unknown-folder',
    comment: 'A new folder of src must be given its place in the order, at the top of this file.',
    severity: 'error',
    from: { path: '^src/[^/]+/', pathNot: anyOf([...core, ...outer]) },
    to: {},
  },
  {
    name: 'past-the-door',
    comment: "A neighbour's index.ts is its door; drivers/node.ts is a second one, the entry rowcast/node.",
    severity: 'error',
    from: { path: '^src/([^/]+)/' },
    to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', '^src/drivers/node\\.ts$'] },
  },
  {
    name: 'entry-past-the-door',
    severity: 'error',
    from: { path: '^src/[^/]+$' },
    to: { path: '^src/[^/]+/', pathNot: '^src/[^/]+/index\\.ts$' },
  },
  {
    name: 'folder-imports-the-entry',
    severity: 'error',
    from: { path: '^src/[^/]+/' },
    to: { path: '^src/[^/]+$' },
  },
  {
    name: 'source-imports-what-is-not-shipped',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(tests|stories|bench|scripts)/' },
  },
  { name: 'cycle', severity: 'error', from: {}, to: { circular: true } },
  { name: 'unresolvable', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
  {
    name: 'undeclared-package',
    severity: 'error',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'development-package',
    severity: 'error',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'npm'], pathNot: 'node_modules/@types/' },
  },
  {
    name: 'node-builtin',
    comment: 'What runs in browsers does not import Node.',
    severity: 'error',
    from: { path: '^src/', pathNot: ['^src/drivers/node', '^src/server/', '^src/persist/file-'] },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'react-in-the-core',
    severity: 'error',
    from: { path: anyOf(core) },
    to: { path: 'node_modules/(react|react-dom|use-sync-external-store|three)/' },
  },
]

const config = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    builtInModules: { add: ['node:sqlite'] },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
      conditionNames: ['import', 'types', 'default'],
      exportsFields: ['exports'],
    },
  },
}

export default config
