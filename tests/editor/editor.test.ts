import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import initSqlJs from 'sql.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawFewInstances } from '../support/draw-few-instances.ts'
import { type EditorPage, startEditor } from '../support/editor-page.ts'
import { changedSinceKept, installProbe, keepState, shown, shownInFrameOf } from '../support/editor-probe.ts'

let editor: EditorPage | undefined
let page: Page
let files: Server
let saved: Uint8Array

const published = new Map<string, Uint8Array>()
const test = (testId: string): Locator => page.getByTestId(testId)
const row = (index: number): Locator => test('table-row').nth(index)

/** The address of a file on another origin than the editor's. */
function linkTo(path: string): string {
  const address = files.address()
  if (address === null || typeof address === 'string') throw new Error('The files are not served.')
  return `?db=${encodeURIComponent(`http://127.0.0.1:${address.port}/${path}`)}`
}

function openPage(search?: string): Promise<Page> {
  if (!editor) throw new Error('The editor has not started.')
  return editor.open(search)
}

function idOf(locator: Locator): Promise<string> {
  return locator.evaluate((element) => element.getAttribute('data-id') ?? '')
}

function storedSize(id: string): Promise<number | undefined> {
  return page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.icon.size, id)
}

/** Chooses the annotation of a table row and returns its key. */
async function choose(index: number): Promise<string> {
  // Rows of the filter and order before are shown until the new ones are found.
  await page.locator('.table[data-busy=false]').waitFor()
  const id = await idOf(row(index))
  await row(index).click()
  await test('table-rows').locator(`[data-id="${id}"][aria-selected=true]`).waitFor()
  return id
}

async function setNumber(testId: string, value: number): Promise<void> {
  await test(testId).fill(String(value))
}

beforeAll(async () => {
  files = createServer((request, response) => {
    const bytes = published.get((request.url ?? '').slice(1))
    response.setHeader('access-control-allow-origin', '*')
    response.writeHead(bytes ? 200 : 404).end(bytes)
  })
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
  editor = await startEditor({ before: [drawFewInstances, installProbe] })
  page = editor.page
}, 120_000)

afterAll(async () => {
  await new Promise((resolve) => files.close(resolve))
  await editor?.close()
})

describe('the editor', () => {
  it('opens with more than 100,000 annotations', async () => {
    const [mirrored, stored] = await page.evaluate(() => [
      window.rowcastEditor?.mirror.count,
      window.rowcastEditor?.store.table('annotation').count(),
    ])
    expect(stored).toBeGreaterThan(100_000)
    expect(mirrored).toBe(stored)
    expect(await test('table-count').textContent()).toBe(`${stored?.toLocaleString('en')} rows`)
  })

  it('shows the annotation that was clicked in the table in both panels', async () => {
    const id = await choose(1)
    const { name, icon } = await page.evaluate(
      (key) => window.rowcastEditor?.store.table('annotation').get(key) ?? { name: '', icon: { size: 0 } },
      id,
    )
    await test('tab-1-all').click()
    for (const panel of [1, 2]) {
      expect(await test(`field-${panel}-name`).inputValue()).toBe(name)
      expect(await test(`field-${panel}-icon.size`).inputValue()).toBe(String(icon.size))
    }
  })

  it('picks what is clicked on the map', async () => {
    const other = await choose(0)
    const id = await choose(2)
    const canvas = await test('map').boundingBox()
    const at = await page.evaluate((key) => {
      const { scene, store } = window.rowcastEditor ?? {}
      return scene?.toScreen(store?.table('annotation').get(key)?.position ?? { lon: 0, lat: 0 })
    }, id)
    await test('table-rows')
      .locator(`[data-id="${other}"]`)
      .click({ modifiers: ['Control'] })
    await test('selection-count').getByText('2', { exact: true }).waitFor()
    await page.mouse.click((canvas?.x ?? 0) + (at?.x ?? 0), (canvas?.y ?? 0) + (at?.y ?? 0))
    await test('selection-count').getByText('1', { exact: true }).waitFor()
    expect(await test('table-rows').locator('[aria-selected=true]').getAttribute('data-id')).toBe(id)
  })

  it('moves the map, its label and both panels in the frame of a slider’s input, and Cancel puts everything back', async () => {
    const id = await choose(1)
    await test('tab-1-all').click()
    // Its pointer would light up what it rests on.
    await page.mouse.move(0, 0)
    const before = await shown(page, id)
    await keepState(page, id)

    const larger = await shownInFrameOf(page, id, 'field-1-icon.size', 'PageUp')
    expect(larger.iconSize).toBeGreaterThan(before.iconSize ?? Infinity)
    expect(larger.mirrored).toBe(larger.iconSize)
    for (const panel of [1, 2]) {
      expect(larger.controls[`field-${panel}-icon.size`]).toBe(String(larger.iconSize))
      expect(larger.controls[`number-${panel}-icon.size`]).toBe(String(larger.iconSize))
    }
    expect(larger.pixels).not.toBe(before.pixels)
    // Nothing of it was to come later: drawn once more, the same is seen.
    expect(await shown(page, id)).toEqual(larger)

    const lettered = await shownInFrameOf(page, id, 'field-2-text.size', 'PageUp')
    expect(lettered.textSize).toBeGreaterThan(before.textSize ?? Infinity)
    for (const panel of [1, 2]) {
      expect(lettered.controls[`field-${panel}-text.size`]).toBe(String(lettered.textSize))
      expect(lettered.controls[`number-${panel}-text.size`]).toBe(String(lettered.textSize))
    }
    expect(lettered.labels).not.toBe(larger.labels)
    expect(await shown(page, id)).toEqual(lettered)
    expect(await changedSinceKept(page, id)).toEqual(['row', 'icon'])

    await test('cancel').click()
    expect(await changedSinceKept(page, id)).toEqual([])
    expect(await shown(page, id)).toEqual(before)
    expect(await test('history-step').count()).toBe(0)
    expect(await test('cancel').isDisabled()).toBe(true)
  })

  it('gives up a field by Escape, refused or not, and the edit by another one', async () => {
    const id = await choose(1)
    const before = await storedSize(id)
    const [name, size] = [test('field-2-name'), test('number-2-icon.size')]
    await test('tab-2-all').click()
    const called = await name.inputValue()
    await size.fill('31')
    await name.fill('Elsewhere')
    await name.press('Escape')
    expect(await name.inputValue()).toBe(called)
    await size.fill('-1')
    await page.locator('.field-error').first().waitFor()
    await size.press('Escape')
    expect(await size.inputValue()).toBe('31')
    expect(await page.locator('.field-error').count()).toBe(0)
    expect(await storedSize(id)).toBe(31)
    await size.press('Escape')
    await expect.poll(() => size.inputValue()).toBe(String(before))
    expect(await storedSize(id)).toBe(before)
    expect(await test('cancel').isDisabled()).toBe(true)
  })

  it('makes OK one labelled step of the history, which undo and redo go over', async () => {
    const id = await choose(0)
    const before = await storedSize(id)
    const name = await test('field-2-name').inputValue()
    await setNumber('number-2-icon.size', 31)
    await setNumber('number-2-icon.size', 32)
    await test('ok').click()
    await test('history-step').getByText(`Icon size of ${name}`).waitFor()
    expect(await test('history-step').count()).toBe(1)
    expect(await test('undo').isEnabled()).toBe(true)
    expect(await test('redo').isDisabled()).toBe(true)

    await test('undo').click()
    expect(await storedSize(id)).toBe(before)
    expect(await test('number-2-icon.size').inputValue()).toBe(String(before))
    expect(await test('history-step').getAttribute('data-state')).toBe('undone')

    await test('redo').click()
    expect(await storedSize(id)).toBe(32)
    expect(await test('number-2-icon.size').inputValue()).toBe('32')
    expect(await test('undo').isEnabled()).toBe(true)
  })

  it('moves what a rectangle selected as one step of exactly those rows and paths', async () => {
    await choose(3)
    const canvas = await test('map').boundingBox()
    if (!canvas) throw new Error('The page has no map.')
    const [x, y] = [canvas.x + canvas.width / 2, canvas.y + canvas.height / 2]
    await page.keyboard.down('Shift')
    await page.mouse.move(x - 120, y - 90)
    await page.mouse.down()
    await page.mouse.move(x, y)
    await page.mouse.move(x + 120, y + 90)
    await page.mouse.up()
    await page.keyboard.up('Shift')
    const count = Number(((await test('selection-count').textContent()) ?? '').replaceAll(',', ''))
    expect(count).toBeGreaterThan(1)

    // What is in a rectangle is worked out here from the rows' own positions.
    const { from, to } = await page.evaluate(() => {
      const { scene } = window.rowcastEditor ?? {}
      const map = document.querySelector('canvas[data-testid=map]')?.getBoundingClientRect()
      if (!scene || !map) throw new Error('The page has no map.')
      const corner = (side: number) => scene.toLonLat({ x: map.width / 2 + 120 * side, y: map.height / 2 - 90 * side })
      return { from: corner(-1), to: corner(1) }
    })
    const inside = await page.evaluate(
      ([west, south, east, north]) =>
        window.rowcastEditor?.store
          .table('annotation')
          .find({ where: { 'position.lon': { between: [west, east] }, 'position.lat': { between: [south, north] } } })
          .map(({ id, position }) => [id, position] as const),
      [from.lon, from.lat, to.lon, to.lat] as const,
    )
    const starts = new Map(inside)
    expect(starts.size).toBe(count)

    const committed = page.evaluate(
      () =>
        new Promise<{ key: unknown; op: string; paths: string[] }[]>((resolve) => {
          const subscription = window.rowcastEditor?.store.commits$.subscribe((set) => {
            subscription?.unsubscribe()
            resolve(set.changes.map(({ key, op, after }) => ({ key, op, paths: Object.keys(after) })))
          })
        }),
    )
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 20, y + 10)
    await page.mouse.move(x + 37, y + 23)
    await page.mouse.up()
    await test('ok').click()
    const changes = await committed
    expect(changes.map(({ key }) => String(key)).toSorted()).toEqual([...starts.keys()].toSorted())
    for (const { op, paths } of changes) {
      expect(op).toBe('update')
      expect(paths.toSorted()).toEqual(['position.lat', 'position.lon'])
    }
    await test('history-step')
      .getByText(`Move ${count.toLocaleString('en')} annotations`)
      .waitFor()

    await test('undo').click()
    const back = await page.evaluate(
      (keys) => keys.map((key) => [key, window.rowcastEditor?.store.table('annotation').get(key)?.position] as const),
      [...starts.keys()],
    )
    expect(new Map(back)).toEqual(starts)
  })

  it('filters and sorts the table, and keeps it up to date with an edit under way', async () => {
    const found = await page.evaluate(() =>
      window.rowcastEditor?.store
        .table('annotation')
        .find({ where: { name: { like: '%london%' } }, orderBy: ['name', 'id'] })
        .map(({ name }) => name),
    )
    const names = found ?? []
    expect(names.length).toBeGreaterThan(3)
    const rows = (count: number): Locator => test('table-count').getByText(`${count} rows`, { exact: true })
    const shownNames = (): Promise<string[]> =>
      test('table-row').evaluateAll((elements) =>
        elements
          .toSorted((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
          .map((element) => element.querySelector('[data-column=name]')?.textContent ?? ''),
      )
    await test('table-search').fill('london')
    await rows(names.length).waitFor()
    await test('sort-name').click()
    await page.locator('[data-testid=sort-name][aria-sort=ascending]').waitFor()
    await expect.poll(async () => (await shownNames())[0]).toBe(names[0])
    const shownFirst = await shownNames()
    expect(shownFirst).toEqual(names.slice(0, shownFirst.length))
    await test('sort-name').click()
    await page.locator('[data-testid=sort-name][aria-sort=descending]').waitFor()
    await expect.poll(async () => (await shownNames())[0]).toBe(names.at(-1))

    await choose(0)
    await test('field-2-name').fill('Elsewhere')
    await rows(names.length - 1).waitFor()
    await test('cancel').click()
    await rows(names.length).waitFor()
    await test('table-search').fill('')
    await test('sort-population').click()
    await page.locator('[data-testid=sort-population][aria-sort=descending]').waitFor()
  })

  it('hides a layer from the map for who looks at it, which is no edit', async () => {
    const id = await choose(0)
    const layerId = await page.evaluate((key) => {
      const { store } = window.rowcastEditor ?? {}
      const country = store?.table('annotation').get(key)?.layerId
      return country ? store?.table('layer').get(country)?.parentId : undefined
    }, id)
    await page.mouse.move(0, 0)
    const before = await shown(page, id)
    const steps = await test('history-step').count()

    await test(`visible-${layerId}`).click()
    await page.locator(`[data-testid=layer-row][data-layer="${layerId}"][data-shown=false]`).waitFor()
    await page.mouse.move(0, 0)
    expect((await shown(page, id)).pixels).not.toBe(before.pixels)
    expect(await test('history-step').count()).toBe(steps)
    expect(
      await page.evaluate((key) => window.rowcastEditor?.store.table('layer').get(key ?? '')?.visible, layerId),
    ).toBe(true)

    await test(`visible-${layerId}`).click()
    await page.locator(`[data-testid=layer-row][data-layer="${layerId}"][data-shown=true]`).waitFor()
    await page.mouse.move(0, 0)
    expect(await shown(page, id)).toEqual(before)
  })
})

describe('its project file', () => {
  let edited: string
  let folder: string
  let savedPath: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rowcast-saved-'))
    savedPath = join(folder, 'cities.db')
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is saved with what was committed, and without the edit under way', async () => {
    edited = await choose(4)
    await setNumber('number-2-icon.size', 41)
    await test('ok').click()
    await setNumber('number-2-icon.size', 17)
    const downloading = page.waitForEvent('download')
    await test('save').click()
    const download = await downloading
    expect(download.suggestedFilename()).toMatch(/\.db$/)
    await download.saveAs(savedPath)
    saved = await readFile(savedPath)
    await test('cancel').click()

    const db = new (await initSqlJs()).Database(saved)
    const [result] = db.exec('SELECT icon_size, (SELECT count(*) FROM annotation) FROM annotation WHERE id = ?', [
      edited,
    ])
    const [integrity] = db.exec('PRAGMA integrity_check')
    db.close()
    expect(result?.values).toEqual([[41, await page.evaluate(() => window.rowcastEditor?.mirror.count)]])
    expect(integrity?.values).toEqual([['ok']])
  })

  it('opens in another page as it was saved', async () => {
    const other = await openPage()
    const sizeOf = (key: string): number | undefined =>
      window.rowcastEditor?.store.table('annotation').get(key)?.icon.size
    expect(await other.evaluate(sizeOf, edited)).not.toBe(41)
    await other
      .getByTestId('open-file')
      // By its path: bytes would go through Chromium's debugging protocol as text, which takes minutes for 44 MB.
      .setInputFiles(savedPath, { timeout: 90_000 })
    // 135,000 rows are compared and checked: on a busy machine that takes its time.
    await other.getByTestId('notice').getByText('Opened cities.db').waitFor({ timeout: 90_000 })
    expect(await other.evaluate(sizeOf, edited)).toBe(41)
    await other.locator(`[data-testid=table-row][data-id="${edited}"]`).click()
    expect(await other.getByTestId('number-2-icon.size').inputValue()).toBe('41')
    await other.close()
  })

  it('opens read-only by a link', async () => {
    published.set('cities.db', saved)
    const other = await openPage(linkTo('cities.db'))
    await other.getByTestId('readonly-badge').waitFor()
    for (const control of ['ok', 'cancel', 'undo', 'redo', 'save', 'open', 'tool-add', 'delete']) {
      expect(await other.getByTestId(control).count(), control).toBe(0)
    }
    await other.locator(`[data-testid=table-row][data-id="${edited}"]`).click()
    expect(await other.getByTestId('number-2-icon.size').inputValue()).toBe('41')
    expect(await other.getByTestId('panel-2').locator('input:enabled, select:enabled, textarea:enabled').count()).toBe(
      0,
    )
    const refused = await other.evaluate((key) => {
      const { store, draft } = window.rowcastEditor ?? {}
      const codeOf = (write: () => unknown): string => {
        try {
          write()
          return 'written'
        } catch (error) {
          return error instanceof Error && 'code' in error ? String(error.code) : String(error)
        }
      }
      return [
        draft?.(),
        codeOf(() => store?.table('annotation').set(key, 'icon.size', 12)),
        codeOf(() => store?.table('annotation').delete(key)),
        codeOf(() => store?.transaction(() => undefined)),
        codeOf(() => store?.draft()),
        codeOf(() => store?.exec({ sql: 'delete from annotation' })),
        store?.table('annotation').get(key)?.icon.size,
      ]
    }, edited)
    expect(refused).toEqual([undefined, ...Array.from({ length: 5 }, () => 'read-only'), 41])
    await other.close()
  })

  it('is refused with a clear message where the link leads to something else', async () => {
    published.set('page.html', new TextEncoder().encode('<!doctype html><p>This is no database.</p>'.repeat(100)))
    const other = await openPage(linkTo('page.html'))
    const failure = other.getByTestId('failure')
    expect(await failure.textContent()).toMatch(/isn’t a project.*not a (rowcast|SQLite) database/s)
    expect(await other.getByTestId('editor').count()).toBe(0)
    await other.close()
  })
})

describe('the editor without a server', () => {
  it('says so, and opens the sample project to work alone', async () => {
    const other = await openPage('')
    expect(await other.getByTestId('failure').textContent()).toMatch(/no server to edit together.*npm start/s)
    await other.getByRole('link', { name: 'Open the sample project' }).click()
    await other.getByTestId('map').waitFor({ timeout: 60_000 })
    expect(await other.getByTestId('sync-status').count()).toBe(0)
    await other.close()
  })
})
