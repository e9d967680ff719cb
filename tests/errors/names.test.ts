import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Rolldown } from 'vite'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ENTRIES = ['index', 'persist/index', 'transport/index', 'server/index', 'remote/index', 'react/index']

/** Stands for whatever a constructor wants. */
const anything: object = new Proxy(() => anything, {
  get: (_target, key) => {
    if (key === Symbol.toPrimitive) return () => 'x'
    return key === Symbol.iterator ? () => [].values() : anything
  },
})

test.each(ENTRIES)('every error of %s keeps its name when it is minified', async (entry) => {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: true,
      lib: { entry: join(root, 'src', `${entry}.ts`), formats: ['es'], fileName: 'bundle' },
      rolldownOptions: { external: /^[^./]/, output: { codeSplitting: false } },
    },
  })
  const [{ output }] = built as [Rolldown.RolldownOutput]
  // Beside the packages that it imports.
  const directory = await mkdtemp(join(root, 'node_modules', '.rowcast-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'bundle.mjs')
  await writeFile(file, output[0].code)
  const exported = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Record<string, unknown>
  const classes = Object.entries(exported).filter(
    (one): one is [string, new (...args: readonly unknown[]) => Error] =>
      typeof one[1] === 'function' && one[1].prototype instanceof Error,
  )
  expect(classes.map(([, Class]) => new Class(anything, anything, anything, anything).name)).toEqual(
    classes.map(([name]) => name),
  )
  if (entry !== 'remote/index' && entry !== 'react/index') expect(classes).not.toHaveLength(0)
})
