import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawFewInstances } from '../support/draw-few-instances.ts'
import { type EditorPage, startEditor } from '../support/editor-page.ts'
import { SyncProcess } from '../support/sync-process.ts'

let server: SyncProcess
let editor: EditorPage | undefined
let page: Page

const number = (of: Page): Locator => of.getByTestId('number-2-icon.size')

async function loaded(of: Page): Promise<void> {
  await of.getByTestId('map').waitFor({ timeout: 90_000 })
}

async function reload(of: Page): Promise<void> {
  await of.reload()
  await loaded(of)
}

const saved = (of: Page): Promise<void> =>
  of.getByTestId('sync-status').and(of.locator('[data-state=live]')).getByText('Saved', { exact: true }).waitFor()

const offline = (of: Page): Promise<void> => of.locator('[data-testid=sync-status][data-state=offline]').waitFor()

const sizeOf = (of: Page, id: string): Promise<number | undefined> =>
  of.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.icon.size, id)

/** Selects an annotation by its place in the table. */
async function choose(of: Page, index: number): Promise<string> {
  const row = of.getByTestId('table-row').nth(index)
  const id = (await row.getAttribute('data-id')) ?? ''
  await row.click()
  await of.locator(`[data-testid=table-row][data-id="${id}"][aria-selected=true]`).waitFor()
  return id
}

/** Whether the page has the browser ask before it is left. */
const asksBeforeItIsLeft = (of: Page): Promise<boolean> =>
  of.evaluate(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })))

beforeAll(async () => {
  server = await SyncProcess.start(200)
  editor = await startEditor({
    search: '',
    syncUrl: server.url,
    before: [drawFewInstances],
    // While the server is dead.
    allowedErrors: /WebSocket connection to|Failed to load resource/,
  })
  page = editor.page
}, 120_000)

afterAll(async () => {
  await editor?.close()
  await server?.close()
})

describe('a window of the editor that is loaded anew', () => {
  it('shows the same part of the map, the same selection and the open draft, which OK keeps and Cancel puts back', async () => {
    const id = await choose(page, 3)
    const name = await page.getByTestId('me').getAttribute('title')
    const before = await sizeOf(page, id)
    await number(page).fill('37')
    await page.evaluate(() => window.rowcastEditor?.scene?.setView({ center: { lon: 12.5, lat: 41.9 }, zoom: 6.5 }))
    await reload(page)
    expect(await page.getByTestId('me').getAttribute('title')).toBe(name)
    const view = await page.evaluate(() => window.rowcastEditor?.scene?.view)
    expect(view?.zoom).toBe(6.5)
    expect(view?.center.lon).toBeCloseTo(12.5, 6)
    expect(view?.center.lat).toBeCloseTo(41.9, 6)
    await page.locator(`[data-testid=table-row][data-id="${id}"][aria-selected=true]`).waitFor()
    expect(await number(page).inputValue()).toBe('37')
    expect(await page.getByTestId('draft').getAttribute('data-dirty')).toBe('true')

    await page.getByTestId('cancel').click()
    expect(await sizeOf(page, id)).toBe(before)
    await reload(page)
    expect(await number(page).inputValue()).toBe(String(before))
    expect(await page.getByTestId('draft').getAttribute('data-dirty')).toBe('false')
  })

  it('has the rows that a draft has added and deleted, and the properties that it has emptied', async () => {
    const id = await choose(page, 4)
    const [other] = await page.evaluate((key) => {
      const { store, draft } = window.rowcastEditor ?? {}
      const keys = store?.table('annotation').keys() ?? []
      const rows = draft?.()?.table('annotation')
      rows?.insert({ id: 'new-1', name: 'New', position: { lon: 1.5, lat: 2.5 }, text: { font: { weight: 600 } } })
      rows?.set(key, 'layerId', null)
      const deleted = keys.find((one) => one !== key) ?? ''
      rows?.delete(deleted)
      draft?.()?.value('scene').set('title', 'Other cities')
      return [deleted]
    }, id)
    const state = (): Promise<unknown> =>
      page.evaluate(
        ([key, deleted]) => {
          const { store } = window.rowcastEditor ?? {}
          const rows = store?.table('annotation')
          return [rows?.get('new-1'), rows?.get(key)?.layerId, rows?.has(deleted), store?.value('scene').get()?.title]
        },
        [id, other ?? ''] as const,
      )
    const before = await state()
    expect(before).toMatchObject([{ name: 'New' }, null, false, 'Other cities'])
    await reload(page)
    expect(await state()).toEqual(before)
    await page.getByTestId('cancel').click()
    expect(await state()).toMatchObject([undefined, expect.any(String), true, expect.any(String)])
  })

  it('still has what was confirmed while the server was down, and sends it once that is back', async () => {
    const id = await choose(page, 5)
    await server.kill()
    await offline(page)
    await number(page).fill('33')
    await page.getByTestId('ok').click()
    await page.getByTestId('sync-status').getByText('1 unsaved').waitFor()
    await server.restart()
    await reload(page)
    await saved(page)
    expect(await sizeOf(page, id)).toBe(33)
    const late = await editor?.open('')
    if (!late) throw new Error('The editor has not started.')
    expect(await sizeOf(late, id)).toBe(33)
    await late.close()
  })

  it('opens without the server too, with all that was confirmed', async () => {
    const id = await choose(page, 6)
    await server.kill()
    await offline(page)
    await number(page).fill('34')
    await page.getByTestId('ok').click()
    await reload(page)
    await page.getByTestId('sync-status').getByText('1 unsaved').waitFor()
    expect(await sizeOf(page, id)).toBe(34)
    await server.restart()
    await saved(page)
    expect(await sizeOf(page, id)).toBe(34)
  })

  it('is someone else than a second window of the same browser, and so is each of them afterwards', async () => {
    const opening = page.context().waitForEvent('page')
    await page.evaluate(() => window.open(location.href, '_blank', 'noopener'))
    const second = await opening
    await loaded(second)
    const nameOf = (of: Page): Promise<string | null> => of.getByTestId('me').getAttribute('title')
    const [mine, theirs] = [await nameOf(page), await nameOf(second)]
    expect(theirs).not.toBe(mine)
    await Promise.all([reload(page), reload(second)])
    expect([await nameOf(page), await nameOf(second)]).toEqual([mine, theirs])
    await second.close()
  })

  it('asks before it is left only while something would be lost', async () => {
    await choose(page, 2)
    expect(await asksBeforeItIsLeft(page)).toBe(false)
    await number(page).fill('36')
    expect(await asksBeforeItIsLeft(page)).toBe(false)
    // What the schema refuses stays in the field only.
    await number(page).fill('99999')
    expect(await asksBeforeItIsLeft(page)).toBe(true)
    await page.getByTestId('cancel').click()
    expect(await asksBeforeItIsLeft(page)).toBe(false)
  })
})

describe('a browser that keeps nothing', () => {
  it('is told of, and asks before what is not on the server is left', async () => {
    const opening = page.context().waitForEvent('page')
    await page.context().addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }))
    await page.evaluate(() => window.open(location.href, '_blank', 'noopener'))
    const other = await opening
    await loaded(other)
    await other.getByTestId('notice').getByText('not kept on this device').waitFor()
    await choose(other, 7)
    await server.kill()
    await offline(other)
    await number(other).fill('31')
    expect(await asksBeforeItIsLeft(other)).toBe(false)
    await other.getByTestId('ok').click()
    expect(await asksBeforeItIsLeft(other)).toBe(true)
    await server.restart()
    await saved(other)
    expect(await asksBeforeItIsLeft(other)).toBe(false)
    await other.close()
  })
})
