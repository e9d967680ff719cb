import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { storybookTest } from '@storybook/addon-vitest/vitest-plugin'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config'
import { type Alias, aliases } from './scripts/aliases.ts'
import { findChromium } from './scripts/chromium.ts'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('.', import.meta.url))

/** A fresh object a project: vitest changes the one it is given. */
function chromium() {
  const executablePath = findChromium()
  return {
    enabled: true,
    headless: true,
    screenshotFailures: false,
    provider: playwright({
      launchOptions: {
        ...(executablePath === undefined ? {} : { executablePath }),
        // Containers have no user namespaces and a small /dev/shm; WebGL is drawn in software.
        args: ['--no-sandbox', '--disable-dev-shm-usage', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
      },
    }),
    instances: [{ browser: 'chromium' as const }],
  }
}

/** The React suite under one version of React. */
function reactProject(version: number, react: string, reactDom: string): TestProjectInlineConfiguration {
  const moduleAliases: Alias[] = [
    ['react', react],
    ['react/jsx-runtime', `${react}/jsx-runtime`],
    ['react/jsx-dev-runtime', `${react}/jsx-dev-runtime`],
    ['react-dom', reactDom],
    ['react-dom/client', `${reactDom}/client`],
    ['react-dom/server', `${reactDom}/server`],
    ['react-dom/test-utils', `${reactDom}/test-utils`],
  ].flatMap(([name = '', target = '']) => {
    // React 17 has no react-dom/client: an import of it fails there, as it does for users.
    if (version === 17 && name === 'react-dom/client') return []
    return [{ find: new RegExp(`^${name}$`), replacement: require.resolve(target) }]
  })
  return {
    resolve: { alias: [...moduleAliases, ...aliases] },
    test: {
      name: `react${version}`,
      include: ['tests/react/**/*.test.{ts,tsx}'],
      environment: 'jsdom',
      setupFiles: ['tests/support/react-versions.ts'],
      provide: { reactPackages: { react, reactDom } },
    },
  }
}

const config: ViteUserConfig = defineConfig({
  test: {
    // Property tests and fault schedules take their time on a busy machine; a hang still ends.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    projects: [
      {
        resolve: { alias: aliases },
        test: {
          name: 'node',
          include: ['tests/**/*.test.{ts,tsx}'],
          exclude: ['tests/{browser,react}/**'],
          environment: 'node',
        },
      },
      reactProject(17, 'react17', 'react-dom17'),
      reactProject(18, 'react18', 'react-dom18'),
      reactProject(19, 'react', 'react-dom'),
      {
        resolve: { alias: aliases },
        optimizeDeps: { include: ['sql.js'] },
        test: { name: 'browser', include: ['tests/browser/**/*.test.{ts,tsx}'], browser: chromium() },
      },
      {
        plugins: [storybookTest({ configDir: `${root}.storybook` })],
        // Found only while the first story loads, they would make the page load again in the middle of a run.
        optimizeDeps: {
          include: ['react', 'react/jsx-runtime', 'react/jsx-dev-runtime', 'react-dom', 'react-dom/client', 'sql.js'],
        },
        test: { name: 'stories', browser: chromium() },
      },
      {
        resolve: { alias: aliases },
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['tests/types/**/*.test-d.{ts,tsx}'],
            tsconfig: './tsconfig.json',
            // Errors outside of tests/types are what `npm run typecheck` reports.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
})

export default config
