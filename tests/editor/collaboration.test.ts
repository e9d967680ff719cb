import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawFewInstances } from '../support/draw-few-instances.ts'
import { holdRequest, saved } from '../support/editor-actions.ts'
import { type EditorPage, startEditor } from '../support/editor-page.ts'
import { SyncProcess } from '../support/sync-process.ts'

let server: SyncProcess
let editor: EditorPage | undefined
let ann: Page
let ben: Page

const row = (page: Page, id: string): Locator => page.locator(`[data-testid=table-row][data-id="${id}"]`)

const lonOf = (page: Page, id: string): Promise<number | undefined> =>
  page.evaluate((key) => {
    const { mirror } = window.rowcastEditor ?? {}
    return mirror?.arrays.position[mirror.slotOf(key) * 2]
  }, id)

const idAt = (page: Page, index: number): Promise<string> =>
  page
    .getByTestId('table-row')
    .nth(index)
    .evaluate((element) => element.getAttribute('data-id') ?? '')

async function choose(page: Page, id: string): Promise<void> {
  await row(page, id).click()
  await page.locator(`[data-testid=table-row][data-id="${id}"][aria-selected=true]`).waitFor()
}

/** Presses the pointer on the selected annotation and moves it, without letting go. */
async function beginDrag(page: Page, id: string): Promise<{ x: number; y: number }> {
  const box = await page.getByTestId('map').boundingBox()
  const at = await page.evaluate((key) => {
    const { scene, store } = window.rowcastEditor ?? {}
    return scene?.toScreen(store?.table('annotation').get(key)?.position ?? { lon: 0, lat: 0 })
  }, id)
  const [x, y] = [(box?.x ?? 0) + (at?.x ?? 0), (box?.y ?? 0) + (at?.y ?? 0)]
  await page.mouse.move(x, y)
  await page.mouse.down()
  await page.mouse.move(x + 20, y + 8)
  await page.mouse.move(x + 40, y + 16)
  return { x: x + 40, y: y + 16 }
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
  ann = editor.page
  ben = await editor.open('')
}, 120_000)

afterAll(async () => {
  await editor?.close()
  await server?.close()
})

describe('two windows of the editor on one server', () => {
  it('open the same project and show each other', async () => {
    for (const page of [ann, ben]) {
      await saved(page)
      await expect.poll(() => page.getByTestId('guest').count()).toBe(1)
      expect(await page.evaluate(() => window.rowcastEditor?.store.table('annotation').count())).toBe(400)
    }
  })

  it('show in the table what the other has selected', async () => {
    const id = await idAt(ann, 1)
    await choose(ann, id)
    const name = await ann.getByTestId('me').getAttribute('title')
    await expect.poll(async () => `${await row(ben, id).getAttribute('data-guest')} (you)`).toBe(name)
  })

  it('show a drag in the other before the pointer is let go, and keep it once it is OK', async () => {
    const id = await idAt(ann, 1)
    const start = (await lonOf(ben, id)) ?? 0
    await choose(ann, id)
    await beginDrag(ann, id)
    const during = (await lonOf(ann, id)) ?? 0
    expect(during).toBeGreaterThan(start)
    await expect.poll(() => lonOf(ben, id)).toBe(during)
    // It is shown, not committed: nothing of it is on its way.
    expect(await ben.evaluate(() => window.rowcastEditor?.store.history.canUndo)).toBe(false)
    await ann.mouse.up()
    await ann.getByTestId('ok').click()
    await saved(ann)
    const sequence = await ann.evaluate(() => window.rowcastEditor?.store.sync.sequence)
    await expect.poll(() => ben.evaluate(() => window.rowcastEditor?.store.sync.sequence)).toBe(sequence)
    expect(await lonOf(ben, id)).toBe(during)
  })

  it('put a drag back in the other that is cancelled', async () => {
    const id = await idAt(ann, 2)
    const start = await lonOf(ben, id)
    await choose(ann, id)
    await beginDrag(ann, id)
    await ann.mouse.up()
    await expect.poll(() => lonOf(ben, id)).not.toBe(start)
    await ann.getByTestId('cancel').click()
    await expect.poll(() => lonOf(ben, id)).toBe(start)
  })

  it('mark a property that the other edits, and list what was changed under one’s own edit', async () => {
    const id = await idAt(ann, 3)
    await choose(ann, id)
    await choose(ben, id)
    await ann.getByTestId('number-2-icon.size').fill('33')
    await ben.getByTestId('guest-2-icon.size').waitFor()
    const name = (await ann.getByTestId('me').getAttribute('title'))?.replace(' (you)', '') ?? ''
    expect(await ben.getByTestId('guest-2-icon.size').getAttribute('title')).toBe(`edited by ${name}`)

    await ben.getByTestId('number-2-icon.size').fill('21')
    await ben.getByTestId('ok').click()
    await ann.getByTestId('conflicts').waitFor()
    await ann.getByTestId('conflicts').locator('summary').click()
    expect(await ann.getByTestId('conflict').locator('td').allTextContents()).toEqual(
      expect.arrayContaining(['33', '21']),
    )
    await ann.getByRole('button', { name: 'Take theirs' }).click()
    await expect.poll(() => ann.getByTestId('number-2-icon.size').inputValue()).toBe('21')
    await expect.poll(() => ben.getByTestId('guest-2-icon.size').count()).toBe(0)
    await ann.keyboard.press('Escape')
  })

  it('close the list of what was changed by Escape, which leaves the edit, and reach all of the bar above', async () => {
    const id = await idAt(ann, 3)
    await choose(ann, id)
    await choose(ben, id)
    await ann.getByTestId('number-2-icon.size').fill('34')
    await ann.getByTestId('number-2-text.size').fill('24')
    await ben.getByTestId('number-2-icon.size').fill('22')
    await ben.getByTestId('number-2-text.size').fill('23')
    await ben.getByTestId('ok').click()
    const list = ann.getByTestId('conflicts')
    await list.waitFor()
    await ann.setViewportSize({ width: 1024, height: 700 })
    for (const testId of ['cancel', 'ok', 'show-properties'])
      expect(
        await ann.getByTestId(testId).evaluate((button) => button.getBoundingClientRect().right),
        testId,
      ).toBeLessThan(1024)
    await list.locator('summary').focus()
    await ann.keyboard.press('Enter')
    await list.getByTestId('conflict').first().waitFor()
    await ann.keyboard.press('Tab')
    await ann.keyboard.press('Escape')
    expect(await list.getAttribute('open')).toBe(null)
    expect(await list.locator('summary').evaluate((summary) => summary === document.activeElement)).toBe(true)
    expect(await ann.getByTestId('number-2-icon.size').inputValue()).toBe('34')

    // What is settled is gone, and the focus with what is left.
    await ann.keyboard.press('Enter')
    await list.getByTestId('conflict').first().getByText('Keep mine').press('Enter')
    await expect.poll(() => list.getByTestId('conflict').count()).toBe(1)
    await expect.poll(() => list.evaluate((element) => element.contains(document.activeElement))).toBe(true)
    await list.getByTestId('conflict').first().getByText('Keep mine').press('Enter')
    await list.waitFor({ state: 'detached' })
    await expect.poll(() => ann.getByTestId('ok').evaluate((ok) => ok === document.activeElement)).toBe(true)
    await ann.setViewportSize({ width: 1440, height: 900 })
    await ann.keyboard.press('Escape')
  })

  it('go on after the server was killed in the middle of a drag, with nothing lost that was acknowledged', async () => {
    const [first, second] = [await idAt(ann, 0), await idAt(ann, 4)]
    await choose(ben, first)
    await ben.getByTestId('number-2-icon.size').fill('29')
    await ben.getByTestId('ok').click()
    await saved(ben)

    await choose(ann, second)
    await beginDrag(ann, second)
    await server.kill()
    await ann.locator('[data-testid=sync-status][data-state=offline]').waitFor()
    const moved = (await lonOf(ann, second)) ?? 0
    await ann.mouse.up()
    await ann.getByTestId('ok').click()
    await ann.getByTestId('sync-status').getByText('1 unsaved').waitFor()
    await server.restart()
    await Promise.all([saved(ann), saved(ben)])
    await expect.poll(() => lonOf(ben, second)).toBe(moved)

    const late = await editor?.open('')
    if (!late) throw new Error('The editor has not started.')
    expect(await lonOf(late, second)).toBe(moved)
    expect(
      await late.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.icon.size, first),
    ).toBe(29)
    await expect.poll(() => ann.getByTestId('guest').count()).toBe(2)
    await late.close()
    await expect.poll(() => ann.getByTestId('guest').count()).toBe(1)
  })

  it('list what the server refused, to be tried again once it can be or to be discarded', async () => {
    const [first, second] = ['refused-1', 'refused-2']
    const inserted = (page: Page, id: string, name: string): Promise<void> =>
      page.evaluate(
        ([key, called]) => {
          const store = window.rowcastEditor?.store
          store?.transaction(
            () => store.table('annotation').insert({ id: key, name: called, position: { lon: 1, lat: 1 } }),
            { label: `Add ${called}` },
          )
        },
        [id, name] as const,
      )
    const nameOf = (page: Page, id: string): Promise<string | undefined> =>
      page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.name, id)
    // Offline both add the same keys: the server takes those of whoever comes first.
    await server.kill()
    for (const page of [ann, ben]) await page.locator('[data-testid=sync-status][data-state=offline]').waitFor()
    for (const id of [first, second]) {
      await inserted(ann, id, `Ann ${id}`)
      await inserted(ben, id, `Ben ${id}`)
    }
    await server.restart()
    await Promise.all([saved(ann), saved(ben)])
    const refusedOf = (page: Page): Promise<number> => page.getByTestId('rejected-item').count()
    await expect.poll(async () => (await refusedOf(ann)) + (await refusedOf(ben))).toBe(2)
    const [winner, loser] = (await refusedOf(ann)) === 0 ? [ann, ben] : [ben, ann]
    const called = loser === ann ? 'Ann' : 'Ben'
    const other = loser === ann ? 'Ben' : 'Ann'
    await expect.poll(() => nameOf(loser, first)).toBe(`${other} ${first}`)

    await loser.getByTestId('rejected').locator('summary').click()
    const item = loser.getByTestId('rejected-item').filter({ hasText: `Add ${called} ${first}` })
    expect(await item.textContent()).toContain('is there already')
    await item.getByRole('button', { name: 'Try again' }).click()
    await loser.getByTestId('notice').and(loser.locator('[data-kind=error]')).waitFor()
    expect(await refusedOf(loser)).toBe(2)

    await winner.evaluate((key) => window.rowcastEditor?.store.table('annotation').delete(key), first)
    await expect.poll(() => nameOf(loser, first)).toBe(undefined)
    await item.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => nameOf(winner, first)).toBe(`${called} ${first}`)
    await loser.getByTestId('rejected-item').getByRole('button', { name: 'Discard' }).click()
    await expect.poll(() => loser.getByTestId('rejected').count()).toBe(0)
    for (const page of [ann, ben]) expect(await nameOf(page, second)).toBe(`${other} ${second}`)
  })

  it('roll back from the panel for both, which tells who did what', async () => {
    const id = await idAt(ann, 5)
    const size = (page: Page): Promise<number | undefined> =>
      page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.icon.size, id)
    const before = await size(ann)
    const newest = ann.getByTestId('log-item').first()
    // The panel asks the server for the log once a change has come.
    await Promise.all([saved(ann), saved(ben)])
    const inStep = await ben.evaluate(() => window.rowcastEditor?.store.sync.sequence)
    await expect.poll(() => ann.evaluate(() => window.rowcastEditor?.store.sync.sequence)).toBe(inStep)
    await expect.poll(() => newest.getAttribute('data-sequence')).toBe(String(inStep))
    const known = await newest.getAttribute('data-sequence')
    await choose(ben, id)
    await ben.getByTestId('number-2-icon.size').fill('38')
    await ben.getByTestId('ok').click()
    await expect.poll(() => size(ann)).toBe(38)
    await expect.poll(() => newest.getAttribute('data-sequence')).toBe(String(Number(known) + 1))
    const name = (await ben.getByTestId('me').getAttribute('title'))?.replace(' (you)', '') ?? ''
    expect(await newest.textContent()).toContain(name)

    // Where the panel is as narrow as it gets, it is the name that is cut off.
    const separator = ann.getByTestId('separator-layers')
    const width = Number(await separator.getAttribute('aria-valuenow'))
    await separator.press('Home')
    const [count, who] = [newest.locator('.log-who > :last-child'), newest.locator('.log-who')]
    const right = (of: Locator): Promise<number> => of.evaluate((element) => element.getBoundingClientRect().right)
    expect(await count.textContent()).toBe(' · 1 change')
    expect(await right(count)).toBeLessThanOrEqual(await right(who))
    while (Number(await separator.getAttribute('aria-valuenow')) < width) await separator.press('ArrowRight')

    const earlier = ann.locator(`[data-testid=log-item][data-sequence="${known}"]`)
    await earlier.locator('.log-step').click()
    await earlier.getByTestId('roll-back').click()
    await ann.getByTestId('question').waitFor()
    await ann.keyboard.press('Escape')
    await ann.getByTestId('question').waitFor({ state: 'detached' })
    expect(await size(ben)).toBe(38)

    const answer = await holdRequest(ann, '**/rollback')
    await earlier.getByTestId('roll-back').click()
    await ann.getByTestId('yes').click()
    await ann
      .getByTestId('notice')
      .and(ann.locator('[data-kind=busy]'))
      .getByText(`Rolling back to ${known}…`)
      .waitFor()
    answer()
    for (const page of [ann, ben]) await expect.poll(() => size(page)).toBe(before)
    await newest.getByText(`Rolled back to ${known}`).waitFor()
  })

  it('ask by what an entry did, and say so where a rollback finds nothing that differs', async () => {
    // Up to here something was done since the first entry.
    const items = ann.getByTestId('log-item')
    const created = ann.locator('[data-testid=log-item][data-sequence="1"]')
    await ann.getByTestId('project-log').evaluate((log) => (log.scrollTop = 0))
    await created.locator('.log-step').click()
    const [fork, log] = [
      await created.getByTestId('fork').boundingBox(),
      await ann.getByTestId('project-log').boundingBox(),
    ]
    expect((fork?.y ?? Infinity) + (fork?.height ?? 0)).toBeLessThan((log?.y ?? 0) + (log?.height ?? 0))
    const rollBack = async (title: string): Promise<void> => {
      await created.getByTestId('roll-back').click()
      await ann.getByTestId('question').getByText(title).waitFor()
      await ann.getByTestId('yes').click()
    }
    await rollBack('Roll back to 1 (Created)?')
    const told = ann.getByTestId('notice')
    await told.getByText('Rolled back to 1 (Created)').waitFor()
    const right = await told.evaluate((notice) => notice.getBoundingClientRect().right)
    expect(right).toBeLessThan((await ann.getByLabel('Whole world').boundingBox())?.x ?? 0)
    // The first entry was just now another one that was rolled back to.
    await items
      .first()
      .getByText(/Rolled back to 1(?!\d)/)
      .waitFor()
    const last = await items.first().getAttribute('data-sequence')
    await rollBack('Roll back to 1 (Created)?')
    await ann.getByTestId('notice').getByText('Nothing differs from 1 (Created)').waitFor()
    expect(await items.first().getAttribute('data-sequence')).toBe(last)
    await created.locator('.log-step').click()

    await ben.evaluate(() => window.rowcastEditor?.store.value('scene').set('land', '#334455'))
    await items.first().getByText('of the scene').waitFor()
    const did = (await items.first().locator('.step-label').textContent()) ?? ''
    await ben.evaluate(() => window.rowcastEditor?.store.value('scene').set('land', '#445566'))
    await expect.poll(() => items.first().getAttribute('data-sequence')).toBe(String(Number(last) + 2))
    await items.nth(1).locator('.log-step').click()
    await items.nth(1).getByTestId('roll-back').click()
    await ann
      .getByTestId('question')
      .getByText(`Roll back to ${Number(last) + 1} (${did})?`)
      .waitFor()
    await ann.keyboard.press('Escape')
    await items.nth(1).locator('.log-step').click()
  })

  it('name a state by a snapshot, which the history shows', async () => {
    await ann.getByTestId('make-snapshot').click()
    await ann.getByTestId('name-input').fill('agreed')
    await ann.getByTestId('name-input').press('Enter')
    await expect
      .poll(() => ann.getByTestId('log-item').first().locator('.log-snapshot').allTextContents())
      .toEqual(['agreed'])
  })

  it('replace the project for both by a file that is opened, once that is agreed to', async () => {
    const id = await idAt(ann, 5)
    const size = (page: Page): Promise<number | undefined> =>
      page.evaluate((key) => window.rowcastEditor?.store.table('annotation').get(key)?.icon.size, id)
    const before = await size(ann)
    const bytes = await ann.evaluate(() => [...(window.rowcastEditor?.store.export() ?? [])])
    const file = { name: 'earlier.db', mimeType: 'application/vnd.sqlite3', buffer: Buffer.from(bytes) }
    await choose(ben, id)
    await ben.getByTestId('number-2-icon.size').fill('39')
    await ben.getByTestId('ok').click()
    await expect.poll(() => size(ann)).toBe(39)

    await ann.getByTestId('open-file').setInputFiles(file)
    await ann.getByTestId('question').waitFor()
    await ann.keyboard.press('Escape')
    await ann.getByTestId('question').waitFor({ state: 'detached' })
    expect(await size(ann)).toBe(39)

    await ann.getByTestId('open-file').setInputFiles(file)
    await ann.getByTestId('yes').click()
    for (const page of [ann, ben]) await expect.poll(() => size(page)).toBe(before)
    await ann.getByTestId('notice').getByText('Opened earlier.db').waitFor()
    const newest = ann.getByTestId('log-item').first()
    await newest.getByText('Open earlier.db').waitFor()
  })

  it('fork a project from the panel, in a window of its own', async () => {
    const entry = ann.getByTestId('log-item').first()
    await entry.getByText('Open earlier.db').waitFor()
    await entry.locator('.log-step').click()
    await entry.getByTestId('fork').click()
    await ann.getByTestId('name-input').fill('other-cities')
    let answer = (): void => undefined
    const answered = new Promise<void>((resolve) => (answer = resolve))
    await ann.route('**/fork', async (route) => {
      await answered
      await route.continue()
    })
    const opening = ann.context().waitForEvent('page')
    await ann.getByTestId('name-input').press('Enter')
    // It opens with the key, before the server has answered: what opens later is blocked.
    const fork = await opening
    await fork.getByText('Making the project other-cities').waitFor()
    expect(await fork.locator('progress').count()).toBe(1)
    answer()
    await saved(fork)
    expect(new URL(fork.url()).search).toBe('?project=other-cities')
    await expect.poll(() => fork.getByTestId('title').inputValue()).toBe('other-cities')
    expect(await fork.getByTestId('log-item').last().textContent()).toContain('Forked from cities')
    expect(await ann.getByTestId('title').inputValue()).not.toBe('other-cities')
    expect(await fork.getByTestId('guest').count()).toBe(0)
    expect(await fork.evaluate(() => window.opener as unknown)).toBe(null)
    await fork.close()
  })

  it('close the window of a fork again that the server refuses, and say why', async () => {
    const entry = ann.getByTestId('log-item').first()
    await entry.getByTestId('fork').click()
    await ann.getByTestId('name-input').fill('other-cities')
    const opening = ann.context().waitForEvent('page')
    await ann.getByTestId('name-input').press('Enter')
    const fork = await opening
    await ann.getByTestId('notice').and(ann.locator('[data-kind=error]')).waitFor()
    expect(await ann.getByTestId('notice').textContent()).toContain('other-cities')
    if (!fork.isClosed()) await fork.waitForEvent('close')
  })
})
