import type { Page } from 'playwright-core'

/** Waits until all of a window is on the server. */
export const saved = (page: Page): Promise<void> =>
  page.getByTestId('sync-status').and(page.locator('[data-state=live]')).getByText('Saved', { exact: true }).waitFor()

/** Lets the next request to an address wait until the function is called that it gives. */
export async function holdRequest(page: Page, url: string): Promise<() => void> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  await page.route(
    url,
    async (route) => {
      await released
      await route.continue()
    },
    { times: 1 },
  )
  return release
}

/** The key of a row of the table, by its place in it. */
export function idAt(page: Page, index: number): Promise<string> {
  return page.evaluate((at) => {
    const rows = [...document.querySelectorAll<HTMLElement>('[data-testid=table-row]')]
    const sorted = rows.toSorted((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
    return sorted[at]?.dataset['id'] ?? ''
  }, index)
}

/** The key of the annotation of that name. */
export function idCalled(page: Page, name: string): Promise<string> {
  return page.evaluate(
    (called) =>
      window.rowcastEditor?.store
        .table('annotation')
        .find({ where: { name: called } })
        .at(-1)?.id ?? '',
    name,
  )
}

/** Clicks a row of the table that is in sight. */
export async function choose(page: Page, id: string, { additive = false } = {}): Promise<void> {
  const row = page.locator(`[data-testid=table-row][data-id="${id}"]`)
  await row.click(additive ? { modifiers: ['Control'] } : {})
  await page.locator(`[data-testid=table-row][data-id="${id}"][aria-selected=true]`).waitFor()
}

/** Shows an annotation in the middle of the map, near enough to be alone there. */
export async function centerOn(page: Page, id: string): Promise<void> {
  await page.evaluate((key) => {
    const { scene, store } = window.rowcastEditor ?? {}
    const place = store?.table('annotation').get(key)?.position
    if (!scene || !place) throw new Error(`There is no map, or no annotation ${key}.`)
    scene.setView({ center: place, zoom: 8 })
    scene.renderNow()
  }, id)
}

/** Where an annotation is in the window. */
export async function pointOf(page: Page, id: string): Promise<{ readonly x: number; readonly y: number }> {
  const box = await page.getByTestId('map').boundingBox()
  const at = await page.evaluate((key) => {
    const { scene, store } = window.rowcastEditor ?? {}
    return scene?.toScreen(store?.table('annotation').get(key)?.position ?? { lon: 0, lat: 0 })
  }, id)
  return { x: (box?.x ?? 0) + (at?.x ?? 0), y: (box?.y ?? 0) + (at?.y ?? 0) }
}

/** Puts the pointer where it lights nothing up. */
export const loseSight = (page: Page): Promise<void> => page.mouse.move(0, 0)
