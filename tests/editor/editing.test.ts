import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { centerOn, choose, idAt, idCalled, loseSight, pointOf, saved } from '../support/editor-actions.ts'
import type { EditorPage } from '../support/editor-page.ts'
import { startSharedEditor } from '../support/shared-editor.ts'

let editor: EditorPage | undefined
let page: Page

const test = (testId: string): Locator => page.getByTestId(testId)
const nameOf = (id: string): Promise<string> =>
  page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.name ?? '', id)
const sizesOf = (ids: readonly string[]): Promise<(number | undefined)[]> =>
  page.evaluate((keys) => keys.map((key) => window.rowcastEditor?.store.table('annotation').get(key)?.icon.size), ids)
const steps = (): Promise<string[]> => test('history-step').locator('.step-label').allTextContents()

beforeAll(async () => {
  editor = await startSharedEditor()
  page = editor.page
  await test('history-mine').click()
}, 120_000)

beforeEach(() => loseSight(page))

afterAll(() => editor?.close())

describe('a step of the history', () => {
  it('says what it did, also where it is undone and redone, and in the log of everyone', async () => {
    const id = await idAt(page, 0)
    const name = await nameOf(id)
    await choose(page, id)
    await test('number-2-text.size').fill('21')
    await test('ok').click()
    expect(await steps()).toEqual([`Text size of ${name}`])
    expect(await test('undo').getAttribute('title')).toBe(`Undo: text size of ${name} (Ctrl+Z)`)
    await test('undo').click()
    expect(await test('redo').getAttribute('title')).toBe(`Redo: text size of ${name} (Ctrl+Y)`)
    await test('redo').click()

    await saved(page)
    await test('history-all').click()
    await test('log-item').first().getByText(`Text size of ${name}`).waitFor()
    await test('history-mine').click()
  })

  it('names two properties, counts more, and tells what was added, moved, renamed or deleted', async () => {
    const id = await idAt(page, 1)
    const name = await nameOf(id)
    await choose(page, id)
    await test('number-2-icon.size').fill('19')
    await test('text-2-icon.border.color').fill('#ff0000')
    await test('ok').click()
    expect((await steps())[0]).toBe(`Icon size and icon border color of ${name}`)

    await test('number-2-icon.size').fill('20')
    await test('text-2-icon.border.color').fill('#00ff00')
    await test('number-2-text.size').fill('20')
    await test('ok').click()
    expect((await steps())[0]).toBe(`3 properties of ${name}`)

    await test('field-2-name').fill('Elsewhere')
    await test('ok').click()
    expect((await steps())[0]).toBe(`Name of ${name}`)

    await test('tool-add').click()
    await test('add-surface').click({ position: { x: 200, y: 200 } })
    await test('field-2-name').fill('Here')
    await test('ok').click()
    expect((await steps())[0]).toBe('Add Here')

    await test('delete').click()
    expect((await steps())[0]).toBe('Delete Here')
  })
})

describe('an open edit', () => {
  it('is called by what it comes to, as its step will be', async () => {
    const id = await idAt(page, 1)
    const name = await nameOf(id)
    await choose(page, id)
    await centerOn(page, id)
    const { x, y } = await pointOf(page, id)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 30, y)
    await page.mouse.up()
    await test('draft-label').getByText(`Move ${name}`).waitFor()
    await test('number-2-icon.size').fill('18')
    await test('draft-label').getByText(`Position and icon size of ${name}`).waitFor()
    await test('ok').click()
    expect((await steps())[0]).toBe(`Position and icon size of ${name}`)
  })
})

describe('the history of one’s own', () => {
  it('is forgotten once that is agreed to', async () => {
    expect((await steps()).length).toBeGreaterThan(0)
    await test('history-clear').click()
    await test('question').waitFor()
    await page.keyboard.press('Escape')
    await test('question').waitFor({ state: 'detached' })
    expect((await steps()).length).toBeGreaterThan(0)
    await test('history-clear').click()
    await test('yes').click()
    await expect.poll(steps).toEqual([])
    expect(await test('undo').isDisabled()).toBe(true)
  })
})

describe('several that are selected', () => {
  it('show mixed where their values differ, and are edited together as one step', async () => {
    const ids = [await idAt(page, 2), await idAt(page, 5), await idAt(page, 6)]
    const [first = '', ...others] = ids
    await page.evaluate(([a = '', b = '', c = '']) => {
      const table = window.rowcastEditor?.store.table('annotation')
      for (const [n, id] of [a, b, c].entries()) {
        table?.update(id, { icon: { size: 10 + n, shape: n === 0 ? 'pin' : 'circle', visible: n > 0 } })
        table?.update(id, { text: { size: 17 }, tags: ['all', `own-${n}`] })
      }
    }, ids)
    await choose(page, first)
    for (const id of others) await choose(page, id, { additive: true })
    expect(await test('number-2-icon.size').inputValue()).toBe('')
    expect(await test('number-2-icon.size').getAttribute('placeholder')).toBe('mixed')
    expect(await test('field-2-icon.size').getAttribute('aria-valuetext')).toBe('mixed')
    expect(await test('field-2-name').getAttribute('placeholder')).toBe('mixed')
    expect(await test('number-2-text.size').inputValue()).toBe('17')
    expect(await test('field-2-icon.shape').locator('option:checked').textContent()).toBe('mixed')
    expect(await test('field-2-icon.visible').evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true)

    const before = (await steps()).length
    await test('number-2-icon.size').fill('999')
    const error = test('panel-2').locator('.field-error').first()
    await error.getByText(/^At most \d+$/).waitFor()
    expect(await sizesOf(ids)).toEqual([10, 11, 12])
    await test('number-2-icon.size').fill('24')
    expect(await sizesOf(ids)).toEqual([24, 24, 24])
    expect(await test('number-2-icon.size').inputValue()).toBe('24')
    await test('field-2-icon.shape').selectOption('star')
    await test('field-2-icon.visible').click()
    await test('field-2-tags').fill('new')
    await test('field-2-tags').press('Enter')
    await test('ok').click()
    const rows = await page.evaluate(
      (keys) =>
        keys.map((key) => {
          const row = window.rowcastEditor?.store.table('annotation').get(key)
          return [row?.icon.size, row?.icon.shape, row?.icon.visible, row?.tags]
        }),
      ids,
    )
    expect(rows).toEqual(ids.map((_, n) => [24, 'star', true, ['all', `own-${n}`, 'new']]))
    expect(await steps()).toHaveLength(before + 1)
    expect((await steps())[0]).toBe('4 properties of 3 annotations')

    // What the primary one has already goes to the others too.
    await page.evaluate((key) => window.rowcastEditor?.store.table('annotation').set(key, 'icon.size', 5), first)
    await expect.poll(() => test('number-2-icon.size').inputValue()).toBe('')
    await test('number-2-icon.size').fill('24')
    expect(await sizesOf(ids)).toEqual([24, 24, 24])
    await test('cancel').click()
    expect(await sizesOf(ids)).toEqual([5, 24, 24])
    await test('reset-2-icon.size').click()
    expect(await sizesOf(ids)).toEqual([6, 6, 6])
    await test('cancel').click()
  })
})

describe('the map', () => {
  it('moves by press and drag what was not selected before, as a step of its own', async () => {
    const id = await idAt(page, 3)
    const other = await idAt(page, 4)
    const name = await nameOf(id)
    await choose(page, other)
    await centerOn(page, id)
    const lonOf = (key: string): Promise<number | undefined> =>
      page.evaluate((at) => window.rowcastEditor?.store.table('annotation').get(at)?.position.lon, key)
    const [start, otherStart] = [await lonOf(id), await lonOf(other)]
    const { x, y } = await pointOf(page, id)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 20, y)
    await page.mouse.move(x + 40, y)
    await page.mouse.up()
    expect(await lonOf(id)).toBeGreaterThan(start ?? Infinity)
    expect(await lonOf(other)).toBe(otherStart)
    expect(await page.getByTestId('table-rows').locator('[role=row][aria-selected=true]').count()).toBeLessThan(2)
    expect(await test('selection-count').textContent()).toBe('1')
    await test('ok').click()
    expect((await steps())[0]).toBe(`Move ${name}`)
  })

  it('pans by a press on what is locked, and leaves the selection', async () => {
    const id = await idAt(page, 4)
    const other = await idAt(page, 5)
    await page.evaluate((key) => window.rowcastEditor?.store.table('annotation').set(key, 'locked', true), id)
    await choose(page, other)
    await centerOn(page, id)
    const at = (): Promise<unknown> =>
      page.evaluate((key) => {
        const { store, scene } = window.rowcastEditor ?? {}
        return { place: store?.table('annotation').get(key)?.position, center: scene?.view.center }
      }, id)
    const before = (await at()) as { place: object; center: object }
    const { x, y } = await pointOf(page, id)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 30, y + 10)
    await page.mouse.up()
    const after = (await at()) as { place: object; center: object }
    expect(after.place).toEqual(before.place)
    expect(after.center).not.toEqual(before.center)
    await test('panel-2').waitFor()
    expect(await test('field-2-name').inputValue()).toBe(await nameOf(other))
  })
})

describe('a number beside a slider', () => {
  it('has room for its decimals beside its unit, in either panel', async () => {
    await choose(page, await idAt(page, 1))
    await test('tab-1-icon').click()
    await test('number-2-icon.size').fill('127.75')
    for (const testId of ['number-1-icon.size', 'number-2-icon.size'])
      expect(await test(testId).evaluate((input) => input.scrollWidth - input.clientWidth), testId).toBe(0)
    await test('cancel').click()
  })
})

describe('a text that is no part of the edit', () => {
  it('has Escape and undo for itself: the open edit stays, and so does the last step', async () => {
    const id = await idAt(page, 2)
    await choose(page, id)
    await test('number-2-icon.size').fill('31')
    await test('ok').click()
    for (const testId of ['table-search', 'layer-filter']) {
      await test(testId).click()
      await page.keyboard.type('ab')
      await page.keyboard.press('Control+z')
      expect(await sizesOf([id]), testId).toEqual([31])
      await test('number-2-icon.size').fill('32')
      await test(testId).click()
      await page.keyboard.type('ab')
      await page.keyboard.press('Escape')
      expect(await test(testId).inputValue()).toBe('')
      expect(await test('draft').getAttribute('data-dirty'), testId).toBe('true')
      await page.keyboard.press('Escape')
      expect(await test(testId).evaluate((field) => field === document.activeElement)).toBe(false)
      expect(await test('draft').getAttribute('data-dirty'), testId).toBe('true')
      await test('cancel').click()
    }
  })

  it('is given up by Escape in the title of the project', async () => {
    const title = await test('title').inputValue()
    await test('title').fill('Other')
    await test('title').press('Escape')
    expect(await test('title').inputValue()).toBe(title)
    expect(await page.evaluate(() => window.rowcastEditor?.store.value('scene').get()?.title)).toBe(title)
  })
})

describe('undo by key in a field of the panel', () => {
  const notice = (): Promise<number> => test('notice').count()
  const textOf = (testId: string): Promise<string> => test(testId).inputValue()

  it('takes back what is typed in it, and gives it again, while the store follows', async () => {
    const id = await idAt(page, 1)
    const name = await nameOf(id)
    await choose(page, id)
    for (const [testId, before, typed] of [
      ['field-2-name', name, 'Elsewhere'],
      ['number-2-icon.size', String((await sizesOf([id]))[0]), '27'],
    ] as const) {
      const inStore = (): Promise<string> =>
        testId === 'field-2-name' ? nameOf(id) : sizesOf([id]).then(([size]) => String(size))
      await test(testId).focus()
      await page.keyboard.press('Control+a')
      await page.keyboard.type(typed)
      expect(await inStore()).toBe(typed)
      for (let n = 0; n < typed.length + 1 && (await textOf(testId)) !== before; n++) {
        await page.keyboard.press('Control+z')
        expect(await textOf(testId), testId).not.toBe(typed)
      }
      expect([await textOf(testId), await inStore()]).toEqual([before, before])
      for (let n = 0; n < typed.length + 1 && (await textOf(testId)) !== typed; n++) {
        await page.keyboard.press(n % 2 === 0 ? 'Control+y' : 'Control+Shift+z')
      }
      expect([await textOf(testId), await inStore()]).toEqual([typed, typed])
      expect(await notice()).toBe(0)
      await page.keyboard.press('Escape')
      expect([await textOf(testId), await inStore()]).toEqual([before, before])
    }
  })

  it('is of the last step once the edit is OK, and of no other field', async () => {
    const id = await idAt(page, 1)
    const name = await nameOf(id)
    const [size] = await sizesOf([id])
    await choose(page, id)
    await test('number-2-icon.size').focus()
    await page.keyboard.press('Control+a')
    await page.keyboard.type('28')
    await page.keyboard.press('Enter')
    expect((await steps())[0]).toBe(`Icon size of ${name}`)
    await page.keyboard.press('Control+z')
    await expect.poll(() => textOf('number-2-icon.size')).toBe(String(size))
    expect(await test('draft').getAttribute('data-dirty')).toBe('false')
    await page.keyboard.press('Control+y')
    await expect.poll(() => textOf('number-2-icon.size')).toBe('28')

    await test('number-2-icon.size').fill('29')
    for (const testId of ['field-2-name', 'table-search']) {
      await test(testId).focus()
      await page.keyboard.press('Control+z')
      expect(await sizesOf([id]), testId).toEqual([29])
    }
    await test('notice').getByText('OK or cancel the edit first').waitFor()
    // A number that is stepped up is not typed.
    await test('number-2-icon.size').focus()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Control+z')
    expect(await sizesOf([id])).toEqual([29.25])
    await test('cancel').click()
  })
})

describe('the table', () => {
  it('selects from the row clicked last up to one that is clicked with Shift', async () => {
    const ids = await Promise.all([1, 2, 3, 4].map((index) => idAt(page, index)))
    const selected = (): Promise<string[]> =>
      page
        .locator('[data-testid=table-row][aria-selected=true]')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset['id'] ?? '').toSorted())
    const click = (at: number, modifiers: ('Control' | 'Shift')[]): Promise<void> =>
      page.locator(`[data-testid=table-row][data-id="${ids[at]}"]`).click({ modifiers })
    await click(1, [])
    await click(3, ['Shift'])
    expect(await selected()).toEqual(ids.slice(1).toSorted())
    await click(0, ['Shift'])
    expect(await selected()).toEqual(ids.slice(0, 2).toSorted())
    await click(3, ['Control'])
    expect(await selected()).toEqual(ids.filter((_, at) => at !== 2).toSorted())
  })

  it('scrolls to what is selected on the map, unless it is in sight', async () => {
    const top = (): Promise<number> => test('table-rows').evaluate((rows) => rows.scrollTop)
    const chosen = page.locator('[data-testid=table-row][aria-selected=true]')
    await test('sort-name').click()
    await page.locator('.table[data-busy=false]').waitFor()
    await test('table-rows').evaluate((rows) => (rows.scrollTop = 0))
    const id = await idCalled(page, 'Tokyo')
    await centerOn(page, id)
    const { x, y } = await pointOf(page, id)
    await page.mouse.click(x, y)
    await expect.poll(() => chosen.getAttribute('data-id')).toBe(id)
    await expect.poll(top).toBeGreaterThan(1_000)
    const [row, rows] = [await chosen.boundingBox(), await test('table-rows').boundingBox()]
    expect(row?.y).toBeGreaterThan(rows?.y ?? Infinity)
    expect((row?.y ?? Infinity) + (row?.height ?? 0)).toBeLessThanOrEqual((rows?.y ?? 0) + (rows?.height ?? 0))

    const before = await top()
    await page.mouse.click(x + 150, y + 150)
    await page.mouse.click(x, y)
    await expect.poll(() => chosen.getAttribute('data-id')).toBe(id)
    expect(await top()).toBe(before)
    // From there the keyboard goes on.
    await test('table-rows').focus()
    await page.keyboard.press('Shift+ArrowDown')
    expect(await test('selection-count').textContent()).toBe('2')
    await test('sort-population').click()
    await page.keyboard.press('Escape')
  })
})

describe('the search', () => {
  const namesShown = (): Promise<string[]> => page.locator('[data-testid=table-row] .cell-text').allTextContents()

  it('finds a name whatever accents, capitals and apostrophes it is written with', async () => {
    const names = ['Orléans', 'ORLÉANS', 'Łódź', 'Ålborg', 'Hồ Chí Minh', 'L’Aquila', 'Plain [x] 100%*?', 'Йошкар']
    await page.evaluate((list) => {
      const table = window.rowcastEditor?.store.table('annotation')
      table?.insert(list.map((name, n) => ({ id: `accent-${n}`, name, position: { lon: n, lat: n } })))
    }, names)
    const found: Record<string, string[]> = {}
    for (const words of ['orleans', 'ORLÉANS', 'lodz', 'alborg', 'ho chi', "l'aq", '[x]', '100%*?', 'ош', 'иошк']) {
      await test('table-search').fill(words)
      await page.locator('.table[data-busy=false]').waitFor()
      await expect.poll(async () => (await namesShown()).length).toBeLessThan(5)
      found[words] = (await namesShown()).toSorted()
    }
    expect(found).toEqual({
      orleans: ['ORLÉANS', 'Orléans'],
      ORLÉANS: ['ORLÉANS', 'Orléans'],
      lodz: ['Łódź'],
      alborg: ['Ålborg'],
      'ho chi': ['Hồ Chí Minh', 'Ho Chi Minh City'].toSorted(),
      "l'aq": ['L’Aquila'],
      '[x]': ['Plain [x] 100%*?'],
      '100%*?': ['Plain [x] 100%*?'],
      ош: ['Йошкар'],
      иошк: ['Йошкар'],
    })
    // A live query: what is renamed comes and goes.
    await test('table-search').fill('orleans')
    await expect.poll(namesShown).toHaveLength(2)
    await page.evaluate(() => window.rowcastEditor?.store.table('annotation').set('accent-2', 'name', 'Nouvel Orléäns'))
    await expect.poll(namesShown).toHaveLength(3)
    await test('table-search').fill('')
  })

  it('finds a letter that is written as two, and a name whose accents are signs of their own', async () => {
    const names = [
      'Gießen',
      'Bad Gross',
      'Æbeltoft',
      'Œuvre',
      'Þórshöfn',
      'Afﬁne',
      'Ĳmuiden',
      'Re\u0301unio\u0302n',
      'Réuniôn',
    ]
    await page.evaluate((list) => {
      const table = window.rowcastEditor?.store.table('annotation')
      table?.insert(list.map((name, n) => ({ id: `two-${n}`, name, position: { lon: n, lat: n } })))
    }, names)
    const expected: Record<string, string[]> = {
      giessen: ['Gießen'],
      GIESS: ['Gießen'],
      gies: ['Gießen'],
      sse: ['Gießen'],
      gieß: ['Gießen'],
      'bad groß': ['Bad Gross'],
      aebel: ['Æbeltoft'],
      ebelt: ['Æbeltoft'],
      oeuv: ['Œuvre'],
      thors: ['Þórshöfn'],
      affine: ['Afﬁne'],
      ijmui: ['Ĳmuiden'],
      reunion: ['Re\u0301unio\u0302n', 'Réuniôn'],
      réuniôn: ['Re\u0301unio\u0302n', 'Réuniôn'],
    }
    for (const [words, found] of Object.entries(expected)) {
      await test('table-search').fill(words)
      await page.locator('.table[data-busy=false]').waitFor()
      await expect
        .poll(async () => (await namesShown()).filter((name) => names.includes(name)).toSorted(), {
          message: words,
        })
        .toEqual(found.toSorted())
    }
    await test('table-search').fill('')
  })

  it('finds a layer so too', async () => {
    await test('layer-filter').fill('cote d')
    await expect.poll(() => page.locator('.layer .layer-text').allTextContents()).toContain('Côte d’Ivoire')
    await test('layer-filter').fill('')
  })
})

describe('a layer', () => {
  it('is hidden by the eye for this window alone, also after a reload, and is no step of the history', async () => {
    const id = await idCalled(page, 'Tokyo')
    const other = (await editor?.open('')) as Page
    const layerId = await page.evaluate((key) => {
      const { store } = window.rowcastEditor ?? {}
      const country = store?.table('annotation').get(key)?.layerId
      return country ? store?.table('layer').get(country)?.parentId : undefined
    }, id)
    const shownIn = (where: Page, state: boolean): Promise<void> =>
      where.locator(`[data-testid=layer-row][data-layer="${layerId}"][data-shown=${state}]`).waitFor()
    const before = (await steps()).length
    await shownIn(page, true)
    await test(`visible-${layerId}`).click()
    await shownIn(page, false)
    expect(await steps()).toHaveLength(before)
    await page.evaluate((key) => window.rowcastEditor?.store.table('annotation').set(key, 'note', 'seen'), id)
    const noteOf = (key: string): string | undefined => window.rowcastEditor?.store.table('annotation').get(key)?.note
    await expect.poll(() => other.evaluate(noteOf, id)).toBe('seen')
    await shownIn(other, true)
    await centerOn(page, id)
    const { x, y } = await pointOf(page, id)
    await page.mouse.click(x, y)
    expect(await test('selection-count').textContent()).not.toBe('1')

    await page.reload()
    await page.getByTestId('map').waitFor()
    await shownIn(page, false)
    await test(`visible-${layerId}`).click()
    await shownIn(page, true)
    await other.close()
  })
})
