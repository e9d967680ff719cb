/**
 * A window for a project that is still being made. It is opened in the click that asks for it, since a browser blocks
 * what a page opens later, and shows how far the making is.
 */
export class ForkWindow {
  readonly #window: Window | null

  constructor(name: string) {
    this.#window = window.open('', '_blank')
    if (!this.#window) return
    // The project's page is not to reach this one.
    this.#window.opener = null
    const { document: page } = this.#window
    page.documentElement.lang = 'en'
    page.title = `Forking ${name}`
    const style = page.createElement('style')
    style.textContent = `
      body { display: grid; place-items: center; height: 100vh; margin: 0; background: #17191d; color: #d7dce3;
        font: 13px/1.5 system-ui, sans-serif; }
      h1 { margin: 1em 0; font: inherit; }
      progress { width: 320px; accent-color: #4d9dff; }`
    page.head.append(style)
    const main = page.createElement('main')
    const line = page.createElement('h1')
    line.textContent = `Making the project ${name}…`
    const bar = page.createElement('progress')
    bar.setAttribute('aria-label', 'Progress')
    main.append(line, bar)
    page.body.append(main)
  }

  /** Whether the browser let it open. */
  get isOpen(): boolean {
    return this.#window !== null && !this.#window.closed
  }

  /** How far it is, 0 to 1. */
  show(share: number): void {
    const bar = this.isOpen ? this.#window?.document.querySelector('progress') : undefined
    if (bar) bar.value = share
  }

  /** Goes to the page of the project. */
  goTo(url: string): void {
    if (this.isOpen) this.#window?.location.replace(url)
  }

  close(): void {
    if (this.isOpen) this.#window?.close()
  }
}
