import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build, type InlineConfig, preview } from 'vite'
import { proxyTo } from '../../stories/editor/server/proxy.ts'
import { findChromium } from '../../scripts/chromium.ts'

const configFile = fileURLToPath(new URL('../../stories/editor/vite.config.ts', import.meta.url))

/** Importing all cities takes some seconds, and a busy machine several times that. */
const loadTimeoutMs = 90_000

export interface EditorOptions {
  /** What follows the path of the first page's address; if not given, `?local`. */
  readonly search?: string
  /** Response headers of the editor's files. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: true. Without it, profiles have readable names. */
  readonly minify?: boolean
  /** The address of a sync server, whose calls the editor's own origin passes on. */
  readonly syncUrl?: string
  /** Which logged errors are none: browsers log each connection that could not be had. */
  readonly allowedErrors?: RegExp
  /** Run in each page before its own scripts, in no given order. */
  readonly before?: readonly (() => void)[]
}

/** The editor in Chromium. */
export interface EditorPage {
  readonly page: Page
  /** The address of the editor, without a search. */
  readonly url: string
  /** Another page of the same editor, loaded, or at the screen that says why it could not be. */
  open(search?: string): Promise<Page>
  /** Closes the browser and the server. Throws what any page threw or logged as an error since its start. */
  close(): Promise<void>
}

type Closer = () => Promise<unknown>

/**
 * Builds the editor (as for production, but with React's warnings where NODE_ENV says that this is a test), serves it from loopback and opens it in Chromium, loaded. Closes all that it
 * started where a step of that fails. A page's uncaught errors and logged errors fail `open` and `close`.
 */
export async function startEditor(options: EditorOptions = {}): Promise<EditorPage> {
  const closers: Closer[] = []
  const errors: Error[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) {
      await close().catch((error: unknown) => errors.push(new Error('The editor did not close', { cause: error })))
    }
  }
  try {
    const url = await serve(options, closers)
    const browser = await launch(closers)
    const open = (search = '?local'): Promise<Page> => openPage(browser, `${url}${search}`, options, errors)
    const page = await open(options.search)
    return {
      page,
      url,
      open,
      async close() {
        await closeAll()
        failOn(errors)
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function serve({ headers, minify, syncUrl }: EditorOptions, closers: Closer[]): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'rowcast-editor-'))
  closers.push(() => rm(outDir, { recursive: true, force: true }))
  const config: InlineConfig = {
    configFile,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: true,
      reportCompressedSize: false,
      minify: minify ?? true,
    },
    preview: {
      port: 0,
      host: '127.0.0.1',
      headers: { ...headers },
      ...(syncUrl !== undefined && { proxy: proxyTo(syncUrl) }),
    },
  }
  await build(config)
  // A proxy tells of each connection that a server which is down refuses.
  const server = await preview(syncUrl === undefined ? config : { ...config, logLevel: 'silent' })
  closers.push(() => server.close())
  const address = server.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('The server of the editor has no port.')
  return `http://127.0.0.1:${address.port}/`
}

async function launch(closers: Closer[]): Promise<Browser> {
  const executablePath = findChromium()
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  })
  closers.push(() => browser.close())
  return browser
}

async function openPage(browser: Browser, url: string, options: EditorOptions, errors: Error[]): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
  const failed = new Promise<never>((_, reject) => {
    const fail = (error: Error): void => {
      errors.push(error)
      reject(error)
    }
    page.on('pageerror', fail)
    page.on('crash', () => fail(new Error('The page crashed.')))
    page.on('console', (message) => {
      if (message.type() !== 'error' || options.allowedErrors?.test(message.text())) return
      fail(new Error(`The page logged: ${message.text()}`))
    })
  })
  // It goes on being told of errors after the race below, which then ends `close`.
  failed.catch(() => undefined)
  for (const script of options.before ?? []) await page.addInitScript(script)
  await page.goto(url)
  const shown = page.locator('[data-testid=map], [data-testid=failure]')
  await Promise.race([failed, shown.waitFor({ timeout: loadTimeoutMs })])
  return page
}

function failOn(errors: Error[]): void {
  const [first, ...others] = errors.splice(0)
  if (first === undefined) return
  throw others.length === 0 ? first : new AggregateError([first, ...others], `${others.length + 1} errors in the page`)
}
