import type { StorybookConfig } from '@storybook/react-vite'
import { mergeConfig } from 'vite'
import { aliases } from '../scripts/aliases.ts'
import { citiesPlugin } from '../stories/editor/vite-plugin-cities.ts'

const config: StorybookConfig = {
  stories: ['../stories/*.stories.tsx'],
  framework: '@storybook/react-vite',
  addons: ['@storybook/addon-vitest'],
  core: { disableTelemetry: true, disableWhatsNewNotifications: true },
  // The docgen plugins want the JavaScript API of TypeScript 5.
  typescript: { reactDocgen: false },
  viteFinal: (vite) => mergeConfig(vite, { resolve: { alias: aliases }, plugins: [citiesPlugin()] }),
}

export default config
