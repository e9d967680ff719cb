import AxeBuilder from '@axe-core/playwright'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { personColors } from '../../stories/editor/collaboration/person.ts'
import { drawFewInstances } from '../support/draw-few-instances.ts'
import { choose, holdRequest, idAt, saved } from '../support/editor-actions.ts'
import { type EditorPage, startEditor } from '../support/editor-page.ts'
import { servePublished } from '../support/serve-published.ts'
import { SyncProcess } from '../support/sync-process.ts'

let server: SyncProcess
let editor: EditorPage | undefined
let page: Page

const test = (testId: string): Locator => page.getByTestId(testId)

/** What axe finds in a page, or in a part of it, a line for each element. */
async function findings(of: Page, part = 'html'): Promise<string[]> {
  // An announcement or a hover that fades is judged once it stands.
  await of.mouse.move(0, 0)
  const { violations } = await new AxeBuilder({ page: of }).setLegacyMode().include(part).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}

beforeAll(async () => {
  server = await SyncProcess.start(400)
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

describe('axe finds nothing in the editor', () => {
  it('with nothing selected', async () => {
    expect(await findings(page)).toEqual([])
  })

  it('with one selected, in each of its tabs and with a field that is refused', async () => {
    await choose(page, await idAt(page, 0))
    expect(await findings(page)).toEqual([])
    await test('number-2-icon.size').fill('999')
    await test('panel-2').locator('.field-error').first().waitFor()
    expect(await findings(page)).toEqual([])
    await test('number-2-icon.size').press('Escape')
    for (const tab of ['general', 'leader', 'geonames']) {
      await test(`tab-2-${tab}`).click()
      expect(await findings(page), tab).toEqual([])
    }
    await test('tab-2-all').click()
  })

  it('with several selected, and an edit under way', async () => {
    await choose(page, await idAt(page, 1))
    await choose(page, await idAt(page, 2), { additive: true })
    expect(await findings(page)).toEqual([])
    await test('number-2-text.size').fill('23')
    expect(await findings(page)).toEqual([])
    await test('ok').click()
  })

  it('with the history open, of everyone and one’s own, and a dialog', async () => {
    const step = test('log-item').filter({ hasText: 'Text size of 2 annotations' })
    await step.locator('.log-step').click()
    expect(await findings(page)).toEqual([])
    await test('history-mine').click()
    expect(await findings(page)).toEqual([])
    await test('undo').click()
    expect(await findings(page)).toEqual([])
    await test('redo').click()
    await test('history-all').click()
    await test('log-item').last().locator('.log-step').click()
    await test('roll-back').last().click()
    await test('question').waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
  })

  it('with what others changed under an edit listed', async () => {
    const id = await idAt(page, 3)
    await choose(page, id)
    await test('number-2-icon.size').fill('33')
    await test('number-2-text.size').fill('34')
    await page.evaluate((key) => {
      const annotations = window.rowcastEditor?.store.table('annotation')
      annotations?.update(key, { icon: { size: 11 }, text: { size: 12 } })
    }, id)
    await test('conflicts').locator('summary').click()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
  })

  it('with layers open and hidden, nothing found, the tool to add and panels closed', async () => {
    await page.locator('[data-testid=layer-row]').first().focus()
    for (const key of ['ArrowRight', ' ']) await page.keyboard.press(key)
    await test('tool-add').click()
    expect(await findings(page)).toEqual([])
    await test('tool-select').click()
    await page.keyboard.press('Escape')
    await test('table-search').fill('nothing is called so')
    await page.locator('.table-empty').waitFor()
    await test('layer-filter').fill('nothing is called so')
    expect(await findings(page)).toEqual([])
    for (const panel of ['layers', 'table', 'properties']) await test(`close-${panel}`).click()
    expect(await findings(page)).toEqual([])
  })

  it('with someone else there, in one row and in one property', async () => {
    for (const panel of ['layers', 'table', 'properties']) await test(`show-${panel}`).click()
    for (const search of ['table-search', 'layer-filter']) await test(search).fill('')
    const other = (await editor?.open('')) as Page
    const id = await idAt(other, 0)
    await choose(other, id)
    await page.locator(`[data-testid=table-row][data-id="${id}"][data-guest]`).waitFor()
    expect(await findings(page)).toEqual([])
    await choose(page, id)
    await other.getByTestId('number-2-icon.size').fill('31')
    await test('guest-2-icon.size').waitFor()
    expect(await findings(page)).toEqual([])
    expect(await findings(other)).toEqual([])
    // Whichever colour they have been given.
    const name = page.locator('.row-guest')
    for (const color of personColors) {
      await name.evaluate((element, given) => (element.style.color = given), color)
      expect(await findings(page, '.row-guest'), color).toEqual([])
    }
    await other.close()
    await page.keyboard.press('Escape')
  })

  it('while the name of a snapshot and of a fork is asked for, and a fork is made', async () => {
    await test('make-snapshot').click()
    expect(await findings(page)).toEqual([])
    await test('name-input').fill('agreed')
    await test('name-input').press('Enter')
    await page.locator('.log-snapshot').waitFor()
    expect(await findings(page)).toEqual([])
    if ((await test('fork').count()) === 0) await test('log-item').first().locator('.log-step').click()
    await test('fork').first().click()
    await test('name-input').fill('other-cities')
    expect(await findings(page)).toEqual([])
    const answer = await holdRequest(page, '**/fork')
    const opening = page.context().waitForEvent('page')
    await test('name-input').press('Enter')
    const fork = await opening
    await fork.getByText('Making the project other-cities').waitFor()
    expect(await findings(fork)).toEqual([])
    answer()
    await saved(fork)
    await fork.close()
  })

  it('without the server, with what is not sent yet, and with a notice', async () => {
    await server.kill()
    await page.locator('[data-testid=sync-status][data-state=offline]').waitFor()
    expect(await findings(page)).toEqual([])
    await choose(page, await idAt(page, 1))
    await test('number-2-icon.size').fill('32')
    await test('ok').click()
    await test('sync-status').getByText('1 unsaved').waitFor()
    expect(await findings(page)).toEqual([])
    await test('make-snapshot').click()
    await test('name-input').fill('lost')
    await test('name-input').press('Enter')
    await test('notice').and(page.locator('[data-kind=error]')).waitFor()
    expect(await findings(page)).toEqual([])
    await server.restart()
    await saved(page)
  })

  it('in a small window', async () => {
    await page.setViewportSize({ width: 1024, height: 700 })
    expect(await findings(page)).toEqual([])
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('read-only, by a link', async () => {
    const bytes = await page.evaluate(() => [...(window.rowcastEditor?.store.export() ?? [])])
    const published = await servePublished(new Map([['cities.db', Uint8Array.from(bytes)]]))
    try {
      const other = (await editor?.open(published.linkTo('cities.db'))) as Page
      await other.getByTestId('readonly-badge').waitFor()
      expect(await findings(other)).toEqual([])
      await choose(other, await idAt(other, 0))
      expect(await findings(other)).toEqual([])
      await other.close()
    } finally {
      await published.close()
    }
  })
})
