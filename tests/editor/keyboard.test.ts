import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { centerOn, idAt } from '../support/editor-actions.ts'
import type { EditorPage } from '../support/editor-page.ts'
import { startSharedEditor } from '../support/shared-editor.ts'

let editor: EditorPage | undefined
let page: Page

const test = (testId: string): Locator => page.getByTestId(testId)
const press = async (...keys: string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key)
}
const selected = (): Promise<string> =>
  test('announcement')
    .textContent()
    .then((text) => text ?? '')
const nameOf = (id: string): Promise<string> =>
  page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.name ?? '', id)
const focused = (): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement
    return element?.getAttribute('data-layer') ?? element?.getAttribute('data-testid') ?? ''
  })
/** Whether a click in its middle would reach it. */
const isInSight = (element: Element): boolean => {
  const { left, top, width, height } = element.getBoundingClientRect()
  return element.contains(document.elementFromPoint(left + width / 2, top + height / 2))
}
const viewNow = (): Promise<{ lon: number; lat: number; zoom: number }> =>
  page.evaluate(() => {
    const { center, zoom } = window.rowcastEditor?.scene?.view ?? { center: { lon: 0, lat: 0 }, zoom: 0 }
    return { ...center, zoom }
  })

beforeAll(async () => {
  editor = await startSharedEditor()
  page = editor.page
}, 120_000)

afterAll(() => editor?.close())

describe('the panels', () => {
  const size = async (panel: string): Promise<number> =>
    Number(await test(`separator-${panel}`).getAttribute('aria-valuenow'))

  it('are resized by arrow keys and by dragging, within their limits, and stay so', async () => {
    for (const [panel, larger, smaller] of [
      ['layers', 'ArrowRight', 'ArrowLeft'],
      ['properties', 'ArrowLeft', 'ArrowRight'],
      ['table', 'ArrowUp', 'ArrowDown'],
      ['history', 'ArrowUp', 'ArrowDown'],
    ] as const) {
      const before = await size(panel)
      await test(`separator-${panel}`).focus()
      await press(larger, larger)
      expect(await size(panel), panel).toBe(before + 32)
      await press(smaller)
      expect(await size(panel), panel).toBe(before + 16)
      await press('Home', smaller)
      expect(await size(panel), panel).toBe(Number(await test(`separator-${panel}`).getAttribute('aria-valuemin')))
      await press(larger, larger, larger)
    }
    const box = await test('separator-table').boundingBox()
    const before = await size('table')
    const [x, y] = [(box?.x ?? 0) + 200, (box?.y ?? 0) + 0.5]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x, y - 30)
    await page.mouse.move(x, y - 60)
    await page.mouse.up()
    expect(await size('table')).toBe(before + 60)
    expect((await test('table-rows').boundingBox())?.height).toBeGreaterThan(before)
    await page.reload()
    await test('map').waitFor()
    expect(await size('table')).toBe(before + 60)
  })

  it('are closed and opened again', async () => {
    for (const panel of ['layers', 'history', 'table', 'properties']) {
      await test(`close-${panel}`).focus()
      await press('Enter')
      await test(`close-${panel}`).waitFor({ state: 'detached' })
      // Nobody who works by keyboard is left nowhere.
      expect(await focused()).toBe(`show-${panel}`)
      expect(await test(`show-${panel}`).getAttribute('aria-pressed')).toBe('false')
      await press('Enter')
      await test(`close-${panel}`).waitFor()
      await test(`separator-${panel}`).focus()
      await press('Enter')
      await test(`close-${panel}`).waitFor({ state: 'detached' })
      expect(await focused()).toBe(`show-${panel}`)
      await press('Enter')
      await test(`close-${panel}`).waitFor()
    }
  })

  it('are as large as they say, also where the window has no more room, and shrink from there', async () => {
    for (const panel of ['layers', 'properties', 'history', 'table']) {
      await test(`separator-${panel}`).focus()
      await press('End')
    }
    await page.setViewportSize({ width: 1024, height: 700 })
    const shown = async (panel: string): Promise<number> => {
      const element = test(`close-${panel}`).locator(
        panel === 'layers' || panel === 'properties' ? 'xpath=ancestor::*[self::nav or self::aside]' : 'xpath=../..',
      )
      const box = await element.boundingBox()
      return Math.round((panel === 'layers' || panel === 'properties' ? box?.width : box?.height) ?? 0)
    }
    const smallerBy: Readonly<Record<string, string>> = {
      layers: 'ArrowLeft',
      properties: 'ArrowRight',
      table: 'ArrowDown',
      history: 'ArrowDown',
    }
    for (const [panel, smaller] of Object.entries(smallerBy)) {
      await expect.poll(() => size(panel), { message: panel }).toBe(await shown(panel))
      const before = await shown(panel)
      await test(`separator-${panel}`).focus()
      await press(smaller)
      expect(await shown(panel), panel).toBe(before - 16)
      await press('End')
    }
    // What they leave is enough to see what is there, and to close it.
    expect((await page.getByRole('region', { name: 'Layers' }).boundingBox())?.height).toBeGreaterThanOrEqual(90)
    for (const panel of ['layers', 'history', 'table', 'properties'])
      expect(await test(`close-${panel}`).evaluate(isInSight), panel).toBe(true)
    await page.setViewportSize({ width: 1440, height: 900 })
    for (const panel of ['layers', 'properties', 'history', 'table']) {
      await test(`separator-${panel}`).focus()
      await press('Home', ...Array.from({ length: 8 }, () => (panel === 'layers' ? 'ArrowRight' : 'ArrowUp')))
      if (panel === 'properties') await press('End')
    }
  })
})

describe('the table by keyboard', () => {
  it('goes from cell to cell, selects, extends and takes back', async () => {
    const ids = [await idAt(page, 0), await idAt(page, 1), await idAt(page, 2)]
    await test('table-rows').focus()
    const activeText = (): Promise<string> =>
      page.evaluate(() => {
        const id = document.activeElement?.getAttribute('aria-activedescendant') ?? ''
        return document.getElementById(id)?.textContent ?? ''
      })
    expect(await activeText()).toBe(await nameOf(ids[0] ?? ''))
    await press('ArrowDown', 'Enter')
    await expect.poll(selected).toBe(`${await nameOf(ids[1] ?? '')} selected`)
    await press('ArrowDown', ' ')
    await expect.poll(selected).toBe('2 annotations selected')
    await press(' ')
    await expect.poll(selected).toBe(`${await nameOf(ids[1] ?? '')} selected`)
    await press('Control+Home', 'Shift+ArrowDown', 'Shift+ArrowDown')
    await expect.poll(selected).toBe('3 annotations selected')
    // A range is from where it began to where the keyboard is.
    await press('Shift+ArrowUp')
    await expect.poll(selected).toBe('2 annotations selected')
    await press('Shift+ArrowUp')
    await expect.poll(selected).toBe(`${await nameOf(ids[0] ?? '')} selected`)
    await press('ArrowDown', 'ArrowDown', 'Shift+ArrowUp', 'Shift+ArrowUp', 'Shift+ArrowDown')
    await expect.poll(selected).toBe('2 annotations selected')
    expect(
      await page
        .locator('[data-testid=table-row][aria-selected=true]')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset['id'] ?? '').toSorted()),
    ).toEqual(ids.slice(1).toSorted())
    await press('Control+Shift+Home')
    await expect.poll(selected).toBe('3 annotations selected')

    await press('End')
    expect(await activeText()).toMatch(/^\d+(\.\d+)?$/)
    await press('Control+End')
    const activeRow = (): string | null | undefined => {
      const id = document.activeElement?.getAttribute('aria-activedescendant') ?? ''
      return document.getElementById(id)?.closest('[role=row]')?.getAttribute('aria-rowindex')
    }
    const count = await test('table-rows').getAttribute('aria-rowcount')
    await expect.poll(() => page.evaluate(activeRow)).toBe(count)
    await press('Control+Home')
  })

  it('sorts by its head, and F2 goes to the name', async () => {
    await test('table-rows').focus()
    await press('Control+Home', 'ArrowUp', 'Enter')
    await page.locator('[data-testid=sort-name][aria-sort=ascending]').waitFor()
    await press('ArrowRight', 'ArrowRight', 'Enter')
    await page.locator('[data-testid=sort-population][aria-sort=descending]').waitFor()
    await press('ArrowDown', 'Home', 'Enter', 'F2')
    await expect.poll(focused).toBe('field-2-name')
    await press('Escape')
  })
})

describe('the tree by keyboard', () => {
  it('opens, goes in and out, finds by letter, chooses and hides', async () => {
    const rows = page.locator('[data-testid=layer-row]')
    expect(await page.locator('[data-testid=layer-row][tabindex="0"]').count()).toBe(1)
    await rows.first().focus()
    const first = await focused()
    const row = (id: string): Locator => page.locator(`[data-testid=layer-row][data-layer="${id}"]`)
    await press('ArrowRight')
    expect(await row(first).getAttribute('aria-expanded')).toBe('true')
    await press('ArrowRight')
    const inside = await focused()
    expect(await row(inside).getAttribute('aria-level')).toBe('2')
    await press('ArrowLeft')
    expect(await focused()).toBe(first)
    await press('ArrowLeft')
    expect(await row(first).getAttribute('aria-expanded')).toBe('false')
    await press('End')
    const last = await focused()
    expect(await row(last).getAttribute('aria-posinset')).toBe(await row(last).getAttribute('aria-setsize'))
    await press('Home', 'Enter')
    expect(await row(first).getAttribute('aria-selected')).toBe('true')
    await press('Enter', ' ')
    expect(await row(first).getAttribute('data-shown')).toBe('false')
    await press(' ')
    expect(await row(first).getAttribute('data-shown')).toBe('true')
    const letter = ((await row(last).locator('.layer-text').textContent()) ?? '').slice(0, 1)
    await press(letter.toLowerCase())
    expect(
      (
        await row(await focused())
          .locator('.layer-text')
          .textContent()
      )?.slice(0, 1),
    ).toBe(letter)
    expect(await test('tool-add').getAttribute('aria-pressed')).toBe('false')
  })
})

describe('the map by keyboard', () => {
  it('is moved by arrows and zoomed by plus and minus', async () => {
    await centerOn(page, await idAt(page, 0))
    await test('map').focus()
    const before = await viewNow()
    await press('ArrowRight')
    expect((await viewNow()).lon).toBeGreaterThan(before.lon)
    await press('ArrowLeft', 'ArrowUp')
    expect((await viewNow()).lat).toBeGreaterThan(before.lat)
    await press('+')
    expect((await viewNow()).zoom).toBe(before.zoom + 0.5)
    await press('-', '-')
    expect((await viewNow()).zoom).toBe(before.zoom - 0.5)
  })

  it('goes through the labels, selects in its middle, and moves what is selected', async () => {
    await page.evaluate(() => {
      window.rowcastEditor?.scene?.setView({ center: { lon: 10, lat: 45 }, zoom: 4 })
      window.rowcastEditor?.scene?.renderNow()
    })
    await test('map').focus()
    await press('Escape', 'Escape', 'PageDown')
    const one = await selected()
    await press('PageDown')
    const two = await selected()
    expect(two).not.toBe(one)
    await press('PageUp')
    expect(await selected()).toBe(one)

    const id = await idAt(page, 3)
    await centerOn(page, id)
    await press('Escape', ' ')
    expect(await selected()).toBe(`${await nameOf(id)} selected`)
    const placeOf = (): Promise<{ lon: number; lat: number } | undefined> =>
      page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.position, id)
    const start = await placeOf()
    await press('Control+ArrowRight', 'Control+Shift+ArrowRight', 'Alt+ArrowUp')
    const moved = await placeOf()
    expect(moved?.lon).toBeGreaterThan(start?.lon ?? Infinity)
    expect(moved?.lat).toBeGreaterThan(start?.lat ?? Infinity)
    await press('Enter')
    expect(await test('ok').isDisabled()).toBe(true)
    expect(await placeOf()).toEqual(moved)
    await press('Control+z')
    expect(await placeOf()).toEqual(start)
  })

  it('is added to in its middle, and lets Tab through', async () => {
    await test('map').focus()
    const { lon } = await viewNow()
    await press('a', 'Enter')
    await expect.poll(selected).toBe('New annotation selected')
    const added = await page.evaluate(() => {
      const change = window.rowcastEditor?.draft()?.changes().changes[0]
      return change?.after['position.lon']
    })
    expect(added).toBeCloseTo(lon, 3)
    await press('Escape')
    await test('map').focus()
    await press('Tab')
    expect(await focused()).toBe('tool-select')
    await press('Shift+Tab', 'Shift+Tab')
    expect(await focused()).not.toBe('map')
  })
})

describe('what had the focus and is gone', () => {
  it('leaves it beside: a form that is given up, a value that is reset, a filter or a history that is cleared', async () => {
    await test('make-snapshot').focus()
    await press('Enter')
    expect(await focused()).toBe('name-input')
    await press('Escape')
    expect(await focused()).toBe('make-snapshot')
    await test('log-item').last().locator('.log-step').focus()
    await press('Enter', 'Tab', 'Enter')
    expect(await focused()).toBe('name-input')
    await press('Escape')
    expect(await focused()).toBe('fork')
    await press('Shift+Tab', 'Enter')

    await test('table-rows').focus()
    await press('Control+Home', 'Enter')
    await test('number-2-icon.size').fill('23')
    await press('Tab')
    expect(await focused()).toBe('reset-2-icon.size')
    await press('Enter')
    expect(await focused()).toBe('number-2-icon.size')
    await press('Enter')

    await test('table-search').focus()
    await page.keyboard.type('san')
    await test('clear-filter').focus()
    await press('Enter')
    expect(await focused()).toBe('table-search')

    await test('history-mine').focus()
    await press('Enter', 'Tab', 'Tab', 'Enter')
    await test('question').waitFor()
    await press('Escape')
    await expect.poll(focused).toBe('history-clear')
    await press('Enter', 'Tab', 'Enter')
    await expect.poll(focused).toBe('history-mine')
    await test('history-all').click()
  })
})

describe('tabs by keyboard', () => {
  it('are one stop of Tab, and are gone through by arrow keys', async () => {
    await test('table-rows').focus()
    await press('Control+Home', 'Enter')
    await test('tab-2-all').focus()
    await press('ArrowRight')
    expect(await focused()).toBe('tab-2-general')
    await press('Enter')
    expect(await test('tab-2-general').getAttribute('aria-selected')).toBe('true')
    expect(await test('tab-2-all').getAttribute('tabindex')).toBe('-1')
    await press('End')
    expect(await focused()).toBe('tab-2-geonames')
  })
})
