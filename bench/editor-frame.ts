// What one step of a slider, and one step of a drag of 1,000 annotations, cost the main thread of the editor.
//   npm run bench -- editor-frame
//   node scripts/run.mjs node bench/editor-frame.ts [--profile]     (the functions that take the most time)
// The editor is built as for production and runs in Chromium with all cities. Chromium draws WebGL in software, on the
// processors that the scripts need: so the bench passes on one instance of each instanced draw. All uploads and calls are
// made and counted; what a GPU would take to draw is not.
import { cpus } from 'node:os'
import process from 'node:process'
import type { Page } from 'playwright-core'
import { drawFewInstances } from '../tests/support/draw-few-instances.ts'
import { startEditor } from '../tests/support/editor-page.ts'
import { measureDrag, type DragStep } from './support/measure-drag.ts'
import { measureSlider, type SliderStep } from './support/measure-slider.ts'
import { profiled } from './support/profile.ts'
import { printTable, quantile } from './support/statistics.ts'
import { instrumentFrames } from './support/instrument-frames.ts'

const frameMs = 1000 / 60
const storeTargetMs = 8
const steps = 300
const warmUp = 60
const dragged = 1_000
const wantsProfile = process.argv.includes('--profile')

type Figure = readonly [name: string, values: readonly number[], target?: number]

function print(figures: readonly Figure[]): void {
  printTable(
    ['ms', 'p50', 'p95', 'max', 'target', ''],
    figures.map(([name, values, target]) => {
      const p95 = quantile(values, 0.95)
      const verdict = target === undefined ? '' : p95 <= target ? 'met' : 'MISSED'
      const numbers = [quantile(values, 0.5), p95, quantile(values, 1)].map((value) => value.toFixed(2))
      return [name, ...numbers, target === undefined ? '' : `p95 ≤ ${target.toFixed(1)}`, verdict]
    }),
  )
}

async function sliderSteps(page: Page): Promise<void> {
  await page.getByTestId('table-row').first().click()
  await page.getByTestId('field-1-icon.size').waitFor()
  await page.getByTestId('field-2-icon.size').waitFor()
  await page.evaluate(measureSlider, { steps: warmUp })
  const run = (): Promise<SliderStep[]> => page.evaluate(measureSlider, { steps })
  const results = wantsProfile ? await profiled(page, 'slider step', run) : await run()
  const late = results.filter((step) => !step.buffers || !step.panels || !step.drawn).length
  const within = results.filter((step) => step.eventMs + step.frameMs <= frameMs).length
  console.log(`One slider step (icon.size), ${results.length} steps:\n`)
  print([
    ['main thread: event and frame', results.map((step) => step.eventMs + step.frameMs), frameMs],
    ['  input event, with React’s render of both panels', results.map((step) => step.eventMs)],
    ['    of which the store’s write and its subscribers', results.map((step) => step.storeMs)],
    ['  frame: mirror uploaded, scene drawn, labels laid out', results.map((step) => step.frameMs)],
    ['    of which in WebGL calls', results.map((step) => step.glMs)],
    ['(event to end of the next frame, with waiting)', results.map((step) => step.wallMs)],
  ])
  console.log(
    `\nbuffers, scene and both panels updated by the next frame: ${results.length - late} of ${results.length}`,
  )
  console.log(`main-thread work within one frame of ${frameMs.toFixed(1)} ms: ${within} of ${results.length}\n`)
  await page.getByTestId('cancel').click()
}

/** Selects all annotations of the country that has the fewest above `dragged`. Returns how many those are. */
async function selectMany(page: Page): Promise<number> {
  const [layer, count] = await page.evaluate((least) => {
    const store = window.rowcastEditor?.store
    if (!store) throw new Error('The page has no editor.')
    const counts = new Map<string, number>()
    for (const { layerId } of store.table('annotation').all()) {
      if (layerId !== null) counts.set(layerId, (counts.get(layerId) ?? 0) + 1)
    }
    const fitting = [...counts].filter(([, n]) => n >= least).toSorted((a, b) => a[1] - b[1])
    return fitting[0] ?? ['', 0]
  }, dragged)
  await page.getByTestId('table-country').selectOption(layer)
  const rows = `${count.toLocaleString('en')} rows`
  await page.getByTestId('table-count').getByText(rows, { exact: true }).waitFor()
  await page.getByTestId('table-row').first().click()
  await page.getByTestId('select-rows').click()
  await page.getByTestId('selection-count').getByText(count.toLocaleString('en'), { exact: true }).waitFor()
  return count
}

async function dragSteps(page: Page): Promise<void> {
  const count = await selectMany(page)
  // Near enough that the annotation under the pointer is the one that was meant.
  const at = await page.evaluate(() => {
    const { scene, store } = window.rowcastEditor ?? {}
    const id = document.querySelector('[data-testid=table-row]')?.getAttribute('data-id')
    const place = store && id ? store.table('annotation').get(id)?.position : undefined
    const canvas = document.querySelector('canvas')
    if (!scene || !place || !canvas) throw new Error('The page has no map.')
    scene.setView({ center: place, zoom: 7 })
    scene.renderNow()
    const point = scene.toScreen(place)
    const box = canvas.getBoundingClientRect()
    return { x: box.left + point.x, y: box.top + point.y }
  })
  await page.mouse.move(at.x, at.y)
  await page.mouse.down()
  await page.mouse.move(at.x + 12, at.y + 8)
  await page.evaluate(measureDrag, { steps: warmUp, ...at })
  const run = (): Promise<DragStep[]> => page.evaluate(measureDrag, { steps, ...at })
  const results = wantsProfile ? await profiled(page, 'drag step', run) : await run()
  await page.mouse.up()
  const rows = await page.evaluate(() => window.rowcastEditor?.draft()?.changes().changes.length)
  if (rows !== count) throw new Error(`The drag moved ${rows} annotations of ${count}.`)
  await page.getByTestId('cancel').click()
  const moved = results.filter((step) => step.storeMs > 0)
  console.log(`${count.toLocaleString('en')} selected annotations dragged, ${moved.length} frames:\n`)
  print([
    ['store: transaction, ChangeSet, mirror and other subscribers', moved.map((step) => step.storeMs), storeTargetMs],
    ['main thread: event and frame', moved.map((step) => step.eventMs + step.frameMs), frameMs],
    ['  of which in WebGL calls', moved.map((step) => step.glMs)],
    ['(frame to frame, with waiting)', moved.map((step) => step.wallMs)],
  ])
}

const editor = await startEditor({
  // Lets the page's clock have its full resolution.
  headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
  minify: !wantsProfile,
  before: [drawFewInstances, instrumentFrames],
})
try {
  const { page } = editor
  const count = await page.evaluate(() => window.rowcastEditor?.mirror.count ?? 0)
  if (count < 100_000) throw new Error(`The editor has ${count} annotations only.`)
  console.log(
    `${count.toLocaleString('en')} annotations, ${cpus().length} processors, Chromium ${page.context().browser()?.version()}, WebGL in software.`,
  )
  console.log(
    'Figures are script on the main thread; of instanced draws one instance is drawn, uploads are complete.\n',
  )
  await sliderSteps(page)
  await dragSteps(page)
} finally {
  await editor.close()
}
