import { defineConfig, type UserConfig } from 'tsdown'
import { entries } from './scripts/aliases.ts'

const config: UserConfig = defineConfig({
  entry: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, `src/${path}`])),
  format: 'esm',
  platform: 'neutral',
  target: 'es2023',
  tsconfig: 'tsconfig.src.json',
  dts: true,
  fixedExtension: false,
  sourcemap: false,
  clean: true,
})

export default config
