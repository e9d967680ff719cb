import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './commands.ts'

/** A new app of a framework, and how it is served at a port. */
export interface NewApp {
  /** Makes it, without node_modules, in a folder. Gives its folder. */
  create(folder: string): string
  /** What is installed besides rowcast. */
  readonly packages: readonly string[]
  /** The blocks of the documentation that it is made of, by document, each named by its first line, which is a comment with its path. */
  readonly blocks: readonly (readonly [document: string, firstLine: string])[]
  dev(port: string): readonly string[]
  production(port: string): readonly string[]
}

const APP = [
  ['README.md', '// src/schema.ts'],
  ['README.md', '// src/App.tsx'],
] as const
const STORE = ['README.md', '// src/store.ts'] as const

// A newcomer gets the latest of each. The majors are held here to those that were tried, so that a release of theirs is
// taken on purpose, and fails nobody's change on the day it comes.
const CREATE_VITE = 'vite@9'
const CREATE_NEXT = 'next-app@16'
const VITE_7 = ['vite@7', '@vitejs/plugin-react@5']
const WEBPACK = ['webpack@5', 'webpack-cli@7', 'webpack-dev-server@6', 'ts-loader@9', 'typescript@5']
const REACT = ['react@19', 'react-dom@19', '@types/react@19', '@types/react-dom@19']

const vite: NewApp = {
  create: (folder) => {
    const template = ['--template', 'react-ts', '--no-interactive']
    run('new Vite app', folder, ['npm', 'create', '--yes', CREATE_VITE, 'my-app', '--', ...template])
    return join(folder, 'my-app')
  },
  packages: [],
  blocks: [...APP, STORE],
  dev: (port) => bin('vite/bin/vite.js', '--port', port, '--strictPort'),
  production: (port) => bin('vite/bin/vite.js', 'preview', '--port', port, '--strictPort'),
}

export const newApps = {
  vite,
  vite7: { ...vite, packages: VITE_7, blocks: [...APP, ['docs/bundlers.md', '// src/store.ts, with Vite 7']] },
  next: {
    create: (folder) => {
      // What is left out is Google's fonts, which the build would download, and what has nothing to do with the README.
      const bare = ['--yes', '--empty', '--no-tailwind', '--no-eslint', '--disable-git', '--skip-install']
      run('new Next.js app', folder, ['npm', 'create', '--yes', CREATE_NEXT, 'my-app', '--', ...bare])
      return join(folder, 'my-app')
    },
    packages: [],
    blocks: [...APP, STORE, ['README.md', '// app/page.tsx']],
    dev: (port) => bin('next/dist/bin/next', 'dev', '-p', port),
    production: (port) => bin('next/dist/bin/next', 'start', '-p', port),
  },
  webpack: {
    create: (folder) => writeFiles(join(folder, 'my-app'), WEBPACK_APP),
    packages: [...WEBPACK, ...REACT],
    blocks: [...APP, STORE],
    dev: (port) => bin('webpack-cli/bin/cli.js', 'serve', '--mode', 'development', '--port', port),
    // What it has built, from any server of files.
    production: (port) => [process.execPath, VITE, 'preview', '--outDir', 'public', '--port', port, '--strictPort'],
  },
} as const satisfies Record<string, NewApp>

const VITE = fileURLToPath(new URL('../../../node_modules/vite/bin/vite.js', import.meta.url))

/** webpack has no template of its own: the least that takes TypeScript and JSX. */
const WEBPACK_APP = {
  'package.json': JSON.stringify({
    private: true,
    type: 'module',
    scripts: { build: 'tsc -p . --noEmit && webpack --mode production' },
  }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023', 'dom'],
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'react-jsx',
      strict: true,
      types: [],
    },
    include: ['src'],
  }),
  'webpack.config.js': `export default {
  entry: './src/main.tsx',
  output: { path: import.meta.dirname + '/public' },
  resolve: { extensions: ['.tsx', '.ts', '.js'] },
  module: { rules: [{ test: /\\.tsx?$/, use: 'ts-loader' }] },
  devServer: { static: 'public' },
}
`,
  'public/index.html': '<!doctype html><div id="root"></div><script src="main.js"></script>\n',
  'src/main.tsx': `import { createRoot } from 'react-dom/client'
import App from './App'

createRoot(document.getElementById('root')!).render(<App />)
`,
}

/** Writes files by their paths, and gives their folder. */
function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

function bin(path: string, ...args: string[]): readonly string[] {
  return [process.execPath, `node_modules/${path}`, ...args]
}
