import { createRequire, registerHooks } from 'node:module'
import { inject } from 'vitest'

const require = createRequire(import.meta.url)
const { react, reactDom } = inject('reactPackages')

/**
 * Vite's aliases turn `react` in our own modules into the version under test. Packages that Node itself loads
 * (`use-sync-external-store`) ask Node for `react`, and would get the other copy; two Reacts in one page break hooks.
 */
if (react !== 'react') {
  registerHooks({
    resolve(specifier, context, next) {
      const match = /^(react|react-dom)(\/.*)?$/.exec(specifier)
      if (match === null) return next(specifier, context)
      const name = `${match[1] === 'react' ? react : reactDom}${match[2] ?? ''}`
      return next(require.resolve(name), context)
    },
  })
}

declare module 'vitest' {
  interface ProvidedContext {
    reactPackages: { react: string; reactDom: string }
  }
}
