import citiesUrl from 'virtual:cities'
import { createStore } from 'rowcast'
import { openRemote } from 'rowcast/remote'
import wasmUrl from 'sql.js/dist/sql-wasm.wasm?url'
import worldUrl from 'world-atlas/countries-50m.json?url'
import type { Collaboration } from '../collaboration/collaboration.ts'
import { openShared } from '../collaboration/open-shared.ts'
import { loadCities } from '../data/city.ts'
import { loadWorld, type WorldGeometry } from '../data/world.ts'
import { annotationOf, layersOf } from '../import-cities.ts'
import { editorSchema, type EditorStore } from './editor-store.ts'
import { type Keeping, notKept } from './keeping.ts'

/** How far the start has come. */
export interface LoadProgress {
  readonly phase: string
  /** 0 to 1; undefined where nobody knows. */
  readonly fraction: number | undefined
  readonly detail: string
}

export interface Project {
  readonly store: EditorStore
  readonly world: WorldGeometry
  readonly collaboration?: Collaboration
  readonly keeping: Keeping
}

export type ReportProgress = (progress: LoadProgress) => void

/** Rows a transaction; the page paints between two. */
const chunkSize = 5_000

const locateFile = (): string => wasmUrl
const paint = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
const count = (value: number): string => value.toLocaleString('en')
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** Makes the project of all cities. Its history starts empty. */
export async function importCities(report: ReportProgress): Promise<Project> {
  report({ phase: 'Loading cities and outlines', fraction: undefined, detail: 'GeoNames, Natural Earth' })
  const [cities, world, store] = await Promise.all([
    loadCities(citiesUrl),
    loadWorld(worldUrl),
    createStore({ schema: editorSchema, locateFile }),
  ])
  store.table('layer').insert(layersOf(cities))
  const annotations = store.table('annotation')
  for (let from = 0; from < cities.length; from += chunkSize) {
    report({
      phase: 'Importing annotations',
      fraction: from / cities.length,
      detail: `${count(from)} of ${count(cities.length)}`,
    })
    await paint()
    annotations.insert(cities.slice(from, from + chunkSize).map(annotationOf))
  }
  report({ phase: 'Drawing the map', fraction: 1, detail: `${count(cities.length)} annotations` })
  await paint()
  store.history.clear()
  return { store, world, keeping: notKept('local') }
}

/** Opens a published file, read-only. */
export async function openPublished(url: string, report: ReportProgress): Promise<Project> {
  report({ phase: 'Opening', fraction: undefined, detail: url })
  const [store, world] = await Promise.all([
    openRemote(url, {
      schema: editorSchema,
      locateFile,
      onProgress: ({ loaded, total }) =>
        report({
          phase: 'Loading the database',
          fraction: total === undefined ? undefined : loaded / total,
          detail: total === undefined ? megabytes(loaded) : `${megabytes(loaded)} of ${megabytes(total)}`,
        }),
    }),
    loadWorld(worldUrl),
  ])
  return { store, world, keeping: notKept(url) }
}

/** Opens a project of the server, together with whoever else has it open. */
export async function openTogether(database: string, report: ReportProgress): Promise<Project> {
  report({ phase: 'Loading the project', fraction: undefined, detail: database })
  const [{ collaboration, keeping }, world] = await Promise.all([
    openShared(database, {
      locateFile,
      onProgress: ({ loaded, total }) =>
        report({
          phase: 'Loading the project',
          fraction: total === undefined ? undefined : loaded / total,
          detail: total === undefined ? megabytes(loaded) : `${megabytes(loaded)} of ${megabytes(total)}`,
        }),
      onLoaded: () => {
        report({ phase: 'Opening the project', fraction: 1, detail: database })
        return paint()
      },
      onWaiting: (reason) => report({ phase: 'Waiting for the server', fraction: undefined, detail: reason }),
    }),
    loadWorld(worldUrl),
  ])
  return { store: collaboration.store, world, collaboration, keeping }
}
