/** How a newcomer installs and runs. */
export interface PackageManager {
  readonly name: string
  /** Adds packages to an app, after what its package.json lists. */
  readonly add: readonly string[]
  readonly run: readonly string[]
}

const pnpm = ['npm', 'exec', '--yes', '--package=pnpm@10', '--', 'pnpm']

export const packageManagers = {
  npm: { name: 'npm', add: ['npm', 'install', '--no-audit', '--no-fund'], run: ['npm', 'run'] },
  // Its node_modules are strict: a package finds nothing but its own dependencies.
  pnpm: { name: 'pnpm', add: [...pnpm, 'add'], run: [...pnpm, 'run'] },
} as const satisfies Record<string, PackageManager>
