import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'vite'
import { aliases } from '../../scripts/aliases.ts'
import { citiesPlugin } from './vite-plugin-cities.ts'

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [citiesPlugin()],
  resolve: { alias: aliases },
  server: { open: false },
  preview: { open: false },
  build: {
    outDir: fileURLToPath(new URL('../../dist-editor', import.meta.url)),
    emptyOutDir: true,
    chunkSizeWarningLimit: 2_000,
  },
})

export default config
