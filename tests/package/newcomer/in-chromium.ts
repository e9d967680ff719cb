// The README's app, used in Chromium; the console stays empty of errors.
import assert from 'node:assert/strict'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { findChromium } from '../../../scripts/chromium.ts'

/** A note is added, written and kept over a reload. */
export async function keepsNotes(what: string, url: string): Promise<void> {
  await inChromium(what, async (newPerson) => {
    const page = await (await newPerson()).newPage()
    await page.goto(url)
    await writeNote(page)
    await page.reload()
    await showsNote(page)
  })
}

/** What one person writes, their other tab shows, and another person. */
export async function sharesNotes(what: string, url: string): Promise<void> {
  await inChromium(what, async (newPerson) => {
    const [one, other] = [await newPerson(), await newPerson()]
    const pages = [await one.newPage(), await one.newPage(), await other.newPage()]
    for (const page of pages) await page.goto(url)
    await writeNote(pages[0]!)
    for (const page of pages) await showsNote(page)
    for (const page of pages) await page.reload()
    for (const page of pages) await showsNote(page)
  })
}

async function writeNote(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Add' }).click()
  const note = page.getByLabel('Note')
  await note.fill('Kept')
  await note.press('Tab')
}

async function showsNote(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('input')?.value === 'Kept')
}

async function inChromium(
  what: string,
  act: (newPerson: () => Promise<BrowserContext>) => Promise<void>,
): Promise<void> {
  const executablePath = findChromium()
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] })
  const faults: string[] = []
  const newPerson = async (): Promise<BrowserContext> => {
    const context = await browser.newContext()
    // An icon is the app's own matter.
    await context.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }))
    context.on('weberror', (error) => faults.push(error.error().message))
    context.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    return context
  }
  try {
    await act(newPerson)
  } catch (error) {
    throw new Error(`${what}: the app does not work in Chromium. ${faults.join('\n')}`, { cause: error })
  } finally {
    await browser.close()
  }
  assert.deepEqual(faults, [], `${what}: the console has errors`)
}
