import AxeBuilder from '@axe-core/playwright'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { choose, idAt } from '../support/editor-actions.ts'
import type { EditorPage } from '../support/editor-page.ts'
import { servePublished } from '../support/serve-published.ts'
import { startSharedEditor } from '../support/shared-editor.ts'

let editor: EditorPage | undefined
let page: Page

const test = (testId: string): Locator => page.getByTestId(testId)

/** What axe finds in a page, a line for each element. */
async function findings(of: Page): Promise<string[]> {
  // An announcement or a hover that fades is judged once it stands.
  await of.mouse.move(0, 0)
  const { violations } = await new AxeBuilder({ page: of }).setLegacyMode().analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}

beforeAll(async () => {
  editor = await startSharedEditor()
  page = editor.page
}, 120_000)

afterAll(() => editor?.close())

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
